package pci

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// JITOpen is the variant in which every just-in-time access is open (AZ-JIT-02).
const JITOpen = "jit-open"

// Variant is what opens in a variant of the project, for whom and on which path. It changes no verdict of the plain run.
type Variant struct {
	Name     string              `json:"name"` // jit-open
	Access   []Access            `json:"access"`
	Verdicts []VerdictChange     `json:"verdicts"` // assertions that are decided otherwise while access is open
	Flows    []solver.FlowChange `json:"flows"`    // what opens, each with a packet and the rules that let it pass
}

// Access is one access that people may ask for: a port of a just-in-time policy, or a rule that the intent marks `jit`.
type Access struct {
	Name    string   `json:"name"` // policy or rule
	Source  string   `json:"source"`
	Target  string   `json:"target"`  // the machine; of a rule, its control
	Service string   `json:"service"` // tcp/22
	From    []string `json:"from"`    // who may be let in
	Through []string `json:"through"` // NSGs and firewalls whose rules change
	Note    string   `json:"note,omitempty"`

	// Of a machine: can anybody reach the service without a request, and with one. Closed is `unreachable` where the door is shut.
	Closed string        `json:"closed,omitempty"`
	Open   string        `json:"open,omitempty"`
	Always []solver.Flow `json:"always"` // who reaches it without a request

	vm      model.Selector
	machine bool
	service []model.PortService
}

// OpenJIT returns the project with every just-in-time access open (AZ-JIT-02): for each port of a just-in-time policy a rule that allows
// its sources to the machine, before all others in the NSGs of its interfaces and their subnets; and rules that the intent marks `jit`
// which deny what they match allow it. A project without either is an error: there is nothing to open.
func OpenJIT(p *model.Project) (*model.Project, []Access, error) {
	v := &opening{p: p, refs: model.NewRefs(p.Estate), changed: map[string]model.Resource{}}
	for _, policy := range p.Estate.JITPolicies {
		for _, m := range policy.VMs {
			for _, port := range m.Ports {
				v.port(policy, m, port)
			}
		}
	}
	v.marked()
	if len(v.access) == 0 {
		return nil, nil, fmt.Errorf("variant `%s`: there is nothing to open: the input holds no just-in-time policy, and no justification says `jit: true`", JITOpen)
	}
	var changed []model.Resource
	for _, key := range v.order {
		changed = append(changed, v.changed[key])
	}
	e, err := p.Estate.With(changed...)
	if err != nil {
		return nil, nil, fmt.Errorf("variant `%s`: %w", JITOpen, err)
	}
	out := *p
	out.Estate = e
	return &out, v.access, nil
}

// opening collects the resources that a variant changes.
type opening struct {
	p       *model.Project
	refs    *model.Refs
	changed map[string]model.Resource
	order   []string
	access  []Access
}

func (v *opening) put(r model.Resource) {
	key := r.ResourceID().Key()
	if v.changed[key] == nil {
		v.order = append(v.order, key)
	}
	v.changed[key] = r
}

// nsg is an NSG as the variant has it, to be changed.
func (v *opening) nsg(id model.ID) (*model.NSG, bool) {
	n, ok := v.changed[id.Key()].(*model.NSG)
	if !ok {
		if n, ok = model.Get[*model.NSG](v.p.Estate, id); !ok {
			return nil, false
		}
	}
	c := *n
	c.Rules = slices.Clone(n.Rules)
	v.put(&c)
	return &c, true
}

