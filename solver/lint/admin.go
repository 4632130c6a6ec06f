package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// jitRule reports whether Defender for Cloud wrote a rule for just-in-time access.
func jitRule(u model.SecurityRule) bool {
	name := strings.ToLower(u.Name)
	return strings.HasPrefix(name, "microsoftdefenderforcloud-jitrule") || strings.HasPrefix(name, "securitycenter-jitrule")
}

// protected is one port of a just-in-time policy at one NSG of the machine.
type protected struct {
	policy *model.JITPolicy
	vm     model.ID
	port   model.JITPort
	nsg    *model.NSG
	open   []model.SecurityRule // Allow rules that come before the Deny
	denied bool                 // a custom Deny of the port follows, from every source
}

// jitPorts walks every port that a just-in-time policy protects and, for each, the NSGs of the machine: those of its interfaces and
// those of their subnets (AZ-NSG-10). A machine that the input lacks is left out. none is called for a port without any NSG.
func (r *reader) jitPorts(each func(ports []protected), none func(p *model.JITPolicy, vm *model.VM, port model.JITPort)) {
	for _, p := range r.e.JITPolicies {
		for _, m := range p.VMs {
			vm, ok := model.Get[*model.VM](r.e, m.VM)
			if !ok {
				continue
			}
			for _, port := range m.Ports {
				list, missing := r.jitAt(p, vm, port)
				switch {
				case missing:
				case len(list) == 0:
					none(p, vm, port)
				default:
					each(list)
				}
			}
		}
	}
}

// jitAt judges a port at each NSG of a machine. missing is set where an NSG that is attached is not in the input.
func (r *reader) jitAt(p *model.JITPolicy, vm *model.VM, port model.JITPort) (list []protected, missing bool) {
	seen := map[string]bool{}
	for _, id := range vm.NICs {
		nic, ok := model.Get[*model.NIC](r.e, id)
		if !ok {
			return nil, true
		}
		for _, c := range nic.IPConfigs {
			s, ok := model.Get[*model.Subnet](r.e, c.Subnet)
			if !ok {
				return nil, true
			}
			for _, id := range []model.ID{s.NSG, nic.NSG} {
				if id == "" || seen[id.Key()] {
					continue
				}
				seen[id.Key()] = true
				g, ok := model.Get[*model.NSG](r.e, id)
				if !ok {
					return nil, true
				}
				list = append(list, atNSG(protected{policy: p, vm: vm.ID, port: port, nsg: g}, s, c))
			}
		}
	}
	return list, len(vm.NICs) == 0
}

// atNSG walks the inbound rules of an NSG down to the first Deny of the port.
func atNSG(p protected, s *model.Subnet, c model.IPConfig) protected {
	port := model.PortRange{First: p.port.Port, Last: p.port.Port}
	here := s.Prefixes
	if c.Address.IsValid() {
		here = []netip.Prefix{netip.PrefixFrom(c.Address, c.Address.BitLen())}
	}
	for _, u := range p.nsg.Rules {
		if u.Default || u.Direction != model.Inbound || len(common(u.DestPorts, port)) == 0 || !sharesProtocol(u.Protocol, p.port.Protocol) {
			continue
		}
		if u.Access == model.Deny {
			all := u.SourceAddrs.Any && u.UnknownMatch == "" && coversPort(u.Protocol, p.port.Protocol)
			if all && (u.DestAddrs.Any || hasTag(u.DestAddrs, "VirtualNetwork") || !slices.ContainsFunc(here, func(q netip.Prefix) bool { return !inside(q, u.DestAddrs.Prefixes) })) {
				p.denied = true
				break
			}
			continue
		}
		d := u.DestAddrs
		if d.Any || len(d.Tags) > 0 || slices.ContainsFunc(here, func(q netip.Prefix) bool { return touches(q, d.Prefixes) }) ||
			slices.ContainsFunc(d.ASGs, func(g model.ID) bool {
				return slices.ContainsFunc(c.ASGs, func(mine model.ID) bool { return mine.Key() == g.Key() })
			}) {
			p.open = append(p.open, u)
		}
	}
	return p
}

func sharesProtocol(a, b model.Protocol) bool { return carries(a, b) || carries(b, a) }

