package lint

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// Check returns the findings of a project, worst first.
func Check(p *model.Project) []Finding { return newReader(p).check() }

func (r *reader) check() []Finding {
	out := []Finding{}
	for _, c := range checks() {
		if r.only != nil && c.id == asymmetric {
			continue // the ways of packets, which no NSG changes
		}
		c.find(r, func(f fact) {
			severity := f.severity
			if severity == "" {
				severity = c.severity
			}
			out = append(out, Finding{
				ID: c.id, Severity: severity, Subject: f.subject, Text: f.text, Remedy: f.remedy, Source: f.origin.String(), Origin: f.origin,
			})
		})
	}
	slices.SortStableFunc(out, Finding.Compare)
	return out
}

// UnzonedEndpoint is the finding of an endpoint in no zone: membership is for the solver to say, so that who has it raises the finding.
const UnzonedEndpoint = "unzoned-endpoint"

// Entry is a finding that may be raised, with its usual severity. docs/findings has a page of its name.
type Entry struct {
	ID       string
	Severity Severity
}

// Catalogue lists every finding: those of Check in their order, then those that need the solver.
func Catalogue() []Entry {
	var out []Entry
	for _, c := range checks() {
		out = append(out, Entry{c.id, c.severity})
	}
	return append(out, Entry{UnzonedEndpoint, Warning})
}

// check looks for findings of one ID.
type check struct {
	id       string
	severity Severity // the usual one; a fact may be milder
	find     func(*reader, sink)
}

// sink takes the facts that a check finds.
type sink func(fact)

// fact is what one finding says.
type fact struct {
	severity Severity // empty: that of the check
	subject  string
	origin   model.Source
	text     string
	remedy   string
}

