package snapshot

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/ringfence/ringfence/model"
)

// Pseudonym is what a word of the input became.
type Pseudonym struct {
	Kind   string `json:"kind"` // name, fqdn, address, file
	Word   string `json:"word"`
	Became string `json:"became"`
}

// MinKey is the fewest bytes of a key for pseudonyms.
const MinKey = 16

// Redact returns a project that behaves as another and does not tell whose it is: every name, address, label, domain name, file and person is
// a pseudonym, and comments are gone. The same key gives the same pseudonyms, in every project; without the key nothing leads back.
//
// What verdicts rest on stays: ports, priorities, dates, what addresses share (see addresses), which of them are private, the platform's or a
// service tag's, the beginnings and parts of names that patterns match (see names), and the names that Azure, AKS and Kubernetes give.
//
// Errors: a key of less than MinKey bytes; a pattern that would match another name than before; a pseudonym that is a name of the platform. Another
// key helps against the last.
func Redact(p *model.Project, key []byte) (*model.Project, []Pseudonym, error) {
	if len(key) < MinKey {
		return nil, nil, fmt.Errorf("a key for pseudonyms has at least %d bytes", MinKey)
	}
	var out model.Project
	content, err := json.Marshal(p, coding())
	if err == nil {
		err = json.Unmarshal(content, &out, coding())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("copy the project: %w", err)
	}
	r := newRedactor(&out, key)
	r.walk(reflect.ValueOf(&out).Elem(), "Project")
	r.spoken = map[string]string{}
	for p := range r.made {
		r.spoken[strings.ToLower(p.Word)] = p.Became
	}
	for _, later := range r.notes {
		later()
	}
	list := out.Estate.Held()
	if out.Estate, err = model.NewEstate(list, out.Estate.Ledger); err != nil {
		return nil, nil, fmt.Errorf("a pseudonym stands for two names; take another key: %w", err)
	}
	slices.SortFunc(out.Inputs, func(a, b model.InputFile) int { return cmp.Compare(a.Path, b.Path) })
	if err := r.check(); err != nil {
		return nil, nil, err
	}
	return &out, r.pseudonyms(), nil
}

type redactor struct {
	key     []byte
	words   *names
	to      *addresses
	kept    map[string]bool // words that stay, in lower case
	regions map[string]bool
	made    map[Pseudonym]bool
	notes   []func() // texts of ours with names in them, mapped when all names are known
	spoken  map[string]string
}

func newRedactor(p *model.Project, key []byte) *redactor {
	r := &redactor{key: key, words: &names{key, map[string][]byte{}}, kept: map[string]bool{}, regions: map[string]bool{}, made: map[Pseudonym]bool{}}
	for _, n := range keptNames() {
		r.kept[n] = true
	}
	var fixed, subnets []netip.Prefix
	if p.Tags != nil {
		for _, t := range p.Tags.Tags {
			fixed = append(fixed, t.Prefixes...)
		}
	}
	for _, v := range p.Estate.VNets {
		subnets = append(subnets, v.Prefixes...)
	}
	for _, s := range p.Estate.Subnets {
		subnets = append(subnets, s.Prefixes...)
	}
	for _, c := range p.Estate.Clusters {
		subnets = append(append(subnets, c.PodCIDRs...), c.ServiceCIDRs...)
	}
	for _, x := range p.Estate.Held() {
		if at := reflect.ValueOf(x).Elem().FieldByName("Location"); at.String() != "" {
			r.regions[model.Region(at.String())] = true
		}
		if at := reflect.ValueOf(x).Elem().FieldByName("Region"); at.IsValid() && at.String() != "" {
			r.regions[model.Region(at.String())] = true
		}
	}
	flips := func(p netip.Prefix) bool { return sum(key, "address", p.String())[0]&1 == 1 }
	r.to = newAddresses(flips, fixed, subnets)
	return r
}

// note records a pseudonym.
func (r *redactor) note(kind, word, became string) string {
	r.made[Pseudonym{kind, word, became}] = true
	return became
}

func (r *redactor) pseudonyms() []Pseudonym {
	return slices.SortedFunc(maps.Keys(r.made), func(a, b Pseudonym) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Word, b.Word), cmp.Compare(a.Became, b.Became))
	})
}

func (r *redactor) addr(a netip.Addr) netip.Addr {
	to := r.to.addr(a)
	if a.IsValid() && to != a {
		r.note("address", a.String(), to.String())
	}
	return to
}

func (r *redactor) prefix(p netip.Prefix) netip.Prefix {
	to := r.to.prefix(p)
	if p.IsValid() && to != p {
		r.note("address", p.String(), to.String())
	}
	return to
}

