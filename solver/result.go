package solver

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/ringfence/ringfence/model"
)

// Verdict answers "can X reach Y". The zero value is Unknown, so that one nobody set fails closed.
type Verdict uint8

const (
	Unknown Verdict = iota
	Unreachable
	Reachable
)

func (v Verdict) String() string { return [...]string{"unknown", "unreachable", "reachable"}[v] }

// MarshalJSON writes the verdict as its word.
func (v Verdict) MarshalJSON() ([]byte, error) { return json.Marshal(v.String()) }

// Outcome is how a property was decided. The zero value is Undecided.
type Outcome uint8

const (
	Undecided Outcome = iota
	Pass
	Fail
)

func (o Outcome) String() string { return [...]string{"unknown", "pass", "fail"}[o] }

// MarshalJSON writes the outcome as its word.
func (o Outcome) MarshalJSON() ([]byte, error) { return json.Marshal(o.String()) }

// Kind tells packets from chains of connections (AZ-REL-09).
type Kind string

const (
	Direct  Kind = "direct"
	Relayed Kind = "relayed"
)

// Flow is what one endpoint can open to another, over all packets of one kind and way.
type Flow struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	Verdict Verdict   `json:"verdict"` // Reachable: for certain; Unknown: only in the over bound
	Kind    Kind      `json:"kind"`
	Via     []string  `json:"via"`
	Label   string    `json:"label,omitempty"` // asymmetric: delivered one way, the reply does not return
	Packets []Packets `json:"packets"`
	Total   uint64    `json:"total,omitempty"`   // how many rows Packets would have without the cap
	Sent    []Sent    `json:"sent,omitempty"`    // as the client sends them, where that differs (AZ-GEN-11); of reach alone
	Witness *Witness  `json:"witness,omitempty"` // of what breaks an assertion: a packet with its way, of the first rows alone
}

// Sent is where clients send packets, and what they ask for there.
type Sent struct {
	Dst      []string `json:"dst"`
	Protocol string   `json:"protocol"`
	DPort    []string `json:"dport"`
}

// Packets is a set of packets as few ranges: a conjunction of unions. Src is as the sender writes it, Dst and DPort as the target sees
// them, after every translation (AZ-GEN-11).
type Packets struct {
	Src      []string `json:"src"`
	Dst      []string `json:"dst"`
	Protocol string   `json:"protocol"`
	SPort    []string `json:"sport"`
	DPort    []string `json:"dport"`
	Names    []string `json:"names"`
	Tags     []string `json:"tags,omitempty"` // service tags and FQDN tags that the far end is in (`!T`: outside)
}

// Packet is one concrete packet, as its sender makes it.
type Packet struct {
	Src      string `json:"src"`
	Dst      string `json:"dst"`
	Protocol string `json:"protocol"`
	SPort    uint16 `json:"sport"`
	DPort    uint16 `json:"dport"`
	Name     string `json:"name,omitempty"`
}

func (p Packet) String() string {
	s := fmt.Sprintf("%s %s:%d -> %s:%d", p.Protocol, p.Src, p.SPort, p.Dst, p.DPort)
	if p.Protocol != "tcp" && p.Protocol != "udp" && p.Protocol != "sctp" {
		s = fmt.Sprintf("%s %s -> %s", p.Protocol, p.Src, p.Dst)
	}
	if p.Name != "" {
		s += " (" + p.Name + ")"
	}
	return s
}

// Hop is one stage of a packet's way, as the interpreter decided it.
type Hop struct {
	At          string `json:"at"`
	Stage       string `json:"stage"`
	Action      string `json:"action"`
	Rule        string `json:"rule"`
	Source      string `json:"source"`
	Detail      string `json:"detail"`
	NextHopType string `json:"nextHopType,omitempty"`
	NextHopIP   string `json:"nextHopIP,omitempty"`
	Prefix      string `json:"prefix,omitempty"`
	RouteTable  string `json:"routeTable,omitempty"`

	Packet *Packet `json:"packet,omitempty"` // behind a hop that rewrites the header
}

// Witness is a concrete packet with its way: the proof of a verdict. A relayed witness has one leg per connection.
type Witness struct {
	Packet Packet `json:"packet"`
	Hops   []Hop  `json:"hops"`
	Legs   []Leg  `json:"legs,omitempty"` // the connections behind a relay
}

// Leg is one connection of a relayed chain, after the first.
type Leg struct {
	Relay  string `json:"relay"`
	Packet Packet `json:"packet"`
	Hops   []Hop  `json:"hops"`
}

// Blocker is a control that stops a flow.
type Blocker struct {
	At     string `json:"at"`
	Stage  string `json:"stage"`
	Rule   string `json:"rule"`
	Source string `json:"source"`
	Detail string `json:"detail"`
	From   string `json:"from"`
	To     string `json:"to"`

	Packets []Packets `json:"packets,omitempty"` // of an explanation: which packets it stops, as they are there
	Total   uint64    `json:"total,omitempty"`   // how many rows Packets would have without the cap
}

// Control is a control that packets pass, and the rule that lets them.
type Control struct {
	At      string    `json:"at"`
	Stage   string    `json:"stage"`
	Rule    string    `json:"rule"`
	Entry   string    `json:"entry,omitempty"` // of a policy's rule: the entries that matched, as `from[0] ports[1]`; of a pod that no policy decides about, that
	Source  string    `json:"source"`
	Packets []Packets `json:"packets"`
	Total   uint64    `json:"total,omitempty"` // how many rows Packets would have without the cap
}

