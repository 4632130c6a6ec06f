package azure

// item is one part of a resource: a rule of an NSG, a route, a peering, inside the resource or beside it.
type item[T any] struct {
	*resource // that it was read from: the parent, or the part's own
	is        *T
	at        *value
}

// items lists the parts inside a resource and those beside it, which the input names by their own ID.
func items[T any](r *resource, inside []*T, at []*value, segment string) []item[T] {
	var out []item[T]
	for i, v := range at {
		if i < len(inside) && inside[i] != nil {
			out = append(out, item[T]{r, inside[i], v})
		}
	}
	for _, child := range r.children[segment] {
		if is, v := decode[T](child, child.node); is != nil {
			out = append(out, item[T]{child, is, v})
		}
	}
	return out
}
