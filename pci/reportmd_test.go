package pci

import (
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// signed is an intent in which people stated one thing of each register, all of it with one text.
func signed(name string) *model.Intent {
	day := model.Date{Year: 2026, Month: 9, Day: 1}
	end := []model.Selector{{Kind: model.SelZone, Parts: []string{name}, Text: name}}
	at := model.Source{File: name, Line: 1}
	return &model.Intent{
		Judge: name, Reviews: []model.Review{{Source: at, RuleSets: []string{name}, By: name, On: day, Actions: name, Ticket: name, Procedure: name, Snapshot: name}},
		Justifications: []model.Justification{{Source: at, Rules: []string{name}, Reason: name, Owner: name, ApprovedBy: name, Ticket: name, Expires: day, SecurityFeatures: []string{name}}},
		Attestations:   []model.Attestation{{Source: at, Item: name, By: name, On: day, Evidence: name, Reason: name}},
		None:           []model.NoneStatement{{Source: at, What: name, By: name, On: day, Reason: name}},
		Assertions:     []model.Assertion{{ID: name, Except: []model.Waiver{{Source: at, From: end, To: end, Owner: name, Reason: name, Expires: day}}}},
		PCI:            model.PCI{NetworkAdmins: []model.NetworkAdmin{{Source: at, Principal: name, Name: name, Role: name}}},
	}
}

// What people wrote is shown as it is, in the registers too.
func TestMarkdownHostileRegisters(t *testing.T) {
	for _, name := range hostile() {
		checkMarkdown(t, "registers of "+name, string(Markdown(hostileResult(name), signed(name))))
	}
}

// Nothing is left out: every input with its hash, every requirement, item, part, fault and note, every register, assumption and resource that
// was not understood.
func TestMarkdownHoldsEverything(t *testing.T) {
	r := shop()
	text := string(Markdown(r, signed("Head-of-Security")))
	plain := strings.ReplaceAll(text, `\`, "")
	var want []string
	for _, x := range r.Inputs {
		want = append(want, x.Path, x.SHA256)
	}
	for _, x := range r.Items {
		want = append(want, "#### "+x.ID+" "+x.Title+": "+string(x.Verdict))
		for _, p := range x.Evidence {
			want = append(want, "**"+string(p.Verdict)+"**: "+p.Statement, p.Reason)
			for _, f := range p.Faults {
				want = append(want, faultText(f), f.Remedy)
			}
			for _, list := range [][]string{p.Facts, p.Notes, p.Residual, p.Waived} {
				want = append(want, list...)
			}
		}
	}
	for _, a := range r.Assertions {
		want = append(want, a.ID, a.Statement, a.Reason, a.Source)
	}
	for _, a := range r.Assumptions {
		want = append(want, a.ID, a.Text, a.Settle)
	}
	for _, l := range r.Ledger.Unsupported {
		want = append(want, l.Resource, l.Type, l.Effect)
	}
	for _, f := range r.Findings {
		want = append(want, f.Text, f.Remedy)
	}
	for _, z := range r.Zones {
		want = append(want, z.Members...)
	}
	want = append(want, "### Requirement 1.3.3: fail", "Judged as of | 2026-11-01", "PCI DSS v4.0.1")
	for _, x := range want {
		if !strings.Contains(plain, x) {
			t.Errorf("the report does not hold %q", x)
		}
	}
	if n := strings.Count(plain, "Head-of-Security"); n != 34 {
		t.Errorf("the registers hold %d of 34 texts", n)
	}
}

// An empty result claims nothing.
func TestMarkdownEmpty(t *testing.T) {
	text := string(Markdown(&Result{Project: "empty"}, nil))
	for _, x := range []string{"Nothing was checked: no assertions are declared", "No files were read.", "No zones are declared."} {
		if !strings.Contains(text, x) {
			t.Errorf("the report does not say %q", x)
		}
	}
}
