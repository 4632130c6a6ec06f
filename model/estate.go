package model

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Estate is everything that was imported. It is immutable once NewEstate built it; each slice is sorted by ID.
type Estate struct {
	VNets          []*VNet
	Subnets        []*Subnet
	NSGs           []*NSG
	ASGs           []*ASG
	RouteTables    []*RouteTable
	NICs           []*NIC
	VMs            []*VM
	ScaleSets      []*ScaleSet
	PublicIPs      []*PublicIP
	Prefixes       []*PublicIPPrefix
	NATGateways    []*NATGateway
	LoadBalancers  []*LoadBalancer
	Gateways       []*Gateway
	LocalGateways  []*LocalNetworkGateway
	Connections    []*Connection
	Bastions       []*Bastion
	Endpoints      []*PrivateEndpoint
	DNSZones       []*DNSZone
	Firewalls      []*Firewall
	Policies       []*FirewallPolicy
	RuleGroups     []*RuleCollectionGroup
	IPGroups       []*IPGroup
	AppGateways    []*AppGateway
	WAFPolicies    []*WAFPolicy
	Services       []*Service
	Clusters       []*Cluster
	Namespaces     []*Namespace
	Workloads      []*Workload
	NetPolicies    []*NetworkPolicy
	KubeServices   []*KubeService
	Ingresses      []*Ingress
	JITPolicies    []*JITPolicy
	Assignments    []*PolicyAssignment
	Exemptions     []*PolicyExemption
	Definitions    []*PolicyDefinitionRule
	Initiatives    []*PolicySet
	Rules          []*EffectiveRules
	WANs           []*VirtualWAN
	Hubs           []*VirtualHub
	HubConnections []*HubConnection
	HubTables      []*HubRouteTable
	Intents        []*RoutingIntent
	HubGateways    []*HubGateway
	VPNSites       []*VPNSite
	RouteServers   []*RouteServer
	SEPolicies     []*ServiceEndpointPolicy
	FrontDoors     []*FrontDoor
	Profiles       []*PerimeterProfile
	PerimeterRules []*PerimeterRule
	Associations   []*PerimeterAssociation
	APIMs          []*APIM
	Routes         []*EffectiveRoutes

	NetworkManagers       []*NetworkManager
	NetworkGroups         []*NetworkGroup
	AdminConfigs          []*SecurityAdminConfiguration
	AdminCollections      []*AdminRuleCollection
	EffectiveAdmin        []*EffectiveAdminRules
	ActiveAdmin           []*ActiveAdminRules
	ConnectivityConfigs   []*ConnectivityConfiguration
	EffectiveConnectivity []*EffectiveConnectivity
	ActiveConnectivity    []*ActiveConnectivity
	Deployments           []*DeploymentStatus
	GroupMemberships      []*GroupMembership

	ClusterPolicies []*ClusterPolicy
	CiliumPolicies  []*CiliumPolicy
	CalicoPolicies  []*CalicoPolicy
	CalicoTiers     []*CalicoTier
	CalicoSets      []*CalicoNetworkSet
	Authorizations  []*AuthorizationPolicy
	PeerAuths       []*PeerAuthentication

	RoleAssignments    []*RoleAssignment
	RoleDefinitions    []*RoleDefinition
	KubeRoles          []*KubeRole
	KubeBindings       []*KubeBinding
	DiagnosticSettings []*DiagnosticSetting
	FlowLogs           []*FlowLog

	Ledger []LedgerEntry // sorted by source, then resource

	byKey     map[string]Resource
	symbols   func() *Symbols // made when first asked for
	frontends func() map[*KubeService][]KubeFrontend
}

// JITPolicy is a just-in-time access policy of Defender for Cloud (AZ-JIT-01).
type JITPolicy struct {
	Meta
	VMs []JITMachine
}

// JITMachine is one machine of a just-in-time policy.
type JITMachine struct {
	VM    ID
	Ports []JITPort
}

// JITPort is a port that may be opened on request.
type JITPort struct {
	Port     uint16
	Protocol Protocol // AnyProtocol for `*`
	Sources  AddressMatch
	MaxTime  string
}

