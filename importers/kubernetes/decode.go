package kubernetes

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/network-policy-api/apis/v1alpha1"
	"sigs.k8s.io/network-policy-api/apis/v1alpha2"

	"github.com/ringfence/ringfence/model"
)

// reader imports objects of one kind.
type reader struct {
	zero typed
	read func(*importer, *object, typed)
}

func reads[T typed](f func(*importer, *object, T)) *reader {
	var zero T
	return &reader{zero, func(im *importer, o *object, obj typed) {
		if t, ok := obj.(T); ok {
			f(im, o, t)
		}
	}}
}

// newDecoder returns the strict decoder for the kinds that are modelled. The scheme is our own: client-go's would bring every group.
func newDecoder() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, networkingv1.AddToScheme, rbacv1.AddToScheme, v1alpha1.Install, v1alpha2.Install, addCilium, addCalico, addIstio} {
		if err := add(scheme); err != nil { // INVARIANT: the groups do not overlap
			panic("kubernetes: " + err.Error())
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}

// typed is an object of a modelled kind.
type typed interface {
	runtime.Object
	metav1.Object
}

// decode reads an object into its type. A field that does not decode is an error; an unknown one is an error in a policy, where it may
// be a misspelt peer, and a note elsewhere, where it may be newer than this program. It returns nil when nothing was decoded.
func (im *importer) decode(o *object, k kind) typed {
	gvk := schema.GroupVersionKind{Group: o.group, Version: o.version, Kind: o.kind}
	obj, actual, err := im.decoder.Decode(o.raw, &gvk, nil)
	strict, isStrict := runtime.AsStrictDecodingError(err)
	if err != nil && !isStrict {
		im.mismatches(o, k)
		return nil
	}
	result, ok := obj.(typed)
	if !ok || *actual != gvk {
		im.bad(o, "kind", o.text("kind", o.kind), "a kind that every YAML parser reads alike")
		return nil
	}
	if !isStrict {
		return result
	}
	for _, e := range strict.Errors() {
		fe, isField := errors.AsType[kjson.FieldError](e)
		switch {
		case !isField || !strings.HasPrefix(e.Error(), "unknown field"):
			// The same key twice never comes this far; what else strictness may find is an error for every kind.
			im.bad(o, "", "", "an object that decodes strictly")
		case k.tolerated(fe.FieldPath()):
		case k.strict:
			im.unknownField(o, fe.FieldPath(), reflect.TypeOf(obj))
		default:
			im.note(o, fe.FieldPath(), "not a field that this version knows: left out")
		}
	}
	return result // the rest of it is checked too, so that all errors come together
}

// unknownField reports a field that a policy cannot have, with what it may have there.
func (im *importer) unknownField(o *object, at string, root reflect.Type) {
	parent, name := "", at
	if i := strings.LastIndexByte(at, '.'); i >= 0 {
		parent, name = at[:i], at[i+1:]
	}
	names := fieldNames(root, parent)
	accepted := "a known field: " + strings.Join(names, ", ")
	switch near := model.Nearest(name, names); {
	case near != "":
		accepted = "a known field, perhaps " + near
	case o.group == v1alpha2.GroupName && newerPeer(at) && o.id != "":
		im.cannot(o, at, "a kind of peer that this version does not know: what the policy lets pass is not known (K8S-CNP-14)", o.id)
		return
	case (o.group == ciliumGroup || o.group == calicoGroup || o.group == calicoCRDGroup || o.group == istioSecurity) && strings.HasPrefix(at, "spec") && o.id != "": // its API grows
		im.cannot(o, at, "a field that this version does not know: what the policy lets pass is not known", o.id)
		return
	}
	im.bad(o, at, name, accepted)
}

// fieldNames lists the fields of the struct at a path, sorted.
func fieldNames(t reflect.Type, at string) []string {
	for at != "" {
		var first string
		first, at = step(at)
		t = concrete(t)
		switch t.Kind() {
		case reflect.Slice, reflect.Map:
			t = t.Elem()
		case reflect.Struct:
			next, ok := fields(t)[first]
			if !ok {
				return nil
			}
			t = next
		default:
			return nil
		}
	}
	if t = concrete(t); t.Kind() != reflect.Struct {
		return nil
	}
	return slices.Sorted(maps.Keys(fields(t)))
}

func concrete(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// fields returns the JSON names of a struct's fields; embedded structs without a name are part of it.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous:
			maps.Copy(out, fields(concrete(f.Type)))
		case name != "":
			out[name] = f.Type
		}
	}
	return out
}