// Change is one rule or setting that would have to be another.
type Change struct {
	At     []string `json:"at"` // the places where it acts on the flow
	Stage  string   `json:"stage"`
	Kind   string   `json:"kind"` // rule, setting
	Rule   string   `json:"rule"`
	Source string   `json:"source"`
	Detail string   `json:"detail"`
	Change string   `json:"change"` // what would have to be there: `a rule before this one that allows it`
}

// Pair is a sender and a target.
type Pair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Explanation says what would have to change for the verdict to be another. Nothing is applied.
type Explanation struct {
	Passed   []Control  `json:"passed"`                        // the controls that the flow passes
	Wanted   string     `json:"wanted"`                        // what the changes would do: open, stop
	Changes  int        `json:"changes"`                       // the size of the smallest sets; 0 when there is none
	Sets     [][]Change `json:"sets"`                          // sets of that size, each of which does it
	More     int        `json:"more,omitempty"`                // how many more there are
	Reason   string     `json:"reason"`                        // why there is none, in a sentence
	NoWay    []Pair     `json:"noWay"`                         // open: pairs between which nothing leads, whatever rules, routes and peerings say
	Witness  *Witness   `json:"witness" jsonschema:"nullable"` // open: a packet that the first set lets through
	Replayed bool       `json:"replayed"`                      // the interpreter delivers that packet as well, with the same rules changed
}

// Assumption is what a verdict rests on.
type Assumption struct {
	ID     string `json:"id"`
	Open   bool   `json:"open"`
	Text   string `json:"text"`
	Settle string `json:"settle"`
}

// Reach is the answer to one question.
type Reach struct {
	Verdict     Verdict      `json:"verdict"`
	From        string       `json:"from"`
	To          string       `json:"to"`
	Service     string       `json:"service"`
	Flows       []Flow       `json:"flows"`
	Zones       []Placed     `json:"zones,omitempty"` // where the ends of the flows lie, when a question asks for any
	Witness     *Witness     `json:"witness" jsonschema:"nullable"`
	BlockedBy   []Blocker    `json:"blockedBy"`
	Assumptions []Assumption `json:"assumptions"`
	Settle      []string     `json:"settle,omitempty"` // unknown: the fewest assumptions which, were they so, make it reachable; they lead Assumptions
	Hinges      []Hinge      `json:"hinges,omitempty"` // unknown: the answer under each value of what is missing
	Explanation *Explanation `json:"explanation,omitempty"`
}

// Hinge is facts that the input lacks, the fewest on which an answer hangs, and the answer under each value of them. Of several hinges each
// supposes the facts before it at their restrictive value.
type Hinge struct {
	Facts []string `json:"facts"` // assumptions, all of them together
	Open  Verdict  `json:"open"`  // where they let pass all that they may
	Shut  Verdict  `json:"shut"`  // where they let pass no more than is certain: unreachable, or unknown for other reasons

	IfOpen string `json:"ifOpen,omitempty"` // of an assertion: how it would be decided, where that follows
	IfShut string `json:"ifShut,omitempty"`
}

// Placed is an end of a flow and its zone.
type Placed struct {
	End  string `json:"end"`
	Zone string `json:"zone"` // "" where it is in none
}

// Row is one pair of a matrix; pairs without any flow are left out.
type Row struct {
	Src     string    `json:"src"`
	Dst     string    `json:"dst"`
	Verdict Verdict   `json:"verdict"`
	Kind    Kind      `json:"kind"`
	Via     []string  `json:"via,omitempty"`
	Packets []Packets `json:"packets"`
	Total   uint64    `json:"total,omitempty"` // how many rows Packets would have without the cap
	Rules   []Control `json:"rules,omitempty"` // what the pair passes, and by which rule; of a matrix between selectors
}

// AssertionResult is how one assertion was decided.
type AssertionResult struct {
	ID          string          `json:"id"`
	Verdict     Outcome         `json:"verdict"`
	Statement   string          `json:"statement"`
	Requirement string          `json:"requirement,omitempty"`
	Source      string          `json:"source"`
	Violations  []Flow          `json:"violations"`
	Witness     *Witness        `json:"witness" jsonschema:"nullable"`
	BlockedBy   []Blocker       `json:"blockedBy,omitempty"` // must: what stands in the way
	Waived      []string        `json:"waived,omitempty"`    // exceptions that took flows out
	Expired     []string        `json:"expired,omitempty"`   // exceptions whose day has passed
	Reason      string          `json:"reason,omitempty"`    // why it failed or is unknown, in a sentence
	RestsOn     []string        `json:"restsOn,omitempty"`   // pods that do not exist yet and are let in by their labels: who may set these may enter (K8S-EXP-05)
	Assumptions []Assumption    `json:"assumptions"`
	Hinges      []Hinge         `json:"hinges,omitempty"` // unknown: what is reachable under each value of what is missing
	Remedy      *Remedy         `json:"remedy,omitempty"` // of a failed one, where a run looks for it
	Assertion   model.Assertion `json:"-"`
}

func compareFlows(a, b Flow) int {
	return cmp.Or(cmp.Compare(b.Verdict, a.Verdict), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind), cmp.Compare(fmt.Sprint(a.Via), fmt.Sprint(b.Via)))
}
