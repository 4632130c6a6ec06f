package azure

import (
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// Outputs of list operations of a network manager are lists of rows that have the ID of a rule or configuration, or none, and that do
// not say whom they were listed for. So a small envelope may stand around them, as the output is saved:
//
//	{"virtualNetwork": "/subscriptions/…", "value": […]}                            what is in force at a VNet (AZ-AVNM-14 a)
//	{"networkManager": "/subscriptions/…", "regions": ["westeurope"], "value": […]} what is active or deployed in regions (b, c)
//
// `operation` names the REST operation; it is needed for an empty list alone, which looks like any other.

// operation is one of the list operations.
type operation uint8

const (
	noOperation operation = iota
	effectiveRules
	activeRules
	effectiveConnectivity
	activeConnectivity
	deploymentStatus
)

// operations maps the names of the REST operations.
func operations() map[string]operation {
	return map[string]operation{
		"listnetworkmanagereffectivesecurityadminrules":         effectiveRules,
		"listactivesecurityadminrules":                          activeRules,
		"listnetworkmanagereffectiveconnectivityconfigurations": effectiveConnectivity,
		"listactiveconnectivityconfigurations":                  activeConnectivity,
		"listdeploymentstatus":                                  deploymentStatus,
	}
}

// alike reports whether rows of two operations may stand in one list: those for rules differ by a region, which may be left out.
func (o operation) alike(other operation) bool {
	rules := func(o operation) bool { return o == effectiveRules || o == activeRules }
	return o == other || rules(o) && rules(other)
}

const operationNames = "one of listNetworkManagerEffectiveSecurityAdminRules, listActiveSecurityAdminRules, listNetworkManagerEffectiveConnectivityConfigurations, listActiveConnectivityConfigurations, listDeploymentStatus"

// listedRow tells a row of a list operation from the resource whose ID it bears: only the row says what the collection applies to, or
// where and when it was deployed.
func listedRow(n *node) operation {
	if n.kind != objectValue {
		return noOperation
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return n.get(name) != nil })
	}
	id := model.ID(n.str("id"))
	switch {
	case strings.EqualFold(id.Type(), typeAdminRule) && has("region"):
		return activeRules
	case strings.EqualFold(id.Type(), typeAdminRule) && has("ruleCollectionAppliesToGroups", "ruleGroups", "configurationDescription", "ruleCollectionDescription"):
		return effectiveRules
	case strings.EqualFold(id.Type(), typeConnectivity) && has("region"):
		return activeConnectivity
	case strings.EqualFold(id.Type(), typeConnectivity) && has("configurationGroups"):
		return effectiveConnectivity
	case id == "" && has("deploymentStatus") && has("deploymentType"):
		return deploymentStatus
	default:
		return noOperation
	}
}

// enveloped reports whether a document is a list with an envelope.
func enveloped(doc *node) bool {
	return doc.kind == objectValue && doc.get("id") == nil && wrapped(doc) != nil &&
		(doc.get("virtualNetwork") != nil || doc.get("networkManager") != nil || doc.get("operation") != nil)
}

// output reports whether a document is the output of a list operation, with or without an envelope.
func output(doc *node) bool {
	return enveloped(doc) || doc.kind == objectValue && doc.get("id") == nil && wrapped(doc) != nil &&
		slices.ContainsFunc(wrapped(doc).items, func(n *node) bool { return listedRow(n) != noOperation })
}

// listing is the output of one list operation, with the envelope around it.
type listing struct {
	*importer
	file     string
	envelope *node // nil: a bare list
	list     *node
	op       operation
	rows     []*node
	vnet     model.ID
	manager  model.ID
	regions  []string
	cut      bool // it goes on in a page that is not here
}

