package model

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// AKS-OUT-07: where the clients of a proxy connect to.
func TestProxies(t *testing.T) {
	for _, test := range []struct {
		http, https string
		want        []Proxy
	}{
		{"", "", nil},
		{"http://10.1.7.4:3128", "http://10.1.7.4:3128", []Proxy{{"10.1.7.4", netip.MustParseAddr("10.1.7.4"), 3128}}},
		{"http://Proxy.Corp.example.", "https://proxy.corp.example", []Proxy{{"proxy.corp.example", netip.Addr{}, 80}, {"proxy.corp.example", netip.Addr{}, 443}}},
		{"http://[fd00::9]:8080", "", []Proxy{{"fd00::9", netip.MustParseAddr("fd00::9"), 8080}}},
		{"http://proxy:99999", "", []Proxy{{"proxy", netip.Addr{}, 0}}},
		{"(a proxy whose URL cannot be read)", "", []Proxy{{}}},
	} {
		c := &Cluster{HTTPProxy: test.http, HTTPSProxy: test.https}
		if diff := cmp.Diff(c.Proxies(), test.want, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%q, %q (-got +want):\n%s", test.http, test.https, diff)
		}
	}
}
