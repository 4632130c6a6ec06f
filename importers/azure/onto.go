package azure

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Base is Azure resources that were read before and whose text is not at hand: those of a snapshot.
type Base struct {
	Resources []model.Resource
	Ledger    []model.LedgerEntry
	Apart     *model.Apart
}

// ImportOnto reads files over resources that were read before, as [ImportOver] reads them over files. What the files replace goes, with its parts
// and with what was found in its text; the rest is taken as it was read, and all of it is joined again.
//
// Of parts whose resource the files do not hold, those are read that the resource keeps one by one: security rules, routes, peerings, pools and NAT
// rules of load balancers, firewall and virtual network rules of servers, node pools, records and links of DNS zones. Other parts are an error,
// as is what is made of several resources together: parts of a Front Door profile, network managers, what is in force at a NIC.
func ImportOnto(base Base, fsys fs.FS, over []string) (Result, error) {
	im := newImporter()
	im.over = slices.Clone(over)
	files := slices.Compact(slices.Sorted(slices.Values(over)))
	for _, file := range files {
		im.open(fsys, file)
	}
	im.cutPages()
	b := im.below(base)
	im.find()
	b.replace()
	im.refuse(base)
	if len(im.errs) > 0 {
		return Result{}, im.joined()
	}
	b.stubs()
	im.read(b.adopt)
	b.stubless()
	im.link()
	return im.result(files)
}

// below is what the files of an overlay lie over, while it is taken apart.
type below struct {
	*importer
	base     Base
	whole    map[string]bool // keys of resources that the files replace with all that belongs to them
	each     map[string]bool // of those and of the parts that they replace
	texts    []text          // what is gone of the files that were read before
	at       []model.Source  // where its resources stand
	segments map[string]bool // lists, as HOLDER SEGMENT, of which the files hold parts
}

// text is a part of a file that was read before: from a line to before another, below a path.
type text struct {
	file, path string
	line, end  int
}

func (t text) holds(s model.Source) bool {
	return s.File == t.file && s.Line >= t.line && (t.end == 0 || s.Line < t.end) && (t.path == "" || s.Path == t.path || strings.HasPrefix(s.Path, t.path+"/"))
}

// below indexes a base: what it describes, and which of its resources are described themselves.
func (im *importer) below(base Base) *below {
	b := &below{importer: im, base: base, whole: map[string]bool{}, each: map[string]bool{}, segments: map[string]bool{}}
	im.onto = map[string][]model.Resource{}
	for _, r := range base.Apart.Read.Held() {
		im.onto[r.ResourceID().Key()] = append(im.onto[r.ResourceID().Key()], r)
	}
	for _, r := range base.Resources {
		if key := r.ResourceID().Key(); im.onto[key] == nil {
			im.onto[key] = []model.Resource{r}
		}
	}
	for _, list := range im.onto {
		slices.SortFunc(list, func(a, b model.Resource) int { return a.Origin().Compare(b.Origin()) })
	}
	return b
}

// replace finds what of the base is gone.
func (b *below) replace() {
	for _, r := range b.resources {
		if r.bare() {
			continue
		}
		b.each[r.id.Key()] = true
		if r.kind.part {
			b.segments[r.holder.Key()+" "+lastSegment(r.kind.name)] = true
		} else {
			b.whole[r.id.Key()] = true
		}
	}
	var lost []model.Source
	for _, e := range b.base.Ledger {
		if e.Field == "" && e.Resource != "" && !inForce(e.Type) {
			b.at = append(b.at, e.Source)
			if b.gone(e.Resource) {
				lost = append(lost, e.Source)
			}
		}
		if e.Field == "" && e.Disposition == model.Modelled && !b.gone(e.Resource) && !b.types[strings.ToLower(e.Type)].part && !inForce(e.Type) {
			b.known[e.Resource.Key()] = true
		}
	}
	for _, list := range b.onto {
		for _, r := range list {
			if b.at = append(b.at, r.Origin()); b.lost(r) {
				lost = append(lost, r.Origin())
			}
		}
	}
	for _, s := range lost {
		t := text{file: s.File, path: s.Path, line: s.Line}
		for _, next := range b.at { // another document of the file may have the same path
			if next.File == s.File && next.Path == s.Path && next.Line > s.Line && (t.end == 0 || next.Line < t.end) {
				t.end = next.Line
			}
		}
		b.texts = append(b.texts, t)
	}
	for key, list := range b.onto {
		list = slices.DeleteFunc(list, func(r model.Resource) bool { return b.lost(r) || named(r) || b.goneAt(r.Origin()) })
		if b.onto[key] = list; len(list) == 0 {
			delete(b.onto, key)
			delete(b.known, key)
		}
	}
}

