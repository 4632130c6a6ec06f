package model

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// ID names a resource: an Azure resource ID as read, or `kubernetes:CLUSTER/KIND/NAMESPACE/NAME`.
// Azure compares IDs without case; compare by Key, print as read.
type ID string

// Key is the form in which two spellings of one ID are equal. Kubernetes names keep their case.
func (id ID) Key() string {
	if strings.HasPrefix(string(id), "kubernetes:") {
		return string(id)
	}
	return strings.ToLower(strings.TrimRight(string(id), "/"))
}

// Is reports whether two IDs name the same resource.
func (id ID) Is(other ID) bool {
	if id == other || strings.HasPrefix(string(id), "kubernetes:") {
		return id == other
	}
	a, b := strings.TrimRight(string(id), "/"), strings.TrimRight(string(other), "/")
	// IDs of one estate begin alike and most end otherwise.
	if i, j := len(a)-1, len(b)-1; i >= 0 && j >= 0 && a[i] < utf8.RuneSelf && b[j] < utf8.RuneSelf && a[i]|0x20 != b[j]|0x20 {
		return false
	}
	return strings.EqualFold(a, b)
}

// Region spells an Azure region as the API does, `westeurope` for what the portal calls `West Europe`, so that spellings compare.
func Region(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }

// Name is the last part of the ID: the resource's own name.
func (id ID) Name() string {
	s := strings.TrimRight(string(id), "/")
	return s[strings.LastIndexByte(s, '/')+1:]
}

// Parent is the ID of the resource that holds this one, as a VNet holds a subnet; empty for a top-level resource.
func (id ID) Parent() ID {
	path := strings.Trim(string(id), "/")
	// providers/NAMESPACE/TYPE/NAME is the top level; each further TYPE/NAME is one level down.
	parts := 0 // from the last `providers` on
	for part := range strings.SplitSeq(path, "/") {
		if strings.EqualFold(part, "providers") {
			parts = 1
		} else if parts > 0 {
			parts++
		}
	}
	if parts <= 4 {
		return ""
	}
	for range 2 {
		path = path[:strings.LastIndexByte(path, '/')]
	}
	return ID("/" + path)
}

// Compare orders IDs as their keys are ordered.
func (id ID) Compare(other ID) int {
	if id == other {
		return 0
	}
	if strings.HasPrefix(string(id), "kubernetes:") || strings.HasPrefix(string(other), "kubernetes:") {
		return strings.Compare(id.Key(), other.Key())
	}
	a, b := strings.TrimRight(string(id), "/"), strings.TrimRight(string(other), "/")
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if x >= utf8.RuneSelf || y >= utf8.RuneSelf {
			return strings.Compare(id.Key(), other.Key())
		}
		if x, y = lower(x), lower(y); x != y {
			return int(x) - int(y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// Type is the resource type, e.g. `Microsoft.Network/virtualNetworks/subnets`, as the ID spells it; empty when the ID has none.
func (id ID) Type() string {
	parts := strings.Split(strings.Trim(string(id), "/"), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if !strings.EqualFold(parts[i], "providers") || i+2 >= len(parts) {
			continue
		}
		t := parts[i+1]
		for j := i + 2; j < len(parts); j += 2 {
			t += "/" + parts[j]
		}
		return t
	}
	return ""
}

// ResourceGroup is the resource group in the ID, or "" where the ID has none.
func (id ID) ResourceGroup() string { return id.segment("resourceGroups") }

// Subscription is the subscription in the ID, or "" where the ID has none.
func (id ID) Subscription() string { return id.segment("subscriptions") }

func (id ID) segment(name string) string {
	parts := strings.Split(strings.Trim(string(id), "/"), "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], name) {
			return parts[i+1]
		}
	}
	return ""
}

// ShortName is the name under which people write a resource of this ID: the last names of its path, `VNET/SUBNET` for a subnet,
// `NSG/RULE` for a rule, else the name alone.
func (id ID) ShortName() string {
	if p := id.Parent(); p != "" {
		return p.ShortName() + "/" + id.Name()
	}
	return id.Name()
}
