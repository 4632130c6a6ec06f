package azure

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// BenchmarkImport reads one file of Resource Graph rows: 1000 security groups of 10 rules, and 2000 interfaces.
func BenchmarkImport(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"data": [`)
	for i := range 1000 {
		fmt.Fprintf(&text, `{"id": "RG/microsoft.network/networksecuritygroups/n%d", "name": "n%[1]d", "location": "westeurope", "properties": {"securityRules": [`, i)
		for j := range 10 {
			if j > 0 {
				text.WriteString(",\n")
			}
			fmt.Fprintf(&text, `{"name": "r%d", "properties": {"priority": %d, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
				"sourceAddressPrefix": "10.%[1]d.0.0/16", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443"}}`, j, 100+j)
		}
		text.WriteString("]}},\n")
	}
	for i := range 2000 {
		if i > 0 {
			text.WriteString(",\n")
		}
		fmt.Fprintf(&text, `{"id": "RG/microsoft.network/networkinterfaces/i%d", "name": "i%[1]d", "location": "westeurope", "properties": {"ipConfigurations": [{"name": "a",
			"properties": {"privateIPAddress": "10.0.%d.%d", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}]}}`, i, i/250, 4+i%250)
	}
	text.WriteString("]}")
	fsys := fstest.MapFS{"a.json": {Data: []byte(fill(text.String()))}}
	b.SetBytes(int64(len(fsys["a.json"].Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Import(fsys, []string{"a.json"}); err != nil {
			b.Fatal(err)
		}
	}
}
