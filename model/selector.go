package model

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// SelectorKind is the word before the colon of a selector.
type SelectorKind string

const (
	SelInternet   SelectorKind = "internet"
	SelAny        SelectorKind = "any"
	SelZone       SelectorKind = "zone"
	SelVNet       SelectorKind = "vnet"
	SelSubnet     SelectorKind = "subnet"
	SelNIC        SelectorKind = "nic"
	SelVM         SelectorKind = "vm"
	SelIP         SelectorKind = "ip"
	SelCIDR       SelectorKind = "cidr"
	SelCluster    SelectorKind = "cluster"
	SelNodePool   SelectorKind = "nodepool"
	SelNamespace  SelectorKind = "ns"
	SelPod        SelectorKind = "pod"
	SelAPIServer  SelectorKind = "apiserver"
	SelService    SelectorKind = "service"
	SelEndpoint   SelectorKind = "endpoint"
	SelFirewall   SelectorKind = "firewall"
	SelAppGateway SelectorKind = "appgw"
	SelFrontDoor  SelectorKind = "frontdoor"
	SelAPIM       SelectorKind = "apim"
	SelLB         SelectorKind = "lb"
	SelBastion    SelectorKind = "bastion"
	SelGateway    SelectorKind = "gateway"
	SelTag        SelectorKind = "tag"
	SelFQDN       SelectorKind = "fqdn"
)

// SelectorKinds lists every kind in the order in which messages name them.
func SelectorKinds() []SelectorKind {
	return []SelectorKind{
		SelInternet, SelAny, SelZone, SelVNet, SelSubnet, SelNIC, SelVM, SelIP, SelCIDR, SelCluster, SelNodePool, SelNamespace, SelPod,
		SelAPIServer, SelService, SelEndpoint, SelFirewall, SelAppGateway, SelFrontDoor, SelAPIM, SelLB, SelBastion, SelGateway, SelTag, SelFQDN,
	}
}

// Selector names endpoints: `subnet:vnet-spoke/snet-pe`. A list of selectors is a union, less those with Not.
type Selector struct {
	Kind   SelectorKind
	Parts  []string     // of the name, split at `/`; one part for a whole resource ID
	Whole  bool         // the name is a whole resource ID
	Prefix netip.Prefix // of `ip:` and `cidr:`
	Not    bool
	Text   string // as written
	Source Source // zero on the command line
}

func (s Selector) String() string { return s.Text }

// ParseSelector reads one selector.
func ParseSelector(text string) (Selector, error) {
	s := Selector{Text: strings.TrimSpace(text)}
	rest := s.Text
	if r, ok := strings.CutPrefix(rest, "not:"); ok {
		s.Not, rest = true, r
	}
	kind, name, named := strings.Cut(rest, ":")
	s.Kind = SelectorKind(kind)
	if !slices.Contains(SelectorKinds(), s.Kind) {
		if !named && rest != "" {
			return Selector{}, fmt.Errorf("selector `%s`: want kind:name, such as `zone:%s`; the kinds are %s", clip(text), clip(rest), joinKinds())
		}
		return Selector{}, fmt.Errorf("selector `%s`: no such kind; want %s", clip(text), joinKinds())
	}
	if s.Kind == SelInternet || s.Kind == SelAny {
		if named {
			return Selector{}, fmt.Errorf("selector `%s`: `%s` takes no name", clip(text), kind)
		}
		return s, nil
	}
	if !named || name == "" {
		return Selector{}, fmt.Errorf("selector `%s`: want `%s:NAME`", clip(text), kind)
	}
	switch s.Kind {
	case SelIP:
		a, err := netip.ParseAddr(name)
		if err != nil || a.Zone() != "" {
			return Selector{}, fmt.Errorf("selector `%s`: `%s` is no address", clip(text), clip(name))
		}
		a = a.Unmap()
		s.Prefix = netip.PrefixFrom(a, a.BitLen())
	case SelCIDR:
		p, hostBits, err := ParsePrefix(name)
		if err != nil {
			return Selector{}, fmt.Errorf("selector `%s`: %w", clip(text), err)
		}
		if hostBits {
			return Selector{}, fmt.Errorf("selector `%s`: host bits are set; did you mean `cidr:%s`?", clip(text), p)
		}
		s.Prefix = p
	default:
		if strings.HasPrefix(name, "/") {
			s.Parts, s.Whole = []string{name}, true
			return s, nil
		}
		s.Parts = strings.Split(name, "/")
		if slices.Contains(s.Parts, "") {
			return Selector{}, fmt.Errorf("selector `%s`: a part of the name is empty", clip(text))
		}
	}
	return s, nil
}

// ParseSelectors reads a list; it reports every bad one, and a list that selects nothing because it only excludes.
func ParseSelectors(texts []string) ([]Selector, error) {
	var out []Selector
	var errs []error
	positive := false
	for _, t := range texts {
		s, err := ParseSelector(t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		positive = positive || !s.Not
		out = append(out, s)
	}
	if len(errs) == 0 && !positive {
		errs = append(errs, errors.New("the list selects nothing: want at least one selector without `not:`"))
	}
	return out, errors.Join(errs...)
}

func joinKinds() string {
	var names []string
	for _, k := range SelectorKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// MatchName compares a name with a pattern in which `*` stands for any run of characters within one part. Azure names compare
// without case; pass fold for them.
func MatchName(pattern, name string, fold bool) bool {
	if fold {
		pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	}
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, pieces[0]) {
		return false
	}
	name = name[len(pieces[0]):]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name = name[i+len(piece):]
	}
	return strings.HasSuffix(name, pieces[len(pieces)-1])
}
