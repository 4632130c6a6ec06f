package intent

import (
	"fmt"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/ringfence/ringfence/model"
)

// The types of this file mirror ringfence.yaml, for its JSON Schema alone: the reader fills the model directly. A field without
// omitzero is required. TestShapesAndReaderKnowTheSameKeys holds them and the reader together.

type fileShape struct {
	Ringfence      versionShape         `json:"ringfence" jsonschema_description:"Version of this file format. A part in ringfence.d may leave it to ringfence.yaml."`
	Name           string               `json:"name,omitzero" jsonschema_description:"Name of the project, as reports print it."`
	AsOf           dateShape            `json:"asOf,omitzero" jsonschema_description:"Judge every date as of this day, itself included. Leave it out to mean the day of the run (UTC); examples and archived evidence set it."`
	Standard       standardShape        `json:"standard,omitzero" jsonschema_description:"Which numbering leads in reports; both are always shown."`
	Judge          sideShape            `json:"judge,omitzero" jsonschema_description:"Which side the items are decided on: desired (the code, the default) or deployed (exports and live imports)."`
	TrustMesh      bool                 `json:"trustMesh,omitzero" jsonschema:"default=false" jsonschema_description:"Count a service mesh's authorisation policies as denies. Every verdict that leans on one says so (K8S-IST-05)."`
	Inputs         []inputShape         `json:"inputs,omitzero" jsonschema_description:"Where the estate is described. Paths and globs are relative to the folder of ringfence.yaml."`
	Zones          zonesShape           `json:"zones,omitzero" jsonschema_description:"Zones by name. The zone internet is built in. Every subnet, workload and store belongs to the zone with the most specific member; a tie is an error."`
	None           noneShape            `json:"none,omitzero" jsonschema_description:"Signed statements that something does not exist. One that an input contradicts is an error; without one, an item about the missing thing stays unknown."`
	Assertions     []assertionShape     `json:"assertions,omitzero" jsonschema_description:"What must hold. Each assertion is proved for every packet, or fails with a witness."`
	DataFlows      []dataFlowShape      `json:"dataFlows,omitzero" jsonschema_description:"How cardholder data moves (1.1.3). A flow into a store that is possible but not declared fails."`
	Stores         []storeShape         `json:"stores,omitzero" jsonschema_description:"Where cardholder data is kept."`
	Justifications []justificationShape `json:"justifications,omitzero" jsonschema_description:"Why rules exist (1.1.6). They are joined to the flows that the rules let through: rules without a reason and reasons without a rule both show."`
	Reviews        []reviewShape        `json:"reviews,omitzero" jsonschema_description:"Records of reviewed rule sets (1.1.7)."`
	Attestations   []attestationShape   `json:"attestations,omitzero" jsonschema_description:"A person's word for what no file can show."`
	Owners         []ownerShape         `json:"owners,omitzero" jsonschema_description:"Owners of controls that do not inherit the owner of the zone they are attached to (1.1.5)."`
	Documents      documentsShape       `json:"documents,omitzero" jsonschema_description:"Committed copies of what ringfence generates; items compare them with this run. Paths are relative to the folder of ringfence.yaml."`
	PCI            pciShape             `json:"pci,omitzero" jsonschema_description:"Roles and limits that no resource states. Clusters, Bastion hosts, gateways and Azure firewalls are found without it."`
}

