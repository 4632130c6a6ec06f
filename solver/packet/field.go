package packet

import (
	"cmp"
	"fmt"
)

// Field is one part of a packet, and one level of a diagram. The order is a constant of the package: origin on top, so that one
// walk serves all sources, and addresses before ports, which keeps rule lists three to five times smaller than ports first.
type Field uint8

// The fields of a packet. After Name comes one Boolean field for each tag of the Universe ([Tag]).
const (
	Origin   Field = iota // the endpoint class that sent it; never rewritten
	Dst                   // class of the destination address
	Src                   // class of the source address
	Protocol              // IP protocol number
	DPort                 // destination port; without meaning, and full, for a protocol without ports
	SPort                 // source port; likewise
	Name                  // FQDN class; class 0 is "no name at all"
	firstTag              // the first Boolean
)

// leafLevel is the level of terminals: below every field.
const leafLevel = 255

// MaxTags is how many Booleans a Universe has room for.
const MaxTags = leafLevel - int(firstTag)

// Tag returns the level of tag i, in the order of [Universe.TagNames].
func Tag(i int) Field {
	if i < 0 || i >= MaxTags {
		panic(fmt.Sprintf("packet: tag %d, want 0 to %d", i, MaxTags-1))
	}
	return firstTag + Field(i)
}

// IsTag reports whether f is the Boolean of a tag.
func (f Field) IsTag() bool { return f >= firstTag && f != leafLevel }

// tag is the number of the tag whose Boolean f is.
func (f Field) tag() int { return int(f - firstTag) }

func (f Field) String() string {
	switch f {
	case Origin:
		return "origin"
	case Dst:
		return "destination"
	case Src:
		return "source"
	case Protocol:
		return "protocol"
	case DPort:
		return "destination port"
	case SPort:
		return "source port"
	case Name:
		return "name"
	default:
		return fmt.Sprintf("tag %d", f.tag())
	}
}

// Range is an interval of values of one field, both ends included.
type Range struct{ Lo, Hi uint32 }

func compareRange(a, b Range) int { return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.Hi, b.Hi)) }

// One is the range that holds v alone.
func One(v uint32) []Range { return []Range{{v, v}} }

// Ported lists the protocols with ports: TCP, UDP and SCTP. All others are port-less: their packets have no port fields, so every set
// holds such a packet with all ports or with none.
func Ported() []Range { return []Range{{6, 6}, {17, 17}, {132, 132}} }

// Portless lists the protocols without ports: the complement of [Ported].
func Portless() []Range { return []Range{{0, 5}, {7, 16}, {18, 131}, {133, 255}} }

// HasPorts reports whether a protocol has ports.
func HasPorts(protocol uint8) bool { return protocol == 6 || protocol == 17 || protocol == 132 }

// TagBits holds one Boolean for each tag, by its number in the order of [Universe.TagNames]. It is an array so that a Packet can be
// compared and so that it has room for every tag of a Universe.
type TagBits [(MaxTags + 63) / 64]uint64

// Has reports tag i.
func (t TagBits) Has(i int) bool { return t[i/64]>>(i%64)&1 == 1 }

// With returns t with tag i set to v.
func (t TagBits) With(i int, v bool) TagBits {
	t[i/64] &^= 1 << (i % 64)
	if v {
		t[i/64] |= 1 << (i % 64)
	}
	return t
}

// Packet is one concrete packet. Dst and Src are address classes ([Universe.Class], [Universe.Example]), Name is a name class.
type Packet struct {
	Origin, Dst, Src uint32
	Protocol         uint8
	DPort, SPort     uint16
	Name             uint32
	Tags             TagBits // bit i is tag i
}

// Tag reports the Boolean f of the packet.
func (p Packet) Tag(f Field) bool { return p.Tags.Has(f.tag()) }

// value is the packet's value of a field.
func (p *Packet) value(f Field) uint32 {
	switch f {
	case Origin:
		return p.Origin
	case Dst:
		return p.Dst
	case Src:
		return p.Src
	case Protocol:
		return uint32(p.Protocol)
	case DPort:
		return uint32(p.DPort)
	case SPort:
		return uint32(p.SPort)
	case Name:
		return p.Name
	default:
		if p.Tags.Has(f.tag()) {
			return 1
		}
		return 0
	}
}

// set gives a field of the packet a value.
func (p *Packet) set(f Field, v uint32) {
	switch f {
	case Origin:
		p.Origin = v
	case Dst:
		p.Dst = v
	case Src:
		p.Src = v
	case Protocol:
		p.Protocol = uint8(v)
	case DPort:
		p.DPort = uint16(v)
	case SPort:
		p.SPort = uint16(v)
	case Name:
		p.Name = v
	default:
		p.Tags = p.Tags.With(f.tag(), v == 1)
	}
}

// TagValue says what a tag must be.
type TagValue struct {
	Tag   Field
	Value bool
}

// Box is a conjunction of unions: a packet is in it when each field lies in one of that field's ranges and each tag has its value.
// nil means any value; a list that is empty but not nil means no value, and makes the box empty ([Universe.Addrs] never returns nil).
type Box struct {
	Origin, Dst, Src, Protocol, DPort, SPort, Name []Range
	Tags                                           []TagValue
}

// ranges points at the ranges of a field that is no tag.
func (b *Box) ranges(f Field) *[]Range {
	switch f {
	case Origin:
		return &b.Origin
	case Dst:
		return &b.Dst
	case Src:
		return &b.Src
	case Protocol:
		return &b.Protocol
	case DPort:
		return &b.DPort
	case SPort:
		return &b.SPort
	case Name:
		return &b.Name
	default:
		panic("packet: " + f.String() + " has no ranges") // INVARIANT: callers pass the seven named fields
	}
}
