package azure

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// value is a JSON value as the type that reads it spells it: names have the type's case, properties that az lifted to the top are back
// under `properties`, and what nobody reads is left out. Its place is that of the input.
type value struct {
	raw     *node
	typ     reflect.Type // of an object: the struct type that it is spelt for
	field   int          // of a member: its field in the type of the object, or -1
	names   []string     // members of an object
	items   []*value     // members of an object, elements of a list
	unknown []string     // members that are not understood
	refused []string     // members that an error was reported for
}

// get returns a member; nil when it is absent or null.
func (v *value) get(path ...string) *value {
	for _, name := range path {
		if v == nil {
			return nil
		}
		i := slices.Index(v.names, name)
		if i < 0 {
			return nil
		}
		v = v.items[i]
	}
	return v
}

// add adds a member.
func (v *value) add(name string, field int, item *value) {
	item.field = field
	v.names, v.items = append(v.names, name), append(v.items, item)
}

// at returns an element of a list.
func (v *value) at(i int) *value {
	if v == nil || i >= len(v.items) {
		return nil
	}
	return v.items[i]
}

// list returns the elements of a list member.
func (v *value) list(path ...string) []*value {
	if l := v.get(path...); l != nil {
		return l.items
	}
	return nil
}

// text returns the text of a member, or "".
func (v *value) text(path ...string) string {
	if m := v.get(path...); m != nil && m.raw.kind == textValue {
		return m.raw.text
	}
	return ""
}

// alien lists what is not understood anywhere inside.
func (v *value) alien() []string {
	if v == nil {
		return nil
	}
	out := slices.Clone(v.unknown)
	for _, m := range v.items {
		out = append(out, m.alien()...)
	}
	return out
}

// schema is the set of names that a Go type reads, by lower case.
type schema struct {
	members    map[string]member
	properties reflect.Type // type behind the `properties` wrapper, if there is one
	wrapper    int          // its field
	opened     bool         // the wrapper is read; else what az lifts out of it is as harmless as it is
}

// member is one name of a type.
type member struct {
	name   string
	typ    reflect.Type
	field  int // in the struct, or -1 where the type knows the name only
	use    use
	effect string
}

// use says what the importer makes of a member.
type use uint8

const (
	alien     use = iota // not known at all
	read                 // becomes part of the model
	reference            // an object, or a list of objects, of which the `id` is read
	harmless             // cannot change a verdict
	matters              // could change one and is not modelled; reported unless it is off or empty
)

// schemaOf returns the schema of a struct type; the importer keeps it.
func (im *importer) schemaOf(t reflect.Type) *schema {
	if s, ok := im.schemas[t]; ok {
		return s
	}
	s := &schema{members: map[string]member{}}
	im.schemas[t] = s
	row, listed := im.fields[t.Name()]
	for name, field := range jsonNames(t) {
		m := member{name: name, typ: t.Field(field).Type, field: field}
		switch {
		case row.is(&row.read, name):
			m.use = read
		case row.is(&row.refs, name):
			m.use = reference
		case row.is(&row.harmless, name):
			m.use = harmless
		case row.matters[name] != "":
			m.use, m.effect = matters, row.matters[name]
		case !listed || !fromSDK(t): // own structs hold what is read and nothing else
			m.use = read
			if m.typ == reflect.TypeFor[*ref]() || m.typ == reflect.TypeFor[[]*ref]() {
				m.use = reference
			}
		}
		s.members[strings.ToLower(name)] = m
		if name == "properties" && pointee(m.typ).Kind() == reflect.Struct {
			s.properties, s.opened, s.wrapper = pointee(m.typ), m.use == read, field
		}
	}
	for name, as := range row.alias {
		s.members[strings.ToLower(name)] = s.members[strings.ToLower(as)]
	}
	for _, name := range strings.Fields(row.harmless) {
		if _, ok := s.members[strings.ToLower(name)]; !ok {
			s.members[strings.ToLower(name)] = member{name: name, field: -1, use: harmless}
		}
	}
	for name, effect := range row.matters {
		if _, ok := s.members[strings.ToLower(name)]; !ok {
			s.members[strings.ToLower(name)] = member{name: name, field: -1, use: matters, effect: effect}
		}
	}
	return s
}

