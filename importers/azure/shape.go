package azure

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringfence/ringfence/model"
)

// Recognise reports whether data looks like Azure resource JSON: an object with an ARM resource ID, a list of such, `{"value": […]}`
// or `{"data": […]}` of such, one a line, plain or gzip, UTF-8 or UTF-16. It looks at the first resource only, so a file that is cut
// off or broken further down is recognised and then refused by [Import]. A service-tag file is not recognised.
func Recognise(data []byte) bool {
	text, err := utf8Text(data)
	if err != nil {
		return false
	}
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	switch dec.PeekKind() {
	case '{':
		return looksLikeObject(dec, true)
	case '[':
		return looksLikeList(dec)
	default:
		return false
	}
}

func looksLikeList(dec *jsontext.Decoder) bool {
	_, _ = dec.ReadToken()
	return dec.PeekKind() == '{' && looksLikeObject(dec, false)
}

// looksLikeObject reads names until it knows: an `id` of ARM's shape decides unless `type` contradicts it.
func looksLikeObject(dec *jsontext.Decoder, top bool) bool {
	_, _ = dec.ReadToken()
	found, prefix, hop := false, false, false
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != '"' {
			return found
		}
		key := strings.ToLower(name.String())
		prefix, hop = prefix || key == "addressprefix", hop || key == "nexthoptype"
		switch k := dec.PeekKind(); {
		case key == "effectivesecurityrules", prefix && hop && !found:
			return true // effective rules and routes have no ID of their own
		case key == "id" && k == '"':
			id, err := dec.ReadToken()
			if err != nil || !armID(id.String()) && !armID("/"+id.String()) { // some providers leave the slash out
				return false
			}
			found = true
		case !found && (key == "virtualnetwork" || key == "networkmanager") && k == '"': // the envelope of a list operation
			id, err := dec.ReadToken()
			return err == nil && armID(id.String())
		case !found && key == "deploymenttype" && k == '"': // a row of listDeploymentStatus
			return true
		case key == "type" && k == '"' && found:
			t, err := dec.ReadToken()
			return err == nil && strings.Contains(t.String(), "/")
		case top && !found && (key == "value" || key == "data") && k == '[':
			if looksLikeList(dec) {
				return true
			}
			return false
		default:
			if dec.SkipValue() != nil {
				return found
			}
		}
	}
}

// armID reports whether a text has the shape of an ARM resource ID.
func armID(s string) bool {
	low := strings.ToLower(s)
	return strings.HasPrefix(low, "/subscriptions/") || strings.HasPrefix(low, "/providers/")
}

// resource is one description of a resource: an object of the file and what it becomes.
type resource struct {
	*importer
	file     string
	node     *node
	id       model.ID
	kind     resourceType
	holder   model.ID // the resource that holds its rules: itself, or the parent of a part
	embedded bool     // it stands inside another resource, as `$expand` prints it
	made     bool     // it stands for the output of a list operation, which has no ID of its own
	children map[string][]*resource
	graft    []model.Resource // a stub: the descriptions of the resource whose parts are read (ImportOnto)
}

// document finds the resources of one document.
func (im *importer) document(file string, doc *node) {
	switch {
	case im.effectiveState(file, doc):
	case doc.kind == arrayValue:
		im.list(file, doc)
	case doc.kind != objectValue:
		im.wrong(file, doc, "an Azure resource, or a list of them")
	case doc.str("id") != "":
		im.object(file, doc)
	case output(doc):
		list := wrapped(doc)
		rest := im.listed(file, doc, list)
		im.rows(file, rest)
		if len(rest) > 0 {
			im.page(file, doc, list)
		}
	case wrapped(doc) != nil:
		list := wrapped(doc)
		im.list(file, list)
		im.page(file, doc, list)
	default:
		im.wrong(file, doc, "an Azure resource: an object with `id` and `type`, or a list of them")
	}
}

// wrapped returns the list of a REST list result or of a Resource Graph result.
func wrapped(doc *node) *node {
	for _, name := range []string{"value", "data"} {
		if l := doc.get(name); l != nil && l.kind == arrayValue {
			return l
		}
	}
	return nil
}