// gone reports whether the files replace a resource, what holds it, or it as a part.
func (b *below) gone(id model.ID) bool {
	if b.each[id.Key()] {
		return true
	}
	for ; id != ""; id = id.Parent() {
		if b.whole[id.Key()] {
			return true
		}
	}
	return false
}

// lost is gone for a resource of the base. What Azure has in force at a NIC is no part of it.
func (b *below) lost(r model.Resource) bool {
	switch r.(type) {
	case *model.EffectiveRules, *model.EffectiveRoutes:
		return false
	default:
		return b.gone(r.ResourceID())
	}
}

// named reports a VNet that stands for its subnets alone: lonePeerings makes it again.
func named(r model.Resource) bool {
	v, is := r.(*model.VNet)
	return is && v.Partial && len(v.Peerings) == 0
}

func (b *below) goneAt(s model.Source) bool {
	return s.File != "" && slices.ContainsFunc(b.texts, func(t text) bool { return t.holds(s) })
}

// inForce reports the types under which the ledger has lists of effective routes and rules.
func inForce(typeName string) bool {
	return typeName == "effective routes" || typeName == "effective rules"
}

// stubFile is where what is read of stubs stands.
const stubFile = "\x00"

// refuse reports what cannot be laid over resources whose text is not at hand.
func (im *importer) refuse(base Base) {
	whole := func(id model.ID) bool {
		return slices.ContainsFunc(im.resources, func(r *resource) bool { return !r.kind.part && !r.bare() && r.id.Key() == id.Key() })
	}
	groups := slices.ContainsFunc(base.Resources, func(r model.Resource) bool { _, is := r.(*model.NetworkGroup); return is })
	for _, r := range im.resources {
		low := strings.ToLower(r.kind.name)
		no := func(accepted string) {
			r.errorAt(r.node.get("id"), "", string(r.id), accepted+", or the project's sources in place of its snapshot")
		}
		switch {
		case r.kind.disposition != model.Modelled && len(im.onto[r.id.Parent().Key()]) > 0:
			no("the whole of " + r.id.Parent().ShortName() + ": over a snapshot, its " + r.kind.name[strings.LastIndexByte(r.kind.name, '/')+1:] + " are not taken alone")
		case r.kind.disposition != model.Modelled:
		case r.kind.part && !whole(r.holder) && graftable(low) == "":
			no("the whole of " + r.holder.ShortName() + ": over a snapshot, its " + r.kind.name[strings.LastIndexByte(r.kind.name, '/')+1:] + " are not taken alone")
		case r.kind.part && !whole(r.holder) && injected(im.onto[r.holder.Key()]):
			no("the whole of " + r.holder.ShortName() + ": over a snapshot, rules of a server that is injected into a subnet are not taken alone")
		case strings.HasPrefix(low, "microsoft.cdn/profiles/"):
			id := r.id
			for id != "" && !strings.EqualFold(id.Type(), "Microsoft.Cdn/profiles") {
				id = id.Parent()
			}
			if !whole(id) {
				no("the whole profile with all its parts: over a snapshot, a part of a Front Door is not taken alone")
			}
		case r.made, strings.HasPrefix(low, "microsoft.network/networkmanagers"), strings.HasPrefix(low, "microsoft.network/effective"):
			no("resources other than those of a network manager: over a snapshot, these are not taken")
		case groups && strings.HasPrefix(low, "microsoft.authorization/policy") && low != "microsoft.authorization/policyexemptions":
			no("resources other than Azure policies: over a snapshot with network groups, which policies fill, these are not taken")
		}
	}
	for _, x := range base.Resources {
		switch x.(type) {
		case *model.EffectiveAdminRules, *model.EffectiveConnectivity:
			if holder := x.ResourceID().Parent(); whole(holder) {
				im.errs = append(im.errs, &model.InputError{
					Source: x.Origin(), Resource: holder, Found: "what a network manager has in force at it",
					Accepted: "the project's sources: over a snapshot, such a VNet is not replaced",
				})
			}
		default:
		}
	}
	for _, l := range im.lists {
		im.errs = append(im.errs, &model.InputError{Source: model.Source{File: l.file, Line: 1}, Found: "effective rules or routes", Accepted: "resources: what Azure has in force belongs to the sources"})
	}
}

