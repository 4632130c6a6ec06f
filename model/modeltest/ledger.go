package modeltest

import "github.com/ringfence/ringfence/model"

// unmodelledIn draws objects of a cluster that nobody understands (K8S-GEN-07), and pods that a static egress gateway serves (AKS-OUT-09).
func (d *draft) unmodelledIn(c *model.Cluster, workloads []*model.Workload) {
	for i := range d.upTo(1, 2) {
		x := model.LedgerEntry{
			Resource: kubeID(c, "Thing", "x", d.name("t", i)), Type: choose(d, "example.com/v1/Thing", "networking.istio.io/v1/Sidecar"), Disposition: model.Unsupported,
			Source: model.Source{File: "random"}, Role: choose(d, model.Carries, model.Steers, model.Refuses, model.Refuses, model.Relays, model.Adds),
		}
		switch d.IntN(6) {
		case 0:
			x.Affects = []model.ID{c.ID}
		case 1, 2:
			x.Affects = []model.ID{kubeID(c, "Namespace", "", choose(d, "x", "y"))}
		case 3, 4:
			x.Affects = []model.ID{kubeID(c, "Service", choose(d, "x", "y"), choose(d, "svc0", "svc1"))}
			if d.one(3) {
				x.Resource, x.Type, x.Field, x.Role = x.Affects[0], "v1/Service", "spec.loadBalancerClass", model.Relays
			}
		default:
			x.Resource, x.Type, x.Role = kubeID(c, "ConfigMap", "kube-system", "azure-ip-masq-agent-config"), "v1/ConfigMap", model.Adds
			x.Affects = []model.ID{c.ID}
		}
		d.Ledger = append(d.Ledger, x)
	}
	if w := choose(d, workloads...); d.one(3) && !w.HostNetwork {
		w.Annotations = map[string]string{"kubernetes.azure.com/static-gateway-configuration": "gw"}
		if d.one(2) {
			c.Pools[len(c.Pools)-1].Mode = "Gateway"
		}
	}
}

// unsupported draws objects that nobody understands (AZ-GEN-08): fields of groups and tables, and whole objects that may carry what a
// VNet, a subnet or the estate carries, let in, or only name. Objects that are irrelevant stand between them.
func (d *draft) unsupported() {
	for i := range d.upTo(1, 2) {
		x := model.LedgerEntry{
			Resource: id("Contoso.Network", "things", d.name("x", i)), Type: "Contoso.Network/things", Disposition: model.Unsupported, Source: model.Source{File: "random"},
		}
		if d.one(8) {
			x.Disposition = model.Irrelevant
		}
		x.Role = choose(d, model.Carries, model.Steers, model.Steers, model.Resolves)
		switch d.IntN(9) {
		case 0, 1:
			if len(d.nsgs) == 0 {
				continue
			}
			x.Resource, x.Type = choose(d, d.nsgs...), "Microsoft.Network/networkSecurityGroups"
			x.Affects = []model.ID{x.Resource}
			if d.one(2) {
				x.Field = "securityRules"
			}
		case 2:
			if len(d.tables) == 0 {
				continue
			}
			x.Resource, x.Type, x.Field = choose(d, d.tables...).ID, "Microsoft.Network/routeTables", "routes"
			x.Affects = []model.ID{x.Resource}
		case 3:
			x.Affects = []model.ID{choose(d, d.subnets...).ID}
			if d.one(2) {
				x.Resource, x.Type, x.Field = x.Affects[0], "Microsoft.Network/virtualNetworks/subnets", "anything"
			}
		case 4, 5:
			x.Affects = []model.ID{choose(d, d.vnets...).ID}
			if d.one(3) {
				x.Resource, x.Type, x.Field = x.Affects[0], "Microsoft.Network/virtualNetworks", "anything"
			}
		case 6, 7:
			var list []model.Resource
			for _, r := range d.Resources {
				switch r.(type) {
				case *model.NIC, *model.LoadBalancer, *model.ScaleSet, *model.PrivateEndpoint, *model.Gateway, *model.Connection:
					list = append(list, r)
				default:
				}
			}
			if len(list) == 0 {
				continue
			}
			r := choose(d, list...)
			x.Affects = []model.ID{r.ResourceID()}
			if d.one(2) {
				x.Resource, x.Type, x.Field = r.ResourceID(), "Microsoft.Network/something", "anything"
			}
		default:
		}
		d.Ledger = append(d.Ledger, x)
	}
}
