package azure

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Result is what files of Azure resources say.
type Result struct {
	Resources []model.Resource    // one for each description, sorted by ID and source; model.NewEstate compares doubles
	Ledger    []model.LedgerEntry // what became of each resource, and of fields that are not understood; sorted by source
	Files     []string            // the files read, sorted

	asRead []model.Resource // each of Resources before it was joined with others
	claims []model.Claim
}

// Import reads files of Azure resources. A file that holds none is an error. On any error the result is empty.
func Import(fsys fs.FS, paths []string) (Result, error) {
	return newImporter().run(fsys, paths)
}

func (im *importer) run(fsys fs.FS, paths []string) (Result, error) {
	files := slices.Compact(slices.Sorted(slices.Values(paths)))
	for _, file := range files {
		im.open(fsys, file)
	}
	im.cutPages()
	im.find()
	im.read(func() {})
	im.readEffective()
	im.link()
	return im.result(files)
}

// result is what was read, joined (link) and sorted.
func (im *importer) result(files []string) (Result, error) {
	if err := im.joined(); err != nil {
		return Result{}, err
	}
	slices.SortStableFunc(im.ledger, compareEntries)
	return Result{Resources: im.out, Ledger: im.ledger, Files: files, asRead: im.asRead, claims: im.claims}, nil
}

func newImporter() *importer {
	im := &importer{
		types: resourceTypes(), fields: fieldUses(), schemas: map[reflect.Type]*schema{}, bad: map[string]bool{}, known: map[string]bool{},
	}
	for _, more := range []map[string]fieldUse{computeFields(), dnsFields(), clusterFields(), serviceFields(), jitFields(), managerFields(), frontDoorFields(), apimFields(), roleFields(), logFields()} {
		maps.Copy(im.fields, more)
	}
	return im
}

func compareEntries(a, b model.LedgerEntry) int {
	return cmp.Or(a.Source.Compare(b.Source), a.Resource.Compare(b.Resource), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Effect, b.Effect))
}

// importer collects what the files say.
type importer struct {
	types     map[string]resourceType
	fields    map[string]fieldUse
	schemas   map[reflect.Type]*schema
	bad       map[string]bool // files that an error was reported for
	seen      linesPool
	over      []string                    // files whose resources replace others
	onto      map[string][]model.Resource // what the files are read over, by key: every description (ImportOnto)
	grafts    []model.Source              // parts of these that others stand in the place of
	pages     []page
	lists     []effectiveFile
	resources []*resource
	out       []model.Resource
	ledger    []model.LedgerEntry
	errs      []*model.InputError

	known      map[string]bool  // keys of resources whose parts are read with them
	claims     []model.Claim    // what resources say of others
	asRead     []model.Resource // out before it was joined
	frontParts []*resource      // parts of Front Door profiles, in the order of their source
	snapshots  []*resource      // rows that name what a network manager has in force at a VNet without printing it
}

// open parses a file and finds its resources.
func (im *importer) open(fsys fs.FS, file string) {
	text, bad := readFile(fsys, file)
	if bad != nil {
		im.errs = append(im.errs, bad)
		return
	}
	docs, errs := parse(file, text)
	im.errs = append(im.errs, errs...)
	before := len(im.resources) + len(im.lists)
	for _, doc := range docs {
		im.document(file, doc)
	}
	if len(im.resources)+len(im.lists) == before && len(errs) == 0 && !im.bad[file] {
		im.errs = append(im.errs, &model.InputError{
			Source: model.Source{File: file, Line: 1}, Found: "no resource", Accepted: "Azure resources as JSON: objects with `id` and `type`",
		})
	}
}

// find looks for resources inside others, and drops what the overlay replaces.
func (im *importer) find() {
	im.overlay(false)
	for _, r := range slices.Clone(im.resources) {
		if r.kind.disposition == model.Modelled {
			im.expanded(r, r.node, r.id)
		}
	}
	im.overlay(true)
}

