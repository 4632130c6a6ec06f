package lint

import "github.com/ringfence/ringfence/model"

func serviceCases() []testCase {
	of := func(kind model.ServiceKind, change func(b *builder, s *model.Service)) func(*builder) {
		return func(b *builder) {
			s := b.service(kind, "data")
			s.Public, s.HasACLs, s.DefaultAccess, s.Tier = "Enabled", true, model.Deny, "Premium"
			change(b, s)
		}
	}
	rule := func(b *builder, name string, ranges ...string) []model.IPRule {
		return []model.IPRule{{Name: name, Source: source(name), Prefixes: prefixes(b.t, ranges...)}}
	}
	none := func(*builder, *model.Service) {}
	return []testCase{
		// X-EDGE-14 and X-EDGE-15 of azure-edge-and-aks.md.
		{id: "public-door-open", name: "a vault whose default is Allow", build: of(model.KeyVault, func(_ *builder, s *model.Service) { s.DefaultAccess = model.Allow }), want: []string{"service:data"}},
		{id: "public-door-open", name: "storage without rules", build: of(model.StorageAccount, func(_ *builder, s *model.Service) { s.HasACLs, s.Public = false, "" }), want: []string{"service:data"}},
		{id: "public-door-open", name: "a registry that knows no rules", build: of(model.ContainerRegistry, func(_ *builder, s *model.Service) { s.Tier = "Standard" }), want: []string{"service:data"}},
		{id: "public-door-open", name: "Cosmos DB without rules", build: of(model.CosmosDB, none), want: []string{"service:data"}},
		{id: "public-door-open", name: "a cache without rules", build: of(model.Redis, none), want: []string{"service:data"}},
		{id: "public-door-open", name: "SQL with a rule for every address", build: of(model.SQLServer, func(b *builder, s *model.Service) { s.IPRules = rule(b, "all", "0.0.0.0/0") }), want: []string{"database:data/all"}},
		{id: "public-door-open", name: "SQL without rules is closed", build: of(model.SQLServer, none)},
		{id: "public-door-open", name: "SQL with a rule for every address, switched off", build: of(model.SQLServer, func(b *builder, s *model.Service) { s.Public, s.IPRules = "Disabled", rule(b, "all", "0.0.0.0/0") })},
		{id: "public-door-open", name: "Cosmos DB with the network filter", build: of(model.CosmosDB, func(_ *builder, s *model.Service) { s.VNetFilter = model.On })},
		{id: "public-door-open", name: "an injected server", build: of(model.PostgreSQL, func(b *builder, s *model.Service) { s.Injected, s.IPRules = "x", rule(b, "all", "0.0.0.0/0") })},
		{id: "public-door-open", name: "a perimeter decides", build: of(model.StorageAccount, func(_ *builder, s *model.Service) { s.Public, s.HasACLs = "SecuredByPerimeter", false })},
		{id: "public-door-open", name: "the rules are not in the input", build: of(model.ServiceBus, func(b *builder, s *model.Service) {
			s.HasACLs = false
			b.ledger = []model.LedgerEntry{{Resource: s.ID, Field: "networkRuleSets", Disposition: model.Unsupported, Affects: []model.ID{s.ID}}}
		})},

		{id: "public-door-beside-endpoint", name: "a vault with rules", build: of(model.KeyVault, func(b *builder, s *model.Service) { b.endpoint("pe", "net/pe", "10.0.0.4", s.ID) }), want: []string{"service:data"}},
		{id: "public-door-beside-endpoint", name: "SQL, by the service's own list", build: of(model.SQLServer, func(_ *builder, s *model.Service) {
			s.Connections = []model.EndpointConnection{{Endpoint: peID("far"), State: "Approved"}}
		}), want: []string{"service:data"}},
		{id: "public-door-beside-endpoint", name: "a workspace in a scope", build: of(model.LogAnalytics, func(b *builder, s *model.Service) {
			scope := b.service(model.MonitorScope, "scope")
			scope.Scoped = []model.ID{s.ID}
		}), want: []string{"service:data"}},
		{id: "public-door-beside-endpoint", name: "switched off", build: of(model.KeyVault, func(b *builder, s *model.Service) {
			s.Public = "Disabled"
			b.endpoint("pe", "net/pe", "10.0.0.4", s.ID)
		})},
		{id: "public-door-beside-endpoint", name: "no endpoint", build: of(model.KeyVault, none)},
		{id: "public-door-beside-endpoint", name: "open to all: another finding", build: of(model.SQLServer, func(b *builder, s *model.Service) {
			s.IPRules = rule(b, "all", "0.0.0.0/0")
			b.endpoint("pe", "net/pe", "10.0.0.4", s.ID)
		})},

		{id: "azure-services-admitted", name: "SQL", build: of(model.SQLServer, func(_ *builder, s *model.Service) {
			s.IPRules = []model.IPRule{{Name: "AllowAllWindowsAzureIps", Source: source("azure"), AllAzure: true}}
		}), want: []string{"database:data/AllowAllWindowsAzureIps"}},
		{id: "azure-services-admitted", name: "switched off", build: of(model.SQLServer, func(_ *builder, s *model.Service) {
			s.Public, s.IPRules = "Disabled", []model.IPRule{{Name: "AllowAllWindowsAzureIps", Source: source("azure"), AllAzure: true}}
		})},

		{id: "service-tls-floor", name: "storage at 1.0", build: of(model.StorageAccount, func(_ *builder, s *model.Service) { s.MinTLS = "TLS1_0" }), want: []string{"service:data"}},
		{id: "service-tls-floor", name: "SQL without a floor", build: of(model.SQLServer, func(_ *builder, s *model.Service) { s.MinTLS = "None" }), want: []string{"service:data"}},
		{id: "service-tls-floor", name: "1.2", build: of(model.SQLServer, func(_ *builder, s *model.Service) { s.MinTLS = "1.2" })},
		{id: "service-tls-floor", name: "not stated", build: of(model.SQLServer, none)},

		{id: "service-clear-text", name: "storage over HTTP", build: of(model.StorageAccount, func(_ *builder, s *model.Service) { s.HTTPSOnly = model.Off }), want: []string{"service:data"}},
		{id: "service-clear-text", name: "a cache without TLS", build: of(model.Redis, func(b *builder, s *model.Service) {
			s.HTTPSOnly, s.IPRules = model.Off, rule(b, "office", "198.51.100.0/24")
		}), want: []string{"service:data"}},
		{id: "service-clear-text", name: "HTTPS alone", build: of(model.StorageAccount, func(_ *builder, s *model.Service) { s.HTTPSOnly = model.On })},

		{id: "vnet-rule-void", name: "the subnet has no service endpoint", build: of(model.KeyVault, func(b *builder, s *model.Service) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/app", "10.0.0.0/24").ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage", State: "Succeeded"}}
			s.VNetRules = []model.VNetRule{{Source: source("rule"), Subnet: subnetID("net/app")}}
		}), want: []string{"service:data"}},
		{id: "vnet-rule-void", name: "it has the global one", build: of(model.StorageAccount, func(b *builder, s *model.Service) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/app", "10.0.0.0/24").ServiceEndpoints = []model.ServiceEndpoint{{Service: "Microsoft.Storage.Global", State: "Succeeded"}}
			s.VNetRules = []model.VNetRule{{Source: source("rule"), Subnet: subnetID("net/app")}}
		})},
		{id: "vnet-rule-void", name: "the subnet is not in the input", build: of(model.KeyVault, func(_ *builder, s *model.Service) {
			s.VNetRules = []model.VNetRule{{Source: source("rule"), Subnet: subnetID("net/gone")}}
		})},

		{id: "instance-rule-wide", name: "every instance of a type", build: of(model.StorageAccount, func(_ *builder, s *model.Service) {
			s.InstanceRules = []string{"/subscriptions/*/resourcegroups/*/providers/Microsoft.DataFactory/factories/*"}
		}), want: []string{"service:data"}},
		{id: "instance-rule-wide", name: "one instance", build: of(model.StorageAccount, func(_ *builder, s *model.Service) {
			s.InstanceRules = []string{"/subscriptions/s/resourcegroups/rg/providers/Microsoft.DataFactory/factories/adf"}
		})},

		{id: "monitor-scope-open", name: "query is open", build: of(model.MonitorScope, func(_ *builder, s *model.Service) { s.IngestionMode, s.QueryMode = "PrivateOnly", "Open" }), want: []string{"service:data"}},
		{id: "monitor-scope-open", name: "not stated", build: of(model.MonitorScope, none), want: []string{"service:data"}},
		{id: "monitor-scope-open", name: "both are private", build: of(model.MonitorScope, func(_ *builder, s *model.Service) { s.IngestionMode, s.QueryMode = "PrivateOnly", "PrivateOnly" })},
	}
}