// NewEstate sorts and indexes resources. The same resource twice is fine when both say the same and an error that names both
// places when they differ.
func NewEstate(resources []Resource, ledger []LedgerEntry) (*Estate, error) {
	e := &Estate{byKey: make(map[string]Resource, len(resources))}
	e.symbols, e.frontends = sync.OnceValue(e.makeSymbols), sync.OnceValue(e.makeFrontends)
	var errs []error
	sorted := slices.Clone(resources)
	slices.SortStableFunc(sorted, func(a, b Resource) int {
		return cmp.Or(a.ResourceID().Compare(b.ResourceID()), a.Origin().Compare(b.Origin()))
	})
	for _, r := range sorted {
		key := r.ResourceID().Key()
		if first, ok := e.byKey[key]; ok {
			if !Alike(first, r) {
				errs = append(errs, &InputError{
					Source: r.Origin(), Resource: r.ResourceID(), Found: "a second, different copy",
					Accepted: "one description of each resource; the other is at " + first.Origin().String(),
				})
			}
			continue
		}
		e.byKey[key] = r
		e.add(r)
	}
	e.link()
	e.Ledger = slices.Clone(ledger)
	slices.SortStableFunc(e.Ledger, func(a, b LedgerEntry) int {
		return cmp.Or(a.Source.Compare(b.Source), a.Resource.Compare(b.Resource), cmp.Compare(a.Field, b.Field))
	})
	return e, errors.Join(errs...)
}

