package model

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Setting is a Boolean of the input that may be absent. The zero value is the cautious one: nobody said.
type Setting uint8

const (
	NotStated Setting = iota
	Off
	On
)

// SettingOf is On for true and Off for false.
func SettingOf(b bool) Setting {
	if b {
		return On
	}
	return Off
}

func (s Setting) String() string { return [...]string{"not stated", "false", "true"}[s] }

// Protocol is an IANA protocol number, or AnyProtocol where a rule says `*`.
type Protocol uint8

const (
	ICMP        Protocol = 1
	TCP         Protocol = 6
	UDP         Protocol = 17
	ESP         Protocol = 50
	AH          Protocol = 51
	ICMPv6      Protocol = 58
	SCTP        Protocol = 132
	AnyProtocol Protocol = 255 // reserved by IANA: no packet carries it
)

func (p Protocol) String() string {
	switch p {
	case ICMP:
		return "icmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ESP:
		return "esp"
	case AH:
		return "ah"
	case ICMPv6:
		return "icmpv6"
	case SCTP:
		return "sctp"
	case AnyProtocol:
		return "any"
	default:
		return strconv.Itoa(int(p))
	}
}

// HasPorts reports whether packets of p carry ports.
func (p Protocol) HasPorts() bool { return p == TCP || p == UDP || p == SCTP }

// PortRange is First to Last, both included.
type PortRange struct{ First, Last uint16 }

// AllPorts is every port.
//
//nolint:gochecknoglobals // a constant: Go has no struct constants
var AllPorts = PortRange{0, 65535}

func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// ParsePortRange reads `443`, `8000-8100` or `*`.
func ParsePortRange(s string) (PortRange, error) {
	s = strings.TrimSpace(s)
	if s == "*" {
		return AllPorts, nil
	}
	first, last, isRange := strings.Cut(s, "-")
	lo, err := parsePort(first)
	if err != nil {
		return PortRange{}, err
	}
	if !isRange {
		return PortRange{lo, lo}, nil
	}
	hi, err := parsePort(last)
	if err != nil {
		return PortRange{}, err
	}
	if lo > hi {
		return PortRange{}, fmt.Errorf("the range `%s` runs backwards", clip(s))
	}
	return PortRange{lo, hi}, nil
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
	if err != nil {
		return 0, fmt.Errorf("`%s` is no port: want 0 to 65535", clip(s))
	}
	return uint16(n), nil
}

// ParsePrefix reads an address or a CIDR. An address is its own /32 or /128; IPv4-in-IPv6 is unmapped; host bits are cleared, and
// the second result reports that there were some.
func ParsePrefix(s string) (netip.Prefix, bool, error) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, false, fmt.Errorf("`%s` has a zone; want a plain address or CIDR", clip(s))
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), false, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false, fmt.Errorf("`%s` is no address or CIDR", clip(s))
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false, fmt.Errorf("`%s` mixes IPv4 and IPv6", clip(s))
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	m := p.Masked()
	return m, m != p, nil
}

// Date is a day without time or zone, as the intent file writes it. The zero Date means "not given".
type Date struct {
	Year, Month, Day int
}

// IsZero reports whether no date was given.
func (d Date) IsZero() bool { return d == Date{} }

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool {
	if d.Year != e.Year {
		return d.Year < e.Year
	}
	if d.Month != e.Month {
		return d.Month < e.Month
	}
	return d.Day < e.Day
}

// ParseDate reads `2026-11-01`.
func ParseDate(s string) (Date, error) {
	var d Date
	if n, err := fmt.Sscanf(s, "%4d-%2d-%2d", &d.Year, &d.Month, &d.Day); err != nil || n != 3 || d.String() != s || !d.valid() {
		return Date{}, fmt.Errorf("`%s` is no day: want YYYY-MM-DD", clip(s))
	}
	return d, nil
}

func (d Date) valid() bool {
	return d.Month >= 1 && d.Month <= 12 && d.Day >= 1 && d.Day <= d.lastDay()
}

// lastDay is the last day of the date's month.
func (d Date) lastDay() int {
	if d.Month == 2 && (d.Year%4 == 0 && d.Year%100 != 0 || d.Year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[d.Month-1]
}

// AddMonths is the same day so many months later, or the last day of a month that is too short for it.
func (d Date) AddMonths(n int) Date {
	if d.IsZero() {
		return d
	}
	months := d.Year*12 + d.Month - 1 + n
	out := Date{Year: months / 12, Month: months%12 + 1, Day: 1}
	out.Day = min(d.Day, out.lastDay())
	return out
}

// DaysTo is how many days later e is than d; less than 0 where it is earlier.
func (d Date) DaysTo(e Date) int { return e.number() - d.number() }

// number counts days from an early one (the civil calendar, without time zones).
func (d Date) number() int {
	y, m := d.Year, (d.Month+9)%12 // March is month 0, so that a leap day ends its year
	if d.Month < 3 {
		y--
	}
	return 365*y + y/4 - y/100 + y/400 + (m*306+5)/10 + d.Day - 1
}

// AddDays is so many days later; n is not negative.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	d.Day += n
	for d.Day > d.lastDay() {
		d.Day -= d.lastDay()
		if d.Month++; d.Month > 12 {
			d.Year, d.Month = d.Year+1, 1
		}
	}
	return d
}