// walk maps everything below a value; at is the type and field that holds it.
func (r *redactor) walk(v reflect.Value, at string) {
	switch x := v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(r.addr(x)))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(r.prefix(x)))
		return
	case model.ID:
		v.SetString(string(r.id(x)))
		return
	case model.Selector:
		v.Set(reflect.ValueOf(r.selector(x)))
		return
	case model.Requirement:
		for i, value := range x.Values {
			x.Values[i] = r.labelValue(x.Key, value)
		}
		v.FieldByName("Key").SetString(r.labelKey(x.Key))
		return
	case model.Toleration:
		v.FieldByName("Key").SetString(r.labelKey(x.Key))
		v.FieldByName("Value").SetString(r.labelValue(x.Key, x.Value))
		return
	case *model.ServiceTags:
		if x != nil {
			r.walk(reflect.ValueOf(&x.Source).Elem(), "Source")
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.walk(v.Elem(), at)
		}
	case reflect.Slice:
		sorted := sortedIDs(v)
		for i := range v.Len() {
			r.walk(v.Index(i), at)
		}
		if sorted {
			slices.SortFunc(v.Interface().([]model.ID), func(a, b model.ID) int { return a.Compare(b) }) //nolint:forcetypeassert // by sortedIDs
		}
	case reflect.Array:
		for i := range v.Len() {
			r.walk(v.Index(i), at)
		}
	case reflect.Struct:
		t := v.Type()
		for i := range v.NumField() {
			if t.Field(i).IsExported() {
				r.walk(v.Field(i), t.Name()+"."+t.Field(i).Name)
			}
		}
	case reflect.Map:
		r.mapped(v, at)
	case reflect.String:
		r.text(v, at)
	default: // numbers and settings
	}
}

// sortedIDs reports a list of IDs in the order of their keys, which it then has again.
func sortedIDs(v reflect.Value) bool {
	ids, ok := v.Interface().([]model.ID)
	return ok && slices.IsSortedFunc(ids, func(a, b model.ID) int { return a.Compare(b) })
}

// comment stands for a text that is gone: that there was one is a fact.
const comment = "redacted"

