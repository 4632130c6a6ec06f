package trace

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// placements lists the pools that a workload's pods may run on, by node selector and taints (K8S-WL-07). Where nothing fits, the input
// does not explain the placement: taints may have gone, then labels may have come.
func placements(wl *model.Workload, c *model.Cluster) []*model.NodePool {
	var fits, selected, all []*model.NodePool
	for i := range c.Pools {
		p := &c.Pools[i]
		all = append(all, p)
		if !selectsPool(wl, p) {
			continue
		}
		selected = append(selected, p)
		if toleratesPool(wl, p) {
			fits = append(fits, p)
		}
	}
	for _, list := range [][]*model.NodePool{fits, selected} {
		if len(list) > 0 {
			return list
		}
	}
	return all
}

// selectsPool: a label that the pool does not state may be on single nodes of it, and excludes none.
func selectsPool(wl *model.Workload, p *model.NodePool) bool {
	for key, want := range wl.NodeSelector {
		switch key {
		case "agentpool", "kubernetes.azure.com/agentpool":
			if want != p.Name {
				return false
			}
		case "kubernetes.azure.com/mode":
			if p.Mode != "" && !fold(want, p.Mode) {
				return false
			}
		case "kubernetes.io/os", "beta.kubernetes.io/os":
			if os := p.OS; !fold(want, os) && (os != "" || !fold(want, "linux")) {
				return false
			}
		default:
			if got, stated := p.Labels[key]; stated && got != want {
				return false
			}
		}
	}
	return true
}

// toleratesPool: every NoSchedule and NoExecute taint of the pool needs a toleration.
func toleratesPool(wl *model.Workload, p *model.NodePool) bool {
	for _, taint := range p.Taints {
		keyValue, effect, _ := strings.Cut(taint, ":")
		key, value, _ := strings.Cut(keyValue, "=")
		if effect == "PreferNoSchedule" {
			continue
		}
		if !slices.ContainsFunc(wl.Tolerations, func(t model.Toleration) bool {
			return (t.Effect == "" || t.Effect == effect) && (t.Key == key && (t.Operator == "Exists" || t.Value == value) || t.Key == "" && t.Operator == "Exists")
		}) {
			return false
		}
	}
	return true
}