func (e *Estate) add(r Resource) {
	switch r := r.(type) {
	case *VNet:
		e.VNets = append(e.VNets, r)
	case *Subnet:
		e.Subnets = append(e.Subnets, r)
	case *NSG:
		e.NSGs = append(e.NSGs, r)
	case *APIM:
		e.APIMs = append(e.APIMs, r)
	case *FrontDoor:
		e.FrontDoors = append(e.FrontDoors, r)
	case *PerimeterProfile:
		e.Profiles = append(e.Profiles, r)
	case *PerimeterRule:
		e.PerimeterRules = append(e.PerimeterRules, r)
	case *PerimeterAssociation:
		e.Associations = append(e.Associations, r)
	case *ServiceEndpointPolicy:
		e.SEPolicies = append(e.SEPolicies, r)
	case *ASG:
		e.ASGs = append(e.ASGs, r)
	case *RouteTable:
		e.RouteTables = append(e.RouteTables, r)
	case *NIC:
		e.NICs = append(e.NICs, r)
	case *VM:
		e.VMs = append(e.VMs, r)
	case *ScaleSet:
		e.ScaleSets = append(e.ScaleSets, r)
	case *PublicIP:
		e.PublicIPs = append(e.PublicIPs, r)
	case *PublicIPPrefix:
		e.Prefixes = append(e.Prefixes, r)
	case *NATGateway:
		e.NATGateways = append(e.NATGateways, r)
	case *LoadBalancer:
		e.LoadBalancers = append(e.LoadBalancers, r)
	case *Gateway:
		e.Gateways = append(e.Gateways, r)
	case *VirtualWAN:
		e.WANs = append(e.WANs, r)
	case *VirtualHub:
		e.Hubs = append(e.Hubs, r)
	case *HubConnection:
		e.HubConnections = append(e.HubConnections, r)
	case *HubRouteTable:
		e.HubTables = append(e.HubTables, r)
	case *RoutingIntent:
		e.Intents = append(e.Intents, r)
	case *HubGateway:
		e.HubGateways = append(e.HubGateways, r)
	case *VPNSite:
		e.VPNSites = append(e.VPNSites, r)
	case *RouteServer:
		e.RouteServers = append(e.RouteServers, r)
	case *LocalNetworkGateway:
		e.LocalGateways = append(e.LocalGateways, r)
	case *Connection:
		e.Connections = append(e.Connections, r)
	case *Bastion:
		e.Bastions = append(e.Bastions, r)
	case *PrivateEndpoint:
		e.Endpoints = append(e.Endpoints, r)
	case *DNSZone:
		e.DNSZones = append(e.DNSZones, r)
	case *Firewall:
		e.Firewalls = append(e.Firewalls, r)
	case *FirewallPolicy:
		e.Policies = append(e.Policies, r)
	case *RuleCollectionGroup:
		e.RuleGroups = append(e.RuleGroups, r)
	case *IPGroup:
		e.IPGroups = append(e.IPGroups, r)
	case *AppGateway:
		e.AppGateways = append(e.AppGateways, r)
	case *WAFPolicy:
		e.WAFPolicies = append(e.WAFPolicies, r)
	case *Service:
		e.Services = append(e.Services, r)
	case *Cluster:
		e.Clusters = append(e.Clusters, r)
	case *Namespace:
		e.Namespaces = append(e.Namespaces, r)
	case *Workload:
		e.Workloads = append(e.Workloads, r)
	case *NetworkPolicy:
		e.NetPolicies = append(e.NetPolicies, r)
	case *ClusterPolicy:
		e.ClusterPolicies = append(e.ClusterPolicies, r)
	case *CiliumPolicy:
		e.CiliumPolicies = append(e.CiliumPolicies, r)
	case *CalicoPolicy:
		e.CalicoPolicies = append(e.CalicoPolicies, r)
	case *AuthorizationPolicy:
		e.Authorizations = append(e.Authorizations, r)
	case *PeerAuthentication:
		e.PeerAuths = append(e.PeerAuths, r)
	case *CalicoTier:
		e.CalicoTiers = append(e.CalicoTiers, r)
	case *CalicoNetworkSet:
		e.CalicoSets = append(e.CalicoSets, r)
	case *KubeService:
		e.KubeServices = append(e.KubeServices, r)
	case *Ingress:
		e.Ingresses = append(e.Ingresses, r)
	case *JITPolicy:
		e.JITPolicies = append(e.JITPolicies, r)
	case *PolicyAssignment:
		e.Assignments = append(e.Assignments, r)
	case *PolicyExemption:
		e.Exemptions = append(e.Exemptions, r)
	case *PolicyDefinitionRule:
		e.Definitions = append(e.Definitions, r)
	case *PolicySet:
		e.Initiatives = append(e.Initiatives, r)
	case *NetworkManager:
		e.NetworkManagers = append(e.NetworkManagers, r)
	case *NetworkGroup:
		e.NetworkGroups = append(e.NetworkGroups, r)
	case *SecurityAdminConfiguration:
		e.AdminConfigs = append(e.AdminConfigs, r)
	case *AdminRuleCollection:
		e.AdminCollections = append(e.AdminCollections, r)
	case *EffectiveAdminRules:
		e.EffectiveAdmin = append(e.EffectiveAdmin, r)
	case *ActiveAdminRules:
		e.ActiveAdmin = append(e.ActiveAdmin, r)
	case *ConnectivityConfiguration:
		e.ConnectivityConfigs = append(e.ConnectivityConfigs, r)
	case *EffectiveConnectivity:
		e.EffectiveConnectivity = append(e.EffectiveConnectivity, r)
	case *ActiveConnectivity:
		e.ActiveConnectivity = append(e.ActiveConnectivity, r)
	case *DeploymentStatus:
		e.Deployments = append(e.Deployments, r)
	case *GroupMembership:
		e.GroupMemberships = append(e.GroupMemberships, r)
	case *EffectiveRules:
		e.Rules = append(e.Rules, r)
	case *EffectiveRoutes:
		e.Routes = append(e.Routes, r)
	case *RoleAssignment:
		e.RoleAssignments = append(e.RoleAssignments, r)
	case *RoleDefinition:
		e.RoleDefinitions = append(e.RoleDefinitions, r)
	case *KubeRole:
		e.KubeRoles = append(e.KubeRoles, r)
	case *KubeBinding:
		e.KubeBindings = append(e.KubeBindings, r)
	case *DiagnosticSetting:
		e.DiagnosticSettings = append(e.DiagnosticSettings, r)
	case *FlowLog:
		e.FlowLogs = append(e.FlowLogs, r)
	default:
		panic(fmt.Sprintf("model: resource type %T is not in the estate", r)) // INVARIANT: every Resource has a slice
	}
}