// listed takes the rows of list operations out of a list, and returns the rest.
func (im *importer) listed(file string, envelope, list *node) (rest []*node) {
	l := &listing{importer: im, file: file, envelope: envelope, list: list}
	for _, n := range list.items {
		switch op := listedRow(n); {
		case op == noOperation:
			rest = append(rest, n)
		case l.op != noOperation && !l.op.alike(op):
			im.wrong(file, n, "a row of the same list operation as the rows before")
		default:
			l.op = op
			l.rows = append(l.rows, n)
		}
	}
	if envelope != nil && enveloped(envelope) {
		if !l.readEnvelope() {
			return nil
		}
	}
	if l.op == noOperation {
		return rest
	}
	if envelope != nil {
		for _, name := range []string{"skipToken", "$skipToken", "skip_token", "nextLink"} {
			if n := envelope.get(name); n != nil && n.kind == textValue && n.text != "" {
				l.cut = true
			}
		}
	}
	l.bind()
	return rest
}

// refuse reports something that is wrong with the listing itself.
func (l *listing) refuse(n *node, field, found, accepted string) {
	l.bad[l.file] = true
	if n == nil {
		n = l.list
	}
	l.errs = append(l.errs, &model.InputError{
		Source: model.Source{File: l.file, Line: int(n.line), Path: n.pointer()}, Field: field, Found: found, Accepted: accepted,
	})
}

// readEnvelope reads the members beside `value`. It reports whether they can be used.
func (l *listing) readEnvelope() bool {
	before := len(l.errs)
	id := func(name, kind string) model.ID {
		n := l.envelope.get(name)
		if n == nil || n.kind == nullValue {
			return ""
		}
		text := n.text
		if n.kind == objectValue {
			text = n.str("id")
		}
		if !armID(text) || len(text) > maxID || !strings.EqualFold(model.ID(text).Type(), kind) {
			l.refuse(n, name, n.shown(), "the ID of a resource of type "+kind)
			return ""
		}
		return model.ID(text)
	}
	l.vnet = id("virtualNetwork", "Microsoft.Network/virtualNetworks")
	l.manager = id("networkManager", typeManager)
	if n := l.envelope.get("regions"); n != nil && n.kind != nullValue {
		if n.kind != arrayValue {
			l.refuse(n, "regions", n.shown(), "a list of regions such as westeurope")
		}
		for _, r := range n.items {
			if r.kind != textValue || model.Region(r.text) == "" {
				l.refuse(r, "regions", r.shown(), "a region such as westeurope")
				continue
			}
			l.regions = append(l.regions, model.Region(r.text))
		}
		slices.Sort(l.regions)
		l.regions = slices.Compact(l.regions)
	}
	if n := l.envelope.get("operation"); n != nil && n.kind != nullValue {
		op, ok := operations()[strings.ToLower(n.text)]
		switch {
		case !ok:
			l.refuse(n, "operation", n.shown(), operationNames)
		case l.op != noOperation && !l.op.alike(op):
			l.refuse(n, "operation", n.shown(), "the operation that lists such rows")
		default:
			l.op = op
		}
	}
	if l.op == noOperation && len(l.errs) == before {
		l.refuse(l.envelope, "operation", "nothing", operationNames+": a list without such rows does not say what it lists")
	}
	return len(l.errs) == before
}

// bind finds out whom the rows were listed for, and makes the resources.
func (l *listing) bind() {
	switch l.op {
	case effectiveRules, activeRules, effectiveConnectivity, activeConnectivity:
		if l.vnet != "" {
			l.bindVNet()
			return
		}
		l.bindRegions()
	case deploymentStatus:
		l.bindDeployments()
	}
}

func (l *listing) rules() bool { return l.op == effectiveRules || l.op == activeRules }

// bindVNet makes what is in force at one VNet.
func (l *listing) bindVNet() {
	if l.rules() {
		l.make(madeID(l.vnet, "effectiveSecurityAdminRules", "default"), "Microsoft.Network/virtualNetworks/effectiveSecurityAdminRules", func(r *resource) {
			r.emit(&model.EffectiveAdminRules{Meta: r.listMeta(), VNet: l.vnet, Rules: r.adminRows(l.rows), Cut: l.cut})
		})
		return
	}
	l.make(madeID(l.vnet, "effectiveConnectivityConfigurations", "default"), "Microsoft.Network/virtualNetworks/effectiveConnectivityConfigurations", func(r *resource) {
		r.emit(&model.EffectiveConnectivity{Meta: r.listMeta(), VNet: l.vnet, Configurations: r.connectivityRows(l.rows), Cut: l.cut})
	})
}