type inputShape struct {
	Azure       textsShape        `json:"azure,omitzero" jsonschema_description:"Azure resources as JSON, as REST, Resource Graph, the az CLI or an ARM export print them."`
	ARM         textsShape        `json:"arm,omitzero" jsonschema_description:"ARM templates (what Bicep compiles to), which are evaluated."`
	Terraform   textsShape        `json:"terraform,omitzero" jsonschema_description:"Terraform plans or states as terraform show -json prints them."`
	Kubernetes  textsShape        `json:"kubernetes,omitzero" jsonschema_description:"Manifests: files, folders and kustomizations."`
	ServiceTags textsShape        `json:"serviceTags,omitzero" jsonschema_description:"A published list of service-tag prefixes. Without one, tags are symbolic (AZ-TAG-09)."`
	Snapshot    textsShape        `json:"snapshot,omitzero" jsonschema_description:"What ringfence import wrote."`
	Parameters  perhapsTextsShape `json:"parameters,omitzero" jsonschema_description:"arm: parameter files; a later one overrides an earlier one."`
	Scope       scopeShape        `json:"scope,omitzero" jsonschema_description:"arm: where the template is deployed."`
	Cluster     saidShape         `json:"cluster,omitzero" jsonschema_description:"kubernetes: the managedClusters resource that the manifests run on. Leave it out where there is one cluster."`
	Engine      saidShape         `json:"engine,omitzero" jsonschema_description:"kubernetes: what enforces network policies: azure, calico, cilium, none or another name. Only where no cluster resource says it."`
	Side        inputSideShape    `json:"side,omitzero" jsonschema_description:"Which side the input describes. Default: desired for arm, terraform and kubernetes; for the others deployed where a desired side exists, else desired. A terraform plan also has before and after (the default)."`
}

type scopeShape struct {
	Subscription  saidShape `json:"subscription,omitzero" jsonschema_description:"ID of the subscription."`
	ResourceGroup saidShape `json:"resourceGroup,omitzero" jsonschema_description:"Name of the resource group."`
	Location      saidShape `json:"location,omitzero" jsonschema_description:"Azure region, such as westeurope."`
}

type zonesShape map[string]zoneShape

type zoneShape struct {
	Kind            zoneKindShape `json:"kind" jsonschema_description:"What the zone is in the terms of the standard. data holds the stores of cardholder data."`
	Owner           string        `json:"owner,omitzero" jsonschema_description:"Who owns the zone; controls attached to it inherit the owner (1.1.5-c)."`
	Roles           rolesShape    `json:"roles,omitzero" jsonschema_description:"Who approves changes to the zone's controls and who makes them (1.1.5-d)."`
	Members         membersShape  `json:"members,omitzero" jsonschema_description:"What belongs to the zone."`
	Behind          gatewayShape  `json:"behind,omitzero" jsonschema_description:"The gateway that a zone outside of the estate stands behind (AZ-GW-11)."`
	PublicAddresses prefixesShape `json:"publicAddresses,omitzero" jsonschema_description:"Addresses under which the zone appears on the internet (1.2.3-b, 1.3.1-e)."`
}

type rolesShape struct {
	Approves string `json:"approves,omitzero" jsonschema_description:"Who approves changes."`
	Changes  string `json:"changes,omitzero" jsonschema_description:"Who makes changes."`
}

type noneShape struct {
	Clusters   statementShape `json:"clusters,omitzero" jsonschema_description:"There are no AKS clusters."`
	Ingress    statementShape `json:"ingress,omitzero" jsonschema_description:"Nothing is served to the internet."`
	Proxies    statementShape `json:"proxies,omitzero" jsonschema_description:"There are no HTTP proxies, by design."`
	OnPrem     statementShape `json:"onPrem,omitzero" jsonschema_description:"There is no network on premises."`
	VPN        statementShape `json:"vpn,omitzero" jsonschema_description:"There is no VPN for people."`
	Monitoring statementShape `json:"monitoring,omitzero" jsonschema_description:"There is no monitoring agent."`
	JumpBoxes  statementShape `json:"jumpBoxes,omitzero" jsonschema_description:"There are no jump boxes."`
	Stores     statementShape `json:"stores,omitzero" jsonschema_description:"Cardholder data is not stored."`
	Wireless   statementShape `json:"wireless,omitzero" jsonschema_description:"There is no wireless network (1.1.2-b)."`
}

type statementShape struct {
	By      saidShape `json:"by" jsonschema_description:"Who states it: a name or a role."`
	On      dateShape `json:"on" jsonschema_description:"The day of the statement."`
	Reason  saidShape `json:"reason" jsonschema_description:"Why it is so."`
	Expires dateShape `json:"expires,omitzero" jsonschema_description:"The last day on which it holds."`
}

