package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// course is one way that the packet goes: where it has been, what it looks like now, and whether anything on the way was uncertain.
// Courses are values; a copy goes its own way.
type course struct {
	packet    Packet  // as the next stage receives it; From, Name and Tags never change
	src, dst  address // what rules know of its addresses
	hops      []Hop
	certain   bool
	assumed   []string
	crossed   []crossing
	dropped   *model.Place       // with Options.All: where it was dropped first
	balanced  *address           // of a load balancer with floating IP: what its members' NSGs may see as destination
	endpoint  *model.Subnet      // the subnet whose service endpoint it left by (AZ-SE-01)
	pod       *pod               // the pod that sent it, as long as the packet carries the pod's own identity
	node      *host              // the AKS node that sent it, likewise
	entry     *entry             // the gateway connection by which it came in, until it leaves the gateway's VNet
	shown     address            // its source before the translation of a gateway that it left by (AZ-GW-12)
	public    *publicEntry       // the public door by which it comes in (AZ-PIP-02)
	seen      []visit            // for loops (AZ-RT-12)
	last      *host              // where it arrived, from which a reply starts
	inCluster bool               // it stays between pods and nodes of one cluster, off the fabric's routes
	frontend  model.ID           // the load balancer frontend that it came by
	service   *model.KubeService // the Service that it came by
	masked    *masked            // the client, where a node may have put its own address on the packet
	bypass    match              // an AlwaysAllow jumped over the NSGs of the NIC that the packet is at (AZ-AVNM-02)
	opened    match              // an admin rule allowed it there (AZ-AVNM-13)
}

// crossing is a device on the way that must see the reply too, or that has to translate it back (AZ-RT-29).
type crossing struct {
	at            model.Place
	before, after Packet
	subnet        *model.Subnet // from which a device routes what it sends
	vnet          *model.VNet
	stateful      bool           // drops replies of connections whose opening it did not see
	source        bool           // changed the source address
	node          *host          // the node that put its address on a packet for a pod on another one (K8S-SVC-08)
	link          bool           // Private Link, which needs no route back
	gateway       *model.Gateway // a gateway, which keeps no state and translates by itself: replies come back through it, or not at all
	tunnel        bool           // it came to the gateway through the tunnel of the one before
}

// visit is a stage that a packet passed.
type visit struct {
	stage    string
	place    model.Place
	src, dst netip.Addr
	protocol model.Protocol
	dport    uint16
	brought  string // by which firewall, at a gateway
}

// again reports the same stage and packet, by whatever way.
func (v visit) again(w visit) bool {
	w.brought = v.brought
	return v == w
}

// publicEntry is how a packet comes in from the internet.
type publicEntry struct {
	sku model.SKU // of the public address or the load balancer
}

// tracer walks the courses of one packet.
type tracer struct {
	*world
	paths []Path
	steps int
	from  netip.Addr // the sender of the run
}

// limits of one run: more courses than this say so and stop.
const (
	maxSteps = 4000
	maxHops  = 200
)

func (c course) flow() flow {
	return flow{
		src: c.src, dst: c.dst, protocol: c.packet.Protocol, sport: c.packet.SPort, dport: c.packet.DPort,
		name: c.packet.Name, tags: c.packet.Tags, service: c.service,
	}
}