// checks lists every check, by topic. Each ID has a page in docs/findings.
func checks() []check {
	return []check{
		// Network security groups: nsg.go
		{"admin-port-open", Error, adminPortOpen},
		{"admin-port-in-list", Warning, adminPortInList},
		{"subnet-without-nsg", Warning, subnetWithoutNSG},
		{"tag-growth", Warning, tagGrowth},
		{"nsg-without-deny", Note, nsgWithoutDeny},
		{"effective-rules-differ", Warning, effectiveRulesDiffer}, // effective.go
		{"server-port-as-source", Warning, serverPortAsSource},
		{"rule-asg-without-members", Warning, ruleASGWithoutMembers},
		{"asg-spans-vnets", Warning, asgSpansVNets}, // asg.go
		{"nsg-ignored", Warning, nsgIgnored},
		{"egress-to-any-tenant", Note, egressToAnyTenant},
		{"range-spans-zones", Warning, rangeSpansZones}, // zone.go
		// Rules of NSGs against each other: rule.go
		{"rule-shadowed", Warning, ruleShadowed},
		{"rule-redundant", Note, ruleRedundant},
		{"rule-unused", Warning, ruleUnused},
		{"rule-over-wide", Warning, ruleOverWide},
		{"rule-overruled", Warning, ruleOverruled},
		// Network managers: manager.go
		{"always-allow-past-deny", Error, alwaysAllowPastDeny},
		{"admin-rules-undeployed", Warning, adminRulesUndeployed},
		{"admin-deny-skipped", Warning, adminDenySkipped},
		{"connected-group-overlap", Warning, connectedGroupOverlap},
		// Just-in-time access, Bastion: admin.go
		{"jit-void", Error, jitVoid},
		{"jit-without-deny", Error, jitWithoutDeny},
		{"jit-request-open", Warning, jitRequestOpen},
		{"bastion-shareable-link", Warning, bastionShareableLink},
		// Routes: route.go
		{"default-route-missing", Error, defaultRouteMissing},
		{"ipv6-default-route-missing", Warning, ipv6DefaultRouteMissing},
		{"route-supernet", Warning, routeSupernet},
		{"effective-routes-differ", Warning, effectiveRoutesDiffer}, // effective.go
		{"next-hop-unresolved", Warning, nextHopUnresolved},
		{"next-hop-not-forwarding", Warning, nextHopNotForwarding},
		{"gateway-route-missing", Error, gatewayRouteMissing},
		{"route-unsupported", Warning, routeUnsupported},
		// Effective routes: way.go
		{"route-loop", Warning, routeLoop},
		{"route-black-hole", Warning, routeBlackHole},
		{asymmetric, Warning, asymmetricPath},
		{"gateway-bypasses-firewall", Warning, gatewayBypassesFirewall},
		{"service-endpoint-bypasses-firewall", Warning, serviceEndpointBypassesFirewall},
		{"on-prem-range-overlaps", Warning, onPremRangeOverlaps},
		// Peerings: peering.go
		{"peering-not-connected", Warning, peeringNotConnected},
		{"peering-bypasses-firewall", Error, peeringBypassesFirewall},
		{"peering-without-transit", Warning, peeringWithoutTransit},
		{"peering-access-off", Warning, peeringAccessOff},
		{"peering-overlap", Error, peeringOverlap},
		{"peers-overlap", Warning, peersOverlap},
		// Private endpoints and names: endpoint.go
		{"endpoint-policies-off", Error, endpointPoliciesOff},
		{"endpoint-route-void", Warning, endpointRouteVoid},
		{"endpoint-nsg-too-large", Error, endpointNSGTooLarge},
		{"endpoint-not-approved", Warning, endpointNotApproved},
		{"endpoint-port-mismatch", Warning, endpointPortMismatch},
		{"endpoint-zone-not-linked", Warning, endpointZoneNotLinked},
		{"private-address-in-public-zone", Warning, privateAddressInPublicZone},
		// Azure Firewall: firewall.go
		{"dnat-any-source", Error, dnatAnySource},
		{"network-rule-any-any", Error, networkRuleAnyAny},
		{"network-rule-any-source", Warning, networkRuleAnySource},
		{"network-rule-any-destination", Warning, networkRuleAnyDestination},
		{"network-rule-over-wide", Warning, networkRuleOverWide},
		{"network-fqdn-without-proxy", Warning, networkFQDNWithoutProxy},
		{"application-rule-any-name", Warning, applicationRuleAnyName},
		{"application-rule-http", Warning, applicationRuleHTTP},
		{"fqdn-suffix-wildcard", Error, fqdnSuffixWildcard},
		{"threat-intelligence-off", Warning, threatIntelligenceOff},
		{"idps-off", Warning, idpsOff},
		{"egress-list-shared", Warning, egressListShared}, // zone.go
		{"firewall-without-route", Warning, firewallWithoutRoute},
		{"firewall-reference-missing", Warning, firewallReferenceMissing},
		{"firewall-priority-twice", Error, firewallPriorityTwice},
		// Application Gateway: appgateway.go
		{"waf-not-enforcing", Error, wafNotEnforcing},
		{"waf-allow-rule", Warning, wafAllowRule},
		{"http-listener", Warning, httpListener},
		{"http-backend", Warning, httpBackend},
		{"listener-tls-floor", Warning, listenerTLSFloor},
		{"gateway-management-open", Warning, gatewayManagementOpen},
		{"gateway-nsg-incomplete", Warning, gatewayNSGIncomplete},
		{"front-door-unlocked", Error, frontDoorUnlocked}, // frontdoor.go
		// PaaS services: paas.go
		{"public-door-open", Error, publicDoorOpen},
		{"public-door-beside-endpoint", Warning, publicDoorBesideEndpoint},
		{"azure-services-admitted", Error, azureServicesAdmitted},
		{"service-tls-floor", Warning, serviceTLSFloor},
		{"service-clear-text", Warning, serviceClearText},
		{"vnet-rule-void", Warning, vnetRuleVoid},
		{"instance-rule-wide", Warning, instanceRuleWide},
		{"monitor-scope-open", Warning, monitorScopeOpen},
		{"perimeter-learning", Warning, perimeterLearning},               // nodes.go
		{"registry-layers-anywhere", Note, registryLayersAnywhere},       // nodes.go
		{"injected-server-egress-denied", Warning, injectedEgressDenied}, // nodes.go
		// AKS clusters: aks.go
		{"api-server-public", Error, apiServerPublic},
		{"api-server-public-name", Warning, apiServerPublicName},
		{"api-ranges-void", Warning, apiRangesVoid},
		{"run-command-enabled", Warning, runCommandEnabled},
		{"node-public-address", Error, nodePublicAddress},
		{"policy-engine-none", Warning, policyEngineNone},
		{"policy-engine-retiring", Warning, policyEngineRetiring},
		{"node-egress-open", Error, nodeEgressOpen},
		{"outbound-type-overridden", Note, outboundTypeOverridden},
		{"managed-ingress-public", Warning, managedIngressPublic},
		{"node-traffic-denied", Error, nodeTrafficDenied},                // nodes.go
		{"cluster-egress-missing", Warning, clusterEgressMissing},        // nodes.go
		{"gateway-without-pod-routes", Warning, gatewayWithoutPodRoutes}, // nodes.go
		// Kubernetes: namespace.go, kubeservice.go, policy.go
		{"namespace-without-default-deny", Error, namespaceWithoutDefaultDeny},
		{"host-network-workload", Warning, hostNetworkWorkload},
		{"host-port", Warning, hostPort},
		{"egress-gateway-skips-policy", Warning, egressGatewaySkipsPolicy},
		{"public-load-balancer-service", Error, publicLoadBalancerService},
		{"node-port-service", Warning, nodePortService},
		{"service-external-ips", Warning, serviceExternalIPs},
		{"internal-service-ranges-void", Warning, internalServiceRangesVoid},
		{"policy-not-enforced", Error, policyNotEnforced},
		{"policy-dead-rules", Warning, policyDeadRules},
		{"policy-equal-priority", Warning, policyEqualPriority},
		{"policy-leaves-outside-open", Warning, policyLeavesOutsideOpen},
		{"policy-names-service-port", Warning, policyNamesServicePort},
		{"egress-to-metadata", Note, egressToMetadata},
		{"dns-without-tcp", Note, dnsWithoutTCP}, // nodes.go
		// Public addresses: public.go
		{"public-address-on-nic", Error, publicAddressOnNIC},
		{"public-load-balancer", Error, publicLoadBalancer},
		{"retired-basic-sku", Warning, retiredBasicSKU},
	}
}