// coversPort reports whether a Deny stops what the policy protects; `*` of a policy means TCP and UDP, of which TCP counts.
func coversPort(deny, policy model.Protocol) bool {
	if policy == model.AnyProtocol {
		policy = model.TCP
	}
	return carries(deny, policy)
}

func (p protected) what() string {
	proto := p.port.Protocol
	if proto == model.AnyProtocol {
		proto = model.TCP
	}
	return fmt.Sprintf("%s/%d of vm:%s", proto, p.port.Port, p.vm.Name())
}

// jitVoid: rules that exist for the protected ports keep their priority over the Deny of just-in-time access, and make it void for their
// sources (AZ-JIT-01). Where another NSG of the machine closes the port first, nothing is void.
func jitVoid(r *reader, found sink) {
	r.jitPorts(func(ports []protected) {
		if slices.ContainsFunc(ports, func(p protected) bool { return p.denied && len(p.open) == 0 }) {
			return
		}
		for _, p := range ports {
			for _, u := range p.open {
				if jitRule(u) {
					continue
				}
				found(fact{
					subject: r.nsgRule(p.nsg, u), origin: ruleOrigin(p.nsg, u),
					text: fmt.Sprintf("The policy %s protects %s by just-in-time access, yet the rule (priority %d) admits %s there at all times and comes before its Deny.",
						r.rule("jit", p.policy.ID), p.what(), u.Priority, addresses(u.SourceAddrs)),
					remedy: "Remove the rule and let a request open the port, or take the port out of the policy and say why the rule stands.",
				})
			}
		}
	}, func(*model.JITPolicy, *model.VM, model.JITPort) {})
}

// jitWithoutDeny: a just-in-time policy whose Deny is missing from the NSG gives no protection (AZ-JIT-02).
func jitWithoutDeny(r *reader, found sink) {
	remedy := "Save the policy again so that Defender for Cloud writes its rule, or add a Deny of everything to the NSG."
	r.jitPorts(func(ports []protected) {
		if slices.ContainsFunc(ports, func(p protected) bool { return p.denied }) {
			return
		}
		p := ports[0]
		found(fact{
			subject: r.rule("jit", p.policy.ID), origin: p.policy.Source, remedy: remedy,
			text: fmt.Sprintf("The policy protects %s, but no rule of %s denies it: without a request, the rules that are there decide.", p.what(), r.rule("nsg", p.nsg.ID)),
		})
	}, func(policy *model.JITPolicy, vm *model.VM, port model.JITPort) {
		p := protected{vm: vm.ID, port: port}
		found(fact{
			subject: r.rule("jit", policy.ID), origin: policy.Source, remedy: "Attach an NSG to the machine's subnet, and save the policy again.",
			text: fmt.Sprintf("The policy protects %s, but neither the machine nor its subnet has a network security group that could deny it.", p.what()),
		})
	})
}

// jitRequestOpen: Defender for Cloud takes its Allow away when a request ends (AZ-JIT-01); one that is in the input is open, or was left.
func jitRequestOpen(r *reader, found sink) {
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			if !custom(u, model.Inbound, model.Allow) || !jitRule(u) {
				continue
			}
			severity := Warning
			if anyone(u.SourceAddrs) {
				severity = Error
			}
			found(fact{
				severity: severity, subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
				text: fmt.Sprintf("A just-in-time request is open: the rule (priority %d) allows %s from %s to %s.",
					u.Priority, service(u.Protocol, u.DestPorts), addresses(u.SourceAddrs), addresses(u.DestAddrs)),
				remedy: "Check that the request still runs; remove the rule if it has ended, and let requests name the address that they are for.",
			})
		}
	}
}

// bastionShareableLink: a shareable link opens Bastion without sign-in to the portal (AZ-JMP-02).
func bastionShareableLink(r *reader, found sink) {
	for _, b := range r.e.Bastions {
		if b.Shareable != model.On {
			continue
		}
		found(fact{
			subject: r.refs.Of(model.SelBastion, b), origin: b.Source,
			text:   "Shareable links are enabled: who has a link reaches a machine's sign-in through Bastion without an account in the portal.",
			remedy: "Set enableShareableLink to false.",
		})
	}
}