// port opens one port of a machine to the sources that its policy allows.
func (v *opening) port(policy *model.JITPolicy, m model.JITMachine, port model.JITPort) {
	a := Access{
		Name: "jit:" + policy.Name(), Source: policy.Source.String(), Target: "vm:" + m.VM.Name(), From: addressTexts(port.Sources),
		Through: []string{}, Always: []solver.Flow{},
	}
	svc := model.PortService{Protocol: port.Protocol, Ports: model.PortRange{First: port.Port, Last: port.Port}}
	a.service = []model.PortService{svc}
	if port.Protocol == model.AnyProtocol {
		udp := svc
		svc.Protocol, udp.Protocol = model.TCP, model.UDP
		a.service = []model.PortService{svc, udp}
	}
	texts := make([]string, len(a.service))
	for i, s := range a.service {
		texts[i] = s.String()
	}
	a.Service = strings.Join(texts, ", ")
	vm, ok := model.Get[*model.VM](v.p.Estate, m.VM)
	if !ok {
		a.Note = "the machine is not in the input: nothing is opened"
		v.access = append(v.access, a)
		return
	}
	a.Target, a.machine = v.refs.Of(model.SelVM, vm), true
	a.vm, _ = model.ParseSelector(a.Target)
	for _, id := range vm.NICs {
		nic, found := model.Get[*model.NIC](v.p.Estate, id)
		if !found {
			continue
		}
		for _, c := range nic.IPConfigs {
			subnet, _ := model.Get[*model.Subnet](v.p.Estate, c.Subnet)
			filters := []model.ID{nic.NSG}
			if subnet != nil {
				filters = append(filters, subnet.NSG)
			}
			for _, filter := range filters {
				if n, has := v.nsg(filter); has {
					v.allow(n, policy, m, port, c)
					if name := "nsg:" + n.Name(); !slices.Contains(a.Through, name) {
						a.Through = append(a.Through, name)
					}
				}
			}
		}
	}
	if len(a.Through) == 0 {
		a.Note = "no NSG of the machine is in the input: nothing is opened"
	}
	v.access = append(v.access, a)
}

// allow puts the rule of a request before all others of an NSG: which number Defender gives it is not documented, and no verdict of the
// variant may rest on one that comes later.
func (v *opening) allow(n *model.NSG, policy *model.JITPolicy, m model.JITMachine, port model.JITPort, c model.IPConfig) {
	first := 100
	for _, r := range n.Rules {
		first = min(first, r.Priority)
	}
	r := model.SecurityRule{
		Name: fmt.Sprintf("jit-open-%s-%d-%s", m.VM.Name(), port.Port, port.Protocol), Source: policy.Source, Priority: first - 1, Direction: model.Inbound, Access: model.Allow,
		Protocol: port.Protocol, SourceAddrs: port.Sources, SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: port.Port, Last: port.Port}},
		Description: "an access request of " + policy.Name() + " is open", ProvisioningState: "Succeeded",
		SourcePortText: []string{"*"}, DestPortText: []string{fmt.Sprint(port.Port)},
	}
	if c.Address.IsValid() {
		r.DestAddrs.Prefixes = []netip.Prefix{netip.PrefixFrom(c.Address, c.Address.BitLen())}
	} else {
		r.DestAddrs.Any, r.UnknownMatch = true, "the address of "+c.Name+" is not stated"
	}
	n.Rules = append([]model.SecurityRule{r}, n.Rules...)
	sortRules(n)
}

