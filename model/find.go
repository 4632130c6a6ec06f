package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Found is one thing that a selector names: a resource, or a node pool of a cluster.
type Found struct {
	Resource Resource
	Pool     string // node pool, for `nodepool:`
}

// named is a candidate: the parts of its short name, and the qualifier that may precede them.
type named struct {
	parts     []string
	qualifier string // resource group or cluster; may be left out where the rest is unambiguous
	found     Found
}

// Find returns what a selector of a resource kind names, in the order of IDs. An unknown name and an ambiguous one are errors that
// list the candidates. Kinds that name no single resource (internet, any, zone, ip, cidr, tag, fqdn) are a bug of the caller.
func (e *Estate) Find(sel Selector) ([]Found, error) {
	candidates, fold := e.candidates(sel.Kind)
	if sel.Whole {
		for _, c := range candidates {
			if c.found.Pool == "" && c.found.Resource.ResourceID().Key() == ID(sel.Parts[0]).Key() {
				return []Found{c.found}, nil
			}
		}
		return nil, fmt.Errorf("selector `%s`: the input holds no %s with this ID", clip(sel.Text), kindWord(sel.Kind))
	}
	var hits []named
	wild := false
	for _, p := range sel.Parts {
		wild = wild || strings.Contains(p, "*")
	}
	for _, c := range candidates {
		if c.matches(sel.Parts, fold) {
			hits = append(hits, c)
		}
	}
	if len(hits) == 0 {
		return nil, fmt.Errorf("selector `%s`: the input holds no such %s%s", clip(sel.Text), kindWord(sel.Kind), suggest(sel, candidates))
	}
	if len(hits) > 1 && !wild {
		var names []string
		for _, h := range hits {
			names = append(names, "`"+string(sel.Kind)+":"+h.qualified()+"`")
		}
		slices.Sort(names)
		names = slices.Compact(names)
		if len(names) == 1 {
			return nil, fmt.Errorf("selector `%s` is ambiguous: use the whole resource ID, e.g. `%s:%s`", clip(sel.Text), sel.Kind, hits[0].found.Resource.ResourceID())
		}
		return nil, fmt.Errorf("selector `%s` is ambiguous: %s", clip(sel.Text), strings.Join(names, ", "))
	}
	out := make([]Found, len(hits))
	for i, h := range hits {
		out[i] = h.found
	}
	return out, nil
}

func (n named) matches(parts []string, fold bool) bool {
	all := n.parts
	if len(parts) == len(n.parts)+1 {
		all = append([]string{n.qualifier}, n.parts...)
	}
	if len(parts) != len(all) {
		return false
	}
	for i := range parts {
		if !MatchName(parts[i], all[i], fold) {
			return false
		}
	}
	return true
}

func (n named) short() string     { return strings.Join(n.parts, "/") }
func (n named) qualified() string { return n.qualifier + "/" + n.short() }

func kindWord(k SelectorKind) string {
	switch k {
	case SelVNet:
		return "virtual network"
	case SelNIC:
		return "network interface"
	case SelVM:
		return "virtual machine"
	case SelNodePool:
		return "node pool"
	case SelNamespace:
		return "namespace"
	case SelPod:
		return "workload"
	case SelAPIServer, SelCluster:
		return "cluster"
	case SelService:
		return "PaaS service"
	case SelEndpoint:
		return "private endpoint"
	case SelAppGateway:
		return "application gateway"
	case SelFrontDoor:
		return "Front Door profile"
	case SelAPIM:
		return "API Management service"
	case SelLB:
		return "load balancer"
	default:
		return string(k)
	}
}

// azureNames are the candidates of one kind of Azure resource.
func azureNames[T Resource](resources []T) []named {
	list := make([]named, len(resources))
	for i, r := range resources {
		id := r.ResourceID()
		list[i] = named{parts: []string{id.Name()}, qualifier: id.ResourceGroup(), found: Found{Resource: r}}
	}
	return list
}

