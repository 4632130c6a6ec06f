package intent

import (
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

// pci reads the roles and limits that no resource states.
func (r *reader) pci(v value) {
	p := &r.out.Intent.PCI
	if p.Source.IsZero() {
		p.Source = r.source(v)
	}
	r.object(v, r.pciFields(p))
}

func (r *reader) pciFields(p *model.PCI) []field {
	return []field{
		optional("jumpBoxes", r.perhapsSelectors(&p.JumpBoxes)),
		optional("proxies", func(v value) {
			p.ProxiesSet = true
			r.perhapsSelectors(&p.Proxies)(v)
		}),
		optional("ingressRouters", r.perhapsSelectors(&p.IngressRouters)),
		optional("firewalls", r.perhapsSelectors(&p.Firewalls)),
		optional("appliances", r.perhapsSelectors(&p.Appliances)),
		optional("exemptNamespaces", func(v value) { r.object(v, r.exemptNamespacesFields(&p.ExemptNamespaces)) }),
		optional("allowedPorts", func(v value) {
			p.AllowedPortsSet = true
			r.object(v, r.allowedPortsFields(p))
		}),
		optional("monitoring", r.list(func(v value) {
			m := model.Monitoring{Source: r.source(v)}
			r.object(v, r.monitoringFields(&m))
			p.Monitoring = append(p.Monitoring, m)
		})),
		optional("authorizedSources", func(v value) {
			p.AuthorizedSet = true
			r.object(v, r.authorizedSourcesFields(p))
		}),
		optional("emergencyAccess", r.list(func(v value) {
			e := model.EmergencyAccess{Source: r.source(v)}
			r.object(v, r.emergencyAccessFields(&e))
			p.Emergency = append(p.Emergency, e)
		})),
		optional("networkAdmins", r.list(func(v value) {
			a := model.NetworkAdmin{Source: r.source(v)}
			r.object(v, r.networkAdminFields(&a))
			p.NetworkAdmins = append(p.NetworkAdmins, a)
		})),
		optional("nodeEgress", r.perhapsServices(&p.NodeEgress)),
		optional("defaultDeny", func(v value) { r.object(v, r.defaultDenyFields(p)) }),
		optional("publicIPSubnets", r.perhapsSelectors(&p.PublicIPSubnets)),
		r.once("logRetentionDays", func(v value) {
			if n, ok := r.number(v, 1, 36500); ok {
				p.LogRetentionDays = n
			}
		}),
	}
}

func (r *reader) allowedPortsFields(p *model.PCI) []field {
	return []field{required("workloads", r.ports(&p.AllowedPorts))}
}

func (r *reader) authorizedSourcesFields(p *model.PCI) []field {
	return []field{
		optional("nodes", r.perhapsSelectors(&p.AuthorizedNodes)),
		optional("api", r.perhapsSelectors(&p.AuthorizedAPI)),
	}
}

func (r *reader) defaultDenyFields(p *model.PCI) []field {
	return []field{r.once("allowDNS", func(v value) {
		if allow, ok := r.boolean(v); ok {
			p.DefaultDenyDNS = model.SettingOf(allow)
		}
	})}
}

func (r *reader) monitoringFields(m *model.Monitoring) []field {
	return []field{
		required("from", r.selectors(&m.From)),
		required("to", r.selectors(&m.To)),
		required("services", r.services(&m.Services)),
	}
}

// emergencyAccessFields are all required: what is opened in an emergency is bounded, approved, and ends.
func (r *reader) emergencyAccessFields(e *model.EmergencyAccess) []field {
	return []field{
		required("from", r.selectors(&e.From)),
		required("to", r.selectors(&e.To)),
		required("services", r.services(&e.Services)),
		required("approvedBy", r.text(&e.ApprovedBy)),
		required("reason", r.text(&e.Reason)),
		required("expires", r.date(&e.Expires)),
	}
}

func (r *reader) networkAdminFields(a *model.NetworkAdmin) []field {
	return []field{
		required("principal", r.text(&a.Principal)),
		optional("name", r.mayBeEmpty(&a.Name)),
		optional("role", r.mayBeEmpty(&a.Role)),
	}
}

func (r *reader) exemptNamespacesFields(e *model.ExemptNamespaces) []field {
	return []field{
		r.once("cluster", r.text(&e.Cluster)),
		optional("add", r.list(r.exemptNamespace(&e.Add))),
		optional("only", func(v value) {
			e.OnlySet = true
			r.list(func(v value) {
				if v.node.Kind == yaml.ScalarNode { // a namespace that the list has anyway needs no statement
					n := model.ExemptNamespace{Source: r.source(v)}
					r.namespace(&n.Name)(v)
					e.Only = append(e.Only, n)
					return
				}
				r.exemptNamespace(&e.Only)(v)
			})(v)
		}),
	}
}

// exemptNamespace reads one namespace with the statement that decisions.md, section 6 asks for.
func (r *reader) exemptNamespace(dst *[]model.ExemptNamespace) func(value) {
	return func(v value) {
		n := model.ExemptNamespace{Source: r.source(v)}
		r.object(v, r.exemptNamespaceFields(&n))
		*dst = append(*dst, n)
	}
}

func (r *reader) exemptNamespaceFields(n *model.ExemptNamespace) []field {
	return []field{
		required("name", r.namespace(&n.Name)),
		required("owner", r.text(&n.Owner)),
		required("reason", r.text(&n.Reason)),
		required("expires", r.date(&n.Expires)),
	}
}

const namespacePattern = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`

// namespace reads an exact name: section 6 has no wildcards.
func (r *reader) namespace(dst *string) func(value) {
	return func(v value) {
		var s string
		r.text(&s)(v)
		switch {
		case s == "":
			return
		case !r.name.MatchString(s):
			r.report(&model.InputError{
				Source: r.source(v), Field: v.path, Found: s, Accepted: "the exact name of a namespace",
				Err: errors.New("lower-case letters, digits and `-`, without wildcards"),
			})
		default:
			*dst = s
		}
	}
}