// list takes a bare list: resources, rows of list operations, and the outputs of several operations with their envelopes.
func (im *importer) list(file string, list *node) { im.rows(file, im.listed(file, nil, list)) }

func (im *importer) rows(file string, rows []*node) {
	for _, n := range rows {
		if n.kind == objectValue && n.get("value") != nil && im.effectiveState(file, n) {
			continue // the NIC's ID beside its effective routes or rules, in a list of such
		}
		if output(n) {
			im.rows(file, im.listed(file, n, wrapped(n)))
			continue
		}
		if n.kind != objectValue || n.str("id") == "" {
			im.wrong(file, n, "an Azure resource: an object with `id` and `type`")
			continue
		}
		im.object(file, n)
	}
}

// wrong reports a value that stands where a resource belongs.
func (im *importer) wrong(file string, n *node, accepted string) {
	im.bad[file] = true
	im.errs = append(im.errs, &model.InputError{
		Source: model.Source{File: file, Line: int(n.line), Path: n.pointer()}, Found: n.kind.String(), Accepted: accepted,
	})
}

// page notes a list result that goes on elsewhere. Pages of Resource Graph say how many records there are in all, so that pages that
// were saved one by one are known to be complete; a REST list does not.
func (im *importer) page(file string, doc, list *node) {
	total := number(doc.get("totalRecords"), doc.get("total_records"))
	cut := false
	for _, name := range []string{"nextLink", "odata.nextLink", "$skipToken", "skip_token", "skipToken"} {
		if n := doc.get(name); n != nil && n.kind == textValue && n.text != "" {
			cut = true
		}
	}
	if n := doc.get("resultTruncated"); n != nil && strings.EqualFold(n.text, "true") {
		cut = true
	}
	im.pages = append(im.pages, page{
		source: model.Source{File: file, Line: int(doc.line), Path: doc.pointer()}, total: total, count: len(list.items), cut: cut,
	})
}

// page is one list result.
type page struct {
	source model.Source
	total  int // of Resource Graph; 0 when not stated
	count  int
	cut    bool
}

func number(candidates ...*node) int {
	for _, n := range candidates {
		if n != nil && n.kind == numberValue {
			if i, err := strconv.Atoi(n.text); err == nil {
				return i
			}
		}
	}
	return 0
}

// cutPages records listings whose further pages are missing: what they would have held is not known, so the estate as a whole is
// not.
func (im *importer) cutPages() {
	records := map[int]int{}
	for _, p := range im.pages {
		records[p.total] += p.count
	}
	for _, p := range im.pages {
		if !p.cut || p.total > 0 && records[p.total] >= p.total {
			continue
		}
		im.ledger = append(im.ledger, model.LedgerEntry{
			Disposition: model.Unsupported, Source: p.source, Field: "nextLink",
			Effect: "the listing goes on in a further page that is not known to be in the input; save all pages in one file",
		})
	}
}

// object takes one object as a resource.
func (im *importer) object(file string, n *node) {
	r := &resource{importer: im, file: file, node: n, id: model.ID(n.str("id"))}
	if strings.HasPrefix(strings.ToLower(string(r.id)), "subscriptions/") {
		r.id = "/" + r.id // some providers leave the slash out
	}
	r.holder = r.id
	if !r.checkID() || r.powerShell() {
		im.bad[file] = true
		return
	}
	given, own := n.str("type"), r.id.Type()
	if !strings.Contains(given, "/") {
		given = "" // az prints the kind of a node pool there when it lifts properties
	}
	byType, known := im.types[strings.ToLower(given)]
	byID, knownID := im.types[strings.ToLower(own)]
	switch {
	case given == "" && own == "":
		im.bad[file] = true
		r.errorAt(n, "type", "", "a resource type such as Microsoft.Network/virtualNetworks")
		return
	case given == "" || strings.EqualFold(given, own):
		r.kind = byID
		if !knownID {
			r.kind = unknownType(own)
		}
	case own == "" || lastSegment(given) == lastSegment(own):
		// Instances of scale sets are listed under the type of a free-standing NIC or machine.
		r.kind = byType
		if !known {
			r.kind = unknownType(given)
		}
	case known && byType.disposition != model.Irrelevant || knownID && byID.disposition != model.Irrelevant:
		im.bad[file] = true
		r.errorAt(n, "type", given, "the type of its ID: "+own)
		return
	default:
		r.kind = byType
		if !known {
			r.kind = unknownType(given)
		}
	}
	if r.kind.part {
		r.holder = r.id.Parent()
	}
	im.resources = append(im.resources, r)
}

