package modeltest

import (
	"reflect"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Clone copies a draft with everything in it.
func (d Draft) Clone() Draft {
	out := Draft{Ledger: slices.Clone(d.Ledger), Tags: d.Tags}
	for _, r := range d.Resources {
		out.Resources = append(out.Resources, clone(reflect.ValueOf(r)).Interface().(model.Resource))
	}
	return out
}

// clone copies pointers, slices and structs of the model; all else is a value, or never written.
func clone(v reflect.Value) reflect.Value {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(clone(v.Elem()))
		return out
	case v.Kind() == reflect.Slice && !v.IsNil():
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(clone(v.Index(i)))
		}
		return out
	case ours(v):
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			out.Field(i).Set(clone(v.Field(i)))
		}
		return out
	default:
		return v
	}
}

// ours reports a struct of the model, whose fields may be looked into; an address is a value.
func ours(v reflect.Value) bool {
	return v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[model.VNet]().PkgPath()
}

// Shrink takes away whatever a failure does not need: resources, members of lists, values of fields. fails is asked of copies, and
// must be true of the draft itself.
func Shrink(d Draft, fails func(Draft) bool) Draft {
	for again := true; again; {
		again = false
		for i := len(d.Resources) - 1; i >= 0; i-- {
			if referred(d, i) {
				continue
			}
			c := d.Clone()
			c.Resources = slices.Delete(c.Resources, i, i+1)
			if fails(c.Clone()) {
				d, again = c, true
			}
		}
		for i := len(d.Ledger) - 1; i >= 0; i-- {
			c := d.Clone()
			c.Ledger = slices.Delete(c.Ledger, i, i+1)
			if fails(c.Clone()) {
				d, again = c, true
			}
		}
		if d.Tags != nil {
			c := d.Clone()
			c.Tags = nil
			if fails(c.Clone()) {
				d, again = c, true
			}
		}
		for i := range d.Resources {
			for n := 0; ; {
				c := d.Clone()
				at := n
				if !simplify(reflect.ValueOf(c.Resources[i]).Elem(), &at) {
					break
				}
				if fails(c.Clone()) {
					d, again = c, true
					continue
				}
				n++
			}
		}
	}
	return d
}

// referred reports whether another resource names the i-th: without it the estate would be another one, with a hole.
func referred(d Draft, i int) bool {
	key := d.Resources[i].ResourceID().Key()
	for j, r := range d.Resources {
		if j != i && names(reflect.ValueOf(r).Elem(), key) {
			return true
		}
	}
	return false
}

func names(v reflect.Value, key string) bool {
	switch {
	case v.Type() == reflect.TypeFor[model.Source]():
		return false
	case v.Type() == reflect.TypeFor[model.ID]():
		k := model.ID(v.String()).Key()
		return k == key || strings.HasPrefix(k, key+"/")
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			if names(v.Index(i), key) {
				return true
			}
		}
	case v.Kind() == reflect.Pointer:
		return !v.IsNil() && names(v.Elem(), key)
	case ours(v):
		for i := range v.NumField() {
			if names(v.Field(i), key) {
				return true
			}
		}
	}
	return false
}

// simplify makes the n-th change that takes something out of a value; false where it has fewer.
func simplify(v reflect.Value, n *int) bool {
	for i := range v.NumField() {
		f := v.Field(i)
		switch name := v.Type().Field(i).Name; {
		case slices.Contains([]string{"Meta", "ID", "VNet", "Source", "Name", "Address", "Subnets", "NextHop", "Protocol", "Prefix", "IPForwarding", "Subnet", "AttachedTo", "Service", "Cluster", "Namespace", "Kind", "CIDR", "Operator", "Plugin", "PluginMode", "PodCIDRs", "Pools", "NodeGroup", "Hub", "VirtualHub", "WAN"}, name):
			continue
		case f.Kind() == reflect.Pointer, f.Type() == reflect.TypeFor[model.PortRange]():
			continue // a range without one of its ends is none
		case name == "Prefixes" && (v.Type() == reflect.TypeFor[model.VNet]() || v.Type() == reflect.TypeFor[model.Subnet]()):
			continue
		case f.Kind() == reflect.Slice && f.Len() == 1 && (name == "IPConfigs" || strings.HasSuffix(name, "Ports") || strings.HasSuffix(name, "Prefixes") || name == "Protocols" || name == "Apps"):
			continue // an empty list of these says nothing that an input could say
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				if *n == 0 {
					f.Set(reflect.AppendSlice(f.Slice(0, j), f.Slice(j+1, f.Len())))
					return true
				}
				*n--
				if e := f.Index(j); ours(e) && e.Type() != reflect.TypeFor[model.PortRange]() && simplify(e, n) {
					return true
				}
			}
		case ours(f):
			if simplify(f, n) {
				return true
			}
		case !f.IsZero():
			if *n == 0 {
				f.SetZero()
				return true
			}
			*n--
		}
	}
	return false
}
