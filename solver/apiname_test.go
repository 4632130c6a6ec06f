package solver

import (
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// AKS-API-05: a must to the API server of a private cluster goes where its name leads from the sender's network; by address no zone is needed.
func TestAPIServerByName(t *testing.T) {
	const private, public = "aks-1.guid.privatelink.westeurope.azmk8s.io", "aks-1.hcp.westeurope.azmk8s.io"
	zone := az.ID("privateDnsZones", "privatelink.westeurope.azmk8s.io")
	link := func(v string) az.Resource {
		return az.New("privateDnsZones/virtualNetworkLinks", "privatelink.westeurope.azmk8s.io/"+v, az.Object{"virtualNetwork": az.Ref("virtualNetworks", v), "registrationEnabled": false})
	}
	for _, test := range []struct {
		name       string
		zone       string
		publicName bool
		links      []string
		near, far  Outcome // from the cluster's VNet, and from a peer
		assume     string
	}{
		{"the zone of AKS is linked to the nodes' VNet", "system", false, nil, Pass, Fail, ""},
		{"the public name leads everywhere", "system", true, nil, Pass, Pass, ""},
		{"no private name", "none", true, nil, Pass, Pass, ""},
		{"a zone of one's own, linked to one", zone, false, []string{"b"}, Fail, Pass, ""},
		{"linked to both", zone, false, []string{"a", "b"}, Pass, Pass, ""},
		{"a zone that is not in the input", az.ID("privateDnsZones", "gone"), false, nil, Undecided, Undecided, "MISSING(private DNS zone gone)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resources := []az.Resource{
				az.VNet("a", "10.1.0.0/16", az.Subnet("nodes", "10.1.1.0/24"), az.Subnet("s", "10.1.2.0/24"), az.Peering("b")),
				az.VNet("b", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24"), az.Peering("a")), az.NIC("near", "a/s", "10.1.2.4"), az.NIC("far", "b/s", "10.2.1.4"),
				az.New("privateDnsZones", "privatelink.westeurope.azmk8s.io", nil),
				az.New("Microsoft.ContainerService/managedClusters", "aks", az.Object{
					"networkProfile":         az.Object{"networkPlugin": "azure", "networkPluginMode": "overlay"},
					"agentPoolProfiles":      []any{az.Object{"name": "np", "vnetSubnetID": az.SubnetID("a/nodes"), "count": 1, "osType": "Linux"}},
					"apiServerAccessProfile": az.Object{"enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": test.publicName, "privateDNSZone": test.zone},
					"fqdn":                   public, "privateFQDN": private,
				}),
			}
			for _, v := range test.links {
				resources = append(resources, link(v))
			}
			s := written(t, resources, []exampleRow{{from: "nic:near", to: "apiserver:aks"}, {from: "nic:far", to: "apiserver:aks"}})
			for from, want := range map[string]Outcome{"nic:near": test.near, "nic:far": test.far} {
				a := model.Assertion{ID: "must", Verb: model.VerbMust, From: selectors(t, from), To: selectors(t, "apiserver:aks"), Services: []model.PortService{portService(t, "tcp/443")}}
				got, err := s.Check(a)
				if err != nil {
					t.Fatal(err)
				}
				if got.Verdict != want || want == Fail && !strings.Contains(got.Reason, "by the address that its name has there") {
					t.Errorf("%s: got %s, want %s: %s %v", from, got.Verdict, want, got.Reason, got.Assumptions)
				}
				a.Verb, a.Services = model.VerbDeny, nil
				if got, err = s.Check(a); err != nil || got.Verdict != Fail {
					t.Errorf("%s: the deny says %v, %v", from, got.Verdict, err)
				}
			}
		})
	}
}