// read turns every resource into its model, parents with their parts. between is called once each resource is read by itself.
func (im *importer) read(between func()) {
	slices.SortStableFunc(im.resources, func(a, b *resource) int { return a.source(a.node).Compare(b.source(b.node)) })
	parts := map[string]map[string][]*resource{}
	for _, r := range im.resources {
		if r.kind.part {
			key := r.holder.Key()
			if parts[key] == nil {
				parts[key] = map[string][]*resource{}
			}
			segment := lastSegment(r.kind.name)
			parts[key][segment] = append(parts[key][segment], r)
			continue
		}
		if r.kind.disposition == model.Modelled && !r.bare() {
			im.known[r.id.Key()] = true
		}
	}
	for _, r := range im.resources {
		if r.kind.part || r.kind.disposition != model.Modelled {
			continue
		}
		if r.bare() && len(r.graft) == 0 {
			if im.known[r.id.Key()] {
				im.entry(r, model.Irrelevant, "a mention without properties; the resource is described elsewhere", nil)
			} else {
				im.entry(r, model.Unsupported, "listed without its properties, so that nothing is known of it; export the resource itself", []model.ID{r.id})
				if r.kind.named != nil {
					im.known[r.id.Key()] = true // once
					r.kind.named(r)
				}
			}
			continue
		}
		r.children = parts[r.id.Key()]
		r.kind.read(r)
		if len(r.graft) == 0 {
			im.entry(r, model.Modelled, "", nil)
		}
	}
	between()
	im.lonePeerings(parts)
	im.loneRouteServers(parts)
	im.managerParts(parts)
	im.policyGroups()
	im.frontDoors()
	im.effective()
	for _, r := range im.resources {
		switch {
		case r.kind.part && (im.known[r.holder.Key()] || r.kind.alone):
			im.entry(r, model.Modelled, "", nil)
		case r.kind.part:
			im.entry(r, model.Unsupported, "a part of "+r.holder.ShortName()+", which the input lacks; export the resource itself", []model.ID{r.holder})
		case r.kind.disposition == model.Irrelevant:
			im.entry(r, model.Irrelevant, r.kind.effect, nil)
		}
	}
	for _, r := range im.resources {
		if r.kind.disposition == model.Unsupported {
			r.claimAffected()
		}
	}
	modelled := map[string]model.Resource{}
	for _, o := range im.out {
		modelled[o.ResourceID().Key()] = o
	}
	for _, c := range im.claimed(model.ClaimUnsupported) {
		c.Entry.Affects = im.affects(c, modelled)
		im.ledger = append(im.ledger, c.Entry)
	}
}

// claimAffected keeps what an unsupported resource names, as far as its type reaches.
func (r *resource) claimAffected() {
	var named []model.ID
	if r.kind.reach == neighbours || r.kind.reach == networks {
		texts(r.node, func(s string) {
			if armID(s) {
				named = append(named, model.ID(s))
			}
		})
	}
	r.claims = append(r.claims, model.Claim{Kind: model.ClaimUnsupported, IDs: distinct(named), Entry: model.LedgerEntry{
		Resource: r.id, Type: r.kind.name, Disposition: model.Unsupported, Effect: r.kind.effect, Source: r.source(r.node), Role: r.kind.role,
	}})
}

// bare reports whether an object names a resource and says nothing about it, as `az resource list` does: an NSG without properties is
// not an NSG without rules.
func (r *resource) bare() bool {
	if r.kind.empty {
		return false
	}
	for _, m := range r.node.items {
		if m.kind != nullValue && (m.low == "properties" || !common(m.low, true)) {
			return false
		}
	}
	return true
}

// entry records what became of a resource.
func (im *importer) entry(r *resource, d model.Disposition, effect string, affects []model.ID) {
	im.ledger = append(im.ledger, model.LedgerEntry{
		Resource: r.id, Type: r.kind.name, Disposition: d, Effect: effect, Source: r.source(r.node), Affects: affects, Role: r.kind.role,
	})
}

// affects lists what an unsupported resource may change: itself, what it is a part of, and what it names as far as its type reaches.
func (im *importer) affects(c model.Claim, modelled map[string]model.Resource) []model.ID {
	self := c.Entry.Resource
	kind, ok := im.types[strings.ToLower(c.Entry.Type)]
	if !ok {
		kind = unknownType(c.Entry.Type)
	}
	if kind.reach == everything {
		return nil
	}
	found := map[string]model.ID{self.Key(): self}
	nearest := func(id model.ID) (model.Resource, bool) {
		for ; id != ""; id = id.Parent() {
			if m, ok := modelled[id.Key()]; ok {
				return m, true
			}
		}
		return nil, false
	}
	add := func(id model.ID) {
		m, ok := nearest(id)
		if !ok {
			return
		}
		if _, service := m.(*model.Service); service {
			return
		}
		found[m.ResourceID().Key()] = m.ResourceID()
		if s, subnet := m.(*model.Subnet); subnet && kind.reach == networks {
			found[s.VNet.Key()] = s.VNet
		}
	}
	if m, ok := nearest(self.Parent()); ok {
		found[m.ResourceID().Key()] = m.ResourceID()
	}
	for _, id := range c.IDs {
		add(id)
	}
	out := make([]model.ID, 0, len(found))
	for _, id := range found {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b model.ID) int { return a.Compare(b) })
	return out
}

