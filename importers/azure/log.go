package azure

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
)

type diagnosticSetting struct {
	Properties *diagnosticProperties `json:"properties,omitempty"`
}

type diagnosticProperties struct {
	Workspace   *string        `json:"workspaceId,omitempty"`
	Storage     *string        `json:"storageAccountId,omitempty"`
	EventHub    *string        `json:"eventHubAuthorizationRuleId,omitempty"`
	Destination *string        `json:"logAnalyticsDestinationType,omitempty"`
	Logs        []*logSettings `json:"logs,omitempty"`
}

type logSettings struct {
	Category *string    `json:"category,omitempty"`
	Group    *string    `json:"categoryGroup,omitempty"`
	Enabled  *bool      `json:"enabled,omitempty"`
	Keep     *logPolicy `json:"retentionPolicy,omitempty"`
}

type logPolicy struct {
	Enabled *bool  `json:"enabled,omitempty"`
	Days    *int32 `json:"days,omitempty"`
}

type flowLog struct {
	Properties *flowLogProperties `json:"properties,omitempty"`
}

type flowLogProperties struct {
	Target    *string        `json:"targetResourceId,omitempty"`
	Storage   *string        `json:"storageId,omitempty"`
	Enabled   *bool          `json:"enabled,omitempty"`
	Keep      *logPolicy     `json:"retentionPolicy,omitempty"`
	Analytics *flowAnalytics `json:"flowAnalyticsConfiguration,omitempty"`
}

type flowAnalytics struct {
	Watcher *watcherAnalytics `json:"networkWatcherFlowAnalyticsConfiguration,omitempty"`
}

type watcherAnalytics struct {
	Enabled   *bool   `json:"enabled,omitempty"`
	Workspace *string `json:"workspaceResourceId,omitempty"`
}

type logTable struct {
	Properties *logTableProperties `json:"properties,omitempty"`
}

type logTableProperties struct {
	Total *int32 `json:"totalRetentionInDays,omitempty"`
}

type managementPolicy struct {
	Properties *managementProperties `json:"properties,omitempty"`
}

type managementProperties struct {
	Policy *lifecyclePolicy `json:"policy,omitempty"`
}

type lifecyclePolicy struct {
	Rules []*lifecycleRule `json:"rules,omitempty"`
}

type lifecycleRule struct {
	Name       *string              `json:"name,omitempty"`
	Enabled    *bool                `json:"enabled,omitempty"`
	Definition *lifecycleDefinition `json:"definition,omitempty"`
}

type lifecycleDefinition struct {
	Actions *lifecycleActions `json:"actions,omitempty"`
	Filters *lifecycleFilters `json:"filters,omitempty"`
}

type lifecycleActions struct {
	Base *lifecycleBase `json:"baseBlob,omitempty"`
}

type lifecycleBase struct {
	Delete *lifecycleDelete `json:"delete,omitempty"`
}

// lifecycleDelete holds numbers, which the API prints as 365.0.
type lifecycleDelete struct {
	Modified any `json:"daysAfterModificationGreaterThan,omitempty"`
	Created  any `json:"daysAfterCreationGreaterThan,omitempty"`
	Accessed any `json:"daysAfterLastAccessTimeGreaterThan,omitempty"`
}

type lifecycleFilters struct {
	BlobTypes []*string `json:"blobTypes,omitempty"`
	Prefixes  []*string `json:"prefixMatch,omitempty"`
}

func logFields() map[string]fieldUse {
	const top = "etag extendedLocation id identity kind location name sku systemData tags type zones"
	return map[string]fieldUse{
		"diagnosticSetting": {harmless: top},
		"diagnosticProperties": {
			harmless: "eventHubName metrics",
			matters: map[string]string{
				"marketplacePartnerId": "sends logs to a partner's service, which counts for none of the sinks of 1.2.2-c",
				"serviceBusRuleId":     "sends logs to a Service Bus, which counts for none of the sinks of 1.2.2-c",
			},
		},
		"logSettings": {harmless: "timeGrain"},
		"logPolicy":   {},
		"flowLog":     {harmless: top},
		"flowLogProperties": {harmless: "format provisioningState targetResourceGuid", matters: map[string]string{
			"enabledFilteringCriteria": "records some flows and not others; the log counts as one of all",
			"recordTypes":              "records some kinds of flows and not others; the log counts as one of all",
		}},
		"flowAnalytics":    {},
		"watcherAnalytics": {harmless: "trafficAnalyticsInterval workspaceId workspaceRegion"},
		"logTable":         {harmless: top},
		"logTableProperties": {harmless: `archiveRetentionInDays lastPlanModifiedDate plan provisioningState restoredLogs resultStatistics retentionInDays
			retentionInDaysAsDefault schema searchResults totalRetentionInDaysAsDefault`},
		"managementPolicy":     {harmless: top},
		"managementProperties": {harmless: "lastModifiedTime"},
		"lifecyclePolicy":      {},
		"lifecycleRule":        {harmless: "type"},
		"lifecycleDefinition":  {},
		"lifecycleActions":     {harmless: "snapshot version"},
		"lifecycleBase":        {harmless: "enableAutoTierToHotFromCool tierToArchive tierToCold tierToCool tierToHot"},
		"lifecycleDelete":      {harmless: "daysAfterLastTierChangeGreaterThan"},
		"lifecycleFilters":     {harmless: "blobIndexMatch"}, // a rule that deletes some of the logs deletes logs
	}
}