func fromSDK(t reflect.Type) bool {
	return t.PkgPath() == reflect.TypeFor[armnetwork.Subnet]().PkgPath()
}

func pointee(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// jsonNames maps the names that a struct type marshals to their fields. Own structs have tags; structs of the SDK have none, so each
// field is filled and marshalled to see under which name it appears.
func jsonNames(t reflect.Type) map[string]int {
	out := map[string]int{}
	if !fromSDK(t) {
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			out[name] = i
		}
		return out
	}
	always := marshalled(reflect.New(t)) // discriminators
	for i := range t.NumField() {
		v := reflect.New(t)
		f := v.Elem().Field(i)
		switch f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		default:
			continue // interfaces: none of the types that are read has one outside a list
		}
		for name := range marshalled(v) {
			if _, ok := always[name]; !ok || len(marshalled(v)) == len(always) && isDiscriminator(t.Field(i).Name, name) {
				out[name] = i
			}
		}
	}
	return out
}

func isDiscriminator(field, name string) bool { return strings.EqualFold(field, name) }

func marshalled(v reflect.Value) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if b, err := json.Marshal(v.Interface()); err == nil {
		_ = json.Unmarshal(b, &m)
	}
	return m
}

// decode reads a value into a T: it rewrites it to the spelling of T, reports members that are not understood, and reads back what the
// type holds, so that nothing is dropped or changed on the way without a word. It returns nil when the value is no object.
func decode[T any](r *resource, n *node) (*T, *value) {
	v := r.object2value(n, reflect.TypeFor[T]())
	if v == nil {
		return nil, nil
	}
	out := new(T)
	store(reflect.ValueOf(out).Elem(), v)
	r.compare(v, reflect.ValueOf(out).Elem())
	return out, v
}

// common reports whether a member says nothing about traffic in whatever object it stands: what az, Resource Graph, PowerShell and ARM
// add.
func common(name string, root bool) bool {
	switch name {
	case "resourcegroup", "etag", "systemdata", "type", "id", "name", "provisioningstate", "resourceguid":
		return true
	case "location", "tags", "tenantid", "subscriptionid", "managedby", "managedbyextended", "plan", "kind", "identity", "zones",
		"extendedlocation", "apiversion", "sku", "changedtime", "createdtime", "resourceid", "resourcename", "resourcegroupname",
		"resourcetype", "extensionresourcetype", "extensionresourcename", "parentresource":
		return root
	default:
		return false
	}
}

// object2value rewrites an object for a struct type. It returns nil, after an error, when n is no object, and nil when it is null.
func (r *resource) object2value(n *node, t reflect.Type) *value {
	if n == nil || n.kind == nullValue {
		return nil
	}
	if n.kind != objectValue {
		r.wrongKind(n, "an object")
		return nil
	}
	return r.members(n, n.items, t, n == r.node)
}

func (r *resource) members(n *node, items []*node, t reflect.Type, root bool) *value {
	s := r.schemaOf(t)
	v := &value{raw: n, typ: t}
	var lifted []*node
	lifts := s.properties != nil && n.get("properties") == nil
	first := r.seen.take()
	defer r.seen.give(first)
	for _, m := range items {
		low := m.low
		if line, twice := first.first(low, m.line); twice {
			r.errorAt(m, "", "the name a second time", "each name once, whatever its case; the first is at line "+strconv.Itoa(int(line)))
			continue
		}
		f, known := s.find(low)
		if _, own := s.members[low]; lifts && !own {
			if _, below := r.schemaOf(s.properties).find(low); below {
				lifted = append(lifted, m)
				continue
			}
		}
		if !known && untyped(t) {
			continue // the whole object is reported (variant)
		}
		r.member(v, m, f, known, root)
	}
	if len(lifted) > 0 && s.opened {
		v.add("properties", s.wrapper, r.members(n, lifted, s.properties, false))
	}
	return v
}

// find looks a name up. az calls `properties.type` typePropertiesType where it lifts it to the top, which has a `type` of its own.
func (s *schema) find(low string) (member, bool) {
	if low == "typepropertiestype" {
		low = "type"
	}
	f, ok := s.members[low]
	return f, ok
}