func injected(list []model.Resource) bool {
	return slices.ContainsFunc(list, func(r model.Resource) bool { s, is := r.(*model.Service); return is && s.Injected != "" })
}

// stubs gives each part a stub of the resource that holds it, which is read in its place and grafted onto it.
func (b *below) stubs() {
	done := map[string]bool{}
	for _, r := range slices.Clone(b.resources) {
		key := r.holder.Key()
		list := b.onto[key]
		if !r.kind.part || r.bare() || b.whole[key] || done[key] {
			continue
		}
		if len(list) == 0 || !b.known[key] {
			r.noHolder()
			continue
		}
		done[key] = true
		id := list[0].ResourceID()
		docs, _ := parse(stubFile, []byte(`{"id": `+strconv.Quote(string(id))+`, "properties": `+graftable(strings.ToLower(r.kind.name))+`}`))
		b.resources = append(b.resources, &resource{
			importer: b.importer, file: stubFile, node: docs[0], id: id, holder: id, kind: b.types[strings.ToLower(id.Type())], graft: list,
		})
		delete(b.onto, key) // what is grafted stands in its place
	}
}

// stubless drops what was recorded of stubs themselves.
func (b *below) stubless() {
	stub := func(s model.Source) bool { return s.File == stubFile }
	b.ledger = slices.DeleteFunc(b.ledger, func(e model.LedgerEntry) bool { return stub(e.Source) })
	b.claims = slices.DeleteFunc(b.claims, func(c model.Claim) bool { return stub(c.Entry.Source) })
	b.errs = slices.DeleteFunc(b.errs, func(e *model.InputError) bool { return stub(e.Source) })
}

// adopt takes in what stays of the base.
func (b *below) adopt() {
	for _, s := range b.grafts { // a part inside its resource ends where the next resource stands, at the latest
		t := text{file: s.File, path: s.Path, line: s.Line}
		for _, next := range b.at {
			if next.File == s.File && next.Line > s.Line && (t.end == 0 || next.Line < t.end) {
				t.end = next.Line
			}
		}
		if s.Path != "" {
			b.texts = append(b.texts, t)
		}
	}
	for _, list := range b.onto {
		for _, r := range list {
			switch r := r.(type) {
			case *model.VNet: // the estate lists the subnets again
				v := *r
				v.Subnets = nil
				b.out = append(b.out, &v)
			case *model.FirewallPolicy:
				p := *r
				p.Groups = nil // and the groups
				p.GroupRefs = slices.DeleteFunc(slices.Clone(r.GroupRefs), b.gone)
				if len(p.GroupRefs) == 0 {
					p.GroupRefs = nil
				}
				b.out = append(b.out, &p)
			default:
				b.out = append(b.out, r)
			}
		}
	}
	type place struct {
		resource, kind, field string
		at                    model.Source
	}
	of := func(e model.LedgerEntry) place {
		return place{e.Resource.Key(), strings.ToLower(e.Type), e.Field, e.Source}
	}
	again := map[place]bool{} // what the claims record again
	for _, c := range b.base.Apart.Claims {
		again[of(c.Entry)] = true
		if b.gone(c.Entry.Resource) || b.goneAt(c.Entry.Source) || c.Kind == model.ClaimNoVNetRules && b.segments[c.Entry.Resource.Key()+" virtualnetworkrules"] {
			continue
		}
		if c.Kind == model.ClaimNamed && b.gone(c.IDs[0]) {
			continue
		}
		b.claims = append(b.claims, c)
	}
	for _, e := range b.base.Ledger {
		switch {
		case again[of(e)] && e.Disposition == model.Unsupported:
			continue
		case e.Resource == "":
		case inForce(e.Type) && e.Field == "":
			e.Disposition, e.Effect = model.Modelled, ""
			if !b.known[e.Resource.Key()] {
				e.Disposition, e.Effect = model.Irrelevant, e.Type+" of "+e.Resource.ShortName()+", which the input lacks"
			}
		case b.gone(e.Resource) && !inForce(e.Type), b.goneAt(e.Source):
			continue
		case e.Disposition == model.Unsupported && b.segments[e.Resource.Key()+" "+strings.ToLower(e.Field)]:
			continue // the rules of a server were not in the input
		}
		b.ledger = append(b.ledger, e)
	}
}