// readDiagnosticSetting reads which logs go where. It carries no packet; what it says is evidence. An absent `enabled` is false.
func readDiagnosticSetting(r *resource) {
	is, at := decode[diagnosticSetting](r, r.node)
	if is == nil {
		return
	}
	p := at.get("properties")
	s := &model.DiagnosticSetting{
		Meta: r.meta(), Target: scopeAt(r), Workspace: r.idText(p, "workspaceId"), Storage: r.idText(p, "storageAccountId"),
		EventHub: r.idText(p, "eventHubAuthorizationRuleId"), Dedicated: strings.EqualFold(p.text("logAnalyticsDestinationType"), "Dedicated"),
	}
	if s.Target == "/" {
		r.errorAt(r.node.get("id"), "", string(r.id), "the ID of a diagnostic setting: RESOURCE/providers/Microsoft.Insights/diagnosticSettings/NAME")
		return
	}
	for _, v := range p.list("logs") {
		c := model.LogCategory{Category: v.text("category"), Group: v.text("categoryGroup"), Enabled: boolean(v, "enabled") == model.On, Keep: keepDays(v)}
		if c.Category == "" && c.Group == "" {
			r.missing(v, "category", "a category of logs, or a categoryGroup")
			continue
		}
		s.Logs = append(s.Logs, c)
	}
	slices.SortStableFunc(s.Logs, func(a, b model.LogCategory) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Category), strings.ToLower(b.Category)), cmp.Compare(strings.ToLower(a.Group), strings.ToLower(b.Group)))
	})
	r.emit(s)
}

// readFlowLog reads the flow log of a network. An absent `enabled` is false.
func readFlowLog(r *resource) {
	is, at := decode[flowLog](r, r.node)
	if is == nil {
		return
	}
	p := at.get("properties")
	f := &model.FlowLog{Meta: r.meta(), Target: r.idText(p, "targetResourceId"), Storage: r.idText(p, "storageId"), Enabled: boolean(p, "enabled") == model.On, Keep: keepDays(p)}
	if p.text("targetResourceId") == "" {
		r.missing(p, "targetResourceId", "the ID of a network, a subnet, a network interface or an NSG")
	}
	if w := p.get("flowAnalyticsConfiguration", "networkWatcherFlowAnalyticsConfiguration"); boolean(w, "enabled") == model.On {
		f.Workspace = r.idText(w, "workspaceResourceId")
	}
	r.emit(f)
}

// keepDays is the retention policy of a log in a storage account: 0 where it is off, or keeps for ever.
func keepDays(v *value) int {
	p := v.get("retentionPolicy")
	if boolean(p, "enabled") != model.On {
		return 0
	}
	if d := p.get("days"); d != nil {
		return number(d.raw)
	}
	return 0
}

// logTables reads how long single tables of a workspace keep their rows. Tables of the customer's own (…_CL) take no logs of resources.
func (r *resource) logTables() []model.LogTable {
	var out []model.LogTable
	for _, child := range r.children["tables"] {
		is, at := decode[logTable](child, child.node)
		if is == nil || is.Properties == nil || is.Properties.Total == nil || strings.HasSuffix(strings.ToUpper(child.id.Name()), "_CL") {
			continue
		}
		out = append(out, model.LogTable{Name: strings.ToLower(child.id.Name()), Days: number(at.get("properties", "totalRetentionInDays").raw)})
	}
	slices.SortStableFunc(out, func(a, b model.LogTable) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Days, b.Days))
	})
	return slices.Compact(out)
}

// lifecycles reads the rules of a storage account that delete blobs in containers of logs. Days since the last access count as days since
// the blob was written: nobody may have read it.
func (r *resource) lifecycles() []model.Lifecycle {
	var out []model.Lifecycle
	for _, child := range r.children["managementpolicies"] {
		_, at := decode[managementPolicy](child, child.node)
		for _, v := range at.list("properties", "policy", "rules") {
			if e := v.get("enabled"); e != nil && boolean(v, "enabled") != model.On { // absent is true
				continue
			}
			x := model.Lifecycle{Name: v.text("name"), Source: child.source(v.raw), Days: -1}
			for _, name := range []string{"daysAfterModificationGreaterThan", "daysAfterCreationGreaterThan", "daysAfterLastAccessTimeGreaterThan"} {
				d := v.get("definition", "actions", "baseBlob", "delete", name)
				if d == nil {
					continue
				}
				days, err := strconv.ParseFloat(d.raw.text, 64)
				if d.raw.kind != numberValue || err != nil || days < 0 || days > 1e6 {
					child.fail(d, "a number of days")
					continue
				}
				if x.Days < 0 || int(days) < x.Days {
					x.Days = int(days)
				}
			}
			if x.Days < 0 { // it deletes nothing
				continue
			}
			prefixes := v.list("definition", "filters", "prefixMatch")
			for _, p := range prefixes {
				container, _, _ := strings.Cut(p.raw.text, "/")
				for _, logs := range []string{"insights-logs-", "insights-activity-logs"} {
					if low := strings.ToLower(container); strings.HasPrefix(logs, low) || strings.HasPrefix(low, logs) {
						x.Containers = append(x.Containers, low)
						break
					}
				}
			}
			if len(prefixes) > 0 && len(x.Containers) == 0 {
				continue
			}
			for _, t := range v.list("definition", "filters", "blobTypes") {
				x.BlobTypes = append(x.BlobTypes, t.raw.text)
			}
			slices.Sort(x.Containers)
			slices.Sort(x.BlobTypes)
			x.Containers, x.BlobTypes = slices.Compact(x.Containers), slices.Compact(x.BlobTypes)
			out = append(out, x)
		}
	}
	return merge(r, "managementPolicies", out, func(x model.Lifecycle) (string, model.Source) { return x.Name, x.Source })
}