// add appends a hop; the packet is the one that leaves it.
func (c course) add(h Hop) course {
	h.Packet = c.packet
	h.Assumptions = sorted(h.Assumptions)
	c.hops = append(slices.Clip(c.hops), h)
	c.certain = c.certain && h.Certain
	c.assumed = union(c.assumed, h.Assumptions)
	return c
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// uncertain marks the course as possible only, for the reasons given.
func (c course) uncertain(why ...string) course {
	c.certain = false
	c.assumed = union(c.assumed, sorted(why))
	return c
}

// because notes assumptions that took part.
func (c course) because(why ...string) course {
	c.assumed = union(c.assumed, sorted(why))
	return c
}

// given is the course on the condition that a match holds.
func (c course) given(m match) course {
	if !m.must {
		c.certain = false
	}
	return c.because(m.why...)
}

// from puts another source on the packet.
func (c course) from(a address, port uint16) course {
	c.src, c.packet.Src, c.packet.SPort = a, a.at, port
	return c
}

// to puts another destination on the packet.
func (c course) to(a address, port uint16) course {
	c.dst, c.packet.Dst, c.packet.DPort = a, a.at, port
	return c
}

func (c course) cross(x crossing) course {
	x.after = c.packet
	c.crossed = append(slices.Clip(c.crossed), x)
	return c
}

// step counts the work and finds loops; it reports whether the walk goes on.
func (t *tracer) step(c *course, stage string, at model.Place) bool {
	t.steps++
	v := visit{stage: stage, place: at.Key(), src: c.packet.Src, dst: c.packet.Dst, protocol: c.packet.Protocol, dport: c.packet.DPort}
	if at.Kind == model.PlaceGateway {
		v.brought = c.firewalled()
	}
	switch {
	case slices.Contains(c.seen, v):
		t.end(*c, Hop{At: at, Stage: Routing, Action: Drop, Detail: "the packet goes round in a loop (AZ-RT-12)", Certain: true}, Dropped, at)
		return false
	case t.steps > maxSteps || len(c.hops) > maxHops:
		if t.steps == maxSteps+1 || len(c.hops) > maxHops {
			t.end(c.uncertain(), Hop{At: at, Stage: Routing, Action: Forward, Detail: "more courses than the interpreter follows", Certain: false}, Lost, at)
		}
		return false
	}
	// AZ-RT-12: whether a gateway tells what a firewall brought back from what came by its tunnels is not known.
	*c = c.uncertainIf(slices.ContainsFunc(c.seen, v.again))
	c.seen = append(slices.Clip(c.seen), v)
	return true
}

// firewalled names the firewall that the packet passed last.
func (c course) firewalled() string {
	for _, x := range slices.Backward(c.crossed) {
		if x.at.Kind == model.PlaceFirewall {
			return x.at.ID.Key()
		}
	}
	return ""
}

// end closes a course with a last hop.
func (t *tracer) end(c course, h Hop, end End, at model.Place) {
	t.finish(c.add(h), end, at)
}

func (t *tracer) finish(c course, end End, at model.Place) {
	if c.dropped != nil {
		end, at = Dropped, *c.dropped
	}
	p := Path{Hops: c.hops, End: end, At: at, Packet: c.packet, Certain: c.certain, Assumptions: sorted(c.assumed)}
	if p.Assumptions == nil {
		p.Assumptions = []string{}
	}
	if end == Delivered && c.certain {
		p.Session = t.returns(c, at)
	}
	t.paths = append(t.paths, p)
}

// deliver ends a course at the place that receives the packet.
func (t *tracer) deliver(c course, at model.Place) { t.finish(c, Delivered, at) }

// drop ends a course where the fabric or a device drops the packet.
func (t *tracer) drop(c course, at model.Place, stage Stage, detail string, why ...string) {
	t.end(c, Hop{At: at, Stage: stage, Action: Drop, Detail: detail, Certain: true, Assumptions: why}, Dropped, at)
}

// lose ends a course where the input does not say what happens next.
func (t *tracer) lose(c course, at model.Place, stage Stage, detail string, why ...string) {
	t.end(c, Hop{At: at, Stage: stage, Action: Forward, Detail: detail, Certain: false, Assumptions: why}, Lost, at)
}

// decide records a control's answer and goes on with what it lets pass. Where it may answer either way the packet goes both ways, and
// neither is certain. With Options.All a packet that is dropped for certain walks on, so that later controls show their answer.
func (t *tracer) decide(c course, h Hop, v verdict, next func(course)) {
	h.Certain, h.Assumptions = v.certain(), v.why
	fill := func(b blame, a Action) Hop {
		x := h
		x.Action, x.Rule, x.Source = a, b.rule, b.source
		if b.detail != "" {
			x.Detail = b.detail
		}
		return x
	}
	if v.deny.is && t.allows != nil && t.allows(fill(v.deny, Deny)) {
		v.allow, v.deny = v.deny, blame{}
		h.Certain = true
	}
	if v.allow.is {
		next(c.add(fill(v.allow, Allow)))
	}
	if !v.deny.is {
		return
	}
	d := c.add(fill(v.deny, Deny))
	if t.all && !v.allow.is {
		if d.dropped == nil {
			d.dropped = &h.At
		}
		next(d)
		return
	}
	t.finish(d, Dropped, h.At)
}

// forward records a hop that passes the packet on.
func (c course) forward(at model.Place, stage Stage, detail string) course {
	return c.add(Hop{At: at, Stage: stage, Action: Forward, Detail: detail, Certain: true})
}

// flow is what lists of rules compare.
type flow struct {
	src, dst     address
	otherDst     *address // a second address that the destination may be matched by (AZ-AGW-10)
	protocol     model.Protocol
	sport, dport uint16
	name         string
	tags         []string
	service      *model.KubeService // the Service that the packet came by
}
