package trace

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// Packet is one packet as its sender makes it.
type Packet struct {
	From         model.Place // who sends; zero: derived from Src
	Src, Dst     netip.Addr  // real addresses or symbols (model.Symbols)
	Protocol     model.Protocol
	SPort, DPort uint16
	Name         string   // FQDN that the connection carries (SNI, Host); "" is the class (ip) of AZ-NAME-01
	Tags         []string // service tags without a prefix list that the far (public) address is in; FQDN tags, web categories and `infra` that the name is in (AZ-TAG-09, AZ-NAME-01)
}

func (p Packet) String() string {
	return fmt.Sprintf("%s %s:%d -> %s:%d", p.Protocol, p.Src, p.SPort, p.Dst, p.DPort)
}

// Options say how to read the estate. The zero value is the plain run.
type Options struct {
	Strict bool               // every assumption is open (AZ-GEN-10)
	All    bool               // walk past drops, so that every control's own answer shows
	Allows func(Hop) bool     // rules that deny and are read as if they allowed: what would be if they did; may be nil
	Tags   *model.ServiceTags // nil: a service tag is a Boolean of the packet (AZ-TAG-09)

	TrustMesh bool // a service mesh denies what its policies refuse (K8S-IST-05)

	Details bool // say beside a rule what its tags hold at the NIC
}

// End is how a path ends.
type End uint8

const (
	Lost      End = iota // left the modelled world: what happens next depends on something that the input lacks
	Dropped              // a control or the fabric drops the packet
	Delivered            // the packet reached the place
)

func (e End) String() string { return [...]string{"lost", "dropped", "delivered"}[e] }

// Stage is one of the stages of AZ-GEN-06, or of a device on the way.
type Stage string

const (
	AdminOut               Stage = "admin-rules-outbound"
	NICOut                 Stage = "nic-nsg-outbound"
	SubnetOut              Stage = "subnet-nsg-outbound"
	Routing                Stage = "route"
	SNAT                   Stage = "snat"
	Transport              Stage = "transport"
	DNAT                   Stage = "dnat"
	AdminIn                Stage = "admin-rules-inbound"
	SubnetIn               Stage = "subnet-nsg-inbound"
	NICIn                  Stage = "nic-nsg-inbound"
	FirewallDNAT           Stage = "firewall-dnat"
	FirewallNetwork        Stage = "firewall-network"
	FirewallApplication    Stage = "firewall-application"
	FirewallInfrastructure Stage = "firewall-infrastructure"
	PodEgress              Stage = "pod-egress"
	PodIngress             Stage = "pod-ingress"
	ServiceFirewall        Stage = "service-firewall"
	Relay                  Stage = "relay"
)

// Action is what a hop does with the packet.
type Action string

const (
	Allow   Action = "allow"
	Deny    Action = "deny"
	Forward Action = "forward"
	Drop    Action = "drop"
)

// Route is the route that a hop follows.
type Route struct {
	NextHopType model.NextHopType
	NextHopIP   netip.Addr // of a VirtualAppliance
	Prefix      netip.Prefix
	Tag         string // service tag, where the route names one instead of a prefix
	RouteTable  string // "" for a system route
}

// Hop is one stage at one place.
type Hop struct {
	At          model.Place
	Stage       Stage
	Action      Action
	Rule        string // as Azure prints it; "" where no rule decides
	Source      model.Source
	Detail      string
	Route       *Route // of stage route
	Packet      Packet // as it leaves the hop
	Certain     bool
	Assumptions []string
}

// Path is one course from the sender to its end.
type Path struct {
	Hops        []Hop
	End         End
	At          model.Place // where it ended
	Packet      Packet      // as it arrived there, after all rewrites
	Certain     bool        // taken for certain as far as unknowns go (AZ-GEN-09); choices of the sender and of load spreading are available
	Session     bool        // Certain and delivered, and the reply returns (AZ-RT-28, AZ-RT-29)
	Assumptions []string    // sorted
}

// Result is every course that the packet may take.
type Result struct {
	Paths []Path

	placements map[string][]string // workload: the node pools that its pods may run on
}

// Delivered says whether the packet may reach a place, whether it does for certain, and whether the reply then returns. The place
// of a workload without a Part stands for all its placements: certain only where every one of them is (AZ-GEN-09).
func (r *Result) Delivered(at model.Place) (over, oneWay, session bool) {
	parts := []string{at.Part}
	if at.Kind == model.PlacePod && at.Part == "" && len(r.placements[at.ID.Key()]) > 0 {
		parts = r.placements[at.ID.Key()]
	}
	oneWay, session = true, true
	for _, part := range parts {
		place := model.Place{Kind: at.Kind, ID: at.ID, Part: part}.Key()
		certain, returns := false, false
		for _, p := range r.Paths {
			if p.End == Delivered && p.At.Key() == place {
				over, certain, returns = true, certain || p.Certain, returns || p.Session
			}
		}
		oneWay, session = oneWay && certain, session && returns
	}
	return over, oneWay, session
}

// Run follows one packet.
func Run(e *model.Estate, o Options, p Packet) *Result { return New(e, o).Run(p) }

// Interpreter follows packets through one estate, and remembers what it looked up. It is not safe for concurrent use.
type Interpreter struct{ world *world }

// New prepares an interpreter of an estate.
func New(e *model.Estate, o Options) *Interpreter { return &Interpreter{newWorld(e, o)} }

// Run follows one packet.
func (i *Interpreter) Run(p Packet) *Result {
	p.Src, p.Dst = p.Src.Unmap().WithZone(""), p.Dst.Unmap().WithZone("")
	w := i.world
	t := &tracer{world: w}
	t.start(p)
	slices.SortStableFunc(t.paths, comparePaths)
	t.paths = slices.CompactFunc(t.paths, samePath)
	return &Result{Paths: t.paths, placements: w.placementsOf(t.paths)}
}

// comparePaths puts delivered paths first, certain ones before possible ones; else the order of the walk stays.
func comparePaths(a, b Path) int {
	rank := func(p Path) int {
		switch {
		case p.End == Delivered && p.Session:
			return 0
		case p.End == Delivered && p.Certain:
			return 1
		case p.End == Delivered:
			return 2
		case p.End == Lost:
			return 3
		case p.Certain:
			return 4
		default:
			return 5
		}
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), a.At.Compare(b.At))
}

// samePath finds neighbours that differ in nothing that a reader sees.
func samePath(a, b Path) bool {
	if a.End != b.End || a.At.Key() != b.At.Key() || a.Certain != b.Certain || a.Session != b.Session || len(a.Hops) != len(b.Hops) {
		return false
	}
	for i := range a.Hops {
		x, y := a.Hops[i], b.Hops[i]
		if x.At.Key() != y.At.Key() || x.Stage != y.Stage || x.Action != y.Action || x.Rule != y.Rule || x.Detail != y.Detail ||
			x.Packet.String() != y.Packet.String() {
			return false
		}
	}
	return a.Packet.String() == b.Packet.String()
}
