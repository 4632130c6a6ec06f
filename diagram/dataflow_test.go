package diagram

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// faulty is the shop with everything that a data-flow diagram has a colour for: a leg in clear text, one whose protection nobody states,
// stores whose keys are not as declared, and senders to a store that nobody declared.
func faulty() Input {
	in := shop()
	svc := func(text string) model.PortService {
		s, err := model.ParsePortService(text)
		if err != nil {
			panic(err)
		}
		return s
	}
	in.Flows[0].Legs[0].Read, in.Flows[0].Legs[0].ReadFrom = "TLS 1.2 or later", "agw/https-pay"
	in.Flows[0].Legs[1].Read, in.Flows[0].Legs[1].ReadFrom, in.Flows[0].Legs[1].Weak = "clear text", "agw/to-ingress", "clear text"
	in.Flows[1].InTransit = ""
	in.Flows[3].InTransit = "none"
	in.Stores[0].Doors = []string{"endpoint:pe-sql-cards"}
	in.Stores[0].Read, in.Stores[0].ReadFrom, in.Stores[0].Weak = "platform-managed key", "sql-cards", "declared is `TDE with a key in kv-cards`, read is `platform-managed key`"
	in.Stores = append(in.Stores, StoreInfo{Ref: "service:kv-cards", Data: []string{"keys"}})
	in.Declared = []DeclaredInfo{
		{From: []string{"pod:payments/api"}, To: []string{"service:sql-cards"}, Services: []model.PortService{svc("tcp/1433")}},
		{From: []string{"zone:cde"}, To: []string{"service:kv-cards"}, Services: []model.PortService{svc("tcp/440-450")}},
		{From: []string{"pod:payments/api"}, To: []string{"zone:data"}}, // any service
	}
	in.Members = append(in.Members,
		row("pod:shop/catalog", "endpoint:pe-sql-cards", "tcp/1433"),
		row("pod:shop/cart", "service:sql-cards", "tcp/1433"),
		row("nodepool:aks-prod/npoos", "endpoint:pe-sql-cards", "tcp/1434"),
		unknown("cidr:10.90.0.0/16", "service:stcards", "tcp/443"),
		relayed("internet", "service:sql-cards", "tcp/1433", "pod:payments/api"), // whose last sender is declared
		row("pod:payments/web", "service:kv-cards", "tcp/443", "tcp/22"),
		row("service:sql-cards", "endpoint:pe-sql-cards", "tcp/1433"), // its own door
	)
	return in
}

// What resources say counts before what is declared; what is impossible, undeclared or not protected is listed (1.1.3-a, 1.1.3-b).
func TestFaults(t *testing.T) {
	d, err := DataFlow(faulty())
	if err != nil {
		t.Fatal(err)
	}
	p := d.Panels[0]
	want := []string{
		"Not protected in transit: card capture, agw to payments/web tcp/8443: clear text, although declared is `TLS 1.2, end to end`.",
		"Declared, but impossible: reconciliation, on-prem to stcards tcp/443: denied by nsg-pe/DenyAllIn.",
		"Not protected in transit: authorisation, payments/api to api.psp.example tcp/443: neither a resource nor the declaration says how.",
		"Not protected in transit: settlement files, payments/api to stcards tcp/443: clear text, as declared.",
		"Possible, but not declared: payments/web to kv-cards, tcp/22.",
		"Possible, but not declared: shop/cart, shop/catalog to sql-cards, tcp/1433.",
		"Possible, but not declared: npoos to sql-cards, tcp/1434.",
		"Perhaps possible, and not declared: 10.90.0.0/16 to stcards, tcp/443.",
		"Protection at rest is neither read nor declared: kv-cards.",
		"Not protected at rest as declared: sql-cards: declared is `TDE with a key in kv-cards`, read is `platform-managed key`.",
	}
	if diff := cmp.Diff(p.Faults, want); diff != "" {
		t.Errorf("faults (-got +want):\n%s", diff)
	}
	for _, f := range p.Faults {
		if !slices.Contains(p.Notes, f) {
			t.Errorf("the sheet does not say `%s`", f)
		}
	}
	kinds := map[Line]int{}
	clear := 0
	for _, e := range p.Edges {
		kinds[e.Line]++
		if e.Clear {
			clear++
		}
	}
	if kinds[StrayLine] != 3 || kinds[BrokenLine] != 1 || clear != 3 {
		t.Errorf("got %v and %d lines without protection; want three undeclared, one impossible, three without", kinds, clear)
	}
	for label, want := range map[string]string{
		"sql-cards":   "PAN, expiry; at rest: platform-managed key (read: sql-cards)",
		"stcards":     "truncated PAN; at rest: customer-managed key in kv-cards (declared)",
		"kv-cards":    "keys; at rest: not stated",
		"2 endpoints": "shop/cart, shop/catalog",
	} {
		if got := p.node(label).Detail; got != want {
			t.Errorf("box %s: got %q, want %q", label, got, want)
		}
	}
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"undeclared: tcp/1433", "not protected: tcp/8443", "impossible: tcp/443", "TLS 1.2 or later (read:"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the picture does not say `%s`, and its colour is not seen by everybody", want)
		}
	}
}

// Nobody compared: the sheet does not speak of undeclared flows.
func TestNoDeclarations(t *testing.T) {
	in := faulty()
	in.Declared = nil
	d, err := DataFlow(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.Panels[0].Faults {
		if strings.Contains(f, "not declared") {
			t.Errorf("got `%s`", f)
		}
	}
	if strings.Contains(d.About, "who else") {
		t.Errorf("the sheet says `%s`", d.About)
	}
}

// The number of faults is bounded on the sheet, not in the data.
func TestManyFaults(t *testing.T) {
	in := shop()
	for range 40 {
		in.Flows = append(in.Flows, FlowInfo{Name: "f", Legs: []LegInfo{{From: "internet", To: "appgw:agw", Service: "tcp/80", Verdict: solver.Reachable}}})
	}
	d, err := DataFlow(in)
	if err != nil {
		t.Fatal(err)
	}
	if p := d.Panels[0]; len(p.Faults) != 41 || !slices.Contains(p.Notes, "And 21 more; the JSON has all.") {
		t.Errorf("got %d faults and the notes %q", len(p.Faults), p.Notes)
	}
}