type assertionShape struct {
	ID          saidShape     `json:"id" jsonschema_description:"Name of the assertion in results; no other has it."`
	Deny        denyShape     `json:"deny,omitzero" jsonschema_description:"Nothing passes: no packet from any endpoint of from to any address of to."`
	Only        onlyShape     `json:"only,omitzero" jsonschema_description:"Nothing but these services passes."`
	Must        mustShape     `json:"must,omitzero" jsonschema_description:"Every endpoint of from reaches each resource of to with every service listed."`
	Through     throughShape  `json:"through,omitzero" jsonschema_description:"Every path passes one of via."`
	Kind        directShape   `json:"kind,omitzero" jsonschema_description:"direct leaves relayed chains (application gateway, proxy, Bastion) out."`
	Requirement saidShape     `json:"requirement,omitzero" jsonschema_description:"The checklist item that the assertion supports, such as 1.2.3-a."`
	Except      []waiverShape `json:"except,omitzero" jsonschema_description:"Exceptions. Each is owned and expires; an expired one makes the assertion fail."`
}

type denyShape struct {
	From     selectorsShape `json:"from" jsonschema_description:"Who may not open a connection."`
	To       selectorsShape `json:"to" jsonschema_description:"To whom."`
	Services servicesShape  `json:"services,omitzero" jsonschema_description:"With which services; left out: any."`
}

type onlyShape struct {
	From     selectorsShape    `json:"from" jsonschema_description:"Who opens connections."`
	To       selectorsShape    `json:"to" jsonschema_description:"To whom."`
	Services someServicesShape `json:"services" jsonschema_description:"The services that may pass; all others must not."`
}

type mustShape struct {
	From     selectorsShape `json:"from" jsonschema_description:"Who must be able to open a connection."`
	To       selectorsShape `json:"to" jsonschema_description:"To whom."`
	Services servicesShape  `json:"services" jsonschema_description:"With which services; each must work."`
}

type throughShape struct {
	From     selectorsShape `json:"from" jsonschema_description:"Where the paths begin."`
	To       selectorsShape `json:"to" jsonschema_description:"Where the paths end."`
	Services servicesShape  `json:"services,omitzero" jsonschema_description:"With which services; left out: any."`
	Via      selectorsShape `json:"via" jsonschema_description:"What every path must pass: one of these."`
}

type waiverShape struct {
	From     selectorsShape `json:"from,omitzero" jsonschema_description:"Senders that are excepted; left out: those of the assertion."`
	To       selectorsShape `json:"to,omitzero" jsonschema_description:"Targets that are excepted; left out: those of the assertion."`
	Services servicesShape  `json:"services,omitzero" jsonschema_description:"Services that are excepted; left out: those of the assertion."`
	Owner    saidShape      `json:"owner" jsonschema_description:"Who answers for the exception."`
	Reason   saidShape      `json:"reason" jsonschema_description:"Why it is needed."`
	Expires  dateShape      `json:"expires" jsonschema_description:"The last day on which it holds."`
}

type dataFlowShape struct {
	Name       saidShape       `json:"name" jsonschema_description:"Name of the flow in the diagram; no other has it."`
	Data       textsShape      `json:"data" jsonschema_description:"What moves, such as PAN, expiry or CVV."`
	From       selectorShape   `json:"from" jsonschema_description:"Where the data enters."`
	Path       hopsShape       `json:"path" jsonschema_description:"The hops after that, in order; the last one is where the data ends."`
	Service    serviceShape    `json:"service" jsonschema_description:"The service on the way in, such as tcp/443."`
	Protection protectionShape `json:"protection,omitzero" jsonschema_description:"How the data is protected, where no resource says it."`
}

type protectionShape struct {
	InTransit string `json:"inTransit,omitzero" jsonschema_description:"On the way, such as TLS 1.2 from end to end."`
	AtRest    string `json:"atRest,omitzero" jsonschema_description:"Where it ends, such as TDE with a customer-managed key."`
}

