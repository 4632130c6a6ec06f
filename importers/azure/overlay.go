package azure

import (
	"io/fs"
	"slices"
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
		if r.isOver() && !r.bare() && len(r.graft) == 0 {
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
		if !ok && im.onto == nil && !again && whole[parent.Key()] == nil && r.kind.part {
			r.noHolder()
		}
		for _, n := range at {
			dropPart(n, r.id, lastSegment(r.kind.name))
		}
	}
}

func (r *resource) noHolder() {
	r.errorAt(r.node, "id", string(r.id), "a part of a resource that the input holds: "+r.id.Parent().ShortName()+" is in none of its files")
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
