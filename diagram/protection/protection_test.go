package protection

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const rg = "/subscriptions/s/resourceGroups/rg/providers/"

func meta(id string) model.Meta {
	return model.Meta{ID: model.ID(id), Source: model.Source{File: "t.json", Line: 1}}
}

func estate(t *testing.T, resources ...model.Resource) *model.Estate {
	t.Helper()
	e, err := model.NewEstate(resources, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func selector(t *testing.T, text string) model.Selector {
	t.Helper()
	s, err := model.ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func port(t *testing.T, text string) model.PortService {
	t.Helper()
	s, err := model.ParsePortService(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func gateway() *model.AppGateway {
	const id = rg + "Microsoft.Network/applicationGateways/agw"
	at := func(kind, name string) model.ID { return model.ID(id + "/" + kind + "/" + name) }
	return &model.AppGateway{
		Meta: meta(id),
		TLS:  model.TLSPolicy{Type: "Predefined", Name: "AppGwSslPolicy20220101"},
		TLSProfiles: []model.TLSProfile{
			{ID: at("sslProfiles", "old"), Policy: model.TLSPolicy{Type: "Custom", MinVersion: "TLSv1_1"}},
		},
		Ports: []model.AGWPort{{ID: at("frontendPorts", "80"), Port: 80}, {ID: at("frontendPorts", "443"), Port: 443}, {ID: at("frontendPorts", "8443"), Port: 8443}, {ID: at("frontendPorts", "81"), Port: 81}},
		Listeners: []model.AGWListener{
			{ID: at("httpListeners", "redirect"), Name: "redirect", Port: at("frontendPorts", "80"), Protocol: "Http"},
			{ID: at("httpListeners", "pay"), Name: "pay", Port: at("frontendPorts", "443"), Protocol: "Https"},
			{ID: at("httpListeners", "legacy"), Name: "legacy", Port: at("frontendPorts", "8443"), Protocol: "Https", TLSProfile: at("sslProfiles", "old")},
			{ID: at("httpListeners", "plain"), Name: "plain", Port: at("frontendPorts", "81"), Protocol: "Http"},
		},
		Settings: []model.AGWSetting{
			{ID: at("backendHttpSettingsCollection", "tls"), Name: "tls", Port: 443, Protocol: "Https"},
			{ID: at("backendHttpSettingsCollection", "plain"), Name: "plain", Port: 8080, Protocol: "Http"},
			{ID: at("backendHttpSettingsCollection", "unused"), Name: "unused", Port: 9000, Protocol: "Http"},
		},
		Rules: []model.AGWRule{
			{Listener: at("httpListeners", "redirect"), Redirect: at("redirectConfigurations", "r")},
			{Listener: at("httpListeners", "pay"), Setting: at("backendHttpSettingsCollection", "tls")},
			{Listener: at("httpListeners", "plain"), Setting: at("backendHttpSettingsCollection", "plain")},
		},
	}
}

// 1.1.3-a: listeners with their effective TLS floor (AZ-AGW-21), and back ends.
func TestGateway(t *testing.T) {
	e := estate(t, gateway())
	for _, test := range []struct {
		from, to, service string
		want              Finding
	}{
		{"internet", "appgw:agw", "tcp/443", Finding{Text: "TLS 1.2 or later (AppGwSslPolicy20220101)", From: "agw/pay"}},
		{"internet", "appgw:agw", "tcp/8443", Finding{Text: "TLS 1.1 or later", From: "agw/legacy", Weak: "TLS below 1.2 is admitted"}},
		{"internet", "appgw:agw", "tcp/80", Finding{}}, // it only redirects
		{"internet", "appgw:agw", "tcp/81", Finding{Text: clearText, From: "agw/plain", Weak: clearText}},
		{"internet", "appgw:agw", "any", Finding{Text: clearText, From: "agw/plain", Weak: clearText}}, // the weakest door
		{"internet", "appgw:agw", "udp/443", Finding{}},
		{"appgw:agw", "ip:10.0.0.4", "tcp/443", Finding{Text: "TLS to the back end", From: "agw/tls"}},
		{"appgw:agw", "ip:10.0.0.4", "tcp/8080", Finding{Text: clearText, From: "agw/plain", Weak: clearText}},
		{"appgw:agw", "ip:10.0.0.4", "tcp/9000", Finding{}}, // no rule sends there
		{"internet", "ip:10.0.0.4", "tcp/443", Finding{}},
		{"internet", "appgw:none", "tcp/443", Finding{}},
	} {
		got := InTransit(e, selector(t, test.from), selector(t, test.to), port(t, test.service))
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%s to %s %s (-got +want):\n%s", test.from, test.to, test.service, diff)
		}
	}
}

// AZ-AFD-02: what a Front Door accepts, and how it goes on to its origins.
func TestFrontDoor(t *testing.T) {
	const id = rg + "Microsoft.Cdn/profiles/fd"
	make := func(r model.FrontDoorRoute) *model.Estate {
		r.Name, r.ID = "route", id+"/afdEndpoints/e/routes/route"
		return estate(t, &model.FrontDoor{
			Meta:      meta(id),
			Endpoints: []model.FrontDoorEndpoint{{ID: id + "/afdEndpoints/e", Name: "e", Routes: []model.FrontDoorRoute{r}}},
			Domains:   []model.FrontDoorDomain{{ID: id + "/customDomains/d", MinTLS: "TLS10"}},
		})
	}
	for _, test := range []struct {
		name     string
		route    model.FrontDoorRoute
		service  string
		in, back Finding
	}{
		{"HTTPS alone", model.FrontDoorRoute{HTTPS: true, Forwarding: "HttpsOnly"}, "tcp/443", Finding{Text: "TLS 1.2 or later", From: "fd/route"}, Finding{Text: "TLS to the origin", From: "fd/route"}},
		{"an old domain", model.FrontDoorRoute{HTTPS: true, Forwarding: "HttpsOnly", Domains: []model.ID{id + "/customDomains/d"}}, "tcp/443", Finding{Text: "TLS 1.0 or later", From: "fd/route", Weak: "TLS below 1.2 is admitted"}, Finding{Text: "TLS to the origin", From: "fd/route"}},
		{"HTTP is redirected", model.FrontDoorRoute{HTTP: true, HTTPS: true, Redirect: model.On, Forwarding: "MatchRequest"}, "any", Finding{Text: "TLS 1.2 or later", From: "fd/route"}, Finding{Text: "TLS to the origin", From: "fd/route"}},
		{"HTTP goes on", model.FrontDoorRoute{HTTP: true, HTTPS: true, Forwarding: "MatchRequest"}, "any", Finding{Text: clearText, From: "fd/route", Weak: clearText}, Finding{Text: clearText, From: "fd/route", Weak: clearText}},
		{"HTTP to the origin", model.FrontDoorRoute{HTTPS: true, Forwarding: "HttpOnly"}, "tcp/443", Finding{Text: "TLS 1.2 or later", From: "fd/route"}, Finding{Text: clearText, From: "fd/route", Weak: clearText}},
		{"an unknown word", model.FrontDoorRoute{HTTPS: true, Forwarding: "?"}, "tcp/443", Finding{Text: "TLS 1.2 or later", From: "fd/route"}, Finding{}},
	} {
		e := make(test.route)
		if diff := cmp.Diff(InTransit(e, selector(t, "internet"), selector(t, "frontdoor:fd"), port(t, test.service)), test.in); diff != "" {
			t.Errorf("%s, clients (-got +want):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(InTransit(e, selector(t, "frontdoor:fd"), selector(t, "ip:10.0.0.4"), port(t, test.service)), test.back); diff != "" {
			t.Errorf("%s, origins (-got +want):\n%s", test.name, diff)
		}
	}
}

// The TLS floor and the keys of PaaS services (1.5 of docs/pci/decisions.md), by either door.
func TestServices(t *testing.T) {
	const id = rg + "Microsoft.X/y/svc"
	for _, test := range []struct {
		service         model.Service
		transit, atRest Finding
	}{
		{model.Service{Kind: model.SQLServer, MinTLS: "1.2", AtRest: "AzureKeyVault"}, Finding{Text: "TLS 1.2 or later", From: "svc"}, Finding{Text: "protector of TDE: customer-managed key", From: "svc"}},
		{model.Service{Kind: model.SQLServer, MinTLS: "None", AtRest: "ServiceManaged"}, Finding{Text: "unencrypted connections are admitted", From: "svc/minimalTlsVersion", Weak: clearText}, Finding{Text: "protector of TDE: platform-managed key", From: "svc"}},
		{model.Service{Kind: model.StorageAccount, MinTLS: "TLS1_0", HTTPSOnly: model.On, AtRest: "Microsoft.Storage"}, Finding{Text: "TLS 1.0 or later", From: "svc", Weak: "TLS below 1.2 is admitted"}, Finding{Text: "platform-managed key", From: "svc"}},
		{model.Service{Kind: model.StorageAccount, MinTLS: "TLS1_2", HTTPSOnly: model.Off, AtRest: "Microsoft.Keyvault"}, Finding{Text: "HTTP is admitted", From: "svc/supportsHttpsTrafficOnly", Weak: clearText}, Finding{Text: "customer-managed key", From: "svc"}},
		{model.Service{Kind: model.KeyVault}, Finding{Text: "TLS 1.2 or later", From: "svc, as every key vault"}, Finding{}},
		{model.Service{Kind: model.Redis, MinTLS: "odd"}, Finding{Text: "TLS, version not stated", From: "svc"}, Finding{}},
		{model.Service{Kind: model.CosmosDB}, Finding{}, Finding{}},
	} {
		s := test.service
		s.Meta = meta(id)
		e := estate(t, &s, &model.PrivateEndpoint{Meta: meta(rg + "Microsoft.Network/privateEndpoints/pe"), Target: id})
		for _, door := range []string{"service:svc", "endpoint:pe"} {
			if diff := cmp.Diff(InTransit(e, selector(t, "internet"), selector(t, door), port(t, "tcp/443")), test.transit); diff != "" {
				t.Errorf("%s, in transit to %s (-got +want):\n%s", s.Kind, door, diff)
			}
			if diff := cmp.Diff(AtRest(e, selector(t, door)), test.atRest); diff != "" {
				t.Errorf("%s, at rest behind %s (-got +want):\n%s", s.Kind, door, diff)
			}
		}
	}
}

// K8S-IST-04: the most specific policy wins, ports of their own before the rest; only pods that surely have a sidecar are bound.
func TestMesh(t *testing.T) {
	const cluster = rg + "Microsoft.ContainerService/managedClusters/aks"
	strict := Finding{Text: "mutual TLS of the mesh", From: "PeerAuthentication pay/default, STRICT"}
	auth := func(ns, name, mode string, pods *model.LabelSelector, ports map[uint16]string) *model.PeerAuthentication {
		return &model.PeerAuthentication{Meta: meta(cluster + "/peerauthentications/" + ns + "/" + name), Cluster: cluster, Namespace: ns, Mode: mode, Pods: pods, Ports: ports}
	}
	api := &model.LabelSelector{Match: map[string]string{"app": "api"}}
	for _, test := range []struct {
		name     string
		labels   map[string]string // of the namespace
		workload model.Workload
		auths    []*model.PeerAuthentication
		want     Finding
	}{
		{"strict in the namespace", map[string]string{"istio.io/rev": "asm-1-24"}, model.Workload{}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil)}, strict},
		{"strict in the root", map[string]string{"istio-injection": "enabled"}, model.Workload{}, []*model.PeerAuthentication{auth("aks-istio-system", "default", "STRICT", nil, nil)}, Finding{Text: strict.Text, From: "PeerAuthentication aks-istio-system/default, STRICT"}},
		{"nobody injects", nil, model.Workload{}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil)}, Finding{}},
		{"this pod is left out", map[string]string{"istio.io/rev": "x"}, model.Workload{Annotations: map[string]string{"sidecar.istio.io/inject": "false"}}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil)}, Finding{}},
		{"on the node's network", map[string]string{"istio.io/rev": "x"}, model.Workload{HostNetwork: true}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil)}, Finding{}},
		{"permissive proves nothing", map[string]string{"istio.io/rev": "x"}, model.Workload{}, []*model.PeerAuthentication{auth("pay", "default", "PERMISSIVE", nil, nil)}, Finding{}},
		{"the workload's own policy wins", map[string]string{"istio.io/rev": "x"}, model.Workload{}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil), auth("pay", "own", "DISABLE", api, nil)}, Finding{}},
		{"a port of its own", map[string]string{"istio.io/rev": "x"}, model.Workload{}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, map[uint16]string{8443: "DISABLE"})}, Finding{}},
		{"a port past the sidecar", map[string]string{"istio.io/rev": "x"}, model.Workload{Annotations: map[string]string{"traffic.sidecar.istio.io/excludeInboundPorts": "8443"}}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil)}, Finding{}},
		{"two of one rank", map[string]string{"istio.io/rev": "x"}, model.Workload{}, []*model.PeerAuthentication{auth("pay", "default", "STRICT", nil, nil), auth("pay", "other", "PERMISSIVE", nil, nil)}, Finding{}},
		{"another namespace", map[string]string{"istio.io/rev": "x"}, model.Workload{}, []*model.PeerAuthentication{auth("shop", "default", "STRICT", nil, nil)}, Finding{}},
	} {
		w := test.workload
		w.Meta, w.Cluster, w.Namespace, w.Labels = meta(cluster+"/deployments/pay/api"), cluster, "pay", map[string]string{"app": "api"}
		resources := []model.Resource{
			&model.Cluster{Meta: meta(cluster)}, &w,
			&model.Namespace{Meta: meta(cluster + "/namespaces/pay"), Cluster: cluster, Labels: test.labels, Declared: true},
		}
		for _, a := range test.auths {
			resources = append(resources, a)
		}
		e := estate(t, resources...)
		if diff := cmp.Diff(InTransit(e, selector(t, "internet"), selector(t, "pod:pay/api"), port(t, "tcp/8443")), test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.name, diff)
		}
	}
}

// A selector of several resources that differ says nothing.
func TestSeveral(t *testing.T) {
	e := estate(t,
		&model.Service{Meta: meta(rg + "Microsoft.Sql/servers/sql-a"), Kind: model.SQLServer, MinTLS: "1.2"},
		&model.Service{Meta: meta(rg + "Microsoft.Sql/servers/sql-b"), Kind: model.SQLServer, MinTLS: "1.0"},
	)
	if got := InTransit(e, selector(t, "internet"), selector(t, "service:sql-*"), port(t, "tcp/1433")); got != (Finding{}) {
		t.Errorf("got %+v, want nothing", got)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]bool{"none": true, "Clear text": true, "TLS 1.2": false, "": false, "IPsec": false} {
		if Clear(text) != want {
			t.Errorf("Clear(%q): want %v", text, want)
		}
	}
	for text, want := range map[string]bool{"TDE with a key in kv-cards": true, "customer-managed key": true, "CMK": true, "TDE": false} {
		if CustomerKey(text) != want {
			t.Errorf("CustomerKey(%q): want %v", text, want)
		}
	}
}
