package dataplane

import (
	"net/netip"
	"reflect"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// unnamedAddr is a public address that lies in no prefix of the input: what sets hold of it they hold of every public address that lies in none
// (K8S-SVC-11). Invalid where no group of symbols asks for one, or prefixes name all of the space.
func (p *planner) unnamedAddr(groups []symbolGroup) netip.Addr {
	if !slices.ContainsFunc(groups, func(g symbolGroup) bool { return g.within == nil }) {
		return netip.Addr{}
	}
	var free netipx.IPSetBuilder
	free.AddSet(publicV4())
	name := func(x netip.Prefix) {
		if x.IsValid() && x.Addr().Is4() && x.Bits() > 0 {
			free.RemovePrefix(x)
		}
	}
	for _, r := range p.e.Resources() {
		eachPrefix(reflect.ValueOf(r), name)
	}
	for _, n := range p.second {
		eachPrefix(reflect.ValueOf(n), name)
	}
	eachPrefix(reflect.ValueOf(p.o.Intent), name)
	eachPrefix(reflect.ValueOf(p.o.Tags), name)
	eachPrefix(reflect.ValueOf(p.o.Questions), name)
	documented, printed := noneRoutes()
	for _, x := range slices.Concat(documented, printed) {
		name(x)
	}
	s, err := free.IPSet()
	if ranges := must(s, err).Ranges(); len(ranges) > 0 {
		return ranges[0].From()
	}
	return netip.Addr{}
}

// eachPrefix visits every prefix and address within a value of the model.
func eachPrefix(v reflect.Value, visit func(netip.Prefix)) {
	switch {
	case !v.IsValid():
	case v.Type() == reflect.TypeFor[netip.Prefix]():
		if v.CanInterface() {
			visit(v.Interface().(netip.Prefix)) //nolint:forcetypeassert // its type was looked at
		}
	case v.Type() == reflect.TypeFor[netip.Addr]():
		if v.CanInterface() {
			if a, _ := v.Interface().(netip.Addr); a.IsValid() {
				visit(host(a))
			}
		}
	case v.Kind() == reflect.Pointer, v.Kind() == reflect.Interface:
		if !v.IsNil() {
			eachPrefix(v.Elem(), visit)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			eachPrefix(v.Index(i), visit)
		}
	case v.Kind() == reflect.Map:
		for it := v.MapRange(); it.Next(); {
			eachPrefix(it.Value(), visit)
		}
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[model.Estate]().PkgPath():
		for i := range v.NumField() {
			eachPrefix(v.Field(i), visit)
		}
	}
}
