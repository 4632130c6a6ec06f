package azuretest_test

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// Everything that the package writes is read by the importer, and every field of it understood.
func TestImporterUnderstands(t *testing.T) {
	account := azuretest.StorageAccount("data")
	fsys := azuretest.FS(
		azuretest.VNet("hub", "10.0.0.0/16,fd00::/48",
			azuretest.Subnet("web", "10.0.1.0/24,fd00::/64", "nsg=nsg", "rt=rt", "nat=nat", "se=Microsoft.Storage", "outbound=false"),
			azuretest.Subnet("pe", "10.0.2.0/24", "pe=Enabled", "outbound=unstated"),
			azuretest.Subnet("AzureFirewallSubnet", "10.0.3.0/26"), azuretest.Subnet("GatewaySubnet", "10.0.4.0/27"), azuretest.Subnet("AzureBastionSubnet", "10.0.5.0/26"),
			azuretest.Subnet("apps", "10.0.6.0/24", "delegate=Microsoft.Web/serverFarms"),
			azuretest.Peering("spoke", "forwarded", "transit", "synced=10.1.0.0/16", "space=10.1.0.0/16")),
		azuretest.VNet("spoke", "10.1.0.0/16", azuretest.Subnet("s", "10.1.0.0/24"),
			azuretest.Peering("hub", "remote", "no-access", "local=s", "far=web"), azuretest.Peering("gone", "v6", "state=Disconnected")),
		azuretest.NSG("nsg", "100 Allow In tcp Internet,10.9.0.0/16 -> asg:asg 80,443/1024-65535 AllowWeb", "110 Deny Out * * -> Storage *"),
		azuretest.ASG("asg"),
		azuretest.RouteTable("rt", "no-propagation", "0.0.0.0/0 10.0.3.4", "Storage Internet", "10.0.0.0/16 VnetLocal"),
		azuretest.NIC("nic", "hub/web", "10.0.1.4", "nsg=nsg", "pip=pip", "asg=asg", "pool=lb/pool", "natrule=lb/f2222", "forward", "v6=fd00::4", "pip6=pip6"),
		azuretest.PublicIP("pip", "20.0.0.1"), azuretest.PublicIP("pip6", "2001:db8::1", "basic"), azuretest.PublicIP("fw", "20.0.0.3"), azuretest.PublicIP("nat", "20.0.0.4"),
		azuretest.PublicIP("lb", "20.0.0.5"), azuretest.PublicIP("gw", "20.0.0.6"), azuretest.PublicIP("bastion", "20.0.0.7"),
		azuretest.NATGateway("nat", "nat"),
		azuretest.LoadBalancer("lb", "frontend f pip=lb", "frontend in hub/web 10.0.1.9", "rule tcp f:443 -> pool:8443 probe=p", "rule all in:0 -> byip:0 floating",
			"member byip 10.0.1.7 hub", "nat tcp f:2222 -> nic:22", "outbound f -> pool", "probe p 8080"),
		azuretest.Firewall("fw", "hub/AzureFirewallSubnet", "10.0.3.4", "fw", "100 Allow tcp 10.0.0.0/8 -> * 443 web", "200 Deny * * -> * *"),
		azuretest.VPNGateway("gw", "hub", "bgp", "pip=gw", "clients=192.168.0.0/24"), azuretest.LocalGateway("site", "10.10.0.0/16"),
		azuretest.Connection("site", "gw", "local:site", "bgp"), azuretest.Connection("far", "gw", "gateway:far", "state=NotConnected"),
		azuretest.Bastion("bastion", "hub", "Basic", "bastion"), azuretest.Bastion("dev", "spoke", "Developer", ""),
		azuretest.Cluster("aks", "calico", "a hub/web", "b hub/pe mode=Gateway"), azuretest.Cluster("flat", "azure", "outbound=userDefinedRouting", "public", "a hub/web pods=hub/pe public"),
		azuretest.Cluster("over", "none", "overlay", "cilium", "a hub/web"), azuretest.Cluster("old", "calico", "kubenet", "a hub/web"),
		account, azuretest.PrivateEndpoint("pe", "hub/pe", "10.0.2.4", account["id"].(string)),
	)
	res, err := azure.Import(fsys, azuretest.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range res.Ledger {
		if e.Disposition != model.Modelled {
			t.Errorf("%s %s %s: %s", e.Resource.ShortName(), e.Field, e.Disposition, e.Effect)
		}
	}
	e, err := model.NewEstate(res.Resources, res.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	nic := e.NICs[0]
	if got := len(nic.IPConfigs); got != 2 || nic.IPForwarding != model.On || len(nic.IPConfigs[0].ASGs) != 1 || len(nic.IPConfigs[0].LBPools) != 1 || len(nic.IPConfigs[0].NATRules) != 1 {
		t.Errorf("NIC: got %+v", nic)
	}
	rule := e.NSGs[0].Rules[0]
	if rule.Name != "AllowWeb" || rule.Priority != 100 || rule.Protocol != model.TCP || !slices.Equal(rule.SourceAddrs.Tags, []string{"Internet"}) ||
		len(rule.SourceAddrs.Prefixes) != 1 || len(rule.DestAddrs.ASGs) != 1 || len(rule.DestPorts) != 2 || rule.SourcePorts[0].First != 1024 {
		t.Errorf("rule: got %+v", rule)
	}
	if len(e.NSGs[0].Rules) != 8 {
		t.Errorf("NSG: got %d rules, want two of its own and six default ones", len(e.NSGs[0].Rules))
	}
}

// So is everything of network managers.
func TestImporterUnderstandsManagers(t *testing.T) {
	const rule = "10 Deny In tcp Internet,10.0.0.0/8 -> * 22,3389 X"
	fsys := azuretest.FS(azuretest.Together(
		azuretest.Manager("nm"), azuretest.Manager("root", "scope=/providers/Microsoft.Management/managementGroups/root", "access=SecurityAdmin"),
		azuretest.NetworkGroup("nm/g", "v1"), azuretest.AdminConfiguration("nm/sec", "AllowRulesOnly"),
		azuretest.AdminCollection("nm/sec/base", "g", rule, "20 AlwaysAllow Out * * -> 10.0.0.0/8 * Y"), azuretest.EffectiveRules("v1", "nm/sec/base", rule),
		azuretest.ActiveRules("nm/sec/base", "g", rule), azuretest.Deployed("nm", "SecurityAdmin", "Deployed", "securityAdminConfigurations/sec"),
		azuretest.ConnectivityConfiguration("nm/c", "hub=v1", "direct=g", "group=h", "global"), azuretest.EffectiveConnectivity("v1", "nm/c", "mesh", "group=g"),
		azuretest.EffectiveConnectivity("v2", ""),
	)...)
	res, err := azure.Import(fsys, azuretest.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range res.Ledger {
		if e.Disposition != model.Modelled {
			t.Errorf("%s %s %s: %s", e.Resource.ShortName(), e.Field, e.Disposition, e.Effect)
		}
	}
	if got := len(res.Resources); got != 11 {
		t.Errorf("%d resources, want 11", got)
	}
}

// A word that no function has stops the test that wrote it.
func TestUnknownWord(t *testing.T) {
	for name, f := range map[string]func(){
		"subnet":  func() { azuretest.Subnet("s", "10.0.0.0/24", "ngs=nsg") },
		"NIC":     func() { azuretest.NIC("n", "v/s", "10.0.0.4", "forwarding") },
		"rule":    func() { azuretest.NSG("n", "100 Allow In tcp Internet * 80") },
		"lb":      func() { azuretest.LoadBalancer("lb", "rule tcp f:443 pool:8443") },
		"ID":      func() { azuretest.ID("virtualNetworks/subnets", "net") },
		"peering": func() { azuretest.Peering("hub", "forward") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

// Set reaches what has no option; the files keep the order of the resources.
func TestSet(t *testing.T) {
	r := azuretest.NSG("n").Set("flushConnection", true).Set(".location", "eastus").Set("provisioningState", nil)
	fsys := azuretest.FS(r, azuretest.ASG("a"))
	if got, want := azuretest.Files(fsys), []string{"azure/000-networkSecurityGroups-n.json", "azure/001-applicationSecurityGroups-a.json"}; !slices.Equal(got, want) {
		t.Errorf("files: got %v, want %v", got, want)
	}
	res, err := azure.Import(fsys, azuretest.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range res.Resources {
		if n, ok := x.(*model.NSG); ok && (n.FlushConnection != model.On || n.Location != "eastus") {
			t.Errorf("got %+v", n)
		}
	}
	if _, err := fs.Stat(fsys, "azure/000-networkSecurityGroups-n.json"); err != nil {
		t.Error(err)
	}
}

// So is everything of application gateways and Front Door.
func TestImporterUnderstandsGateways(t *testing.T) {
	fsys := azuretest.FS(append(azuretest.FrontDoor("fd", "0f0f",
		"endpoint shop", "group g probe=Https", "group h", "origin g web origin.example https=8443", "origin h spare 20.0.0.9 off private=/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st state=Approved",
		"domain pay pay.example", "rules SET h", "route shop r -> g http redirect forward=HttpsOnly rules=SET domain=pay", "waf front shop", "waf front2 domain:pay"),
		azuretest.FrontDoorWAF("front", "Prevention", "10 Block RemoteAddr not IPMatch 198.51.100.0/24"),
		azuretest.VNet("net", "10.0.0.0/16", azuretest.Subnet("agw", "10.0.1.0/24")), azuretest.PublicIP("agw", "20.0.0.7"),
		azuretest.WAFPolicy("waf", "Prevention", "10 Block RequestHeaders:X-Azure-FDID not Equal 0f0f"),
		azuretest.AppGateway("agw", "net/agw", "frontend public pip=agw", "frontend inside 10.0.1.9", "policy waf", "listener web public:443 Https host=shop.example", "listener plain inside:80 Http waf=waf", "rule web -> 10.0.2.4,back.example:8443", "rule plain -> 10.0.2.4:80 http"),
	)...)
	res, err := azure.Import(fsys, azuretest.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range res.Ledger {
		if e.Disposition != model.Modelled {
			t.Errorf("%s %s %s: %s", e.Resource.ShortName(), e.Field, e.Disposition, e.Effect)
		}
	}
	e, err := model.NewEstate(res.Resources, res.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	f := e.FrontDoors[0]
	if len(f.Endpoints) != 1 || len(f.Endpoints[0].Routes) != 1 || len(f.Groups) != 2 || len(f.Domains) != 1 || len(f.WAFs) != 2 || len(f.RuleSets) != 1 || f.FrontDoorID != "0f0f" {
		t.Fatalf("got %+v", f)
	}
	r := f.Endpoints[0].Routes[0]
	if !r.HTTP || !r.HTTPS || r.Redirect != model.On || r.Forwarding != "HttpsOnly" || len(r.Domains) != 1 || len(f.RuleSets[0].Groups) != 1 || r.Group != f.Groups[0].ID || f.RuleSets[0].Groups[0] != f.Groups[1].ID {
		t.Errorf("route: got %+v", r)
	}
	if o := f.Groups[1].Origins[0]; !o.IsPrivate || o.PrivateState != "Approved" || o.Enabled != model.Off || f.Groups[0].Origins[0].HTTPSPort != 8443 {
		t.Errorf("origins: got %+v", f.Groups)
	}
}