// member takes one member of an object.
func (r *resource) member(v *value, m *node, f member, known, root bool) {
	low := m.low
	switch {
	case m.kind == nullValue || known && f.use == harmless:
	case known && f.use == read:
		item, ok := r.convert(m, f.typ)
		if !ok {
			v.refused = append(v.refused, f.name)
		} else if item != nil {
			v.add(f.name, f.field, item)
		}
	case known && f.use == reference:
		item, ok := r.refer(m, f.typ)
		if !ok {
			v.refused = append(v.refused, f.name)
		} else if item != nil {
			v.add(f.name, f.field, item)
		}
	case known && f.use == matters:
		if !off(m) {
			v.unknown = append(v.unknown, m.name)
			r.unsupported(m, f.effect)
			if low == "dnsservers" { // AZ-DNS-01: who answers for names, and no packet's way
				r.ledger[len(r.ledger)-1].Role = model.Resolves
			}
		}
	case common(low, root) || empty(m):
	default:
		v.unknown = append(v.unknown, m.name)
		r.unsupported(m, "field not known to ringfence")
	}
}

// off reports whether a setting that matters is switched off or empty.
func off(n *node) bool {
	switch n.kind {
	case boolValue:
		return n.text == "false"
	case numberValue:
		return n.text == "0"
	case textValue:
		return n.text == "" || strings.EqualFold(n.text, "none") || strings.EqualFold(n.text, "disabled")
	case objectValue:
		if e := n.get("enabled"); e != nil && off(e) {
			return true
		}
		return empty(n)
	default:
		return empty(n)
	}
}

func empty(n *node) bool {
	switch n.kind {
	case nullValue:
		return true
	case arrayValue, objectValue:
		return !slices.ContainsFunc(n.items, func(m *node) bool { return !empty(m) })
	default:
		return false
	}
}

// convert rewrites a value for the type of a field. ok is false when an error was reported.
func (r *resource) convert(n *node, t reflect.Type) (v *value, ok bool) {
	t = pointee(t)
	want := ""
	switch {
	case n.kind == nullValue:
		return nil, true
	case t == reflect.TypeFor[time.Time]():
		return nil, true // nothing reads a time
	case t == reflect.TypeFor[any]():
		return &value{raw: n}, true // read as it stands
	case t.Kind() == reflect.Interface:
		v = r.object2value(n, r.variant(t, n))
		return v, v != nil
	case t.Kind() == reflect.Struct:
		v = r.object2value(n, t)
		return v, v != nil
	case t.Kind() == reflect.Slice:
		if n.kind != arrayValue {
			want = "a list"
			break
		}
		v = &value{raw: n}
		ok = true
		for _, m := range n.items {
			if m.kind == nullValue {
				r.errorAt(m, "", "null", article(t.Elem()))
				ok = false
				continue
			}
			item, good := r.convert(m, t.Elem())
			if ok = ok && good; good && item != nil {
				v.items = append(v.items, item)
			}
		}
		return v, ok
	case t.Kind() == reflect.Map:
		if n.kind != objectValue {
			want = "an object"
			break
		}
		v = &value{raw: n}
		ok = true
		for _, m := range n.items {
			item, good := r.convert(m, t.Elem())
			if ok = ok && good; good && item != nil {
				v.add(m.name, -1, item)
			}
		}
		return v, ok
	case t.Kind() == reflect.String:
		if n.kind != textValue {
			want = "a text"
		} else if spelt := discriminator(t, n.text); spelt != n.text {
			same := *n
			same.text = spelt
			n = &same
		}
	case t.Kind() == reflect.Bool:
		if n.kind != boolValue {
			want = "true or false"
		}
	case t.Kind() == reflect.Int32:
		if _, err := strconv.ParseInt(n.text, 10, 32); n.kind != numberValue || err != nil {
			want = "a whole number"
		}
	default:
		// INVARIANT: the types that are read have no other kinds (TestFieldKinds).
		return nil, true
	}
	if want != "" {
		r.wrongKind(n, want)
		return nil, false
	}
	return &value{raw: n}, true
}

