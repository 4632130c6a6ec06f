package model

import (
	"cmp"
	"strings"
)

// Assumption is one line of the registers in docs/semantics (AZ-GEN-10): what the verdict does not know for certain.
type Assumption struct {
	ID        string // ASM-VNETTAG, ASM-TAG(AzureMonitor)
	Open      bool   // both readings are kept, and the answer is unknown where they differ; else the text is taken as true
	Statement bool   // says what a verdict is about; --strict changes nothing
	Text      string
	Settle    string // what input removes it
}

// Compare orders assumptions by ID.
func (a Assumption) Compare(b Assumption) int { return cmp.Compare(a.ID, b.ID) }

// AssumptionOf returns the register's line of an ID; an argument in brackets, as in `ASM-TAG(Storage)`, stays in the ID.
func AssumptionOf(id string) (Assumption, bool) {
	base, arg, _ := strings.Cut(id, "(")
	arg = strings.TrimSuffix(arg, ")")
	switch base {
	case "MISSING": // AZ-FW-03, AZ-PEER-01 and their like: a referenced resource is unknown, never absent
		return Assumption{ID: id, Open: true, Text: "what " + arg + " says: it is referenced and not in the input", Settle: "export " + arg}, true
	case "UNSUPPORTED": // AZ-GEN-08
		return Assumption{ID: id, Open: true, Text: "what " + arg + " carries or filters: ringfence does not model it", Settle: "remove it, or treat the verdict as open"}, true
	}
	for _, a := range Assumptions() {
		if a.ID == base {
			a.ID = id
			return a, true
		}
	}
	return Assumption{}, false
}

