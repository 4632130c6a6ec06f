package intent

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// bad is a file that is not accepted, and all that is said about it. The schema refuses it too, unless it is marked as something that
// only the reader sees: a comparison of two places, or text that no pattern describes.
type bad struct {
	what   string
	text   string
	want   string // without the name of the file
	reader bool   // only the reader sees it
}

// badFiles are judged after a first line `ringfence: v1`, so that their own lines count from 2.
func badFiles() []bad {
	return []bad{
		// keys
		{what: "unknown key", text: "asof: 2026-01-01", want: "2: found `asof`, want a key of ringfence, name, asOf, standard, judge, trustMesh, inputs, zones, none, assertions, dataFlows, stores, justifications, reviews, attestations, owners, documents, pci: did you mean `asOf`?"},
		{what: "unknown key that is near to none", text: "zones: {cde: {kind: cde, members: any, colour: red}}", want: "2: zones.cde: found `colour`, want a key of kind, owner, roles, members, behind, publicAddresses\n" +
			"2: zones.cde.members: found `any`, want a member of kind vnet, subnet, nic, vm, ip, cidr, cluster, nodepool, ns, pod, apiserver, service, endpoint, firewall, appgw, frontdoor, apim, lb, bastion, gateway"},
		{what: "unknown key deep down", text: "assertions:\n  - id: a\n    deny:\n      from: internet\n      to: any\n      vai: any", want: "7: assertions[0].deny: found `vai`, want a key of from, to, services"},
		{what: "via belongs to through", text: "assertions: [{id: a, only: {from: any, to: any, services: icmp, via: any}}]", want: "2: assertions[0].only: found `via`, want a key of from, to, services"},
		{what: "key twice", text: "name: a\nname: b", want: "3: name: stands here twice, first at ringfence.yaml:2", reader: true},
		{what: "key twice deep down", text: "zones:\n  a: {kind: cde, members: 'vnet:v'}\n  b: {kind: cde,\n      kind: dmz, members: 'vnet:w'}\n  a: {kind: dmz, members: 'vnet:x'}", want: "5: zones.b.kind: stands here twice, first at ringfence.yaml:4\n6: zones.a: stands here twice, first at ringfence.yaml:3", reader: true},
		{what: "key in another notation twice", text: "name: a\n\"name\": b", want: "3: name: stands here twice, first at ringfence.yaml:2", reader: true},
		{what: "key without a name", text: "? \n: x", want: "2: want a key that is a word; the value is empty"},
		{what: "key that is a list", text: "? [name]\n: x", want: "2: want a key that is a word; this is a list"},
		{what: "merge key", text: "stores: [&a {at: 'vm:a', data: PAN}, {<<: *a, data: CVV}]", want: "2: stores[1]: `<<` is not read: write the keys out\n2: stores[1]: want the key `at`, which is missing"},

		// types
		{what: "number for text", text: "name: 1042", want: "2: name: found `1042`, want text: write it in quotes"},
		{what: "list for text", text: "name: [a]", want: "2: name: want text; this is a list"},
		{what: "nothing for text", text: "name:", want: "2: name: want text; the value is empty"},
		{what: "tag", text: "name: !secret a", want: "2: name: found `!secret`, want text without a YAML tag", reader: true},
		{what: "tag on a list", text: "stores: !!set []", want: "2: stores: found `!!set`, want a list without a YAML tag", reader: true},
		{what: "tag on a mapping", text: "zones: !!set {}", want: "2: zones: found `!!set`, want a mapping without a YAML tag", reader: true},
		{what: "text for a list", text: "assertions: none", want: "2: assertions: found `none`, want a list (write [] for an empty one)"},
		{what: "nothing for a list", text: "assertions:\nstores:", want: "2: assertions: want a list (write [] for an empty one); the value is empty\n3: stores: want a list (write [] for an empty one); the value is empty"},
		{what: "mapping for a list", text: "assertions: {a: b}", want: "2: assertions: want a list (write [] for an empty one); this is a mapping"},
		{what: "list for a mapping", text: "zones: [cde]", want: "2: zones: want a mapping (`key: value`); this is a list"},
		{what: "text for a mapping", text: "stores: [service:sql]", want: "2: stores[0]: found `service:sql`, want a mapping (`key: value`)"},
		{what: "word for true", text: "trustMesh: yes", want: "2: trustMesh: found `yes`, want true or false"},
		{what: "text for a number", text: "pci: {logRetentionDays: a year}", want: "2: pci.logRetentionDays: found `a year`, want a whole number from 1 to 36500"},
		{what: "fraction", text: "pci: {logRetentionDays: 1.5}", want: "2: pci.logRetentionDays: found `1.5`, want a whole number from 1 to 36500"},
		{what: "number out of range", text: "pci: {logRetentionDays: 0}", want: "2: pci.logRetentionDays: found `0`, want a whole number from 1 to 36500"},
		{what: "octal", text: "pci: {logRetentionDays: 0400}", want: "2: pci.logRetentionDays: found `0400`, want a whole number from 1 to 36500", reader: true},
		{what: "wrong word", text: "standard: pci-dss-4.0", want: "2: standard: found `pci-dss-4.0`, want pci-dss-3.2.1 or pci-dss-4.0.1"},
		{what: "wrong side", text: "judge: live", want: "2: judge: found `live`, want desired or deployed"},

		// days
		{what: "day that does not exist", text: "asOf: 2026-02-30", want: "2: asOf: found `2026-02-30`, want a day, YYYY-MM-DD"},
		{what: "day with a time", text: "asOf: 2026-02-01T00:00:00Z", want: "2: asOf: found `2026-02-01T00:00:00Z`, want a day, YYYY-MM-DD"},
		{what: "day in another notation", text: "asOf: 1.2.2026", want: "2: asOf: found `1.2.2026`, want a day, YYYY-MM-DD"},
		{what: "day in quotes that is none", text: "asOf: 'today'", want: "2: asOf: found `today`, want a day, YYYY-MM-DD"},
		{what: "signed after asOf", text: "asOf: 2026-06-01\nreviews: [{ruleSets: 'nsg:*', by: x, on: 2026-06-02}]\nattestations:\n  - item: 1.5-c\n    by: x\n    on: 2026-07-01\nnone: {vpn: {by: x, on: 2027-01-01, reason: y}}", want: "3: reviews[0].on: found `2026-06-02`, want a day not later than asOf, 2026-06-01\n" +
			"7: attestations[0].on: found `2026-07-01`, want a day not later than asOf, 2026-06-01\n" +
			"8: none.vpn.on: found `2027-01-01`, want a day not later than asOf, 2026-06-01", reader: true},
		{what: "attested for longer than 24 months", text: "attestations: [{item: 1.5-c, by: x, on: 2026-01-15, expires: 2028-01-16}]", want: "2: attestations[0].expires: found `2028-01-16`, want a day not later than 2028-01-15, 24 months after `on`", reader: true},
		{what: "24 months after 29 February", text: "attestations: [{item: 1.5-c, by: x, on: 2024-02-29, expires: 2026-03-01}]", want: "2: attestations[0].expires: found `2026-03-01`, want a day not later than 2026-02-28, 24 months after `on`", reader: true},
		{what: "ends before it begins", text: "attestations: [{item: 1.5-c, by: x, on: 2026-01-15, expires: 2026-01-14}]\nnone: {vpn: {by: x, on: 2026-01-15, expires: 2025-01-15, reason: y}}", want: "2: attestations[0].expires: found `2026-01-14`, want a day not before 2026-01-15, the day in `on`\n" +
			"3: none.vpn.expires: found `2025-01-15`, want a day not before 2026-01-15, the day in `on`", reader: true},

		// selectors and services
		{what: "kind of selector misspelt", text: "assertions: [{id: a, deny: {from: internet, to: 'subet:v/s'}}]", want: "2: assertions[0].deny.to: selector `subet:v/s`: no such kind; want internet, any, zone, vnet, subnet, nic, vm, ip, cidr, cluster, nodepool, ns, pod, apiserver, service, endpoint, firewall, appgw, frontdoor, apim, lb, bastion, gateway, tag, fqdn; did you mean `subnet:`?"},
		{what: "selector without a name", text: "stores: [{at: 'vm:', data: PAN}]", want: "2: stores[0].at: selector `vm:`: want `vm:NAME`"},
		{what: "host bits", text: "zones: {a: {kind: on-prem, members: ['cidr:10.80.0.1/13']}}", want: "2: zones.a.members[0]: selector `cidr:10.80.0.1/13`: host bits are set; did you mean `cidr:10.80.0.0/13`?", reader: true},
		{what: "only exclusions", text: "assertions: [{id: a, deny: {from: internet, to: ['not:vm:a']}}]", want: "2: assertions[0].deny.to: the list selects nothing: want at least one selector without `not:`"},
		{what: "only exclusions where a list may be empty", text: "pci: {proxies: 'not:vm:a'}", want: "2: pci.proxies: the list selects nothing: want at least one selector without `not:`"},
		{what: "nothing selected", text: "assertions: [{id: a, deny: {from: internet, to: []}}]", want: "2: assertions[0].deny.to: want one value or a list of at least one; the list is empty"},
		{what: "selector that is a number", text: "assertions: [{id: a, deny: {from: internet, to: [1]}}]", want: "2: assertions[0].deny.to[0]: found `1`, want text: write it in quotes"},
		{what: "exclusion where there is one", text: "stores: [{at: 'not:vm:a', data: PAN}]", want: "2: stores[0].at: found `not:vm:a`, want one selector without `not:`"},
		{what: "exclusion on a path", text: "dataFlows: [{name: f, data: PAN, from: any, path: ['vm:a', 'not:vm:b'], service: any}]", want: "2: dataFlows[0].path[1]: found `not:vm:b`, want one selector without `not:`"},
		{what: "zone that is not declared", text: "zones: {cde: {kind: cde, members: 'vnet:v'}}\nassertions: [{id: a, deny: {from: 'zone:internet', to: ['zone:cd', 'zone:x*']}}]\ndataFlows: [{name: f, data: PAN, from: 'zone:c*', path: 'zone:a/b', service: any}]", want: "3: assertions[0].deny.to[0]: found `zone:cd`, want a zone that is declared under `zones`: did you mean `zone:cde`?\n" +
			"3: assertions[0].deny.to[1]: found `zone:x*`, want a zone that is declared under `zones`\n" +
			"4: dataFlows[0].path: found `zone:a/b`, want a zone that is declared under `zones`", reader: true},
		{what: "service without a protocol", text: "assertions: [{id: a, only: {from: internet, to: any, services: [https, tcp/443]}}]", want: "2: assertions[0].only.services[0]: service `https`: want tcp/443, udp/53, sctp/7, tcp/8000-8100, tcp/1433/50000 (with a source port), icmp, esp, ah or any"},
		{what: "service that is a number", text: "pci: {nodeEgress: 443}", want: "2: pci.nodeEgress: found `443`, want text: write it in quotes"},
		{what: "range backwards", text: "pci: {nodeEgress: tcp/90-80}", want: "2: pci.nodeEgress: service `tcp/90-80`: want tcp/443, udp/53, sctp/7, tcp/8000-8100, tcp/1433/50000 (with a source port), icmp, esp, ah or any (the range `90-80` runs backwards)", reader: true},
		{what: "port out of range", text: "pci: {allowedPorts: {workloads: [443, 65536, http, -1, 0x50, [1], '8100-8000']}}", want: "2: pci.allowedPorts.workloads[1]: found `65536`, want a whole number from 0 to 65535\n" +
			"2: pci.allowedPorts.workloads[2]: found `http`, want a port from 0 to 65535, or a range such as 8000-8100\n" +
			"2: pci.allowedPorts.workloads[3]: found `-1`, want a whole number from 0 to 65535\n" +
			"2: pci.allowedPorts.workloads[4]: found `0x50`, want a whole number from 0 to 65535\n" +
			"2: pci.allowedPorts.workloads[5]: want a port from 0 to 65535, or a range such as 8000-8100; this is a list\n" +
			"2: pci.allowedPorts.workloads[6]: found `8100-8000`, want a port from 0 to 65535, or a range such as 8000-8100"},

		// inputs
		{what: "input of no kind", text: "inputs: [{side: desired}]", want: "2: inputs[0]: want one of the keys azure, arm, terraform, kubernetes, serviceTags, snapshot"},
		{what: "input of two kinds", text: "inputs: [{arm: a, azure: b}]", want: "2: inputs[0]: found `azure, arm`, want one of them an entry"},
		{what: "what belongs to another kind", text: "inputs:\n  - azure: a\n    cluster: c\n    parameters: p\n  - kubernetes: m\n    scope: {location: x}", want: "4: inputs[0].cluster: belongs to an input of kind kubernetes, not azure\n" +
			"5: inputs[0].parameters: belongs to an input of kind arm, not azure\n" +
			"7: inputs[1].scope: belongs to an input of kind arm, not kubernetes"},
		{what: "sides of a plan elsewhere", text: "inputs: [{terraform: p, side: before}, {azure: a, side: after}]", want: "2: inputs[1].side: found `after`, want desired or deployed (before and after are the sides of a terraform plan)"},
		{what: "side misspelt", text: "inputs: [{azure: a, side: deploy}]", want: "2: inputs[0].side: found `deploy`, want desired, deployed, before or after (did you mean `deployed`?)"},
		{what: "no paths", text: "inputs: [{azure: []}, {azure: ['', a]}, {azure: }]", want: "2: inputs[0].azure: want one value or a list of at least one; the list is empty\n" +
			"2: inputs[1].azure[0]: want text; the value is empty\n" +
			"2: inputs[2].azure: want one value or a list of at least one; the value is empty"},

		// zones
		{what: "zone without kind or members", text: "zones: {a: {owner: x}}", want: "2: zones.a: want the key `kind`, which is missing\n" +
			"2: zones.a: want the key `members` (or, for a zone outside of the estate, `publicAddresses`)"},
		{what: "kind of zone misspelt", text: "zones: {a: {kind: onprem, members: 'vnet:v'}}", want: "2: zones.a.kind: found `onprem`, want dmz, cde, data, trusted, management, wireless, on-prem, partner or out-of-scope (did you mean `on-prem`?)"},
		{what: "built-in zone", text: "zones: {internet: {kind: dmz, members: 'vnet:v'}}", want: "2: zones.internet: the zone `internet` is built in and cannot be declared"},
		{what: "name that a selector cannot hold", text: "zones: {a/b: {kind: dmz, members: 'vnet:v'}}", want: "2: zones.a/b: the name of a zone has no spaces, `/` or `*`, because `zone:NAME` selects it"},
		{what: "name of a zone that hides what it is", text: "zones: {\"a\\u202eb\": {kind: dmz, members: 'vnet:v'}}", want: "2: zones.a\\u202eb: the name of a zone has no spaces, `/` or `*`, because `zone:NAME` selects it", reader: true},
		{what: "name of a zone that is too long", text: "zones: {" + strings.Repeat("z", 101) + ": {kind: dmz, members: 'vnet:v'}}", want: "2: zones." + strings.Repeat("z", 101) + ": the name of a zone has at most 100 characters"},
		{what: "zones in a zone", text: "zones: {a: {kind: dmz, members: 'vnet:v'}, b: {kind: cde, members: ['zone:a', 'tag:Sql']}}", want: "2: zones.b.members[0]: found `zone:a`, want a member of kind vnet, subnet, nic, vm, ip, cidr, cluster, nodepool, ns, pod, apiserver, service, endpoint, firewall, appgw, frontdoor, apim, lb, bastion, gateway\n" +
			"2: zones.b.members[1]: found `tag:Sql`, want a member of kind vnet, subnet, nic, vm, ip, cidr, cluster, nodepool, ns, pod, apiserver, service, endpoint, firewall, appgw, frontdoor, apim, lb, bastion, gateway"},
		{what: "behind no gateway", text: "zones: {a: {kind: on-prem, members: 'cidr:10.0.0.0/8', behind: 'firewall:f'}}", want: "2: zones.a.behind: found `firewall:f`, want the gateway that the zone stands behind, `gateway:NAME`"},
		{what: "behind, but inside", text: "zones: {a: {kind: cde, members: 'cidr:10.0.0.0/8', behind: 'gateway:g'}}", want: "2: zones.a.behind: belongs to a zone outside of the estate (kind wireless, on-prem or partner), not to kind cde"},
		{what: "public addresses", text: "zones: {a: {kind: partner, publicAddresses: [1.2.3.4/24, x.example]}}", want: "2: zones.a.publicAddresses[0]: found `1.2.3.4/24`, want a CIDR without host bits: 1.2.3.0/24\n" +
			"2: zones.a.publicAddresses[1]: `x.example` is no address or CIDR"},
		{what: "zone that is nothing", text: "zones: {a: }", want: "2: zones.a: want a mapping (`key: value`); the value is empty"},

		// assertions
		{what: "assertion without id and verb", text: "assertions: [{kind: direct}]", want: "2: assertions[0]: want the key `id`, which is missing\n2: assertions[0]: want one of the verbs deny, only, must, through"},
		{what: "unknown verb", text: "assertions: [{id: a, allow: {from: any, to: any}}]", want: "2: assertions[0]: want one of the verbs deny, only, must, through\n2: assertions[0]: found `allow`, want a key of id, deny, only, must, through, kind, requirement, except"},
		{what: "two verbs", text: "assertions:\n  - id: a\n    must: {from: any, to: any, services: icmp}\n    deny: {from: any, to: any}", want: "3: assertions[0]: found `deny (line 5), must (line 4)`, want one verb an assertion"},
		{what: "id twice", text: "assertions:\n  - {id: a, deny: {from: any, to: any}}\n  - {id: a, deny: {from: any, to: internet}}", want: "4: assertions[1].id: found `a`, want an id that no other assertion has (ringfence.yaml:3 has it)", reader: true},
		{what: "id that is empty", text: "assertions: [{id: '', deny: {from: any, to: any}}]", want: "2: assertions[0].id: want text; the value is empty"},
		{what: "verbs without their parts", text: "assertions:\n  - {id: a, deny: {}}\n  - {id: b, only: {from: any, to: any}}\n  - {id: c, must: {from: any, to: any}}\n  - {id: d, through: {from: any, to: any}}", want: "3: assertions[0].deny: want the keys `from` and `to`, which are missing\n" +
			"4: assertions[1].only: want the key `services`, which is missing\n" +
			"5: assertions[2].must: want the key `services`, which is missing\n" +
			"6: assertions[3].through: want the key `via`, which is missing"},
		{what: "only that forbids nothing", text: "assertions: [{id: a, only: {from: any, to: any, services: [tcp/443, any]}}]", want: "2: assertions[0].only.services: `only` with the service `any` forbids nothing: want the services that may pass, such as tcp/443"},
		{what: "kind of assertion", text: "assertions: [{id: a, deny: {from: any, to: any}, kind: relayed}]", want: "2: assertions[0].kind: found `relayed`, want direct"},
		{what: "waiver without its statement", text: "assertions:\n  - id: a\n    deny: {from: any, to: any}\n    except:\n      - {to: 'vm:a'}\n      - {owner: x, reason: y, expires: 2027-01-01}\n      - {to: 'vm:a', owner: '', reason: ' ', expires: never}", want: "6: assertions[0].except[0]: want the keys `owner`, `reason` and `expires`, which are missing\n" +
			"7: assertions[0].except[1]: want at least one of the keys from, to, services\n" +
			"8: assertions[0].except[2].expires: found `never`, want a day, YYYY-MM-DD\n" +
			"8: assertions[0].except[2].owner: want text; the value is empty\n" +
			"8: assertions[0].except[2].reason: want text; the value is empty"},

		// registers
		{what: "data flow without its parts", text: "dataFlows: [{}]", want: "2: dataFlows[0]: want the keys `name`, `data`, `from`, `path` and `service`, which are missing"},
		{what: "store without its parts", text: "stores: [{}]", want: "2: stores[0]: want the keys `at` and `data`, which are missing"},
		{what: "justification without reason or rules", text: "justifications: [{owner: x}, {rules: [], reason: }]", want: "2: justifications[0]: want the keys `rules` and `reason`, which are missing\n" +
			"2: justifications[1].reason: want text; the value is empty\n2: justifications[1].rules: want one value or a list of at least one; the list is empty"},
		{what: "globs", text: "justifications: [{rules: ['nsg:**', AllowAgwIn, 'nsg:'], reason: x, allows: {}}]", want: "2: justifications[0].allows: want at least one of the keys from, to, services\n" +
			"2: justifications[0].rules[0]: `**` is no wildcard here: `*` stands for any characters within one part, `?` for one character\n" +
			"2: justifications[0].rules[1]: found `AllowAgwIn`, want `KIND:NAME`, such as nsg:nsg-inscope/AllowAgwIn or waf:*\n" +
			"2: justifications[0].rules[2]: found `nsg:`, want `KIND:NAME`, such as nsg:nsg-inscope/AllowAgwIn or waf:*"},
		{what: "review and attestation without their statement", text: "reviews: [{}]\nattestations: [{}]\nowners: [{}]\nnone: {vpn: {}}", want: "2: reviews[0]: want the keys `ruleSets`, `by` and `on`, which are missing\n" +
			"3: attestations[0]: want the keys `item`, `by` and `on`, which are missing\n" +
			"4: owners[0]: want the keys `controls` and `owner`, which are missing\n" +
			"5: none.vpn: want the keys `by`, `on` and `reason`, which are missing"},
		{what: "none and some", text: "none:\n  wireless: {by: x, on: 2026-01-01, reason: y}\n  onPrem: {by: x, on: 2026-01-01, reason: y}\n  stores: {by: x, on: 2026-01-01, reason: y}\n  monitoring: {by: x, on: 2026-01-01, reason: y}\n  proxies: {by: x, on: 2026-01-01, reason: y}\n  jumpBoxes: {by: x, on: 2026-01-01, reason: y}\n  ingress: {by: x, on: 2026-01-01, reason: y}\n" +
			"zones: {w: {kind: wireless, members: 'cidr:10.0.0.0/8'}, o: {kind: on-prem, members: 'cidr:11.0.0.0/8'}}\nstores: [{at: 'vm:a', data: PAN}]\npci: {monitoring: [{from: any, to: any, services: icmp}], proxies: 'vm:p', jumpBoxes: 'vm:j', ingressRouters: ['vm:i']}", want: "3: none.wireless: says that there is none, but ringfence.yaml:10 declares one (zones.w)\n" +
			"4: none.onPrem: says that there is none, but ringfence.yaml:10 declares one (zones.o)\n" +
			"5: none.stores: says that there is none, but ringfence.yaml:11 declares one (stores[0])\n" +
			"6: none.monitoring: says that there is none, but ringfence.yaml:12 declares one (pci.monitoring[0])\n" +
			"7: none.proxies: says that there is none, but ringfence.yaml:12 declares one (pci.proxies)\n" +
			"8: none.jumpBoxes: says that there is none, but ringfence.yaml:12 declares one (pci.jumpBoxes)\n" +
			"9: none.ingress: says that there is none, but ringfence.yaml:12 declares one (pci.ingressRouters[0])", reader: true},
		{what: "statement that the format does not have", text: "none: {wifi: {by: x, on: 2026-01-01, reason: y}}", want: "2: none: found `wifi`, want a key of clusters, ingress, proxies, onPrem, vpn, monitoring, jumpBoxes, stores, wireless"},
		{what: "pci without its parts", text: "pci: {monitoring: [{}], emergencyAccess: [{to: any, from: any}], networkAdmins: [{name: x}], exemptNamespaces: {add: [x, {name: x}], only: [{name: y}]}, allowedPorts: {}}", want: "2: pci.allowedPorts: want the key `workloads`, which is missing\n" +
			"2: pci.emergencyAccess[0]: want the keys `services`, `approvedBy`, `reason` and `expires`, which are missing\n" +
			"2: pci.exemptNamespaces.add[0]: found `x`, want a mapping (`key: value`)\n2: pci.exemptNamespaces.add[0]: `add` extends the list that `only` replaces: want one of them\n" +
			"2: pci.exemptNamespaces.add[1]: want the keys `owner`, `reason` and `expires`, which are missing\n" +
			"2: pci.exemptNamespaces.only[0]: want the keys `owner`, `reason` and `expires`, which are missing\n" +
			"2: pci.monitoring[0]: want the keys `from`, `to` and `services`, which are missing\n" +
			"2: pci.networkAdmins[0]: want the key `principal`, which is missing"},
		{what: "namespace with a wildcard", text: "pci: {exemptNamespaces: {only: ['kube-*']}}", want: "2: pci.exemptNamespaces.only[0]: found `kube-*`, want the exact name of a namespace: lower-case letters, digits and `-`, without wildcards"},
	}
}