// variant chooses the type of a polymorphic object of a firewall policy by its discriminator. One that is not known is read as the
// base type, which knows its name and no more, and is reported as a whole.
func (r *resource) variant(t reflect.Type, n *node) reflect.Type {
	if t == reflect.TypeFor[armnetwork.FirewallPolicyRuleCollectionClassification]() {
		switch armnetwork.FirewallPolicyRuleCollectionType(discriminator(reflect.TypeFor[armnetwork.FirewallPolicyRuleCollectionType](), n.str("ruleCollectionType"))) {
		case armnetwork.FirewallPolicyRuleCollectionTypeFirewallPolicyFilterRuleCollection:
			return reflect.TypeFor[armnetwork.FirewallPolicyFilterRuleCollection]()
		case armnetwork.FirewallPolicyRuleCollectionTypeFirewallPolicyNatRuleCollection:
			return reflect.TypeFor[armnetwork.FirewallPolicyNatRuleCollection]()
		default:
			r.unsupported(n, "a rule collection of a kind that is not known to ringfence")
			return reflect.TypeFor[armnetwork.FirewallPolicyRuleCollection]()
		}
	}
	switch armnetwork.FirewallPolicyRuleType(discriminator(reflect.TypeFor[armnetwork.FirewallPolicyRuleType](), n.str("ruleType"))) {
	case armnetwork.FirewallPolicyRuleTypeApplicationRule:
		return reflect.TypeFor[armnetwork.ApplicationRule]()
	case armnetwork.FirewallPolicyRuleTypeNatRule:
		return reflect.TypeFor[armnetwork.NatRule]()
	case armnetwork.FirewallPolicyRuleTypeNetworkRule:
		return reflect.TypeFor[armnetwork.Rule]()
	default:
		r.unsupported(n, "a firewall rule of a kind that is not known to ringfence")
		return reflect.TypeFor[armnetwork.FirewallPolicyRule]()
	}
}

// untyped reports whether t is the base type of a polymorphic object, whose further members nobody can name.
func untyped(t reflect.Type) bool {
	return t == reflect.TypeFor[armnetwork.FirewallPolicyRule]() || t == reflect.TypeFor[armnetwork.FirewallPolicyRuleCollection]()
}

// discriminator returns the SDK's spelling of a discriminator; the SDK compares with case.
func discriminator(t reflect.Type, text string) string {
	switch t {
	case reflect.TypeFor[armnetwork.FirewallPolicyRuleCollectionType]():
		s, _ := enum(text, armnetwork.PossibleFirewallPolicyRuleCollectionTypeValues())
		return s
	case reflect.TypeFor[armnetwork.FirewallPolicyRuleType]():
		s, _ := enum(text, armnetwork.PossibleFirewallPolicyRuleTypeValues())
		return s
	case reflect.TypeFor[armnetwork.AdminRuleKind](), reflect.TypeFor[armnetwork.EffectiveAdminRuleKind]():
		s, _ := enum(text, armnetwork.PossibleAdminRuleKindValues())
		return s
	default:
		return text
	}
}

// article names what a list wants for an element.
func article(t reflect.Type) string {
	switch pointee(t).Kind() {
	case reflect.Struct, reflect.Interface, reflect.Map:
		return "an object"
	case reflect.String:
		return "a text"
	default:
		return "a value"
	}
}

// refer keeps the ID of a reference, or of each of a list. Whole descriptions in the place of a reference are read on their own
// (shape.go).
func (r *resource) refer(n *node, t reflect.Type) (*value, bool) {
	switch many := t.Kind() == reflect.Slice; {
	case many && n.kind != arrayValue:
		r.wrongKind(n, "a list of objects with `id`")
		return nil, false
	case many:
		v, ok := &value{raw: n}, true
		for _, m := range n.items {
			if m.kind == nullValue {
				r.errorAt(m, "", "null", "an object with `id`")
				ok = false
				continue
			}
			item, good := r.refer(m, t.Elem())
			if ok = ok && good; item != nil {
				v.items = append(v.items, item)
			}
		}
		return v, ok
	case n.kind == objectValue:
		id := n.get("id")
		if id == nil || id.kind == nullValue {
			return nil, true // an empty reference: `{}`
		}
		if id.kind != textValue {
			r.errorAt(id, "", id.shown(), "a resource ID")
			return nil, false
		}
		t = pointee(t)
		v := &value{raw: n, typ: t}
		field := -1
		if m, ok := r.schemaOf(t).find("id"); ok {
			field = m.field
		}
		v.add("id", field, &value{raw: id})
		return v, true
	default:
		r.wrongKind(n, "an object with `id`")
		return nil, false
	}
}