type storeShape struct {
	At     selectorShape `json:"at" jsonschema_description:"The PaaS service (with all its doors), VM or pod that holds the data."`
	Data   textsShape    `json:"data" jsonschema_description:"What is stored, such as PAN."`
	AtRest string        `json:"atRest,omitzero" jsonschema_description:"How it is protected, such as TDE with a customer-managed key."`
}

type justificationShape struct {
	Rules            globsShape        `json:"rules" jsonschema_description:"Rules by name or glob: KIND:CONTROL/RULE, such as nsg:nsg-inscope/AllowAgwIn. * stands for any characters within one part, ? for one."`
	Reason           saidShape         `json:"reason" jsonschema_description:"Why the rules are needed."`
	Owner            string            `json:"owner,omitzero" jsonschema_description:"Who answers for the rules. Needed for the justification to be valid."`
	ApprovedBy       string            `json:"approvedBy,omitzero" jsonschema_description:"Who approved them. Needed for the justification to be valid."`
	Ticket           string            `json:"ticket,omitzero" jsonschema_description:"The change that brought them."`
	Expires          dateShape         `json:"expires,omitzero" jsonschema_description:"The last day on which the justification holds."`
	JIT              bool              `json:"jit,omitzero" jsonschema:"default=false" jsonschema_description:"The rules are opened just in time: judged as written in the plain run, open in the variant jit-open."`
	SecurityFeatures perhapsTextsShape `json:"securityFeatures,omitzero" jsonschema_description:"What makes up for an insecure protocol. Verified: mtls, tls-enforced, private-endpoint, vpn-ipsec, redirect-only, waf, single-host, smb3-encryption, snmpv3, starttls-required, monitored; other words are shown as declared."`
	Allows           allowsShape       `json:"allows,omitzero" jsonschema_description:"What the rules may let through at most; what they let through beyond it fails (1.1.5-e)."`
}

type allowsShape struct {
	From     selectorsShape `json:"from,omitzero" jsonschema_description:"From whom; left out: anybody."`
	To       selectorsShape `json:"to,omitzero" jsonschema_description:"To whom; left out: anybody."`
	Services servicesShape  `json:"services,omitzero" jsonschema_description:"With which services; left out: any."`
}

type reviewShape struct {
	RuleSets  globsShape `json:"ruleSets" jsonschema_description:"The rule sets that were reviewed, by name or glob: KIND:NAME, such as nsg:* or policy:aks-prod/*."`
	By        saidShape  `json:"by" jsonschema_description:"Who reviewed: a name or a role."`
	On        dateShape  `json:"on" jsonschema_description:"The day of the review. The next one is due six months later."`
	Actions   string     `json:"actions,omitzero" jsonschema_description:"What the review led to; anything but none needs a ticket."`
	Snapshot  saidShape  `json:"snapshot,omitzero" jsonschema_description:"Snapshot of the reviewed state: the report then shows every flow that changed since."`
	Procedure string     `json:"procedure,omitzero" jsonschema_description:"Where the procedure is written down."`
	Ticket    string     `json:"ticket,omitzero" jsonschema_description:"The ticket of the review or its actions."`
}

type attestationShape struct {
	Item     saidShape `json:"item" jsonschema_description:"The checklist item, such as 1.5-c."`
	By       saidShape `json:"by" jsonschema_description:"Who attests: a name or a role."`
	On       dateShape `json:"on" jsonschema_description:"The day of the attestation."`
	Expires  dateShape `json:"expires,omitzero" jsonschema_description:"The last day on which it holds, at most 24 months after on; left out: 12 months after on."`
	Evidence string    `json:"evidence,omitzero" jsonschema_description:"Where the evidence is. Needed for the attestation to be valid; it is printed, not fetched."`
	Reason   string    `json:"reason,omitzero" jsonschema_description:"What the attestation says."`
}

type ownerShape struct {
	Controls globsShape `json:"controls" jsonschema_description:"Controls by name or glob: KIND:NAME, such as firewall-policy:*."`
	Owner    saidShape  `json:"owner" jsonschema_description:"Who owns them."`
	Roles    rolesShape `json:"roles,omitzero" jsonschema_description:"Who approves changes to them and who makes them."`
}