// Assumptions is the register: azure-network.md section 11, azure-edge-and-aks.md and kubernetes.md section 10.
func Assumptions() []Assumption {
	return []Assumption{
		{ID: "ASM-PROTO", Text: "only TCP, UDP, ICMP, ESP, AH are carried; * covers them"},
		{ID: "ASM-PORTLESS", Open: true, Text: "whether * with ports matches port-less protocols", Settle: "write protocol-specific or all-port Deny"},
		{ID: "ASM-V6DEFAULT", Text: "default rules cover IPv6", Settle: "effective rules"},
		{ID: "ASM-OLDFLOWS", Statement: true, Text: "verdicts are about new flows; older ones may live on", Settle: "flushConnection, restart"},
		{ID: "ASM-NVA-NSG", Text: "transit packets meet NVA NSGs with their real end addresses", Settle: "effective test"},
		{ID: "ASM-ASG", Open: true, Text: "whether a source-ASG Deny acts at non-member NICs", Settle: "use CIDR"},
		{ID: "ASM-VNETTAG", Open: true, Text: "content of VirtualNetwork beyond own and peered space", Settle: "effective rules; explicit Deny"},
		{ID: "ASM-TAGTABLES", Text: "only the NIC's own route table feeds its VirtualNetwork tag", Settle: "effective rules; explicit Deny"},
		{ID: "ASM-INTERNET-0", Open: true, Text: "whether Internet loses the prefixes that VirtualNetwork gained by user routes (a user reports that tag-named routes left AllowInternetOutBound: azure-docs issue 94454)", Settle: "effective rules; Deny * instead of Deny Internet"},
		{ID: "ASM-TAG", Open: true, Text: "prefixes of the tag", Settle: "ServiceTags JSON"},
		{ID: "ASM-PLATFORM", Text: "host addresses are reachable and no part of internet", Settle: "Deny platform tags"},
		{ID: "ASM-AVNM", Text: "no admin rules or connected groups exist beyond those in the input", Settle: "effective admin rules, connectivity export"},
		{ID: "ASM-AVNM-MULTI", Open: true, Text: "order of two managers' lists", Settle: "rules of one manager, or rules that do not contradict each other"},
		{ID: "ASM-AVNM-PIP", Open: true, Text: "whether an admin Allow without NSG opens a Standard public IP", Settle: "attach NSG"},
		{ID: "ASM-AVNM-BASIC", Open: true, Text: "whether a connected group leads to a Basic load balancer's frontend in another region", Settle: "a Standard load balancer"},
		{ID: "ASM-AVNM-DEPLOY", Open: true, Text: "whether admin rules in the input are deployed, and to which VNets", Settle: "effective or active admin rules"},
		{ID: "ASM-NONE-BGP", Open: true, Text: "None routes vanish under a BGP default", Settle: "effective routes"},
		{ID: "ASM-NONE-LIST", Open: true, Text: "which reserved prefixes have None routes", Settle: "effective routes"},
		{ID: "ASM-SE-UDR", Open: true, Text: "whether a matching UDR beats a service-endpoint route", Settle: "effective routes, next hop"},
		{ID: "ASM-SEPOLICY", Open: true, Text: "reach of a service endpoint policy (other regions, aliases, missing object)", Settle: "export the policy; a probe"},
		{ID: "ASM-PE-VNETLOCAL", Open: true, Text: "effect of a VnetLocal UDR over an endpoint's /32", Settle: "effective routes, a probe"},
		{ID: "ASM-NEXTHOP", Open: true, Text: "who forwards behind an unresolved next-hop address", Settle: "export the device or subnet"},
		{ID: "ASM-NVA", Open: true, Text: "what a forwarding VM lets through", Settle: "model the device"},
		{ID: "ASM-VNETLOCAL", Open: true, Text: "effect of a VnetLocal UDR outside VNet space", Settle: "effective routes"},
		{ID: "ASM-FWD", Open: true, Text: "whether allowForwardedTraffic=false drops packets", Settle: "set the flag; NSG rules"},
		{ID: "ASM-SUBNETPEER", Open: true, Text: "whether non-peered subnets are cut off, and whether a peering of subnets carries the transit of a gateway", Settle: "NSG rules"},
		{ID: "ASM-PE-SIZE", Open: true, Text: "whether the rules of an NSG that is too large for private endpoints act there", Settle: "split the rules"},
		{ID: "ASM-PE32", Open: true, Text: "/32 UDR against an endpoint with policy off", Settle: "set the policy explicitly"},
		{ID: "ASM-DOA", Open: true, Text: "API default of defaultOutboundAccess", Settle: "live subnet value"},
		{ID: "ASM-PRIVATE-ST", Open: true, Text: "whether storage of the region is reached from a private subnet without an outbound method", Settle: "a private endpoint; a probe"},
		{ID: "ASM-SNATPOOL", Open: true, Text: "which of its addresses a translation picks", Settle: "admit all of them, or leave it one address"},
		{ID: "ASM-STDPIP", Text: "Standard public IP and public LB are closed without an NSG", Settle: "attach NSG"},
		{ID: "ASM-FLOATIP", Open: true, Text: "destination that NSGs see under floating IP", Settle: "allow or deny both"},
		{ID: "ASM-FASTPATH", Open: true, Text: "whether FastPath skips GatewaySubnet routes", Settle: "circuit type, effective routes"},
		{ID: "ASM-ER", Open: true, Text: "ExpressRoute routes, and transit between VNets of a circuit", Settle: "effective routes, circuit data"},
		{ID: "ASM-RS", Open: true, Text: "routes that appliances advertise", Settle: "effective routes"},
		{ID: "ASM-ONPREM", Text: "on-prem sources stay inside the prefixes of their connection", Settle: "filter on-prem, or NSG rules"},
		{ID: "ASM-WAN", Open: true, Text: "what a virtual hub routes beyond what its tables and connections in the input say", Settle: "export route tables, connections, routing intent; effective routes of the hub"},
		{ID: "ASM-BGP", Open: true, Text: "prefixes that a VPN gateway or a hub learns by BGP", Settle: "effective routes, learned routes"},
		{ID: "ASM-VPNNAT", Open: true, Text: "whether a packet to the internal range of a VPN NAT rule passes, and which of several rules acts", Settle: "narrow the mappings; a probe"},
		{ID: "ASM-BEHIND", Open: true, Text: "through which gateway and connection a zone enters", Settle: "behind in the intent file, LNG prefixes"},
		{ID: "ASM-BASTION", Open: true, Text: "ports reachable through Bastion when its flags are missing", Settle: "SKU and flags"},
		{ID: "ASM-E-FWPOLICY", Open: true, Text: "content of a missing firewall policy, parent, group or IP group", Settle: "export policy and groups"},
		{ID: "ASM-E-DNATDENY", Open: true, Text: "whether a network Deny overrides the DNAT allow", Settle: "no DNAT, or narrow its source"},
		{ID: "ASM-E-NATINHERIT", Open: true, Text: "whether NAT collections of a parent policy are in force", Settle: "put NAT rules into the child"},
		{ID: "ASM-E-FWTUNNEL", Open: true, Text: "whether a firewall without a management NIC works behind a learned default route, and by which way", Settle: "a route for 0.0.0.0/0 to Internet at its subnet, or a management NIC"},
		{ID: "ASM-E-FQDN", Open: true, Text: "addresses behind an FQDN in a network rule", Settle: "explicit addresses, private zones"},
		{ID: "ASM-E-FQDNTAG", Text: "a concrete name is outside an FQDN tag unless documentation lists it", Settle: "explicit names"},
		{ID: "ASM-E-WEBCAT", Open: true, Text: "names in a web category", Settle: "explicit names"},
		{ID: "ASM-E-FWRESOLVE", Text: "the firewall resolves the name itself and ignores the client's destination address", Settle: "test; deny private ranges in a network rule"},
		{ID: "ASM-E-FWINFRA", Text: "platform infrastructure names are no way out: stated as residual", Settle: "application Deny-all collection"},
		{ID: "ASM-E-PROXY", Open: true, Text: "rules of a forward proxy", Settle: "model the proxy"},
		{ID: "ASM-E-TRUSTED", Text: "with the bypass trusted Microsoft services are admitted, and are no part of internet", Settle: "bypass None"},
		{ID: "ASM-E-TRUSTED-OFF", Open: true, Text: "whether the bypass still admits them while public access is Disabled", Settle: "bypass None"},
		{ID: "ASM-E-INSTANCE", Text: "resource instances that a rule admits by their identity, whichever tenant's, are no part of internet", Settle: "no resourceAccessRules"},
		{ID: "ASM-E-STREGION", Open: true, Text: "whether an IP rule of a storage account acts on a public source of its own region", Settle: "private endpoint, VNet rule; locations"},
		{ID: "ASM-E-DNSCUSTOM", Open: true, Text: "answers of custom DNS servers", Settle: "import zones/forwarders"},
		{ID: "ASM-E-NSP", Open: true, Text: "rules of a network security perimeter", Settle: "export perimeter, profile, association"},
		{ID: "ASM-E-V6", Open: true, Text: "whether an edge service carries IPv6: a firewall in dual stack, a gateway's frontend and back ends, a Bastion session", Settle: "IPv4 there, a route for ::/0"},
		{ID: "ASM-E-WAFRULES", Text: "managed WAF rules block attacks, never flows"},
		{ID: "ASM-E-AFD", Open: true, Text: "what a Front Door lets pass, and to which origin: custom rules on client addresses, rule sets, what is disabled", Settle: "ask behind it; one origin group a route, nothing disabled"},
		{ID: "ASM-E-APIM", Open: true, Text: "APIM back ends and policies", Settle: "export APIs and policies"},
		{ID: "ASM-A-PLUGIN", Text: "a cluster whose network plugin is not stated has pod addresses outside the VNet (kubenet, overlay)", Settle: "state networkPlugin"},
		{ID: "ASM-A-MASQ", Open: true, Text: "pod or node address outside the VNet", Settle: "ip-masq-agent config, pod subnet"},
		{ID: "ASM-A-NODENSG", Open: true, Text: "content of the AKS-managed NSG", Settle: "export node resource group"},
		{ID: "ASM-A-BLOCK", Open: true, Text: "whether the managed NSG closes egress", Settle: "export node resource group"},
		{ID: "ASM-A-MANAGEDVNET", Text: "a VNet that AKS made and the input lacks has no peering, customer NSG or route table", Settle: "export node resource group"},
		{ID: "ASM-A-ILBNSG", Text: "the NSG on an LB frontend's subnet is void", Settle: "rules on node subnet"},
		{ID: "ASM-A-KUBEPROXY", Text: "source ranges are enforced on the node, by every engine", Settle: "managed NSG deny annotation"},
		{ID: "ASM-A-ENGINE", Open: true, Text: "default policy engine of a template", Settle: "explicit networkPolicy"},
		{ID: "ASM-K-ENGINE", Text: "where no cluster resource is given, an engine of AKS enforces the policies", Settle: "AKS resource (networkPolicy, networkDataplane) or intent file"},
		{ID: "ASM-K-BYOCNI", Open: true, Text: "what an engine other than the three does where NetworkPolicy leaves it open", Settle: "name the engine; a test in the cluster"},
		{ID: "ASM-K-IPBLOCK", Open: true, Text: "whether ipBlock matches pod and node addresses when the engine is unknown", Settle: "the engine"},
		{ID: "ASM-K-SNAT", Open: true, Text: "which source address policy sees behind a Service", Settle: "externalTrafficPolicy, engine, pod placement"},
		{ID: "ASM-K-NODE", Text: "a pod's own node can always open connections to it: left out of proofs, printed", Settle: "accepted by the assessor; node hardening"},
		{ID: "ASM-K-SELF", Open: true, Text: "whether policies act on what a pod sends to its own address, by a Service or a host port", Settle: "a rule that admits it; a test in the cluster"},
		{ID: "ASM-K-RACE", Statement: true, Text: "policies act on new connections of pods that the engine has handled: a pod may open some before", Settle: "none; restart what was open before"},
		{ID: "ASM-K-ICMP", Text: "Cilium, Calico and Azure NPM on Linux drop ICMP of isolated pods unless a rule without ports admits the peer", Settle: "a ping in the cluster"},
		{ID: "ASM-K-NSLABELS", Open: true, Text: "labels of an undeclared namespace", Settle: "the Namespace manifest or a live import"},
		{ID: "ASM-K-PODLABELS", Open: true, Text: "labels that a controller or the platform sets on each pod, or that differ between pods of a workload", Settle: "live pods; selectors by labels of the pod template"},
		{ID: "ASM-K-SYSTEM", Text: "kube-system add-ons that are not in the input are future pods of kube-system", Settle: "live import"},
		{ID: "ASM-K-CNP", Open: true, Text: "whether the engine enforces policies of other kinds than NetworkPolicy", Settle: "the engine"},
		{ID: "ASM-K-CILIUM", Open: true, Text: "what a Cilium policy does where versions differ, or rules for the application layer or types of ICMP messages decide", Settle: "rules by endpoints, addresses and ports"},
		{ID: "ASM-K-ENDPORT", Text: "the policy engine reads endPort (Cilium does from 1.16, which AKS runs from Kubernetes 1.31 on)", Settle: "kubernetesVersion of the cluster; single ports"},
		{ID: "ASM-K-CALICO", Open: true, Text: "the order of tiers that the input lacks or that have one order, and what rules for the application layer or types of ICMP messages of Calico match", Settle: "the Tier objects, each with its own order"},
		{ID: "ASM-K-NODES", Open: true, Text: "which addresses are nodes', and which labels nodes have beside those of their pools", Settle: "no peers by nodes; a policy by networks"},
		{ID: "ASM-K-MESH", Open: true, Text: "whether a service mesh refuses the connection: its policies are evidence, no network control", Settle: "a policy of the engine; trustMesh"},
		{ID: "ASM-K-FQDN", Open: true, Text: "which addresses a domain name resolves to", Settle: "none offline; use a firewall FQDN rule"},
		{ID: "ASM-K-NODEPORT", Open: true, Text: "the number of a node port that the manifest leaves out", Settle: "live Service, or set nodePort"},
		{ID: "ASM-K-SVCPORT", Open: true, Text: "what a node does with a packet to a Service's address on a port that the Service lacks", Settle: "a probe; no route for the service range"},
		{ID: "ASM-K-NOSERVICE", Open: true, Text: "which Service stands behind a load balancer's frontend that leads to nodes", Settle: "the Service's manifest with its address; the tag k8s-azure-service on the public IP; an export of the load balancer without the frontend"},
		{ID: "ASM-K-FRONTEND", Open: true, Text: "the address of a Service's frontend", Settle: "live Service, or set the address"},
		{ID: "ASM-K-CELLS", Open: true, Text: "exposure beyond the cell limit is told for the entire cluster, in both bounds", Settle: "fewer label keys in selectors"},
		{ID: "ASM-K-PODCIDR", Text: "default NSG rules pass the overlay pod CIDR traffic of the cluster", Settle: "effective security rules of a node NIC"},
		{ID: "ASM-K-PODCIDR-TAG", Open: true, Text: "whether VirtualNetwork in a custom rule holds the overlay pod CIDR", Settle: "effective security rules; rules by address"},
	}
}
