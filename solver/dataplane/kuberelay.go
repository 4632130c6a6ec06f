package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// relaying is something that may open connections to pods of a cluster for others, from pods that the input lacks: an object that nobody models
// (K8S-GW-02), or an Ingress whose controller is not among the pods (K8S-ING-02).
type relaying struct {
	note    string
	entry   model.LedgerEntry
	ingress *model.Ingress
}

func (p *planner) relayingIn(cp *clusterPlan) []relaying {
	var out []relaying
	for _, e := range p.e.Ledger {
		if e.Disposition == model.Unsupported && (e.Role == model.Relays || e.Role == model.Carries && len(e.Affects) > 0) &&
			(len(e.Affects) == 0 || slices.ContainsFunc(e.Affects, func(id model.ID) bool { return p.isOf(cp, id) })) {
			out = append(out, relaying{note: unsupported(e), entry: e})
		}
	}
	for _, i := range cp.ingresses {
		if _, found := controllersOf(cp, i); !found && len(i.Backends) > 0 {
			out = append(out, relaying{note: missing("controller of the Ingress", i.ID), ingress: i})
		}
	}
	return out
}

// isOf reports whether an ID is a cluster, or a Service or namespace in it.
func (p *planner) isOf(cp *clusterPlan, id model.ID) bool {
	found, _ := model.Get[model.Resource](p.e, id)
	switch r := found.(type) {
	case *model.Cluster:
		return r == cp.c
	case *model.Namespace:
		return r.Cluster.Key() == cp.c.ID.Key()
	case *model.KubeService:
		return r.Cluster.Key() == cp.c.ID.Key()
	default:
		return false
	}
}

// controllersOf are the pods of the input that serve an Ingress, for certain where its class names them (K8S-ING-02). found says that the
// controller is among them, so that nobody else relays for it.
func controllersOf(cp *clusterPlan, i *model.Ingress) (pods map[*model.Workload]tri, found bool) {
	pods = map[*model.Workload]tri{}
	own, known := controllerNamespace(i)
	for _, w := range cp.workloads {
		switch {
		case !controller(w):
		case i.Class == "" && i.Controller == "": // whichever takes Ingresses without a class
			pods[w], found = yes, true
		case known && w.Namespace == own:
			pods[w], found = yes, true
		case !known:
			pods[w] = maybe
		}
	}
	return pods, found
}

// controllerNamespace is where the controller of an Ingress's class is installed, as far as the class is a known one (K8S-ING-02).
func controllerNamespace(i *model.Ingress) (namespace string, known bool) {
	switch {
	case i.Controller == "k8s.io/ingress-nginx", i.Controller == "" && i.Class == "nginx":
		return "ingress-nginx", true
	case strings.HasPrefix(i.Controller, "webapprouting.kubernetes.azure.com/"), strings.HasPrefix(i.Controller, "approuting.kubernetes.azure.com/"), i.Controller == "" && i.Class == "webapprouting.kubernetes.azure.com":
		return "app-routing-system", true
	case i.Controller == "istio.io/ingress-controller", i.Controller == "" && i.Class == "istio":
		return "aks-istio-ingress", true
	case i.Controller == "azure/application-gateway", strings.HasPrefix(i.Controller, "alb.networking.azure.io/"),
		i.Controller == "" && (i.Class == "azure-application-gateway" || i.Class == "azure/application-gateway" || i.Class == "azure-alb-external"):
		return "", true // AKS-ING-02, AKS-ING-03: it sends from a subnet, not from pods
	default:
		return "", false
	}
}

// gatewayPart marks the one relay of a cluster whose pods are not known.
const gatewayPart = "gateway"

// planRelaying adds what such objects may do, as one relay of the cluster: its pods are not in the input, so it may be reached wherever a pod
// that does not exist yet, a frontend of the cluster's nodes, an application gateway or a free address of their VNet is, and its packets may
// have any source. All of it is over (K8S-ING-02, K8S-GW-02).
func (p *planner) planRelaying(cp *clusterPlan) {
	list := p.relayingIn(cp)
	if len(list) == 0 {
		return
	}
	place := model.Place{Kind: model.PlaceUnknown, ID: cp.c.ID, Part: gatewayPart}
	s := p.site(&Site{
		Place: place, Channel: "ingress", Prefixes: []netip.Prefix{host(p.symbolOf(model.DefaultOutbound, "", ""))}, isRelay: true,
		Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""),
	})
	p.relays = append(p.relays, Relay{Accept: s, From: []*Site{s}})
	p.edge(p.publicIn(), s.Receive, onlyOver(dstIn(p.addr.public)), nil)
	for _, m := range p.machines {
		if m.cluster == cp { // its frontends on nodes and on the load balancers before them, and from nodes to pods
			p.edge(m.accept, s.Receive, onlyOver(everything()), nil)
			p.edge(m.send, s.Receive, onlyOver(everything()), nil)
		}
	}
	near := func(vnet string) bool {
		return slices.ContainsFunc(p.clusterSubnets(cp.c), func(id model.ID) bool { return id.Parent().Key() == vnet })
	}
	for _, sub := range p.e.Subnets {
		at := p.machineAt[(model.Place{Kind: model.PlaceSubnet, ID: sub.ID}).Key()]
		if at != nil && near(sub.ID.Parent().Key()) {
			p.edge(at.accept, s.Receive, onlyOver(dstIn(p.b.AddSet("", p.freeAddresses(sub)))), nil)
		}
	}
	for _, g := range p.e.AppGateways { // AKS-ING-02: what its listeners send on is written there while it runs
		for _, f := range g.Frontends {
			if f.PublicIP == "" {
				p.edge(p.appGatewayIn(g, f), s.Receive, onlyOver(dstIn(p.addr.exactHosts(p.gatewayFrontends(g, f)...))), nil)
			}
		}
	}
	for _, x := range cp.pods {
		if x.site == nil {
			continue
		}
		if x.site.Send >= 0 {
			p.edge(x.site.Send, s.Receive, onlyOver(p.withAnyPod(cp, x.w, model.Outbound)), nil)
		}
		to := dstIn(p.addr.exactHosts(p.podsOn(cp, x.w, x.pool)...))
		if x.w.HostNetwork {
			switch {
			case x.node != nil:
				to = dstIn(x.node.addr)
			case cp.mode == podsBare:
				to = dstIn(p.addr.exactHosts(p.podAddrs(x.w)...))
			default:
				continue
			}
		}
		var led []*lazy
		var notes []string
		for _, r := range list {
			if l := p.ledTo(cp, r, x.w); l != nil {
				led, notes = append(led, l), append(notes, r.note)
			}
		}
		if len(led) > 0 {
			p.edge(s.Send, x.site.Receive, onlyOver(both(to, both(either(led...), p.withAnyPod(cp, x.w, model.Inbound)))), nil, notes...)
		}
	}
}