// link fills the reverse references that the model promises: subnets of a VNet, groups of a policy.
func (e *Estate) link() {
	named := map[string]bool{} // by the keys of both
	for _, v := range e.VNets {
		for _, id := range v.Subnets {
			named[v.ID.Key()+" "+id.Key()] = true
		}
	}
	for _, p := range e.Policies {
		for _, id := range p.Groups {
			named[p.ID.Key()+" "+id.Key()] = true
		}
	}
	for _, s := range e.Subnets {
		if v, ok := Get[*VNet](e, s.VNet); ok && !named[v.ID.Key()+" "+s.ID.Key()] {
			v.Subnets = append(v.Subnets, s.ID)
		}
	}
	for _, g := range e.RuleGroups {
		if p, ok := Get[*FirewallPolicy](e, g.Policy); ok && !named[p.ID.Key()+" "+g.ID.Key()] {
			p.Groups = append(p.Groups, g.ID)
		}
	}
}

// Alike reports whether two descriptions agree in everything but where they were read, and in how they spell IDs.
func Alike[T any](a, b T) bool {
	return comparing{}.equal(reflect.ValueOf(a), reflect.ValueOf(b))
}

// SameAt reports whether two descriptions agree in everything but where they were read. at, where not nil, is told of each part where either was.
func SameAt[T any](a, b T, at func(a, b Source)) bool {
	return comparing{spelled: true, at: at}.equal(reflect.ValueOf(a), reflect.ValueOf(b))
}

// comparing is how two descriptions are compared.
type comparing struct {
	spelled bool // IDs in other case are others
	at      func(a, b Source)
}

func (x comparing) equal(a, b reflect.Value) bool {
	switch t := a.Type(); {
	case t != b.Type():
		return false
	case t == reflect.TypeFor[Source]():
		if x.at != nil {
			x.at(sourceIn(a), sourceIn(b))
		}
		return true
	case t == reflect.TypeFor[ID]() && !x.spelled:
		return a.String() == b.String() || ID(a.String()).Key() == ID(b.String()).Key()
	case t == reflect.TypeFor[netip.Prefix](), t == reflect.TypeFor[netip.Addr](), a.CanInt(), a.CanUint(), a.Kind() == reflect.Bool:
		return a.Equal(b)
	case a.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[Estate]().PkgPath():
		for i := range a.NumField() {
			if !x.equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case a.Kind() == reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !x.equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case a.Kind() == reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return x.equal(a.Elem(), b.Elem())
	case a.Kind() == reflect.String:
		return a.String() == b.String()
	default:
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
}

// sourceIn reads a Source, one in a field that is not exported as well.
func sourceIn(v reflect.Value) Source {
	return Source{File: v.Field(0).String(), Line: int(v.Field(1).Int()), Path: v.Field(2).String(), Resource: ID(v.Field(3).String()), Platform: v.Field(4).String()}
}

// Lookup returns the resource of an ID.
func (e *Estate) Lookup(id ID) (Resource, bool) {
	r, ok := e.byKey[id.Key()]
	return r, ok
}

// Get returns the resource of an ID if it is a T.
func Get[T Resource](e *Estate, id ID) (T, bool) {
	r, ok := e.byKey[id.Key()].(T)
	return r, ok
}

// Resources returns every resource in the order of its ID.
func (e *Estate) Resources() []Resource {
	out := make([]Resource, 0, len(e.byKey))
	for _, key := range slices.Sorted(maps.Keys(e.byKey)) {
		out = append(out, e.byKey[key])
	}
	return out
}

// SubnetOf returns the subnet object of an ID and its VNet; the VNet may be nil when the input lacks it.
func (e *Estate) SubnetOf(id ID) (*Subnet, *VNet) {
	s, ok := Get[*Subnet](e, id)
	if !ok {
		return nil, nil
	}
	v, _ := Get[*VNet](e, s.VNet)
	return s, v
}

// Kubernetes builds the ID of a Kubernetes object; cluster is the cluster's short name.
func Kubernetes(cluster, kind, namespace, name string) ID {
	return ID("kubernetes:" + strings.Join([]string{cluster, kind, namespace, name}, "/"))
}

// With returns the estate with some resources in the place of those of the same ID, or beside the others. Nothing of e changes.
func (e *Estate) With(changed ...Resource) (*Estate, error) {
	by := make(map[string]bool, len(changed))
	for _, r := range changed {
		by[r.ResourceID().Key()] = true
	}
	kept := slices.DeleteFunc(e.Resources(), func(r Resource) bool { return by[r.ResourceID().Key()] })
	return NewEstate(append(kept, changed...), e.Ledger)
}
