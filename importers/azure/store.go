package azure

import (
	"reflect"
	"strconv"
)

// store sets dst to what v holds, as the type's own UnmarshalJSON would from v's JSON (TestStoreIsUnmarshal), which reads the text of each
// level again and again. Kinds were checked by convert.
func store(dst reflect.Value, v *value) {
	switch dst.Kind() {
	case reflect.Pointer:
		p := reflect.New(dst.Type().Elem())
		store(p.Elem(), v)
		dst.Set(p)
	case reflect.Interface:
		if v.typ == nil {
			dst.Set(reflect.ValueOf(plain(v.raw))) // any
			return
		}
		p := reflect.New(v.typ)
		store(p.Elem(), v)
		dst.Set(p)
	case reflect.Struct:
		for _, item := range v.items {
			if item.field >= 0 {
				store(dst.Field(item.field), item)
			}
		}
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(dst.Type(), len(v.items), len(v.items)))
		for i, item := range v.items {
			store(dst.Index(i), item)
		}
	case reflect.Map:
		dst.Set(reflect.MakeMapWithSize(dst.Type(), len(v.items)))
		for i, item := range v.items {
			m := reflect.New(dst.Type().Elem()).Elem()
			store(m, item)
			dst.SetMapIndex(reflect.ValueOf(v.names[i]), m)
		}
	case reflect.String:
		dst.SetString(v.raw.text)
	case reflect.Bool:
		dst.SetBool(v.raw.text == "true")
	case reflect.Int32:
		i, _ := strconv.ParseInt(v.raw.text, 10, 32)
		dst.SetInt(i)
	default:
		panic("azure: a field of kind " + dst.Kind().String()) // INVARIANT: the types that are read have no other kinds (TestFieldKinds)
	}
}

// plain is a value as encoding/json reads it into an `any`: what a reader takes from such a member it takes from the node.
func plain(n *node) any {
	switch n.kind {
	case textValue:
		return n.text
	case boolValue:
		return n.text == "true"
	case numberValue:
		f, _ := strconv.ParseFloat(n.text, 64)
		return f
	case arrayValue:
		return []any{}
	default:
		return map[string]any{}
	}
}

// compare reads back what a type holds and reports what it dropped or changed: a member that it has no field for, or two members that
// went into one.
func (r *resource) compare(v *value, got reflect.Value) {
	for got.Kind() == reflect.Pointer || got.Kind() == reflect.Interface {
		if got.IsNil() {
			r.unsupported(v.raw, "the reader of this type drops the value")
			return
		}
		got = got.Elem()
	}
	same := true
	switch got.Kind() {
	case reflect.Struct:
		for i, item := range v.items {
			if item.field >= 0 {
				r.compare(item, got.Field(item.field))
			} else if !empty(item.raw) {
				v.unknown = append(v.unknown, v.names[i])
				r.unsupported(item.raw, "the reader of this type drops the field")
			}
		}
	case reflect.Slice:
		if v.typ == nil && v.raw.kind == arrayValue && len(v.items) > 0 {
			same = got.Len() == len(v.items)
			for i := 0; same && i < got.Len(); i++ {
				r.compare(v.items[i], got.Index(i))
			}
		}
	case reflect.Map:
		for i, item := range v.items {
			if m := got.MapIndex(reflect.ValueOf(v.names[i])); m.IsValid() {
				r.compare(item, m)
			}
		}
	case reflect.String:
		same = got.String() == v.raw.text
	case reflect.Bool:
		same = got.Bool() == (v.raw.text == "true")
	case reflect.Int32:
		i, err := strconv.ParseInt(v.raw.text, 10, 32)
		same = err == nil && got.Int() == i
	default:
	}
	if !same {
		r.unsupported(v.raw, "the reader of this type changes the value")
	}
}
