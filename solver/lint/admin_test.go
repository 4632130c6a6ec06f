package lint

import "github.com/ringfence/ringfence/model"

const (
	jitDeny  = "MicrosoftDefenderForCloud-JITRule_-1_A 4096 In Deny * * 10.0.0.4 22"
	jitAllow = "MicrosoftDefenderForCloud-JITRule_-1_B 100 In Allow tcp 10.9.0.0/24 10.0.0.4 22"
)

// jitVM is a machine whose port 22 a just-in-time policy protects (X-EDGE-29 of azure-edge-and-aks.md).
func jitVM(b *builder, rules ...string) {
	guardedSubnet(b, rules...)
	b.nic("jump", "net/web", "10.0.0.4", "vm=jump")
	b.add(&model.JITPolicy{Meta: meta(resourceID("Microsoft.Security/locations/we/jitNetworkAccessPolicies", "default")), VMs: []model.JITMachine{
		{VM: vmID("jump"), Ports: []model.JITPort{{Port: 22, Protocol: model.AnyProtocol, Sources: b.match("*")}}},
	}})
}

func adminCases() []testCase {
	jit := func(rules ...string) func(*builder) { return func(b *builder) { jitVM(b, rules...) } }
	return []testCase{
		{id: "jit-void", name: "an old Allow", build: jit("OldSsh 300 In Allow tcp VirtualNetwork * 22", jitDeny), want: []string{"nsg:web/OldSsh"}},
		{id: "jit-void", name: "an Allow for a range that holds the port", build: jit("Low 300 In Allow * 10.9.0.0/24 10.0.0.0/24 20-25", jitDeny), want: []string{"nsg:web/Low"}},
		{id: "jit-void", name: "an open request is no old rule", build: jit(jitAllow, jitDeny)},
		{id: "jit-void", name: "an Allow for another machine", build: jit("OldSsh 300 In Allow tcp VirtualNetwork 10.0.0.9 22", jitDeny)},
		{id: "jit-void", name: "an Allow for another port", build: jit("Web 300 In Allow tcp VirtualNetwork * 443", jitDeny)},
		{id: "jit-void", name: "the interface's NSG closes the port", build: func(b *builder) {
			jitVM(b, "OldSsh 300 In Allow tcp VirtualNetwork * 22", jitDeny)
			b.nsg("own", denyIn)
			for _, r := range b.resources {
				if n, ok := r.(*model.NIC); ok {
					n.NSG = nsgID("own")
				}
			}
		}},

		{id: "jit-without-deny", name: "the Deny is gone", build: jit("Web 300 In Allow tcp Internet * 443"), want: []string{"jit:default"}},
		{id: "jit-without-deny", name: "a Deny for some sources", build: jit("NoGuests 300 In Deny tcp 10.9.0.0/24 * 22"), want: []string{"jit:default"}},
		{id: "jit-without-deny", name: "no NSG at all", build: func(b *builder) {
			jitVM(b, jitDeny)
			for _, r := range b.resources {
				if s, ok := r.(*model.Subnet); ok {
					s.NSG = ""
				}
			}
		}, want: []string{"jit:default"}},
		{id: "jit-without-deny", name: "Defender's Deny", build: jit(jitDeny)},
		{id: "jit-without-deny", name: "a Deny of everything", build: jit(denyIn)},
		{id: "jit-without-deny", name: "the NSG is not in the input", build: func(b *builder) {
			jitVM(b, denyIn)
			for _, r := range b.resources {
				if s, ok := r.(*model.Subnet); ok {
					s.NSG = nsgID("gone")
				}
			}
		}},

		{id: "jit-request-open", name: "from one network", build: jit(jitAllow, jitDeny), want: []string{"nsg:web/MicrosoftDefenderForCloud-JITRule_-1_B"}},
		{id: "jit-request-open", name: "from anywhere, by the older name", build: jit("SecurityCenter-JITRule_1_C 100 In Allow tcp * 10.0.0.4 22", jitDeny), want: []string{"nsg:web/SecurityCenter-JITRule_1_C"}, severity: Error},
		{id: "jit-request-open", name: "only the Deny is there", build: jit(jitDeny)},

		{id: "bastion-shareable-link", name: "enabled", build: func(b *builder) {
			b.add(&model.Bastion{Meta: meta(network("bastionHosts", "bas")), Shareable: model.On})
		}, want: []string{"bastion:bas"}},
		{id: "bastion-shareable-link", name: "not stated", build: func(b *builder) {
			b.add(&model.Bastion{Meta: meta(network("bastionHosts", "bas"))})
		}},
	}
}