// candidates lists what a kind may name. Azure names fold case, Kubernetes names do not.
func (e *Estate) candidates(k SelectorKind) (list []named, fold bool) {
	fold = true
	switch k {
	case SelVNet:
		list = azureNames(e.VNets)
	case SelSubnet:
		list = azureNames(e.Subnets)
		for i, s := range e.Subnets {
			list[i].parts = []string{s.VNet.Name(), s.Name()}
		}
	case SelNIC:
		list = azureNames(e.NICs)
	case SelVM:
		list = append(azureNames(e.VMs), azureNames(e.ScaleSets)...)
	case SelCluster, SelAPIServer:
		list = azureNames(e.Clusters)
	case SelNodePool:
		for _, r := range e.Clusters {
			for _, p := range r.Pools {
				list = append(list, named{parts: []string{p.Name}, qualifier: r.Name(), found: Found{Resource: r, Pool: p.Name}})
			}
		}
	case SelNamespace:
		fold = false
		for _, r := range e.Namespaces {
			list = append(list, named{parts: []string{r.Name()}, qualifier: r.Cluster.Name(), found: Found{Resource: r}})
		}
	case SelPod:
		fold = false
		for _, r := range e.Workloads {
			list = append(list, named{parts: []string{r.Namespace, r.Name()}, qualifier: r.Cluster.Name(), found: Found{Resource: r}})
		}
	case SelService:
		list = azureNames(e.Services)
	case SelEndpoint:
		list = azureNames(e.Endpoints)
	case SelFirewall:
		list = azureNames(e.Firewalls)
	case SelAppGateway:
		list = azureNames(e.AppGateways)
	case SelLB:
		list = azureNames(e.LoadBalancers)
		for _, r := range e.KubeServices {
			if r.Type == "LoadBalancer" {
				list = append(list, named{parts: []string{r.Namespace, r.Name()}, qualifier: r.Cluster.Name(), found: Found{Resource: r}})
			}
		}
	case SelBastion:
		list = azureNames(e.Bastions)
	case SelGateway:
		list = append(azureNames(e.Gateways), azureNames(e.HubGateways)...)
	case SelFrontDoor:
		list = azureNames(e.FrontDoors)
	case SelAPIM:
		list = azureNames(e.APIMs)
	case SelInternet, SelAny, SelZone, SelIP, SelCIDR, SelTag, SelFQDN:
		panic("model: Find called for selector kind " + string(k)) // INVARIANT: these kinds name no resource
	}
	return list, fold
}

// suggest names the nearest candidates, best first.
func suggest(sel Selector, candidates []named) string {
	if len(candidates) == 0 {
		return "; it holds none at all"
	}
	want := strings.ToLower(strings.Join(sel.Parts, "/"))
	type scored struct {
		name string
		d    int
	}
	var all []scored
	for _, c := range candidates {
		name := c.short()
		all = append(all, scored{name, min(distance(want, strings.ToLower(name)), distance(want, strings.ToLower(c.qualified())))})
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(a.name, b.name)) })
	all = slices.CompactFunc(all, func(a, b scored) bool { return a.name == b.name })
	const shown = 5
	var names []string
	for _, s := range all[:min(shown, len(all))] {
		names = append(names, "`"+string(sel.Kind)+":"+s.name+"`")
	}
	more := ""
	if len(all) > shown {
		more = fmt.Sprintf(" and %d more", len(all)-shown)
	}
	return "; candidates: " + strings.Join(names, ", ") + more
}

// distance is the Levenshtein distance, which is small for a typing slip.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}

// Nearest returns the word of a list that is closest to a misspelt one, or "" when none is close.
func Nearest(word string, list []string) string {
	best, bestD := "", len(word)/2+1
	for _, w := range list {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < bestD {
			best, bestD = w, d
		}
	}
	return best
}

// Refs prints resources as selectors that name exactly them, as short as that allows.
type Refs struct {
	e      *Estate
	counts map[string]int
}

// NewRefs prepares the printing of references.
func NewRefs(e *Estate) *Refs {
	r := &Refs{e: e, counts: map[string]int{}}
	for _, k := range SelectorKinds() {
		switch k {
		case SelInternet, SelAny, SelZone, SelIP, SelCIDR, SelTag, SelFQDN:
			continue
		default:
		}
		list, fold := e.candidates(k)
		for _, c := range list {
			r.counts[refKey(k, c.short(), fold)]++
			r.counts[refKey(k, c.qualified(), fold)]++
		}
	}
	return r
}

func refKey(k SelectorKind, name string, fold bool) string {
	if fold {
		name = strings.ToLower(name)
	}
	return string(k) + ":" + name
}

// Of prints a resource as a selector of a kind.
func (r *Refs) Of(k SelectorKind, res Resource) string { return r.of(k, Found{Resource: res}) }

// Pool prints a node pool as a selector.
func (r *Refs) Pool(c *Cluster, pool string) string {
	return r.of(SelNodePool, Found{Resource: c, Pool: pool})
}

func (r *Refs) of(k SelectorKind, f Found) string {
	var parts []string
	qualifier, fold := f.Resource.ResourceID().ResourceGroup(), true
	switch res := f.Resource.(type) {
	case *Subnet:
		parts = []string{res.VNet.Name(), res.Name()}
	case *Namespace:
		parts, qualifier, fold = []string{res.Name()}, res.Cluster.Name(), false
	case *Workload:
		parts, qualifier, fold = []string{res.Namespace, res.Name()}, res.Cluster.Name(), false
	case *KubeService:
		parts, qualifier = []string{res.Namespace, res.Name()}, res.Cluster.Name()
	default:
		parts = []string{f.Resource.ResourceID().Name()}
	}
	if f.Pool != "" {
		parts, qualifier = []string{f.Pool}, f.Resource.ResourceID().Name()
	}
	n := named{parts: parts, qualifier: qualifier}
	switch {
	case r.counts[refKey(k, n.short(), fold)] <= 1:
		return string(k) + ":" + n.short()
	case r.counts[refKey(k, n.qualified(), fold)] <= 1:
		return string(k) + ":" + n.qualified()
	default:
		return string(k) + ":" + string(f.Resource.ResourceID())
	}
}