// text maps a string by the field that it stands in.
func (r *redactor) text(v reflect.Value, at string) {
	s := v.String()
	if s == "" {
		return
	}
	switch treatment(at) {
	case keep:
	case nameOf:
		v.SetString(r.name(s))
	case hostOf:
		v.SetString(r.fqdn(s))
	case valueOf:
		v.SetString(r.value(s))
	case principalOf:
		v.SetString(r.principal(s))
	case fileOf:
		v.SetString(r.note("file", s, r.file(s)))
	case pathOf:
		v.SetString("")
	case hashOf:
		v.SetString(hex.EncodeToString(sum(r.key, "hash", s)))
	case keyOf:
		v.SetString(r.labelKey(s))
	case noteOf:
		r.notes = append(r.notes, func() { v.SetString(r.named(s)) })
	case typeOf:
		v.SetString(r.typeName(s))
	case patternOf: // nsg:NAME/RULE
		if kind, rest, ok := strings.Cut(s, ":"); ok {
			v.SetString(kind + ":" + r.name(rest))
		} else {
			v.SetString(r.name(s))
		}
	case taintOf:
		rest, effect, ok := cutLast(s, ":")
		key, value, has := strings.Cut(rest, "=")
		out := r.labelKey(key)
		if has {
			out += "=" + r.labelValue(key, value)
		}
		if ok {
			out += ":" + effect
		}
		v.SetString(out)
	case variableOf: // RequestHeaders:NAME
		if kind, header, ok := strings.Cut(s, ":"); ok && !strings.HasPrefix(strings.ToLower(header), "x-azure-") {
			v.SetString(kind + ":" + r.name(header))
		}
	case dataOf:
		if !slices.Contains([]string{"PAN", "truncated PAN", "expiry", "CVV", "cardholder name", "service code", "PIN", "track data"}, s) {
			v.SetString(r.name(s))
		}
	default:
		v.SetString(comment)
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// mapped maps a map by the field that it stands in.
func (r *redactor) mapped(v reflect.Value, at string) {
	m, ok := v.Interface().(map[string]string)
	if !ok || m == nil {
		return // add-ons, modes by port
	}
	out := map[string]string{}
	for k, x := range m {
		switch at {
		case "Meta.Tags": // never interpreted
		case "Workload.Annotations", "KubeService.Annotations", "Ingress.Annotations":
			if publicKey(k) {
				out[k] = r.annotation(k, x)
			}
		default:
			out[r.labelKey(k)] = r.labelValue(k, x)
		}
	}
	if at == "Meta.Tags" {
		out = nil
	}
	v.Set(reflect.ValueOf(out))
}

// annotation maps the value of an annotation: a list of words, numbers, addresses or names.
func (r *redactor) annotation(k, v string) string {
	if strings.HasSuffix(k, "-service-tags") || strings.HasSuffix(k, "backend-protocol") {
		return v
	}
	parts := strings.Split(v, ",")
	for i, p := range parts {
		if number.MatchString(strings.TrimSpace(p)) || p == "*" {
			continue
		}
		parts[i] = r.value(p)
	}
	return strings.Join(parts, ",")
}

var (
	number = regexp.MustCompile(`^\d+(-\d+)?$`)
	spoken = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|[^\\s,;()]+")
)

// named maps a text of ours that names things of the input: what it quotes, and every word that has a pseudonym.
func (r *redactor) named(s string) string {
	return spoken.ReplaceAllStringFunc(s, func(w string) string {
		if q := w[0]; len(w) > 1 && (q == '`' || q == '"') && w[len(w)-1] == q {
			return w[:1] + r.value(w[1:len(w)-1]) + w[:1]
		}
		tail := w[len(strings.TrimRight(w, ".:")):]
		w = strings.TrimSuffix(w, tail)
		if x, ok := r.spoken[strings.ToLower(w)]; ok {
			return x + tail
		}
		if parts := strings.Split(w, "/"); len(parts) > 1 {
			for i, p := range parts {
				if x, ok := r.spoken[strings.ToLower(p)]; ok {
					parts[i] = x
				}
			}
			return strings.Join(parts, "/") + tail
		}
		if a, err := netip.ParseAddr(w); err == nil {
			return r.addr(a).String() + tail
		}
		return w + tail
	})
}

// typeName maps the type of an object unless it is one of Azure, of Kubernetes or of an engine.
func (r *redactor) typeName(s string) string {
	group, rest, ok := strings.Cut(s, "/")
	low := strings.ToLower(s)
	domain := func(d string) bool { return group == d || strings.HasSuffix(group, "."+d) }
	switch {
	case strings.HasPrefix(low, "microsoft."), !strings.Contains(group, "."), strings.Contains(low, "networkpolic"), strings.Contains(low, "networkset"):
		return s
	case slices.ContainsFunc([]string{"k8s.io", "cilium.io", "projectcalico.org", "istio.io", "azure.com", "fluxcd.io", "x-k8s.io", "cert-manager.io", "coreos.com"}, domain):
		return s
	case ok:
		return r.fqdn(group) + "/" + r.name(rest)
	}
	return r.name(s)
}

// selector maps a selector.
func (r *redactor) selector(s model.Selector) model.Selector {
	r.walk(reflect.ValueOf(&s.Source).Elem(), "Selector.Source")
	switch s.Kind {
	case "", model.SelInternet, model.SelAny, model.SelTag:
		return s
	case model.SelIP, model.SelCIDR:
		s.Prefix = r.prefix(s.Prefix)
		s.Text = string(s.Kind) + ":" + model.PrefixText(s.Prefix)
	case model.SelFQDN:
		for i := range s.Parts {
			s.Parts[i] = r.fqdn(s.Parts[i])
		}
		s.Text = string(s.Kind) + ":" + strings.Join(s.Parts, "/")
	default:
		for i := range s.Parts {
			if s.Whole {
				s.Parts[i] = string(r.id(model.ID(s.Parts[i])))
			} else {
				s.Parts[i] = r.part(s.Parts[i])
			}
		}
		s.Text = string(s.Kind) + ":" + strings.Join(s.Parts, "/")
	}
	if s.Not {
		s.Text = "not:" + s.Text
	}
	return s
}

// check refuses pseudonyms that would change an answer: a name of the platform, and a pattern that matches other names than before.
func (r *redactor) check() error {
	all := r.pseudonyms()
	for _, p := range all {
		if low := strings.ToLower(p.Became); p.Kind == "name" && (r.kept[low] || r.regions[low]) {
			return fmt.Errorf("the pseudonym of `%s` is a name that the platform gives; take another key", p.Word)
		}
	}
	for _, kind := range []string{"name", "fqdn"} {
		for _, p := range all {
			if p.Kind != kind || !strings.Contains(p.Word, "*") {
				continue
			}
			for _, w := range all {
				if w.Kind == kind && !strings.Contains(w.Word, "*") && model.MatchName(p.Word, w.Word, true) != model.MatchName(p.Became, w.Became, true) {
					return fmt.Errorf("the pseudonyms of the pattern `%s` and of `%s` do not match as these do: write a `*` at the end of a word, or as a word of its own", p.Word, w.Word)
				}
			}
		}
	}
	return nil
}

// PseudonymMap writes what words became, one a line, for the eyes of who owns them alone.
func PseudonymMap(list []Pseudonym) ([]byte, error) {
	var b bytes.Buffer
	for _, p := range list {
		line, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("write the map of pseudonyms: %w", err)
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes(), nil
}