type documentsShape struct {
	Network   saidShape         `json:"network,omitzero" jsonschema_description:"The network diagram (1.1.2)."`
	DataFlow  saidShape         `json:"dataflow,omitzero" jsonschema_description:"The diagram of cardholder data flows (1.1.3)."`
	Zones     saidShape         `json:"zones,omitzero" jsonschema_description:"The table of zones and their controls (1.1.5-b)."`
	Rules     saidShape         `json:"rules,omitzero" jsonschema_description:"The table of rules and their reasons (1.1.6-a, 1.5-b)."`
	Endpoints saidShape         `json:"endpoints,omitzero" jsonschema_description:"The inventory of public endpoints that each zone reaches (1.2.1-c)."`
	Pipelines perhapsTextsShape `json:"pipelines,omitzero" jsonschema_description:"Pipelines that generate the documents (1.1.3-c)."`
}

type pciShape struct {
	JumpBoxes         perhapsSelectorsShape  `json:"jumpBoxes,omitzero" jsonschema_description:"Jump boxes. That there are none is said under none."`
	Proxies           perhapsSelectorsShape  `json:"proxies,omitzero" jsonschema_description:"HTTP proxies that egress must use. That there are none by design is said under none."`
	IngressRouters    perhapsSelectorsShape  `json:"ingressRouters,omitzero" jsonschema_description:"Reverse proxies that are not recognised by themselves."`
	Firewalls         perhapsSelectorsShape  `json:"firewalls,omitzero" jsonschema_description:"Appliances with modelled rules that count as the firewall."`
	Appliances        perhapsSelectorsShape  `json:"appliances,omitzero" jsonschema_description:"NICs that may forward packets (1.3.3-a)."`
	ExemptNamespaces  exemptNamespacesShape  `json:"exemptNamespaces,omitzero" jsonschema_description:"Namespaces that need no default deny (1.1.4-i). kube-system, gatekeeper-system and the others that AKS provides are exempt already."`
	AllowedPorts      allowedPortsShape      `json:"allowedPorts,omitzero" jsonschema_description:"Ports that may be in use."`
	Monitoring        []monitoringShape      `json:"monitoring,omitzero" jsonschema_description:"Paths that the monitoring agent needs (1.1.4-k)."`
	AuthorizedSources authorizedSourcesShape `json:"authorizedSources,omitzero" jsonschema_description:"Who may reach nodes and API servers beyond the cluster's own nodes and the jump boxes (1.2.3-c)."`
	EmergencyAccess   []emergencyAccessShape `json:"emergencyAccess,omitzero" jsonschema_description:"Openings for an emergency, which end."`
	NetworkAdmins     []networkAdminShape    `json:"networkAdmins,omitzero" jsonschema_description:"Principals that may change network controls (1.1.1-c)."`
	NodeEgress        perhapsServicesShape   `json:"nodeEgress,omitzero" jsonschema_description:"Services that nodes may use outwards (1.3.4-b, 1.1.6-b)."`
	DefaultDeny       defaultDenyShape       `json:"defaultDeny,omitzero" jsonschema_description:"What a namespace's default deny may leave open (1.1.4-h)."`
	PublicIPSubnets   perhapsSelectorsShape  `json:"publicIPSubnets,omitzero" jsonschema_description:"Further subnets that may hold public addresses (1.3.4-e)."`
	LogRetentionDays  int                    `json:"logRetentionDays,omitzero" jsonschema:"minimum=1,maximum=36500,default=365" jsonschema_description:"Days that logs must be kept (1.2.2-c)."`
}

type exemptNamespacesShape struct {
	Cluster saidShape              `json:"cluster,omitzero" jsonschema_description:"The cluster that this is about. Leave it out where there is one."`
	Add     []exemptNamespaceShape `json:"add,omitzero" jsonschema_description:"Namespaces that are exempt too."`
	Only    []onlyNamespaceShape   `json:"only,omitzero" jsonschema_description:"Replaces the list of exempt namespaces: these and no others. Not together with add."`
}

