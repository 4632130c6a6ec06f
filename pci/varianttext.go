package pci

import (
	"fmt"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/solver"
)

// doorText says whether an access is shut without a request.
func (a Access) doorText() string {
	switch a.Closed {
	case solver.Unreachable.String():
		return "closed without a request: proved for every packet"
	case solver.Reachable.String():
		return "OPEN WITHOUT A REQUEST"
	case solver.Unknown.String():
		return "not known to be closed without a request"
	default:
		return ""
	}
}

// openText says whether anybody gets in by a request.
func (a Access) openText() string {
	switch a.Open {
	case solver.Unreachable.String():
		return "and closed with one: nobody gets to it, whatever its own NSGs allow"
	case "":
		return ""
	default:
		return "with one: " + a.Open
	}
}

func (a Access) headText() string {
	s := a.Name + " opens " + a.Service + " of " + a.Target + " to " + shortList(a.From)
	if len(a.Through) > 0 {
		s += ", in " + shortList(a.Through)
	}
	return s + inBrackets(a.Source)
}

// variant shows what opens in a variant, for whom and on which path. It stands apart from the verdicts of the plain run.
func (w *textWriter) variant(v *Variant) {
	if v == nil {
		return
	}
	w.b.WriteString("\n" + w.paint(bold, "Variant "+v.Name) + " (no verdict above takes part in it)\n")
	for _, a := range v.Access {
		w.line(2, a.headText())
		for _, s := range []string{a.Note, a.doorText()} {
			if s != "" {
				w.line(6, s)
			}
		}
		for _, f := range a.Always[:min(shownFlows, len(a.Always))] {
			w.line(6, "flow "+flowText(f))
		}
		if more := len(a.Always) - shownFlows; more > 0 {
			w.line(6, "and "+count(more, "more flow"))
		}
		if s := a.openText(); s != "" {
			w.line(6, s)
		}
	}
	for _, x := range v.Verdicts {
		w.line(2, fmt.Sprintf("while open, %s: %s -> %s%s", x.ID, x.Before, x.After, inBrackets(x.Source)))
	}
	if len(v.Flows) == 0 {
		w.line(2, "no flow differs while access is open")
	}
	for i, f := range v.Flows {
		if i == shownChanges {
			w.line(2, "and "+count(len(v.Flows)-i, "more flow")+"; the report has them all")
			break
		}
		w.put("  "+pad(f.Change, 9)+" ", pairText(f)+": "+whatText(f))
		for _, s := range changeLines(f) {
			w.line(12, s)
		}
	}
}

// changeLines are who reaches whom by a change, the packet of a change, its connections, and what is to blame.
func changeLines(f solver.FlowChange) []string {
	var out []string
	for i, k := range f.Packets {
		if i == shownFlows {
			out = append(out, "and "+count(len(f.Packets)-i, "more row"))
			break
		}
		out = append(out, strings.Join(label.Services([]solver.Packets{k}), ", ")+" from "+shortList(solver.Compact(k.Src))+" to "+shortList(solver.Compact(k.Dst)))
	}
	if f.Witness != nil {
		out = append(out, "packet "+f.Witness.Packet.String())
		for _, l := range f.Witness.Legs {
			out = append(out, "then "+l.Relay+" opens "+l.Packet.String())
		}
	}
	for _, b := range f.Because[:min(shownBlames, len(f.Because))] {
		out = append(out, blameText(b))
	}
	return out
}

// variantView is a variant for the report.
type variantView struct {
	*Variant
	Doors   []doorView
	Changes []changeView
}

type doorView struct {
	Access
	Head, Door, Opened string
}

type changeView struct {
	Change, Pair, What string
	Lines              []string
	Connections        []connection
}

func viewVariant(v *Variant) *variantView {
	if v == nil {
		return nil
	}
	out := &variantView{Variant: v}
	for _, a := range v.Access {
		out.Doors = append(out.Doors, doorView{a, a.headText(), strings.ToLower(a.doorText()), a.openText()})
	}
	for _, f := range v.Flows {
		out.Changes = append(out.Changes, changeView{f.Change, pairText(f), whatText(f), changeLines(f), connections(f.Witness)})
	}
	return out
}
