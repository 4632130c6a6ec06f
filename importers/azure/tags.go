package azure

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// ServiceTags reads a list of service tags as Microsoft publishes it: `changeNumber`, `cloud` and `values`, each with a name and its
// prefixes (AZ-TAG-09).
func ServiceTags(fsys fs.FS, file string) (*model.ServiceTags, error) {
	im := &importer{bad: map[string]bool{}}
	text, bad := readFile(fsys, file)
	if bad != nil {
		return nil, bad
	}
	docs, errs := parse(file, text)
	im.errs = append(im.errs, errs...)
	out := &model.ServiceTags{Source: model.Source{File: file, Line: 1}}
	switch {
	case len(errs) > 0:
	case len(docs) != 1 || docs[0].get("values") == nil:
		im.errs = append(im.errs, &model.InputError{
			Source: out.Source, Found: "no service tags", Accepted: "a service-tag file: an object with `changeNumber`, `cloud` and `values`",
		})
	default:
		doc := &resource{importer: im, file: file, node: docs[0]}
		doc.tags(out)
	}
	if err := im.joined(); err != nil {
		return nil, err
	}
	return out, nil
}

func (r *resource) tags(out *model.ServiceTags) {
	out.Source.Line = int(r.node.line)
	if n := r.node.get("changeNumber"); n != nil && n.kind == numberValue {
		out.ChangeNumber = number(n)
	} else {
		r.errorAt(r.node, "changeNumber", "no number", "the number of the list")
	}
	out.Cloud = r.node.str("cloud")
	values := r.node.get("values")
	if values.kind != arrayValue || len(values.items) == 0 {
		r.errorAt(values, "", values.kind.String(), "a list of tags")
		return
	}
	lines := map[string]*node{}
	for _, n := range values.items {
		name := n.get("name")
		if n.kind != objectValue || name == nil || !isTag(name.text) {
			r.errorAt(n, "", n.kind.String(), "a tag: an object with `name` and `properties`")
			continue
		}
		if prev := lines[strings.ToLower(name.text)]; prev != nil {
			r.errorAt(name, "", name.shown(), "each tag once; the first is at "+r.source(prev).String())
			continue
		}
		lines[strings.ToLower(name.text)] = name
		p := n.get("properties")
		list := p.get("addressPrefixes")
		if list == nil || list.kind != arrayValue {
			r.errorAt(n, "properties.addressPrefixes", "nothing", "a list of prefixes")
			continue
		}
		tag := model.ServiceTag{Name: name.text, Region: strings.ToLower(p.str("region")), System: p.str("systemService")}
		for _, m := range list.items {
			prefix, _, err := model.ParsePrefix(m.text)
			if m.kind != textValue || err != nil {
				r.errorAt(m, "", m.shown(), "an address or CIDR such as 13.66.143.220/30")
				continue
			}
			tag.Prefixes = append(tag.Prefixes, prefix)
		}
		slices.SortFunc(tag.Prefixes, comparePrefix)
		tag.Prefixes = slices.Compact(tag.Prefixes)
		out.Tags = append(out.Tags, tag)
	}
	slices.SortFunc(out.Tags, func(a, b model.ServiceTag) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
}