func sortRules(n *model.NSG) {
	slices.SortStableFunc(n.Rules, func(a, b model.SecurityRule) int {
		if a.Direction != b.Direction {
			return int(a.Direction) - int(b.Direction)
		}
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// marked opens the rules that the intent marks `jit`: a rule that denies allows what it matches.
func (v *opening) marked() {
	if v.p.Intent == nil {
		return
	}
	for _, row := range v.rows() {
		a := Access{
			Name: row.Rule, Source: row.At, Target: row.Control, Service: serviceText(row), From: row.Source, Through: []string{row.Control}, Always: []solver.Flow{},
		}
		switch {
		case row.Action == model.Allow.String():
			a.Note, a.Through = "the rule allows already: it is open in the plain run", []string{}
		case v.flip(row):
		default:
			a.Note, a.Through = "only rules of NSGs and of firewalls can be opened: nothing is opened", []string{}
		}
		v.access = append(v.access, a)
	}
}

// rows are the rules that a justification with `jit` names.
func (v *opening) rows() []RuleRow {
	var marked []reason
	for _, r := range reasonsOf(v.p.Intent) {
		if r.JIT {
			marked = append(marked, r)
		}
	}
	var out []RuleRow
	for _, r := range tableOf(v.p.Estate) {
		if slices.ContainsFunc(marked, r.named) {
			out = append(out, r.row.complete())
		}
	}
	return out
}

func serviceText(r RuleRow) string { return r.Protocol + "/" + strings.Join(r.Ports, ",") }

// flip has a rule that denies allow what it matches.
func (v *opening) flip(row RuleRow) bool {
	if strings.HasPrefix(row.Rule, "nsg:") {
		for _, n := range v.p.Estate.NSGs {
			is := func(r model.SecurityRule) bool {
				return "nsg:"+n.Name()+"/"+r.Name == row.Rule && r.Source.String() == row.At && r.Access == model.Deny
			}
			if !slices.ContainsFunc(n.Rules, is) {
				continue
			}
			c, _ := v.nsg(n.ID)
			c.Rules[slices.IndexFunc(c.Rules, is)].Access = model.Allow
			return true
		}
		return false
	}
	flipped := func(list []model.RuleCollection) ([]model.RuleCollection, bool) {
		for i, c := range list {
			for j, r := range c.Rules {
				if c.Access != model.Deny || r.Source.String() != row.At || !strings.HasSuffix(row.Rule, "/"+c.Name+"/"+r.Name) {
					continue
				}
				// The rules behind it go on denying, in a collection of their own with the same priority.
				out := slices.Clone(list)
				before, open, after := c, c, c
				before.Rules, after.Rules = slices.Clone(c.Rules[:j]), slices.Clone(c.Rules[j+1:])
				open.Rules, open.Access = []model.FirewallRule{r}, model.Allow
				parts := slices.DeleteFunc([]model.RuleCollection{before, open, after}, func(x model.RuleCollection) bool { return len(x.Rules) == 0 })
				return slices.Concat(out[:i], parts, out[i+1:]), true
			}
		}
		return list, false
	}
	for _, g := range v.p.Estate.RuleGroups {
		if have, ok := v.changed[g.ID.Key()].(*model.RuleCollectionGroup); ok {
			g = have
		}
		if list, ok := flipped(g.Collections); ok {
			c := *g
			c.Collections = list
			v.put(&c)
			return true
		}
	}
	for _, f := range v.p.Estate.Firewalls {
		if have, ok := v.changed[f.ID.Key()].(*model.Firewall); ok {
			f = have
		}
		if list, ok := flipped(f.Collections); ok {
			c := *f
			c.Collections = list
			v.put(&c)
			return true
		}
	}
	return false
}

// addressTexts prints who a policy lets in; every address is the internet too (AZ-JIT-02).
func addressTexts(m model.AddressMatch) []string {
	if m.Any {
		return []string{"any address, the internet with them"}
	}
	out := slices.Clone(m.Tags)
	for _, p := range m.Prefixes {
		out = append(out, p.String())
	}
	return out
}

// AddVariant adds to a result what opens in a variant. plain and open are the project as it is and with every access open.
func (r *Result) AddVariant(plain, open *solver.Solution, access []Access) error {
	v := &Variant{Name: JITOpen, Access: access}
	for i := range v.Access {
		a := &v.Access[i]
		if !a.machine {
			continue
		}
		anyone, err := model.ParseSelector("any")
		if err != nil {
			return err
		}
		ask := func(s *solver.Solution) (*solver.Reach, error) {
			return s.Reach([]model.Selector{anyone}, []model.Selector{a.vm}, a.service, false)
		}
		before, err := ask(plain)
		if err != nil {
			return err
		}
		after, err := ask(open)
		if err != nil {
			return err
		}
		a.Closed, a.Open, a.Always = before.Verdict.String(), after.Verdict.String(), before.Flows
	}
	c, err := solver.Compare(plain, open)
	if err != nil {
		return err
	}
	v.Flows = c.Flows
	for i := range v.Flows {
		for j := range v.Flows[i].Because {
			b := &v.Flows[i].Because[j]
			b.Side = map[string]string{"base": "plain", "proposed": JITOpen}[b.Side]
		}
	}
	after, err := open.CheckAll()
	if err != nil {
		return err
	}
	d := &Difference{}
	d.verdicts(r.Assertions, after)
	v.Verdicts = d.Verdicts
	r.Variant = v
	return nil
}