// ledTo is the packets that one of them may send to the pods of a workload; nil is none.
func (p *planner) ledTo(cp *clusterPlan, r relaying, w *model.Workload) *lazy {
	if r.ingress == nil && len(r.entry.Affects) == 0 {
		return everything()
	}
	var out []*lazy
	for _, id := range r.entry.Affects {
		found, _ := model.Get[model.Resource](p.e, id)
		switch r := found.(type) {
		case *model.Cluster:
			if r == cp.c {
				return everything()
			}
		case *model.Namespace:
			if r.Cluster.Key() == cp.c.ID.Key() && r.Name() == w.Namespace {
				return everything()
			}
		case *model.KubeService:
			if r.Cluster.Key() != cp.c.ID.Key() {
				continue
			}
			if len(r.Selector) == 0 {
				return everything() // K8S-SVC-02: its back ends may be any pods
			}
			for _, port := range r.Ports {
				if l := servedAt(r, port, w); l != nil {
					out = append(out, l)
				}
			}
		default: // no pod stands behind it
		}
	}
	if r.ingress != nil {
		for _, b := range backendsOf(cp, r.ingress) {
			if len(b.service.Selector) == 0 {
				return everything()
			}
			if l := servedAt(b.service, b.port, w); l != nil {
				out = append(out, l)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return either(out...)
}

// servedAt is the packets to the pods of a workload that stand behind a Service port; nil where they do not.
func servedAt(k *model.KubeService, port model.ServicePort, w *model.Workload) *lazy {
	t := targetPort(w, port)
	if serves(k, w) == no || t == 0 {
		return nil
	}
	return transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: t, Last: t}}, false)
}

// servicePort is one port of a Service.
type servicePort struct {
	service *model.KubeService
	port    model.ServicePort
}

// backendsOf are the Service ports that an Ingress names, in its own namespace (K8S-ING-01).
func backendsOf(cp *clusterPlan, i *model.Ingress) []servicePort {
	var out []servicePort
	for _, b := range i.Backends {
		for _, k := range cp.services {
			if k.Namespace != i.Namespace || k.Name() != b.Service {
				continue
			}
			for _, port := range k.Ports {
				if (b.Port == 0 || port.Port == b.Port) && (b.PortName == "" || port.Name == b.PortName) {
					out = append(out, servicePort{k, port})
				}
			}
		}
	}
	return out
}

// withAnyPod is the packets that policies may let a pod send to (Outbound), or get from (Inbound), an end of which neither labels nor address
// are known. Policies of other kinds than NetworkPolicy are not followed here: with one, everything passes.
func (p *planner) withAnyPod(cp *clusterPlan, w *model.Workload, dir model.Direction) *lazy {
	enforced, _ := p.enforces(cp.engine)
	if !enforced || cp.mayNotEnforce(anyPool) != "" || w.HostNetwork || p.otherPolicies(cp) || len(p.steering(cp, w.Namespace)) > 0 {
		return everything()
	}
	isolated := false
	open := []*lazy{nothing()}
	for _, n := range cp.policies {
		if n.Namespace != w.Namespace || !n.Isolates[dir] || selectsPod(n.Pods, w) == no {
			continue
		}
		isolated = isolated || selectsPod(n.Pods, w) == yes && (!cp.windowsNPM(anyPool) || !beyondWindows(n))
		rules := n.Ingress
		if dir == model.Outbound {
			rules = n.Egress
		}
		for _, r := range rules {
			_, ports, _ := p.rulePorts(cp, w, r.Ports, dir)
			open = append(open, ports)
		}
	}
	if !isolated {
		return everything()
	}
	over, _ := p.icmpOf(cp, anyPool, either(open...), nothing())
	return over
}

// otherPolicies reports policies of a cluster beside NetworkPolicies.
func (p *planner) otherPolicies(cp *clusterPlan) bool {
	id := cp.c.ID.Key()
	return slices.ContainsFunc(p.e.ClusterPolicies, func(x *model.ClusterPolicy) bool { return x.Cluster.Key() == id }) ||
		slices.ContainsFunc(p.e.CiliumPolicies, func(x *model.CiliumPolicy) bool { return x.Cluster.Key() == id }) ||
		slices.ContainsFunc(p.e.CalicoPolicies, func(x *model.CalicoPolicy) bool { return x.Cluster.Key() == id })
}
