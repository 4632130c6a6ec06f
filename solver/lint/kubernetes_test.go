package lint

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

func kubernetesCases() []testCase {
	// Two cluster-wide policies around a namespace with a workload, which both deny what comes from every namespace.
	tiers := func(change func(a, b *model.ClusterPolicy), options ...string) func(*builder) {
		return func(b *builder) {
			c := b.cluster("aks")
			b.namespace("pay")
			b.workload("pay", "api", 8080)
			switch {
			case slices.Contains(options, "none"):
				c.DataPlane, c.Policy = "azure", "none"
			case len(options) > 0:
				b.policy("pay", "deny", "", options...)
			}
			var list []*model.ClusterPolicy
			for _, name := range []string{"a", "b"} {
				p := &model.ClusterPolicy{Meta: kube("ClusterNetworkPolicy", "", name), Cluster: aksID("aks"), Kind: "ClusterNetworkPolicy", Priority: 10}
				p.Ingress = []model.ClusterPolicyRule{{Source: source("rule"), Peers: []model.ClusterPolicyPeer{{Namespaces: &model.LabelSelector{}}}}}
				list = append(list, p)
				b.add(p)
			}
			change(list[0], list[1])
		}
	}
	// pay is a namespace with one workload, api, and its default deny.
	pay := func(change func(b *builder, w *model.Workload)) func(*builder) {
		return func(b *builder) {
			b.cluster("aks")
			b.namespace("pay")
			w := b.workload("pay", "api", 8080)
			b.policy("pay", "deny", "", "in", "out")
			change(b, w)
		}
	}
	none := func(*builder, *model.Workload) {}
	bare := func(namespace string, more func(b *builder)) func(*builder) {
		return func(b *builder) {
			b.cluster("aks")
			b.namespace(namespace)
			b.workload(namespace, "api", 8080)
			more(b)
		}
	}
	svc := func(kind string, change func(s *model.KubeService)) func(*builder) {
		return pay(func(b *builder, _ *model.Workload) { change(b.kubeService("pay", "api", kind, 80, 8080)) })
	}
	const internalKey = "service.beta.kubernetes.io/azure-load-balancer-internal"
	const rangesKey = "service.beta.kubernetes.io/azure-allowed-ip-ranges"
	// X25 of kubernetes.md: a Service at 80 before pods at 8080.
	port := func(p model.PolicyPort, serviceTarget uint16) func(*builder) {
		return pay(func(b *builder, _ *model.Workload) {
			b.kubeService("pay", "api", "ClusterIP", 80, serviceTarget)
			b.policy("pay", "api", "api", "in").Ingress = []model.PolicyRule{{Source: source("rule"), Ports: []model.PolicyPort{p}}}
		})
	}
	egress := func(cidr string, except []string, ports ...model.PolicyPort) func(*builder) {
		return pay(func(b *builder, _ *model.Workload) {
			b.policy("pay", "out", "api", "out").Egress = []model.PolicyRule{{Source: source("rule"), Ports: ports, Peers: []model.PolicyPeer{
				{Source: source("peer"), IPBlock: &model.IPBlock{CIDR: prefixes(b.t, cidr)[0], Except: prefixes(b.t, except...)}},
			}}}
		})
	}
	return []testCase{
		{id: "namespace-without-default-deny", name: "no policy at all", build: bare("pay", func(*builder) {}), want: []string{"ns:pay"}},
		{id: "namespace-without-default-deny", name: "ingress alone", build: bare("pay", func(b *builder) { b.policy("pay", "deny", "", "in") }), want: []string{"ns:pay"}},
		{id: "namespace-without-default-deny", name: "each workload has policies", build: bare("pay", func(b *builder) { b.policy("pay", "api", "api", "in", "out") }), want: []string{"ns:pay"}, severity: Warning},
		{id: "namespace-without-default-deny", name: "another policy admits everything again", build: pay(func(b *builder, _ *model.Workload) {
			b.policy("pay", "open", "", "in").Ingress = []model.PolicyRule{{Source: source("all")}}
		}), want: []string{"ns:pay"}, severity: Warning},
		{id: "namespace-without-default-deny", name: "a name that only begins like one of AKS", build: bare("kube-system-x", func(*builder) {}), want: []string{"ns:kube-system-x"}},
		{id: "namespace-without-default-deny", name: "both directions", build: pay(none)},
		{id: "namespace-without-default-deny", name: "in two policies", build: bare("pay", func(b *builder) {
			b.policy("pay", "in", "", "in")
			b.policy("pay", "out", "", "out")
		})},
		{id: "namespace-without-default-deny", name: "AKS provides it", build: bare("kube-system", func(*builder) {})},
		{id: "namespace-without-default-deny", name: "the intent file exempts it", build: bare("pay", func(b *builder) {
			b.intent = &model.Intent{PCI: model.PCI{ExemptNamespaces: model.ExemptNamespaces{Add: []model.ExemptNamespace{{Name: "pay"}}}}}
		})},
		{id: "namespace-without-default-deny", name: "the intent file's list replaces that of AKS", build: bare("kube-system", func(b *builder) {
			b.intent = &model.Intent{PCI: model.PCI{ExemptNamespaces: model.ExemptNamespaces{OnlySet: true}}}
		}), want: []string{"ns:kube-system"}},
		{id: "namespace-without-default-deny", name: "no workload", build: func(b *builder) {
			b.cluster("aks")
			b.namespace("pay")
		}},
		{id: "namespace-without-default-deny", name: "a policy of another kind may apply", build: bare("pay", func(b *builder) {
			b.ledger = []model.LedgerEntry{{Type: "cilium.io/v2/CiliumClusterwideNetworkPolicy", Disposition: model.Unsupported, Affects: []model.ID{aksID("aks")}}}
		})},

		{id: "host-network-workload", name: "in a namespace with policies", build: pay(func(_ *builder, w *model.Workload) { w.HostNetwork = true }), want: []string{"pod:pay/api"}},
		{id: "host-network-workload", name: "on the pod network", build: pay(none)},
		{id: "host-network-workload", name: "no policy to miss", build: bare("pay", func(b *builder) { b.resources[2].(*model.Workload).HostNetwork = true })},

		{id: "host-port", name: "published", build: pay(func(_ *builder, w *model.Workload) {
			w.HostPorts = []model.ContainerPort{{Port: 9000, Protocol: model.TCP, Source: source("port")}}
		}), want: []string{"pod:pay/api"}},
		{id: "host-port", name: "not published", build: pay(none)},

		// X-EDGE-26 of azure-edge-and-aks.md.
		{id: "egress-gateway-skips-policy", name: "annotated and isolated", build: pay(func(_ *builder, w *model.Workload) {
			w.Annotations = map[string]string{"kubernetes.azure.com/static-gateway-configuration": "fixed"}
		}), want: []string{"pod:pay/api"}},
		{id: "egress-gateway-skips-policy", name: "annotated, and no policy is skipped", build: bare("pay", func(b *builder) {
			b.resources[2].(*model.Workload).Annotations = map[string]string{"kubernetes.azure.com/static-gateway-configuration": "fixed"}
		})},
		{id: "egress-gateway-skips-policy", name: "not annotated", build: pay(none)},

		// X-EDGE-23 of azure-edge-and-aks.md.
		{id: "public-load-balancer-service", name: "no annotation", build: svc("LoadBalancer", func(*model.KubeService) {}), want: []string{"lb:pay/api"}},
		{id: "public-load-balancer-service", name: "any other value is public", build: svc("LoadBalancer", func(s *model.KubeService) { s.Annotations[internalKey] = "yes" }), want: []string{"lb:pay/api"}},
		{id: "public-load-balancer-service", name: "source ranges", build: pay(func(b *builder, _ *model.Workload) {
			b.kubeService("pay", "api", "LoadBalancer", 80, 8080).SourceRanges = prefixes(b.t, "198.51.100.0/24")
		}), want: []string{"lb:pay/api"}, severity: Warning},
		{id: "public-load-balancer-service", name: "internal", build: svc("LoadBalancer", func(s *model.KubeService) { s.Annotations[internalKey] = "true" })},
		{id: "public-load-balancer-service", name: "inside the cluster", build: svc("ClusterIP", func(*model.KubeService) {})},

		{id: "node-port-service", name: "NodePort", build: svc("NodePort", func(s *model.KubeService) { s.Ports[0].NodePort = 30080 }), want: []string{"lb:pay/api"}},
		{id: "node-port-service", name: "a load balancer brings one", build: svc("LoadBalancer", func(s *model.KubeService) { s.Annotations[internalKey] = "true" }), want: []string{"lb:pay/api"}, severity: Note},
		{id: "node-port-service", name: "a load balancer without", build: svc("LoadBalancer", func(s *model.KubeService) { s.Annotations[internalKey], s.NoNodePorts = "true", true })},
		{id: "node-port-service", name: "ClusterIP", build: svc("ClusterIP", func(*model.KubeService) {})},

		{id: "service-external-ips", name: "an address", build: svc("ClusterIP", func(s *model.KubeService) { s.ExternalIPs = []netip.Addr{addr("198.51.100.9")} }), want: []string{"lb:pay/api"}},
		{id: "service-external-ips", name: "none", build: svc("ClusterIP", func(*model.KubeService) {})},

		// X-EDGE-28 of azure-edge-and-aks.md.
		{id: "internal-service-ranges-void", name: "the annotation alone", build: svc("LoadBalancer", func(s *model.KubeService) {
			s.Annotations[internalKey], s.Annotations[rangesKey] = "true", "10.1.5.0/24"
		}), want: []string{"lb:pay/api"}},
		{id: "internal-service-ranges-void", name: "with the Deny", build: svc("LoadBalancer", func(s *model.KubeService) {
			s.Annotations[internalKey], s.Annotations[rangesKey] = "true", "10.1.5.0/24"
			s.Annotations["service.beta.kubernetes.io/azure-deny-all-except-load-balancer-source-ranges"] = "true"
		})},
		{id: "internal-service-ranges-void", name: "the field", build: pay(func(b *builder, _ *model.Workload) {
			s := b.kubeService("pay", "api", "LoadBalancer", 80, 8080)
			s.Annotations[internalKey], s.SourceRanges = "true", prefixes(b.t, "10.1.5.0/24")
		})},
		{id: "internal-service-ranges-void", name: "public", build: svc("LoadBalancer", func(s *model.KubeService) { s.Annotations[rangesKey] = "198.51.100.0/24" })},

		// X30 of kubernetes.md, X-EDGE-17 of azure-edge-and-aks.md.
		{id: "policy-not-enforced", name: "engine none", build: pay(func(b *builder, _ *model.Workload) {
			c := b.resources[0].(*model.Cluster)
			c.DataPlane, c.Policy = "azure", "none"
		}), want: []string{"policy:aks/pay/deny"}},
		{id: "policy-not-enforced", name: "cluster-wide policies", build: tiers(func(_, _ *model.ClusterPolicy) {}, "none"), want: []string{"policy:aks/ClusterNetworkPolicy/a", "policy:aks/ClusterNetworkPolicy/b"}},
		{id: "policy-not-enforced", name: "engine Cilium", build: pay(none)},
		{id: "policy-not-enforced", name: "the engine is not in the input", build: pay(func(b *builder, _ *model.Workload) {
			c := b.resources[0].(*model.Cluster)
			c.DataPlane, c.Manifest = "", true
		})},

		// X05 of kubernetes.md.
		{id: "policy-dead-rules", name: "ingress rules of an egress policy", build: pay(func(b *builder, _ *model.Workload) {
			b.policy("pay", "x", "api", "out").Ingress = []model.PolicyRule{{Source: source("rule")}}
		}), want: []string{"policy:aks/pay/x"}},
		{id: "policy-dead-rules", name: "egress rules of an ingress policy", build: pay(func(b *builder, _ *model.Workload) {
			b.policy("pay", "x", "api", "in").Egress = []model.PolicyRule{{Source: source("rule")}}
		}), want: []string{"policy:aks/pay/x"}},
		{id: "policy-dead-rules", name: "both are named", build: pay(func(b *builder, _ *model.Workload) {
			b.policy("pay", "x", "api", "in", "out").Egress = []model.PolicyRule{{Source: source("rule")}}
		})},

		{id: "policy-equal-priority", name: "other actions", build: tiers(func(a, b *model.ClusterPolicy) { b.Ingress[0].Action = model.PolicyAllow }), want: []string{"policy:aks/ClusterNetworkPolicy/b"}},
		{id: "policy-equal-priority", name: "one action", build: tiers(func(a, b *model.ClusterPolicy) {})},
		{id: "policy-equal-priority", name: "another priority", build: tiers(func(a, b *model.ClusterPolicy) { b.Ingress[0].Action, b.Priority = model.PolicyAllow, 11 })},
		{id: "policy-equal-priority", name: "another tier", build: tiers(func(a, b *model.ClusterPolicy) { b.Ingress[0].Action, b.Tier = model.PolicyAllow, model.BaselineTier })},
		{id: "policy-equal-priority", name: "other directions", build: tiers(func(a, b *model.ClusterPolicy) {
			b.Egress, b.Ingress = []model.ClusterPolicyRule{{Source: source("rule"), Action: model.PolicyAllow}}, nil
		})},
		{id: "policy-equal-priority", name: "other pods", build: tiers(func(a, b *model.ClusterPolicy) {
			b.Ingress[0].Action = model.PolicyAllow
			b.Subject.Namespaces.Match = map[string]string{"kubernetes.io/metadata.name": "shop"}
		})},

		// X43 of kubernetes.md.
		{id: "policy-leaves-outside-open", name: "a Baseline for every namespace", build: tiers(func(a, b *model.ClusterPolicy) { a.Tier = model.BaselineTier }), want: []string{"policy:aks/ClusterNetworkPolicy/a"}},
		{id: "policy-leaves-outside-open", name: "behind a NetworkPolicy that isolates", build: tiers(func(a, b *model.ClusterPolicy) { a.Tier = model.BaselineTier }, "in")},
		{id: "policy-leaves-outside-open", name: "from some namespaces", build: tiers(func(a, b *model.ClusterPolicy) {
			a.Tier = model.BaselineTier
			a.Ingress[0].Peers[0].Namespaces.Match = map[string]string{"env": "dev"}
		})},
		{id: "policy-leaves-outside-open", name: "an Admin policy", build: tiers(func(a, b *model.ClusterPolicy) {})},

		{id: "policy-names-service-port", name: "80 for 8080", build: port(policyPort(80, 80), 8080), want: []string{"policy:aks/pay/api"}},
		{id: "policy-names-service-port", name: "egress to the pods behind it", build: pay(func(b *builder, _ *model.Workload) {
			b.kubeService("pay", "api", "ClusterIP", 80, 8080)
			b.workload("pay", "web", 9090)
			b.policy("pay", "web", "web", "out").Egress = []model.PolicyRule{{
				Source: source("rule"), Ports: []model.PolicyPort{policyPort(80, 80)},
				Peers: []model.PolicyPeer{{Source: source("peer"), Pods: &model.LabelSelector{Match: map[string]string{"app": "api"}}}},
			}}
		}), want: []string{"policy:aks/pay/web"}},
		{id: "policy-names-service-port", name: "egress to another namespace, the target is a name", build: pay(func(b *builder, _ *model.Workload) {
			s := b.kubeService("pay", "api", "ClusterIP", 80, 0)
			s.Ports[0].TargetName = "http"
			b.namespace("shop")
			b.workload("shop", "web", 9090)
			b.policy("shop", "web", "web", "out").Egress = []model.PolicyRule{{
				Source: source("rule"), Ports: []model.PolicyPort{policyPort(80, 80)},
				Peers: []model.PolicyPeer{{Source: source("peer"), Namespaces: &model.LabelSelector{Match: map[string]string{"kubernetes.io/metadata.name": "pay"}}}},
			}}
		}), want: []string{"policy:aks/shop/web"}},
		{id: "policy-names-service-port", name: "the pod's port", build: port(policyPort(8080, 8080), 8080)},
		{id: "policy-names-service-port", name: "by name", build: port(model.PolicyPort{Source: source("port"), Protocol: model.TCP, Named: "http"}, 8080)},
		{id: "policy-names-service-port", name: "a range", build: port(policyPort(80, 8080), 8080)},
		{id: "policy-names-service-port", name: "the pod declares no ports", build: pay(func(b *builder, w *model.Workload) {
			w.Ports = nil
			b.kubeService("pay", "api", "ClusterIP", 80, 8080)
			b.policy("pay", "api", "api", "in").Ingress = []model.PolicyRule{{Source: source("rule"), Ports: []model.PolicyPort{policyPort(80, 80)}}}
		})},

		{id: "egress-to-metadata", name: "everywhere", build: egress("0.0.0.0/0", nil), want: []string{"policy:aks/pay/out"}},
		{id: "egress-to-metadata", name: "everywhere at 80", build: egress("0.0.0.0/0", nil, policyPort(80, 80)), want: []string{"policy:aks/pay/out"}},
		{id: "egress-to-metadata", name: "but the metadata service", build: egress("0.0.0.0/0", []string{"169.254.169.254/32"})},
		{id: "egress-to-metadata", name: "at 443", build: egress("0.0.0.0/0", nil, policyPort(443, 443))},
		{id: "egress-to-metadata", name: "elsewhere", build: egress("10.0.0.0/8", nil)},
	}
}