func lastSegment(t string) string { return strings.ToLower(t[strings.LastIndexByte(t, '/')+1:]) }

func (r *resource) checkID() bool {
	text := string(r.id)
	shown := r.id
	r.id = "" // a refused ID is quoted once, as what was found
	switch {
	case !armID(text):
		r.errorAt(r.node.get("id"), "", text, "a resource ID: /subscriptions/…/providers/…")
	case len(text) > maxID:
		r.errorAt(r.node.get("id"), "", text, "a resource ID of at most "+strconv.Itoa(maxID)+" characters")
	case strings.ContainsFunc(text, unicode.IsControl):
		r.errorAt(r.node.get("id"), "", text, "a resource ID without control characters")
	default:
		r.id = shown
		return true
	}
	return false
}

// powerShell refuses what Get-AzVirtualNetwork and its like give to ConvertTo-Json: the module has names, lists and numbers of its own in
// place of the API's, and repeats each part as a text (`Subnets`, `SubnetsText`).
func (r *resource) powerShell() bool {
	if r.node.get("properties") != nil {
		return false // Get-AzResource -ExpandProperties: those are the API's
	}
	for _, m := range r.node.items {
		name, ok := strings.CutSuffix(m.name, "Text")
		if part := r.node.get(name); ok && part != nil && part.kind != textValue && (m.kind == textValue || m.kind == nullValue) {
			r.errorAt(m, "", "an object of PowerShell's Az modules",
				"what the API prints: from `Get-AzResource -ExpandProperties | ConvertTo-Json -Depth 100`, `az … -o json`, Resource Graph or an ARM export")
			return true
		}
	}
	return false
}

// wrongKind reports a value of another kind than is wanted.
func (r *resource) wrongKind(n *node, want string) {
	if n.kind == textValue && (strings.HasPrefix(n.text, "@{") || strings.HasPrefix(n.text, "System.")) {
		want += ": ConvertTo-Json cut it off; repeat it with -Depth 100"
	}
	r.errorAt(n, "", n.shown(), want)
}

// embeddable maps the types that `$expand` prints inside others to members one of which a whole description has. A mere reference,
// `{"id": …}`, with or without a word or two about the attachment, describes nothing.
func embeddable(t string) []string {
	switch strings.ToLower(t) {
	case "microsoft.network/virtualnetworks/subnets":
		return []string{"addressPrefix", "addressPrefixes"}
	case "microsoft.network/networksecuritygroups":
		return []string{"securityRules", "defaultSecurityRules"}
	case "microsoft.network/routetables":
		return []string{"routes"}
	case "microsoft.network/publicipaddresses":
		return []string{"publicIPAllocationMethod"}
	case "microsoft.network/networkinterfaces":
		return []string{"ipConfigurations"}
	case "microsoft.network/privateendpoints":
		return []string{"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"}
	default:
		return nil
	}
}

// expanded finds whole descriptions inside a resource. owner is the resource around n; its own children are parts of it.
func (im *importer) expanded(r *resource, n *node, owner model.ID) {
	for _, m := range n.items {
		if m.kind == objectValue {
			id := model.ID(m.str("id"))
			if signs := embeddable(id.Type()); signs != nil && id.Key() != owner.Key() && id.Parent().Key() != owner.Key() && whole(m, signs) {
				before := len(im.resources)
				im.object(r.file, m)
				if len(im.resources) > before {
					im.resources[before].embedded = true
				}
				im.expanded(r, m, id)
				continue
			}
		}
		im.expanded(r, m, owner)
	}
}

func whole(n *node, signs []string) bool {
	body := n
	if p := n.get("properties"); p != nil {
		body = p
	}
	if body.str("provisioningState") == "" {
		return false
	}
	for _, s := range signs {
		if m := body.get(s); m != nil && m.kind != nullValue {
			return true
		}
	}
	return false
}