// mismatches reports every value of an object that has not the type of its field. The decoder itself stops at the first and does not
// say at which entry of a list.
func (im *importer) mismatches(o *object, k kind) {
	dec := json.NewDecoder(bytes.NewReader(o.raw))
	dec.UseNumber()
	var v any
	before := len(im.errs)
	if dec.Decode(&v) == nil {
		im.mismatch(o, "", v, reflect.TypeOf(k.reader.zero))
	}
	if len(im.errs) == before {
		im.bad(o, "", "", "an object that decodes as "+o.kind)
	}
}

func (im *importer) mismatch(o *object, at string, v any, t reflect.Type) {
	if v == nil { // null stands for an absent value everywhere
		return
	}
	if t.Kind() == reflect.Pointer {
		im.mismatch(o, at, v, t.Elem())
		return
	}
	if own, want := decodesItself(t); own {
		data, err := json.Marshal(v)
		if err != nil || json.Unmarshal(data, reflect.New(t).Interface()) != nil {
			im.wrongType(o, at, v, want)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			im.wrongType(o, at, v, "an object")
			return
		}
		known := fields(t)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if ft, ok := known[key]; ok {
				im.mismatch(o, child(at, key), m[key], ft)
			}
		}
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			im.wrongType(o, at, v, "an object")
			return
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			im.mismatch(o, child(at, key), m[key], t.Elem())
		}
	case reflect.Slice:
		if _, isText := v.(string); isText && t.Elem().Kind() == reflect.Uint8 {
			return
		}
		list, ok := v.([]any)
		if !ok {
			im.wrongType(o, at, v, "a list")
			return
		}
		for i, item := range list {
			im.mismatch(o, index(at, i), item, t.Elem())
		}
	case reflect.String:
		if _, ok := v.(string); !ok {
			im.wrongType(o, at, v, "a string")
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			im.wrongType(o, at, v, "true or false")
		}
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, _ := v.(json.Number)
		i, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || t.Kind() == reflect.Int32 && i != int64(int32(i)) {
			im.wrongType(o, at, v, "a whole number")
		}
	default: // no modelled kind has fields of other kinds than these
	}
}

// decodesItself says that a type reads JSON in its own way, and what it wants.
func decodesItself(t reflect.Type) (own bool, want string) {
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return false, ""
	}
	switch t {
	case reflect.TypeFor[intstr.IntOrString]():
		return true, "a port number or a name"
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		return true, "a time as in 2026-11-01T10:00:00Z"
	default:
		return true, "a value of this field's form"
	}
}

// wrongType reports a value of the wrong type. X32: an unquoted `y` is a boolean, and the message says so.
func (im *importer) wrongType(o *object, at string, v any, want string) {
	found, is := "", ""
	switch v := v.(type) {
	case bool:
		found, is = o.text(at, strconv.FormatBool(v)), "a boolean"
	case json.Number:
		found, is = o.text(at, v.String()), "a number"
	case string:
		found, is = o.text(at, v), "a string"
	case []any:
		is = "a list"
	default:
		is = "an object"
	}
	accepted := want + "; this is " + is
	if want == "a string" && (is == "a boolean" || is == "a number") {
		accepted += ", unless it stands in quotes"
	}
	if private(at) {
		found = ""
	}
	im.bad(o, at, found, accepted)
}

// private says that a value may be a secret: it is never printed.
func private(at string) bool {
	for _, part := range []string{".env[", ".args", ".command", ".annotations", ".httpHeaders", ".data"} {
		if strings.Contains("."+at, part) {
			return true
		}
	}
	return false
}
