package azure

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// ImportOver reads files as [Import] does, and then others over them: a resource of these stands in the place of the one that has its ID,
// with all its parts, or beside the others when there is none. So does a part: a rule, a route, a peering, a subnet. A part whose parent
// the input does not hold is an error.
func ImportOver(fsys fs.FS, paths, over []string) (Result, error) {
	im := newImporter()
	im.over = slices.Clone(over)
	return im.run(fsys, append(slices.Clone(paths), over...))
}

// overlay drops what resources of the overlay replace. It runs twice: resources are found inside others too.
func (im *importer) overlay(again bool) {
	if len(im.over) == 0 {
		return
	}
	whole, each := map[string]*resource{}, map[string]bool{} // by key of the resource that is replaced
	for _, r := range im.resources {
		if r.isOver() && !r.bare() && r.graft == nil {
			each[r.id.Key()] = true
			if !r.kind.part {
				whole[r.id.Key()] = r
			}
		}
	}
	parents := map[string][]*node{} // descriptions below which parts may stand
	im.resources = slices.DeleteFunc(im.resources, func(r *resource) bool {
		if r.isOver() {
			return false
		}
		// What belongs to a resource goes with it.
		for id := r.id; id != ""; id = id.Parent() {
			if whole[id.Key()] != nil || id == r.id && each[id.Key()] {
				return true
			}
		}
		parents[r.id.Key()] = append(parents[r.id.Key()], r.node)
		return false
	})
	for _, r := range im.resources {
		parent := r.id.Parent()
		if !r.isOver() || r.bare() || parent == "" || !strings.Contains(strings.ToLower(string(parent)), "/providers/") {
			continue
		}
		at, ok := parents[parent.Key()]
		if !ok && im.onto[parent.Key()] == nil && !again && whole[parent.Key()] == nil && r.kind.part {
			r.errorAt(r.node, "id", string(r.id), "a part of a resource that the input holds: "+parent.ShortName()+" is in none of its files")
		}
		for _, n := range at {
			dropPart(n, r.id, lastSegment(r.kind.name))
		}
	}
}

func (r *resource) isOver() bool { return slices.Contains(r.over, r.file) }

// dropPart takes a part out of the list in which its parent describes it.
func dropPart(parent *node, id model.ID, segment string) {
	for _, holder := range []*node{parent, parent.get("properties")} {
		if holder == nil || holder.kind != objectValue {
			continue
		}
		for _, list := range holder.items {
			if list.low != segment || list.kind != arrayValue {
				continue
			}
			list.items = slices.DeleteFunc(list.items, func(n *node) bool {
				own := model.ID(n.str("id"))
				return own != "" && own.Key() == id.Key() || own == "" && strings.EqualFold(n.str("name"), id.Name())
			})
		}
	}
}

// Base is resources that were read before and whose text is not at hand: those of a snapshot.
type Base struct {
	Resources []model.Resource
	Ledger    []model.LedgerEntry
}

// ImportOnto reads files over resources that were read before, as [ImportOver] reads them over files. What other resources say about a
// resource went into these when they were read, so that only such can be replaced or added that nothing else describes: NSGs, route tables,
// firewall policies and their groups, IP groups, and single security rules and routes. Anything else is an error.
func ImportOnto(base Base, fsys fs.FS, over []string) (Result, error) {
	im := newImporter()
	im.over = slices.Clone(over)
	im.onto = make(map[string]model.Resource, len(base.Resources))
	for _, r := range base.Resources {
		im.onto[r.ResourceID().Key()] = r
	}
	files := slices.Compact(slices.Sorted(slices.Values(over)))
	for _, file := range files {
		im.open(fsys, file)
	}
	im.cutPages()
	im.onlyApart()
	if len(im.errs) > 0 {
		return Result{}, im.joined()
	}
	gone, grafts := im.replaced()
	im.read()
	read := im.out
	for key, r := range im.onto {
		if !gone(key) && !slices.ContainsFunc(read, func(x model.Resource) bool { return x.ResourceID().Key() == key }) {
			im.out = append(im.out, r)
		}
	}
	im.link()
	if err := im.joined(); err != nil {
		return Result{}, err
	}
	slices.SortStableFunc(im.out, func(a, b model.Resource) int { return a.ResourceID().Compare(b.ResourceID()) })
	for _, e := range base.Ledger {
		if !gone(e.Resource.Key()) || grafts[e.Resource.Key()] {
			im.ledger = append(im.ledger, e)
		}
	}
	slices.SortStableFunc(im.ledger, compareEntries)
	return Result{Resources: im.out, Ledger: im.ledger, Files: files}, nil
}

