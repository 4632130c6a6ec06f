package diagram

import "github.com/ringfence/ringfence/solver"

// shop is an estate of the usual shape for card payments on a Kubernetes cluster: a hub with firewall, Bastion and VPN gateway, a
// spoke with a web application firewall in front of a cluster whose pools are split by scope, private endpoints, and a campus.
func shop() Input {
	spoke := func(ref, subnet, text string) MemberInfo {
		return MemberInfo{Ref: ref, VNet: "vnet-spoke", Subnet: subnet, Label: text}
	}
	hub := func(ref, subnet, text string) MemberInfo {
		return MemberInfo{Ref: ref, VNet: "vnet-hub", Subnet: subnet, Label: text}
	}
	return Input{
		Project: "payments on AKS", AsOf: "2026-11-01", Tool: "ringfence 0.1.0", Standard: "pci-dss-4.0.1",
		Hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Zones: []ZoneInfo{
			{Name: "dmz", Kind: "dmz", Owner: "Network team", Members: []MemberInfo{
				spoke("subnet:vnet-spoke/snet-appgw", "snet-appgw", "10.240.5.0/24"),
				spoke("appgw:agw", "snet-appgw", "20.50.7.9"),
			}},
			{Name: "cde", Kind: "cde", Owner: "Payments", Members: []MemberInfo{
				spoke("subnet:vnet-spoke/snet-cluster-inscope", "snet-cluster-inscope", "10.240.1.0/24"),
				spoke("nodepool:aks-prod/npinscope", "snet-cluster-inscope", "3 nodes"),
				{Ref: "pod:payments/web"},
				{Ref: "pod:payments/api"},
			}},
			{Name: "system", Kind: "trusted", Owner: "Platform", Members: []MemberInfo{
				spoke("subnet:vnet-spoke/snet-cluster-system", "snet-cluster-system", "10.240.0.0/24"),
				spoke("nodepool:aks-prod/npsystem", "snet-cluster-system", "3 nodes"),
				spoke("subnet:vnet-spoke/snet-ingress", "snet-ingress", "10.240.4.0/28"),
				spoke("lb:ingress-nginx/controller", "snet-ingress", "10.240.4.4"),
				{Ref: "pod:ingress-nginx/controller"},
				{Ref: "pod:kube-system/coredns"},
				{Ref: "apiserver:aks-prod", Label: "private"},
				{Ref: "service:acrprod"},
				{Ref: "service:ampls"},
			}},
			{Name: "data", Kind: "data", Owner: "Payments", Members: []MemberInfo{
				spoke("subnet:vnet-spoke/snet-pe", "snet-pe", "10.240.8.0/24"),
				spoke("endpoint:pe-kv-cards", "snet-pe", "10.240.8.4"),
				spoke("endpoint:pe-sql-cards", "snet-pe", "10.240.8.5"),
				spoke("endpoint:pe-stcards", "snet-pe", "10.240.8.6"),
				{Ref: "service:kv-cards", Label: "key vault"},
				{Ref: "service:sql-cards", Label: "SQL server"},
				{Ref: "service:stcards", Label: "storage account"},
			}},
			{Name: "mgmt", Kind: "management", Owner: "Platform", Members: []MemberInfo{
				spoke("subnet:vnet-spoke/snet-jump", "snet-jump", "10.240.9.0/28"),
				spoke("vm:vm-jump", "snet-jump", "10.240.9.4"),
			}},
			{Name: "hub", Kind: "management", Owner: "Network team", Members: []MemberInfo{
				hub("subnet:vnet-hub/AzureFirewallSubnet", "AzureFirewallSubnet", "10.200.0.0/26"),
				hub("subnet:vnet-hub/GatewaySubnet", "GatewaySubnet", "10.200.0.64/27"),
				hub("subnet:vnet-hub/AzureBastionSubnet", "AzureBastionSubnet", "10.200.0.128/26"),
			}},
			{Name: "oos", Kind: "out-of-scope", Owner: "Shop", Members: []MemberInfo{
				spoke("subnet:vnet-spoke/snet-cluster-oos", "snet-cluster-oos", "10.240.2.0/24"),
				spoke("nodepool:aks-prod/npoos", "snet-cluster-oos", "5 nodes"),
				{Ref: "pod:shop/catalog"},
				{Ref: "pod:shop/cart"},
			}},
			{Name: "on-prem", Kind: "on-prem", Owner: "Campus IT", Members: []MemberInfo{{Ref: "cidr:10.80.0.0/13"}}},
			{Name: "wireless", Kind: "wireless", Owner: "Campus IT", Members: []MemberInfo{{Ref: "cidr:10.90.0.0/16"}}},
		},
		Controls: []MemberInfo{
			hub("firewall:fw-hub", "AzureFirewallSubnet", "10.200.0.4"),
			hub("bastion:bas-hub", "AzureBastionSubnet", ""),
			hub("gateway:vgw-hub", "GatewaySubnet", "VPN"),
			spoke("appgw:agw", "snet-appgw", ""),
		},
		Rows: []solver.Row{
			row("internet", "zone:dmz", "tcp/443"),
			narrowed(row("internet", "zone:dmz", "tcp/65200-65535"), nil, "GatewayManager"),
			relayed("internet", "zone:cde", "tcp/8443", "appgw:agw", "pod:ingress-nginx/controller"),
			relayed("internet", "zone:system", "tcp/443", "appgw:agw"),
			relayed("internet", "zone:mgmt", "tcp/22", "bastion:bas-hub"),
			row("internet", "zone:hub", "tcp/443"),
			row("zone:dmz", "zone:system", "tcp/443"),
			row("zone:dmz", "internet", "any"),
			relayed("zone:dmz", "zone:cde", "tcp/8443", "pod:ingress-nginx/controller"),
			row("zone:system", "zone:cde", "any"),
			row("zone:cde", "zone:system", "any"),
			row("zone:system", "zone:oos", "any"),
			row("zone:oos", "zone:system", "any"),
			row("zone:cde", "zone:cde", "any"),
			row("zone:cde", "zone:data", "tcp/443", "tcp/1433"),
			narrowed(relayed("zone:cde", "internet", "tcp/443", "firewall:fw-hub"), []string{"api.psp.example"}),
			narrowed(relayed("zone:system", "internet", "tcp/443", "firewall:fw-hub"), nil, "AzureKubernetesService"),
			narrowed(relayed("zone:oos", "internet", "tcp/443", "firewall:fw-hub"), []string{"api.shipping.example"}),
			narrowed(relayed("zone:mgmt", "internet", "tcp/443", "firewall:fw-hub"), []string{"login.microsoftonline.com", "management.azure.com"}),
			row("zone:cde", "zone:hub", "tcp/53", "udp/53"),
			row("zone:system", "zone:hub", "tcp/53", "udp/53"),
			row("zone:hub", "zone:mgmt", "tcp/22"),
			row("zone:mgmt", "zone:system", "tcp/443"),
			relayed("zone:on-prem", "zone:data", "tcp/443", "firewall:fw-hub"),
			unknown("zone:on-prem", "zone:hub", "udp/500", "udp/4500"),
		},
		Members: []solver.Row{
			row("pod:ingress-nginx/controller", "pod:payments/web", "tcp/8443"),
			row("pod:ingress-nginx/controller", "apiserver:aks-prod", "tcp/443"),
			row("appgw:agw", "pod:ingress-nginx/controller", "tcp/443"),
			row("pod:payments/web", "pod:payments/api", "tcp/8443"),
			row("pod:payments/web", "pod:kube-system/coredns", "udp/53", "tcp/53"),
			row("pod:payments/api", "pod:kube-system/coredns", "udp/53", "tcp/53"),
			row("pod:shop/catalog", "pod:kube-system/coredns", "udp/53", "tcp/53"),
			row("pod:payments/api", "service:sql-cards", "tcp/1433"),
			row("pod:payments/api", "service:kv-cards", "tcp/443"),
			row("pod:payments/api", "service:stcards", "tcp/443"),
			narrowed(relayed("pod:payments/api", "internet", "tcp/443", "firewall:fw-hub"), []string{"api.psp.example"}),
			row("pod:shop/catalog", "pod:shop/cart", "tcp/8080"),
			narrowed(relayed("pod:shop/catalog", "internet", "tcp/443", "firewall:fw-hub"), []string{"api.shipping.example"}),
			unknown("pod:kube-system/coredns", "subnet:vnet-hub/AzureFirewallSubnet", "udp/53"),
			row("vm:vm-jump", "apiserver:aks-prod", "tcp/443"),
		},
		Flows: []FlowInfo{
			{Name: "card capture", Data: []string{"PAN", "expiry", "CVV"}, InTransit: "TLS 1.2, end to end", Legs: []LegInfo{
				{From: "internet", To: "appgw:agw", Service: "tcp/443", Verdict: solver.Reachable},
				{From: "appgw:agw", To: "pod:payments/web", Service: "tcp/8443", Verdict: solver.Reachable, Via: []string{"pod:ingress-nginx/controller"}},
				{From: "pod:payments/web", To: "pod:payments/api", Service: "tcp/8443", Verdict: solver.Reachable},
			}},
			{Name: "authorisation", Data: []string{"PAN", "expiry", "CVV"}, InTransit: "TLS 1.3", Legs: []LegInfo{
				{From: "pod:payments/api", To: "fqdn:api.psp.example", Service: "tcp/443", Verdict: solver.Reachable, Via: []string{"firewall:fw-hub"}},
			}},
			{Name: "card storage", Data: []string{"PAN", "expiry"}, InTransit: "TLS 1.2", AtRest: "TDE with a key in kv-cards", Legs: []LegInfo{
				{From: "pod:payments/api", To: "service:sql-cards", Service: "tcp/1433", Verdict: solver.Reachable},
			}},
			{Name: "settlement files", Data: []string{"truncated PAN"}, InTransit: "TLS 1.2", Legs: []LegInfo{
				{From: "pod:payments/api", To: "service:stcards", Service: "tcp/443", Verdict: solver.Unknown, Reason: "the firewall of stcards is not in the input"},
			}},
			{Name: "reconciliation", Data: []string{"truncated PAN"}, InTransit: "TLS 1.2", Legs: []LegInfo{
				{From: "zone:on-prem", To: "service:stcards", Service: "tcp/443", Verdict: solver.Unreachable, Reason: "denied by nsg-pe/DenyAllIn"},
			}},
		},
		Stores: []StoreInfo{
			{Ref: "service:sql-cards", Data: []string{"PAN", "expiry"}, AtRest: "TDE with a key in kv-cards"},
			{Ref: "service:stcards", Data: []string{"truncated PAN"}, AtRest: "customer-managed key in kv-cards"},
		},
	}
}

// row is a direct flow of services written as people write them.
func row(src, dst string, services ...string) solver.Row {
	r := solver.Row{Src: src, Dst: dst, Verdict: solver.Reachable, Kind: solver.Direct}
	for _, s := range services {
		p := solver.Packets{Src: []string{"*"}, Dst: []string{"*"}, SPort: []string{"0-65535"}, Names: []string{"*"}}
		if s == "any" {
			p.Protocol, p.DPort = "any", []string{"0-65535"}
		} else {
			p.Protocol, p.DPort = s[:3], []string{s[4:]}
		}
		r.Packets = append(r.Packets, p)
	}
	return r
}

func relayed(src, dst, service string, via ...string) solver.Row {
	r := row(src, dst, service)
	r.Kind, r.Via = solver.Relayed, via
	return r
}

func unknown(src, dst string, services ...string) solver.Row {
	r := row(src, dst, services...)
	r.Verdict = solver.Unknown
	return r
}

func narrowed(r solver.Row, names []string, tags ...string) solver.Row {
	for i := range r.Packets {
		if names != nil {
			r.Packets[i].Names = names
		}
		r.Packets[i].Tags = tags
	}
	return r
}