// managerRegion names a manager in a region.
type managerRegion struct {
	manager model.ID
	region  string
}

// bindRegions makes what is active of a manager in each region: those that rows name, and those that the envelope says were asked.
func (l *listing) bindRegions() {
	rows := map[string][]*node{}
	keys := map[string]managerRegion{}
	add := func(m model.ID, region string, n *node) {
		key := m.Key() + "|" + region
		if _, ok := keys[key]; !ok {
			keys[key] = managerRegion{m, region}
		}
		if n != nil {
			rows[key] = append(rows[key], n)
		}
	}
	for _, n := range l.rows {
		manager := managerOf(rowID(n))
		region := model.Region(n.str("region"))
		switch {
		case region == "" && len(l.regions) == 1 && l.manager != "":
			region = l.regions[0]
		case region == "":
			l.refuse(n, "virtualNetwork", "nothing", "the VNet that was asked, as `\"virtualNetwork\": \"/subscriptions/…\"` beside `value`: the rows do not name it")
			return
		}
		if l.manager != "" && manager.Key() != l.manager.Key() {
			l.refuse(n.get("id"), "id", string(rowID(n)), "a row of the network manager that the envelope names: "+string(l.manager))
			return
		}
		add(manager, region, n)
	}
	if l.manager == "" && len(l.rows) == 0 || l.manager != "" && len(l.rows) == 0 && len(l.regions) == 0 {
		l.refuse(nil, "networkManager", "nothing", "who was asked, as `\"virtualNetwork\"`, or `\"networkManager\"` and `\"regions\"`, beside `value`: an empty list does not say it")
		return
	}
	for _, region := range l.regions {
		if l.manager != "" {
			add(l.manager, region, nil)
		}
	}
	sorted := make([]string, 0, len(keys))
	for key := range keys {
		sorted = append(sorted, key)
	}
	slices.Sort(sorted)
	for _, key := range sorted {
		k, list := keys[key], rows[key]
		if l.rules() {
			l.make(madeID(k.manager, "activeSecurityAdminRules", k.region), typeManager+"/activeSecurityAdminRules", func(r *resource) {
				r.emit(&model.ActiveAdminRules{Meta: r.listMeta(), Manager: k.manager, Region: k.region, Rules: r.adminRows(list), Cut: l.cut})
			})
			continue
		}
		l.make(madeID(k.manager, "activeConnectivityConfigurations", k.region), typeManager+"/activeConnectivityConfigurations", func(r *resource) {
			r.emit(&model.ActiveConnectivity{Meta: r.listMeta(), Manager: k.manager, Region: k.region, Configurations: r.connectivityRows(list), Cut: l.cut})
		})
	}
}

// bindDeployments makes the deployment statuses of a manager. A row that deploys nothing does not name its manager.
func (l *listing) bindDeployments() {
	manager := l.manager
	for _, n := range l.rows {
		if ids := n.get("configurationIds"); manager == "" && ids != nil && len(ids.items) > 0 {
			manager = managerOf(model.ID(ids.items[0].text))
		}
	}
	if manager == "" {
		l.refuse(nil, "networkManager", "nothing", "the network manager that was asked, as `\"networkManager\": \"/subscriptions/…\"` beside `value`: the rows do not name it")
		return
	}
	l.make(madeID(manager, "deployments", "status"), typeManager+"/deploymentStatus", func(r *resource) { r.deployments(manager, l.rows, l.cut) })
}

// make adds a resource that stands for a part of the listing.
func (l *listing) make(id model.ID, kind string, read func(*resource)) {
	at := l.envelope
	if at == nil {
		at = l.list
	}
	l.resources = append(l.resources, &resource{
		importer: l.importer, file: l.file, node: at, id: id, holder: id, made: true,
		kind: resourceType{name: kind, disposition: model.Modelled, read: read},
	})
}

// rowID is the ID of a row; some answers leave the first slash out.
func rowID(n *node) model.ID {
	text := n.str("id")
	if strings.HasPrefix(strings.ToLower(text), "subscriptions/") {
		text = "/" + text
	}
	return model.ID(text)
}