func TestImportSaysWhatIsWrong(t *testing.T) {
	for _, test := range badFiles() {
		t.Run(test.what, func(t *testing.T) {
			_, err := Import(fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n" + test.text + "\n")}, "ringfence.yaml")
			if diff := cmp.Diff(fmt.Sprint(err), "ringfence.yaml:"+strings.ReplaceAll(test.want, "\n", "\nringfence.yaml:")); diff != "" {
				t.Errorf("%s\nis answered (-got +want):\n%s", test.text, diff)
			}
			if err != nil {
				onlyInputErrors(t, err)
			}
		})
	}
}

// What is no intent file at all.
func TestImportSaysThatItIsNoIntentFile(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, test := range []struct{ text, want string }{
		{"", "ringfence.yaml:1: the file is empty: want a mapping that begins with `ringfence: v1`"},
		{"# only a comment\n", "ringfence.yaml:1: the file is empty: want a mapping that begins with `ringfence: v1`"},
		{"null\n", "ringfence.yaml:1: found `null`, want a mapping (`key: value`)"},
		{"- ringfence: v1\n", "ringfence.yaml:1: want a mapping (`key: value`); this is a list"},
		{"name: shop\n", "ringfence.yaml:1: want the key `ringfence`, which is missing"},
		{"\n\nringfence: 1\nnonsense: true\n", "ringfence.yaml:3: ringfence: found `1`, want v1, the one version of the file that this program reads"},
		{"ringfence: [v1]\n", "ringfence.yaml:1: ringfence: want v1, the one version of the file that this program reads; this is a list"},
		{"ringfence: v1\n---\nringfence: v1\n", "ringfence.yaml:2: a second document begins: want one document a file"},
		{"ringfence: v1\n---\na: [\n", "ringfence.yaml:4: is no valid YAML: did not find expected node content"},
		{"ringfence: v1\nname: a: b\n", "ringfence.yaml:2: is no valid YAML: mapping values are not allowed in this context"},
		{"ringfence: v1: 2\n", "ringfence.yaml:1: is no valid YAML: mapping values are not allowed in this context"},
		{"ringfence: v1\nzones:\n\tcde: x\n", "ringfence.yaml:3: is no valid YAML: found character that cannot start any token"},
		{"ringfence: v1\nname: *anchor\n", "ringfence.yaml:2: is no valid YAML: an alias (`*name`) names no anchor (`&name`) before it; a text that begins with `*` needs quotes"},
		{"ringfence: v1\nname: caf\xe9\n", "ringfence.yaml:2: want UTF-8 text"},
		{"ringfence: v1\n\nname: a\x00b\n", "ringfence.yaml:3: want text without control characters"},
		{"\xff\xfer\x00", "ringfence.yaml:1: want UTF-8 text"},
		{"ringfence: v1\nzones:\n  a: " + deep + "\n", "ringfence.yaml:3: is nested too deep: want at most 32 levels"},
		{"ringfence: v1\nname: " + strings.Repeat("[", 20000), "ringfence.yaml:2: is no valid YAML: exceeded max depth of 10000"},
	} {
		_, err := Import(fstest.MapFS{"ringfence.yaml": file(test.text)}, "ringfence.yaml")
		if fmt.Sprint(err) != test.want {
			t.Errorf("%.60q:\n got %v\nwant %s", test.text, err, test.want)
		}
	}
}

// A byte order mark, Windows line ends, aliases and UTF-8 text are all fine.
func TestImportReadsYAML(t *testing.T) {
	text := "\ufeffringfence: v1\r\nname: Zahlungsverkehr für Bücher\r\nstores:\r\n- &s {at: 'service:sql', data: &d [PAN]}\r\n- {at: 'service:sql2', data: *d}\r\n- *s\r\n"
	got, err := Import(fstest.MapFS{"ringfence.yaml": file(text)}, "ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var stores []string
	for _, s := range got.Intent.Stores {
		stores = append(stores, fmt.Sprint(s.At, " ", s.Data, " ", s.Source, " ", s.Source.Path))
	}
	want := []string{"service:sql [PAN] ringfence.yaml:4 stores[0]", "service:sql2 [PAN] ringfence.yaml:5 stores[1]", "service:sql [PAN] ringfence.yaml:6 stores[2]"}
	if diff := cmp.Diff(stores, want); diff != "" {
		t.Errorf("stores (-got +want):\n%s", diff)
	}
	if got.Intent.Name != "Zahlungsverkehr für Bücher" {
		t.Errorf("name: got %q", got.Intent.Name)
	}
}

// Aliases of aliases grow without bound in the reading, not in the file: the number of values read is limited.
func TestImportBoundsAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("ringfence: v1\nreviews:\n- {by: x, on: 2026-01-01, ruleSets: &sets [" + strings.Repeat("'nsg:*', ", 1000) + "]}\n")
	for range 1000 {
		b.WriteString("- {by: x, on: 2026-01-01, ruleSets: *sets}\n")
	}
	b.WriteString("nonsense: here, but nobody reads so far\n")
	_, err := Import(fstest.MapFS{"ringfence.yaml": file(b.String())}, "ringfence.yaml")
	want := "ringfence.yaml:3: reviews[496].ruleSets[516]: is more than the 500000 values that are read from the intent files together (each use of a YAML alias counts)"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	// The classic bomb: nothing of the format has this shape, so that it is never followed.
	var bomb strings.Builder
	bomb.WriteString("ringfence: v1\nzones:\n  a: &a [x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c <= 'z'; c++ {
		fmt.Fprintf(&bomb, "  %c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	_, err = Import(fstest.MapFS{"ringfence.yaml": file(bomb.String())}, "ringfence.yaml")
	if got := strings.Count(fmt.Sprint(err), "want a mapping (`key: value`); this is a list"); got != 26 {
		t.Errorf("the bomb: got %d errors, want one for each of its 26 lists:\n%v", got, err)
	}
	// An alias inside of what it names.
	_, err = Import(fstest.MapFS{"ringfence.yaml": file("ringfence: v1\nzones: &z\n  a: *z\n")}, "ringfence.yaml")
	if err == nil || !strings.Contains(err.Error(), "zones.a: want the key `kind`, which is missing") {
		t.Errorf("a value that contains itself: got %v", err)
	}
}

// A file that is wrong throughout is reported up to a limit, so that neither time nor output grows with it.
func TestImportBoundsErrors(t *testing.T) {
	var b strings.Builder
	b.WriteString("ringfence: v1\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "unknown%d: x\n", i)
	}
	_, err := Import(fstest.MapFS{"ringfence.yaml": file(b.String()), "ringfence.d/a.yaml": file("nonsense: x\n")}, "ringfence.yaml")
	lines := strings.Split(fmt.Sprint(err), "\n")
	if got, want := lines[len(lines)-1], "ringfence.yaml:1001: is the place of error 1000: the rest is not read"; len(lines) != 1001 || got != want {
		t.Errorf("got %d lines, the last one %s; want 1001, the last one %s", len(lines), got, want)
	}
	long := "ringfence: v1\n? " + strings.Repeat("name", 500_000) + "\n: x\n"
	_, err = Import(fstest.MapFS{"ringfence.yaml": file(long)}, "ringfence.yaml")
	if got := fmt.Sprint(err); len(got) > 600 || !strings.HasPrefix(got, "ringfence.yaml:2: found `namename") {
		t.Errorf("a key of 2 MB: got %d bytes, %.100s", len(got), got)
	}
}