type exemptNamespaceShape struct {
	Name    namespaceShape `json:"name" jsonschema_description:"Exact name of the namespace."`
	Owner   saidShape      `json:"owner" jsonschema_description:"Who answers for the exemption."`
	Reason  saidShape      `json:"reason" jsonschema_description:"Why it needs no default deny."`
	Expires dateShape      `json:"expires" jsonschema_description:"The last day on which the exemption holds."`
}

type allowedPortsShape struct {
	Workloads portsShape `json:"workloads" jsonschema_description:"Ports that workloads may serve (1.1.4-l)."`
}

type monitoringShape struct {
	From     selectorsShape `json:"from" jsonschema_description:"The agents."`
	To       selectorsShape `json:"to" jsonschema_description:"Where they send to."`
	Services servicesShape  `json:"services" jsonschema_description:"With which services."`
}

type authorizedSourcesShape struct {
	Nodes perhapsSelectorsShape `json:"nodes,omitzero" jsonschema_description:"Who may reach nodes."`
	API   perhapsSelectorsShape `json:"api,omitzero" jsonschema_description:"Who may reach API servers."`
}

type emergencyAccessShape struct {
	From       selectorsShape `json:"from" jsonschema_description:"From whom."`
	To         selectorsShape `json:"to" jsonschema_description:"To whom."`
	Services   servicesShape  `json:"services" jsonschema_description:"With which services."`
	ApprovedBy saidShape      `json:"approvedBy" jsonschema_description:"Who approved it."`
	Reason     saidShape      `json:"reason" jsonschema_description:"Why, such as the number of the incident."`
	Expires    dateShape      `json:"expires" jsonschema_description:"The last day on which it is open."`
}

type networkAdminShape struct {
	Principal saidShape `json:"principal" jsonschema_description:"Object ID of the user, group or service principal."`
	Name      string    `json:"name,omitzero" jsonschema_description:"Its name, for the report."`
	Role      string    `json:"role,omitzero" jsonschema_description:"What it does, such as approves or changes."`
}

type defaultDenyShape struct {
	AllowDNS bool `json:"allowDNS,omitzero" jsonschema:"default=true" jsonschema_description:"Leave DNS to the cluster's own DNS pods open."`
}

// The types below are values, not mappings: what text they are, and whether one value may stand for a list of one.

type (
	versionShape   string
	saidShape      string
	dateShape      string
	standardShape  string
	sideShape      string
	inputSideShape string
	zoneKindShape  string
	directShape    string
	selectorShape  string
	gatewayShape   string
	serviceShape   string
	namespaceShape string

	selectorsShape        []string
	perhapsSelectorsShape []string
	membersShape          []string
	hopsShape             []string
	servicesShape         []string
	someServicesShape     []string
	perhapsServicesShape  []string
	textsShape            []string
	perhapsTextsShape     []string
	globsShape            []string
	portsShape            []string
	prefixesShape         []string
	onlyNamespaceShape    string
)

func words(description string, list ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Description: description}
	for _, w := range list {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func pattern(description, pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Description: description}
}

// perhapsMany is one value, or a list of any number.
func perhapsMany(one *jsonschema.Schema) *jsonschema.Schema {
	item := *one
	item.Description = ""
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{&item, {Type: "array", Items: &item}}, Description: one.Description + ", or a list of them"}
}

// many is one value, or a list of one or more.
func many(one *jsonschema.Schema) *jsonschema.Schema {
	s, least := perhapsMany(one), uint64(1)
	s.AnyOf[1].MinItems = &least
	return s
}

func said() *jsonschema.Schema { return pattern("Text that is not empty", `\S`) }

func (versionShape) JSONSchema() *jsonschema.Schema { return words("Version of the format", version) }
func (saidShape) JSONSchema() *jsonschema.Schema    { return said() }

