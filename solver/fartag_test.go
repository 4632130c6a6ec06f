package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// AZ-TAG-09: a tag without a list speaks of the far address. That the estate's own public address is in AzureCloud says nothing of the
// clients that come to it.
func TestTagOfClientsIsNotThatOfTheirTarget(t *testing.T) {
	s := imported(t, "",
		az.VNet("v", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=n")),
		az.NSG("n", "100 Deny In * AzureCloud -> * * NoAzure", "200 Allow In tcp * -> * 443 Web"),
		az.PublicIP("p", "20.0.0.1"), az.NIC("vm", "v/s", "10.0.0.4", "pip=p"))
	r := answer(t, s, selectors(t, "internet"), selectors(t, "nic:vm"), "tcp/443", false)
	if r.Verdict != Reachable {
		t.Fatalf("got %s, want reachable", r.Verdict)
	}
	for _, f := range r.Flows {
		for _, p := range f.Packets {
			if len(p.Tags) != 1 || p.Tags[0] != "!AzureCloud" {
				t.Errorf("tags: got %v, want clients outside AzureCloud", p.Tags)
			}
		}
	}
	agree(t, s, 2000, 1)
}