// onlyApart reports what cannot be laid over resources whose text is not at hand.
func (im *importer) onlyApart() {
	apart := []string{
		"microsoft.network/networksecuritygroups", "microsoft.network/networksecuritygroups/securityrules", "microsoft.network/routetables",
		"microsoft.network/routetables/routes", "microsoft.network/firewallpolicies", "microsoft.network/firewallpolicies/rulecollectiongroups",
		"microsoft.network/ipgroups",
	}
	for _, r := range im.resources {
		if !slices.Contains(apart, strings.ToLower(r.kind.name)) {
			r.errorAt(r.node, "type", r.kind.name, "an NSG, a route table, a firewall policy or a group of its rules, an IP group, a security rule or a route: others lie over the project's sources alone, not over a snapshot")
		}
	}
	for _, l := range im.lists {
		im.errs = append(im.errs, &model.InputError{Source: model.Source{File: l.file, Line: 1}, Found: "effective rules or routes", Accepted: "resources: what Azure has in force belongs to the sources"})
	}
}

// replaced gives each rule and each route a stub of the resource that holds it, which is read in its place and grafted onto it. gone says
// of the key of a resource that the files replace it; grafts are those that they replace in part.
func (im *importer) replaced() (gone func(key string) bool, grafts map[string]bool) {
	whole := map[string]bool{}
	grafts = map[string]bool{}
	for _, r := range im.resources {
		if !r.kind.part && !r.bare() {
			whole[r.id.Key()] = true
		}
	}
	for _, r := range slices.Clone(im.resources) {
		key := r.holder.Key()
		if !r.kind.part || whole[key] || grafts[key] {
			continue
		}
		base, ok := im.onto[key]
		if !ok {
			continue // overlay reports it
		}
		grafts[key] = true
		docs, _ := parse(r.file, []byte(`{"id": `+strconv.Quote(string(base.ResourceID()))+`, "properties": {}}`))
		im.resources = append(im.resources, &resource{
			importer: im, file: r.file, node: docs[0], id: base.ResourceID(), holder: base.ResourceID(), kind: im.types[strings.ToLower(base.ResourceID().Type())], graft: base,
		})
	}
	return func(key string) bool {
		for id := model.ID(key); id != ""; id = id.Parent() {
			if whole[id.Key()] {
				return true
			}
		}
		return false
	}, grafts
}

// grafted puts the parts that were read for a stub in the place of those of their names in the resource itself.
func (r *resource) grafted(m model.Resource) model.Resource {
	switch base := r.graft.(type) {
	case *model.NSG:
		read, ok := m.(*model.NSG)
		if !ok {
			break
		}
		g := *base
		g.Rules = slices.DeleteFunc(slices.Clone(base.Rules), func(x model.SecurityRule) bool {
			return !x.Default && slices.ContainsFunc(read.Rules, func(y model.SecurityRule) bool { return !y.Default && strings.EqualFold(x.Name, y.Name) })
		})
		for _, x := range read.Rules {
			if !x.Default {
				g.Rules = append(g.Rules, x)
			}
		}
		sortRules(g.Rules)
		r.doublePriorities(&g)
		return &g
	case *model.RouteTable:
		read, ok := m.(*model.RouteTable)
		if !ok {
			break
		}
		t := *base
		t.Routes = slices.DeleteFunc(slices.Clone(base.Routes), func(x model.UserRoute) bool {
			return slices.ContainsFunc(read.Routes, func(y model.UserRoute) bool { return strings.EqualFold(x.Name, y.Name) })
		})
		t.Routes = append(t.Routes, read.Routes...)
		r.doubleRoutes(&t)
		return &t
	default: // no other kind is grafted
	}
	return m
}