func (dateShape) JSONSchema() *jsonschema.Schema {
	s := pattern("A day, YYYY-MM-DD", `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
	s.Format = "date"
	return s
}

func (standardShape) JSONSchema() *jsonschema.Schema { return words("A standard", standards()...) }
func (sideShape) JSONSchema() *jsonschema.Schema     { return words("A side", sides()...) }
func (directShape) JSONSchema() *jsonschema.Schema   { return words("What counts as a path", "direct") }

func (inputSideShape) JSONSchema() *jsonschema.Schema {
	return words("The side that an input describes", append(sides(), "before", "after")...)
}

func (zoneKindShape) JSONSchema() *jsonschema.Schema {
	var kinds []string
	for _, k := range model.ZoneKinds() {
		kinds = append(kinds, string(k))
	}
	return words("Kind of a zone", kinds...)
}

// selectorPattern accepts selectors of some kinds; those of internet and any have no name.
func selectorPattern(negated bool, accepts func(model.SelectorKind) bool) string {
	var bare, named []string
	for _, k := range model.SelectorKinds() {
		switch {
		case !accepts(k):
		case k == model.SelInternet || k == model.SelAny:
			bare = append(bare, string(k))
		default:
			named = append(named, string(k))
		}
	}
	bare = append(bare, "("+strings.Join(named, "|")+"):(/.+|[^/]+(/[^/]+)*)")
	out := "(" + strings.Join(bare, "|") + ")$"
	if negated {
		return "^(not:)?" + out
	}
	return "^" + out
}

func anyKind(model.SelectorKind) bool { return true }

func (selectorShape) JSONSchema() *jsonschema.Schema {
	return pattern("A selector, such as internet, zone:cde, subnet:vnet-spoke/snet-pe or pod:payments/api", selectorPattern(false, anyKind))
}

func (gatewayShape) JSONSchema() *jsonschema.Schema {
	return pattern("A gateway, gateway:NAME", selectorPattern(false, func(k model.SelectorKind) bool { return k == model.SelGateway }))
}

// positive asks a list for one selector that is no exclusion.
func positive(s *jsonschema.Schema) *jsonschema.Schema {
	excluded := &jsonschema.Schema{Pattern: "^not:"}
	s.AnyOf[0].Not = excluded
	list := *s.AnyOf[1]
	items := *list.Items
	items.Not = nil // perhapsMany shares it with the single value
	list.Items = &items
	list.Contains = &jsonschema.Schema{Not: excluded}
	s.AnyOf[1] = &list
	return s
}

func selectorItem() *jsonschema.Schema {
	return pattern("A selector, such as zone:cde; not: excludes what it names", selectorPattern(true, anyKind))
}

func (selectorsShape) JSONSchema() *jsonschema.Schema { return positive(many(selectorItem())) }

func (membersShape) JSONSchema() *jsonschema.Schema {
	return positive(many(pattern("A selector of what can be a member of a zone, such as subnet:vnet-spoke/snet-pe or ns:aks-prod/payments", selectorPattern(true, isMember))))
}

func (perhapsSelectorsShape) JSONSchema() *jsonschema.Schema {
	s := positive(perhapsMany(selectorItem()))
	none := uint64(0)
	s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Type: "array", MaxItems: &none})
	return s
}

func (hopsShape) JSONSchema() *jsonschema.Schema { return many(selectorShape("").JSONSchema()) }

const (
	portPattern    = `([0-9]{1,5}(-[0-9]{1,5})?|\*)`
	servicePattern = `(([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP])(/` + portPattern + `){0,2}|[iI][cC][mM][pP]([vV]6)?|[eE][sS][pP]|[aA][hH])`
)

func serviceItem() *jsonschema.Schema {
	return pattern("A service: tcp/443, udp/53, tcp/8000-8100, tcp/1433/50000 (with a source port), icmp, esp, ah or any", "^("+servicePattern+"|[aA][nN][yY])$")
}

func (serviceShape) JSONSchema() *jsonschema.Schema         { return serviceItem() }
func (servicesShape) JSONSchema() *jsonschema.Schema        { return many(serviceItem()) }
func (perhapsServicesShape) JSONSchema() *jsonschema.Schema { return perhapsMany(serviceItem()) }

func (someServicesShape) JSONSchema() *jsonschema.Schema {
	return many(pattern("A service less than any: tcp/443, udp/53, tcp/8000-8100, tcp/1433/50000 (with a source port), icmp, esp or ah", "^"+servicePattern+"$"))
}

func (textsShape) JSONSchema() *jsonschema.Schema        { return many(said()) }
func (perhapsTextsShape) JSONSchema() *jsonschema.Schema { return perhapsMany(said()) }

func (globsShape) JSONSchema() *jsonschema.Schema {
	s := pattern("KIND:NAME, with * for any characters within one part and ? for one", globPattern)
	s.Not = &jsonschema.Schema{Pattern: `\*\*`}
	return many(s)
}

func (portsShape) JSONSchema() *jsonschema.Schema {
	number := &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: "65535"}
	return perhapsMany(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{number, pattern("", "^"+portPattern+"$")}, Description: "A port, or a range such as 8000-8100"})
}

func (prefixesShape) JSONSchema() *jsonschema.Schema {
	return perhapsMany(pattern("An address or CIDR, such as 203.0.113.16/28", `^[0-9a-fA-F:.]+(/[0-9]{1,3})?$`))
}

func (namespaceShape) JSONSchema() *jsonschema.Schema {
	return pattern("Exact name of a namespace", namespacePattern)
}

func (onlyNamespaceShape) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Ref: "#/$defs/namespace"}, {Ref: "#/$defs/exemptNamespace"}}, Description: "A namespace of the list, by name, or a further one with its statement"}
}

// The rest is what the keys of a mapping demand of each other.

func oneRequired(keys ...string) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, k := range keys {
		out = append(out, &jsonschema.Schema{Required: []string{k}})
	}
	return out
}

func (assertionShape) JSONSchemaExtend(s *jsonschema.Schema) {
	s.OneOf = oneRequired("deny", "only", "must", "through")
}

func (waiverShape) JSONSchemaExtend(s *jsonschema.Schema) {
	s.AnyOf = oneRequired("from", "to", "services")
}

func (allowsShape) JSONSchemaExtend(s *jsonschema.Schema) {
	s.AnyOf = oneRequired("from", "to", "services")
}

func (inputShape) JSONSchemaExtend(s *jsonschema.Schema) {
	var kinds []string
	for _, k := range InputKinds() {
		kinds = append(kinds, string(k))
	}
	s.OneOf = oneRequired(kinds...)
	s.DependentRequired = map[string][]string{"parameters": {"arm"}, "scope": {"arm"}, "cluster": {"kubernetes"}, "engine": {"kubernetes"}}
	s.If = &jsonschema.Schema{Properties: jsonschema.NewProperties(), Required: []string{"side"}}
	s.If.Properties.Set("side", &jsonschema.Schema{Enum: []any{"before", "after"}})
	s.Then = &jsonschema.Schema{Required: []string{"terraform"}}
}

func (zonesShape) JSONSchemaExtend(s *jsonschema.Schema) {
	s.PropertyNames = &jsonschema.Schema{Pattern: fmt.Sprintf(`^[^\s/*]{1,%d}$`, maxZoneName), Not: &jsonschema.Schema{Const: string(model.ZoneInternet)}}
}

func (zoneShape) JSONSchemaExtend(s *jsonschema.Schema) {
	s.AnyOf = oneRequired("members", "publicAddresses")
	external := &jsonschema.Schema{}
	for _, k := range model.ZoneKinds() {
		if k.External() {
			external.Enum = append(external.Enum, string(k))
		}
	}
	s.DependentSchemas = map[string]*jsonschema.Schema{"behind": {Properties: jsonschema.NewProperties()}}
	s.DependentSchemas["behind"].Properties.Set("kind", external)
}

func (exemptNamespacesShape) JSONSchemaExtend(s *jsonschema.Schema) {
	one := uint64(1)
	both := &jsonschema.Schema{Required: []string{"add", "only"}, Properties: jsonschema.NewProperties()}
	both.Properties.Set("add", &jsonschema.Schema{MinItems: &one})
	s.Not = both
}