// managerOf is the network manager of a rule or configuration.
func managerOf(id model.ID) model.ID {
	for ; id != ""; id = id.Parent() {
		if strings.EqualFold(id.Type(), typeManager) {
			return id
		}
	}
	return ""
}

// listMeta is what a resource made of a listing has.
func (r *resource) listMeta() model.Meta { return model.Meta{ID: r.id, Source: r.source(r.node)} }

// adminRows reads the rules of a listing.
func (r *resource) adminRows(rows []*node) []model.AdminRule {
	var out []model.AdminRule
	for _, n := range rows {
		if rule, ok := r.adminRule(n, rowID(n), true); ok {
			out = append(out, rule)
		}
	}
	sortAdminRules(out)
	// The same row twice is one rule; two different rows with one ID are both kept, as rules of one priority.
	return slices.CompactFunc(out, func(a, b model.AdminRule) bool { return a.ID.Key() == b.ID.Key() && model.Alike(a, b) })
}

// connectivityRows reads the configurations of a listing.
func (r *resource) connectivityRows(rows []*node) []model.AppliedConnectivity {
	var out []model.AppliedConnectivity
	for _, n := range rows {
		if _, at := decode[armnetwork.ActiveConnectivityConfiguration](r, n); at != nil {
			out = append(out, model.AppliedConnectivity{ID: rowID(n), Source: r.source(n), Facts: r.connectivity(at.get("properties"))})
		}
	}
	slices.SortStableFunc(out, func(a, b model.AppliedConnectivity) int { return a.ID.Compare(b.ID) })
	return out
}

// deployments reads the rows of listDeploymentStatus. Two rows of one kind and region that differ are one status that is not clear.
func (r *resource) deployments(manager model.ID, rows []*node, cut bool) {
	byID := map[string]*model.DeploymentStatus{}
	var order []*model.DeploymentStatus
	for _, n := range rows {
		_, at := decode[armnetwork.ManagerDeploymentStatus](r, n)
		if at == nil {
			continue
		}
		kind, ok := required(r, at, "deploymentType", armnetwork.PossibleConfigurationTypeValues())
		state, known := enum(at.text("deploymentStatus"), armnetwork.PossibleDeploymentStatusValues())
		region := at.text("region")
		if model.Region(region) == "" {
			r.missing(at, "region", "a region such as westeurope")
			continue
		}
		if !ok {
			continue
		}
		var configs []model.ID
		for _, v := range at.list("configurationIds") {
			if id := r.asID(v); id != "" {
				if m := managerOf(id); m.Key() != manager.Key() {
					r.fail(v, "a configuration of "+string(manager))
				}
				configs = append(configs, id)
			}
		}
		if !known || cut {
			state = "Unclear"
		}
		d := deployment(manager, string(kind), region, state, distinct(configs), r.source(n))
		if first := byID[d.ID.Key()]; first != nil {
			if !model.Alike(first, d) {
				first.State, first.Configurations = "Unclear", distinct(append(first.Configurations, d.Configurations...))
			}
			continue
		}
		byID[d.ID.Key()] = d
		order = append(order, d)
	}
	for _, d := range order {
		r.emit(d)
	}
}

// effective settles what Resource Graph names by snapshot: where the output of the list operation is there, it is the whole of it; else
// it is known that something may be in force, and not what.
func (im *importer) effective() {
	have := map[string]bool{}
	for _, o := range im.out {
		have[o.ResourceID().Key()] = true
	}
	for _, r := range im.snapshots {
		vnet := extended(r.id)
		rules := strings.EqualFold(lastSegment(r.kind.name), "effectiveSecurityAdminRules")
		segment := "effectiveConnectivityConfigurations"
		if rules {
			segment = "effectiveSecurityAdminRules"
		}
		meta := model.Meta{ID: madeID(vnet, segment, "default"), Source: r.source(r.node)}
		if vnet == "" || have[meta.ID.Key()] {
			continue
		}
		have[meta.ID.Key()] = true
		if rules {
			im.out = append(im.out, &model.EffectiveAdminRules{Meta: meta, VNet: vnet, Cut: true})
		} else {
			im.out = append(im.out, &model.EffectiveConnectivity{Meta: meta, VNet: vnet, Cut: true})
		}
	}
}
