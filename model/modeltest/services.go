package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// services draws PaaS accounts with doors of every kind, service endpoints on subnets and policies of them, and leads private endpoints to
// the accounts.
func (d *draft) services() {
	var accounts []*model.Service
	for i := range d.upTo(1, 3) {
		s := d.service(i)
		accounts = append(accounts, s)
		d.add(s)
	}
	var policies []model.ID
	for i := range d.IntN(3) {
		p := &model.ServiceEndpointPolicy{Meta: d.meta(networkID("serviceEndpointPolicies", d.name("sep", i)))}
		if d.one(6) {
			p.Alias = "/services/Azure"
		}
		for range d.IntN(3) {
			x := model.PolicyDefinition{Name: "d", Source: p.Source, Service: choose(d, "Microsoft.Storage", "Microsoft.Storage", "Global", "Microsoft.KeyVault")}
			switch d.IntN(5) {
			case 0:
				x.Resources = []model.ID{"/subscriptions/s/resourceGroups/rg"}
			case 1:
				x.Resources = []model.ID{id("Microsoft.Storage", "storageAccounts", "gone")}
			default:
				x.Resources = []model.ID{choose(d, accounts...).ID}
			}
			if x.Service == "Global" {
				x.Resources, x.Aliases = nil, []string{"/services/Azure"}
			}
			p.Definitions = append(p.Definitions, x)
		}
		policies = append(policies, p.ID)
		if !d.has(WithPartial) || !d.one(4) {
			d.add(p)
		}
	}
	if d.one(3) {
		d.perimeter(accounts)
	}
	for _, s := range d.subnets {
		for _, name := range some(d, 4, "Microsoft.Storage", "Microsoft.Storage.Global", "Microsoft.Sql", "Microsoft.KeyVault", "Microsoft.AzureCosmosDB") {
			if name == "Microsoft.Storage.Global" && len(s.ServiceEndpoints) > 0 { // Azure refuses both of storage
				continue
			}
			e := model.ServiceEndpoint{Service: name, State: choose(d, "Succeeded", "Succeeded", "", "Failed"), Source: s.Source}
			if name == "Microsoft.Storage" && d.one(2) {
				e.Locations = choose(d, []string{"westeurope", "northeurope"}, []string{"*"}, []string{"northeurope"})
			}
			s.ServiceEndpoints = append(s.ServiceEndpoints, e)
		}
		s.ServicePolicies = some(d, 3, policies...)
	}
	for _, r := range d.Resources {
		if p, ok := r.(*model.PrivateEndpoint); ok && d.one(2) {
			s := choose(d, accounts...)
			p.Target = s.ID
			if d.one(2) {
				s.Connections = append(s.Connections, model.EndpointConnection{Endpoint: p.ID, State: choose(d, "Approved", "Approved", "Pending", "Rejected")})
			}
		}
	}
}

// perimeter draws a network security perimeter that holds some of the accounts.
func (d *draft) perimeter(accounts []*model.Service) {
	nsp := networkID("networkSecurityPerimeters", "nsp")
	for _, name := range []string{"p0", "p1"} {
		profile := nsp + "/profiles/" + model.ID(name)
		if !d.has(WithPartial) || !d.one(4) {
			d.add(&model.PerimeterProfile{Meta: d.meta(profile)})
		}
		for i := range d.IntN(3) {
			r := &model.PerimeterRule{Meta: d.meta(profile + "/accessRules/" + model.ID(d.name("r", i))), Inbound: !d.one(4)}
			if r.Inbound && !d.one(4) {
				r.Prefixes = []netip.Prefix{choose(d, cidr("20.0.0.0/29"), cidr("198.51.100.0/24"), cidr("0.0.0.0/0"), cidr("20.0.1.0/30"), d.prefix())}
			}
			d.add(r)
		}
	}
	for _, s := range some(d, 2, accounts...) {
		d.add(&model.PerimeterAssociation{
			Meta: d.meta(nsp + "/resourceAssociations/" + model.ID(s.Name())), Resource: s.ID, Profile: nsp + "/profiles/" + model.ID(choose(d, "p0", "p0", "p1")), Mode: choose(d, "Enforced", "Enforced", "Learning", "Audit"),
		})
	}
	if d.one(8) { // AZ-NSP-04
		d.add(&model.PerimeterAssociation{Meta: d.meta(nsp + "/resourceAssociations/somebody")})
	}
}

// service draws one account.
func (d *draft) service(i int) *model.Service {
	kinds := []struct {
		kind           model.ServiceKind
		provider, list string
		host           string
	}{
		{model.StorageAccount, "Microsoft.Storage", "storageAccounts", ".blob.core.windows.net"},
		{model.StorageAccount, "Microsoft.Storage", "storageAccounts", ".blob.core.windows.net"},
		{model.KeyVault, "Microsoft.KeyVault", "vaults", ".vault.azure.net"},
		{model.SQLServer, "Microsoft.Sql", "servers", ".database.windows.net"},
		{model.CosmosDB, "Microsoft.DocumentDB", "databaseAccounts", ".documents.azure.com"},
		{model.ContainerRegistry, "Microsoft.ContainerRegistry", "registries", ".azurecr.io"},
		{model.Redis, "Microsoft.Cache", "redis", ".redis.cache.windows.net"},
		{model.PostgreSQL, "Microsoft.DBforPostgreSQL", "flexibleServers", ".postgres.database.azure.com"},
		{model.OtherService, "Microsoft.Other", "things", ".example.net"},
	}
	k := kinds[d.IntN(len(kinds))]
	s := &model.Service{
		Meta: d.meta(id(k.provider, k.list, d.name("acc", i))), Kind: k.kind, Type: k.provider + "/" + k.list, Public: choose(d, "", "Enabled", "Enabled", "Enabled", "Disabled"), HasACLs: !d.one(3),
		DefaultAccess: choose(d, model.Deny, model.Deny, model.Allow), Bypass: choose(d, "", "None", "AzureServices"), VNetFilter: d.setting(), Tier: choose(d, "", "Premium", "Standard", "Basic"),
	}
	if d.one(10) {
		s.Public = "SecuredByPerimeter"
	}
	if d.has(WithPartial) && d.one(6) {
		s.Location = ""
	}
	if d.one(2) {
		s.Hosts = []string{s.Name() + k.host}
	}
	for j := range d.IntN(3) {
		r := model.IPRule{Name: d.name("ip", j), Source: s.Source, Prefixes: []netip.Prefix{choose(d, cidr("20.0.0.0/29"), cidr("20.0.0.1/32"), cidr("198.51.100.0/24"), cidr("0.0.0.0/0"), cidr("20.0.1.0/30"), d.prefix())}}
		if k.kind == model.SQLServer && d.one(3) {
			r.AllAzure, r.Prefixes = true, nil
		}
		s.IPRules = append(s.IPRules, r)
	}
	for j, n := range some(d, 3, d.subnets...) {
		s.VNetRules = append(s.VNetRules, model.VNetRule{Name: d.name("vnet", j), Source: s.Source, Subnet: n.ID, IgnoreMissing: d.setting()})
	}
	return s
}