// texts walks every text of a value.
func texts(n *node, visit func(string)) {
	if n.kind == textValue {
		visit(n.text)
	}
	for _, m := range n.items {
		texts(m, visit)
	}
}

// joined returns all errors in the order of their source.
func (im *importer) joined() error {
	slices.SortStableFunc(im.errs, func(a, b *model.InputError) int {
		return cmp.Or(a.Source.Compare(b.Source), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Accepted, b.Accepted), cmp.Compare(a.Found, b.Found))
	})
	errs := make([]error, len(im.errs))
	for i, e := range im.errs {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// source says where a value stands.
func (r *resource) source(n *node) model.Source {
	if n == nil {
		n = r.node
	}
	return model.Source{File: r.file, Line: int(n.line), Path: n.pointer(), Resource: r.holder}
}

// errorAt reports a value that is not accepted. name is that of a member that is missing in n, or "".
func (r *resource) errorAt(n *node, name, found, accepted string) {
	if n == nil {
		n = r.node
	}
	field := n.field(r.node)
	if name != "" {
		field = strings.TrimPrefix(field+"."+name, ".")
	}
	r.errs = append(r.errs, &model.InputError{Source: r.source(n), Resource: r.id, Field: field, Found: found, Accepted: accepted})
}

// fail reports a value that is not accepted and quotes it.
func (r *resource) fail(v *value, accepted string) {
	found := v.raw.shown()
	if v.raw.kind == textValue {
		found = v.raw.text
	}
	r.errorAt(v.raw, "", found, accepted)
}

// missing reports a member that is not there, unless it was refused before.
func (r *resource) missing(v *value, name, accepted string) {
	if v == nil {
		r.errorAt(r.node, name, "nothing", accepted)
		return
	}
	if !slices.Contains(v.refused, name) {
		r.errorAt(v.raw, name, "nothing", accepted)
	}
}

// unsupported records a field that could change a verdict and is not modelled.
func (r *resource) unsupported(n *node, effect string) {
	r.ledger = append(r.ledger, model.LedgerEntry{
		Resource: r.holder, Type: r.kind.name, Field: n.field(r.node), Disposition: model.Unsupported, Effect: effect, Source: r.source(n),
		Affects: []model.ID{r.holder},
	})
}

// note records how a field was read where that is not obvious.
func (r *resource) note(n *node, effect string) {
	r.ledger = append(r.ledger, model.LedgerEntry{
		Resource: r.holder, Type: r.kind.name, Field: n.field(r.node), Disposition: model.Irrelevant, Effect: effect, Source: r.source(n),
	})
}

// emit adds a resource to the result.
func (r *resource) emit(m model.Resource) {
	if len(r.graft) == 0 {
		r.out = append(r.out, m)
	}
	for _, base := range r.graft {
		r.out = append(r.out, r.grafted(base, m))
	}
}

// meta is what every resource has. Regions are spelt as the API does (`westeurope`), not as the portal does (`West Europe`), so that
// exports agree.
func (r *resource) meta() model.Meta {
	m := model.Meta{ID: r.id, Source: r.source(r.node)}
	if l := r.node.get("location"); l != nil && l.kind != nullValue {
		if l.kind != textValue {
			r.errorAt(l, "", l.shown(), "a region such as westeurope")
		}
		m.Location = model.Region(l.text)
	}
	tags := r.node.get("tags")
	if tags == nil || tags.kind == nullValue {
		return m
	}
	if tags.kind != objectValue {
		r.errorAt(tags, "", tags.shown(), "an object of texts")
		return m
	}
	for _, t := range tags.items {
		if t.kind == nullValue {
			continue
		}
		if t.kind != textValue {
			r.errorAt(t, "", t.shown(), "a text")
		}
		if m.Tags == nil {
			m.Tags = map[string]string{}
		}
		m.Tags[t.name] = t.text
	}
	return m
}
