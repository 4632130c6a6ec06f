package trace

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// placements lists the pools that a workload's pods may run on, by node selector and taints. Where nothing fits, the input does not
// explain the placement, and every pool may.
func placements(wl *model.Workload, c *model.Cluster) []*model.NodePool {
	var out, all []*model.NodePool
	for i := range c.Pools {
		p := &c.Pools[i]
		all = append(all, p)
		if selectsPool(wl, p) && toleratesPool(wl, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

func selectsPool(wl *model.Workload, p *model.NodePool) bool {
	for key, want := range wl.NodeSelector {
		got, known := poolLabel(p, key)
		if known && !fold(got, want) {
			return false
		}
	}
	return true
}

// poolLabel is the value of a node label on the nodes of a pool; known is false for labels that single nodes get.
func poolLabel(p *model.NodePool, key string) (value string, known bool) {
	if v, ok := p.Labels[key]; ok {
		return v, true
	}
	switch key {
	case "agentpool", "kubernetes.azure.com/agentpool":
		return p.Name, true
	case "kubernetes.azure.com/mode":
		return p.Mode, p.Mode != ""
	case "kubernetes.io/os", "beta.kubernetes.io/os":
		return p.OS, p.OS != ""
	}
	for _, prefix := range []string{"kubernetes.io/", "topology.kubernetes.io/", "node.kubernetes.io/", "beta.kubernetes.io/", "failure-domain.beta.kubernetes.io/", "kubernetes.azure.com/", "topology.disk.csi.azure.com/"} {
		if strings.HasPrefix(key, prefix) {
			return "", false
		}
	}
	return "", true
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
