package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// What 1.1.7 decides: the register of reviews (decisions.md, 8.1).

const (
	reviewMonths = 6   // a review is due on the same day so many months later
	reviewDays   = 184 // v4.0.1: at least once every 180 to 184 days; later is overdue
	soonDays     = 30  // before it is due
	keptCommits  = 5   // of a file, in Git
)

// due is the day on which the next review is due, and the last day on which it is not overdue.
func due(on model.Date) (next, last model.Date) {
	return on.AddMonths(reviewMonths), on.AddDays(reviewDays)
}

// reviewsOf are the reviews of a rule set, the latest first.
func (ev *Evidence) reviewsOf(r RuleSet) []int {
	var out []int
	for i, v := range ev.in.Reviews {
		if slices.ContainsFunc(v.RuleSets, r.Matches) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int {
		switch x, y := ev.in.Reviews[a].On, ev.in.Reviews[b].On; {
		case y.Before(x):
			return -1
		case x.Before(y):
			return 1
		default:
			return 0
		}
	})
	return out
}

// internal reports whether a rule set guards a zone of the estate, or may: what is attached to nothing in the input.
func (ev *Evidence) internal(r RuleSet) bool {
	zones := ev.guarded(r)
	return len(zones) == 0 || slices.ContainsFunc(zones, func(z model.Zone) bool { return !z.Kind.External() })
}

// reviews asks that every rule set was reviewed within six months (1.1.7-a).
func (ev *Evidence) reviews() []Part {
	p := Part{
		Statement: "every rule set was reviewed in the last 184 days, as of " + ev.in.AsOf.String(),
		Table:     &Table{Header: []string{"rule set", "reviewed", "age in days", "next due", "by", "changed since"}},
	}
	var open []Fault
	used := map[int]bool{}
	for _, r := range ev.ruleSets() {
		if !ev.internal(r) {
			continue
		}
		p.Subjects++
		list := ev.reviewsOf(r)
		f := Fault{Cause: Cause{Class: CauseRegister, Of: r.ID}, Subject: r.ID, Source: r.Source.String(), Remedy: "review it and record that: `ringfence review record --rules " + r.ID + "`"}
		if r.Missing {
			f.Cause = Cause{Class: CauseNoRef, Of: r.ID}
			f.Text, f.Remedy = r.ID+" is not in the input: what a review of it speaks of is not known", "add it to the inputs"
			open = append(open, f)
			continue
		}
		if len(list) == 0 {
			if first := ev.firstCommit(r); first != "" {
				if day, err := model.ParseDate(first); err == nil && !day.AddDays(reviewDays).Before(ev.in.AsOf) {
					p.Table.Rows = append(p.Table.Rows, []string{r.ID, "not yet due", "", day.AddMonths(reviewMonths).String(), "new since " + first, ""})
					continue
				}
			}
			f.Text = r.ID + " has no review"
			p.Faults = append(p.Faults, f)
			continue
		}
		v := ev.in.Reviews[list[0]]
		for _, i := range list {
			used[i] = true
		}
		next, last := due(v.On)
		age := v.On.DaysTo(ev.in.AsOf)
		p.Table.Rows = append(p.Table.Rows, []string{r.ID, v.On.String(), fmt.Sprint(age), next.String(), v.By, ev.changedSince(list[0], r)})
		p.Facts = append(p.Facts, ev.sinceReview(list[0], r)...)
		switch {
		case last.Before(ev.in.AsOf):
			f.Text = fmt.Sprintf("%s was reviewed on %s, %d days ago%s", r.ID, v.On, age, inBrackets(v.Source.String()))
			p.Faults = append(p.Faults, f)
		case next.Before(ev.in.AsOf):
			p.Notes = append(p.Notes, r.ID+": due since "+next.String()+", overdue after "+last.String())
		case !ev.in.AsOf.AddDays(soonDays).Before(next):
			p.Notes = append(p.Notes, r.ID+": due soon, on "+next.String())
		}
		if gap, from, to := ev.longestGap(list); gap > reviewDays {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: %d days without a review, from %s to %s", r.ID, gap, from, to))
		}
	}
	for i, v := range ev.in.Reviews {
		if used[i] {
			continue
		}
		p.Notes = append(p.Notes, "reviewed, not in the estate: "+strings.Join(v.RuleSets, ", ")+inBrackets(v.Source.String()))
	}
	for _, d := range ev.facts.Changed {
		if d.Err != "" {
			p.Notes = append(p.Notes, "the snapshot of the review of "+ev.in.Reviews[d.Review].On.String()+" cannot be read: "+d.Err)
		}
	}
	if p.Subjects == 0 {
		return []Part{unknownPart(p.Statement, "the input holds no rule set that guards a zone of the estate")}
	}
	if len(p.Faults) == 0 && len(open) > 0 {
		p.Verdict, p.Reason = ItemUnknown, "a rule set that something names is not in the input"
	}
	p.Faults = append(p.Faults, open...)
	return []Part{p.judged()}
}

// longestGap is the longest time without a review inside the twelve months before the day of judgement, between two reviews.
func (ev *Evidence) longestGap(list []int) (days int, from, to model.Date) {
	start := ev.in.AsOf.AddMonths(-12)
	for i := 0; i+1 < len(list); i++ {
		a, b := ev.in.Reviews[list[i+1]].On, ev.in.Reviews[list[i]].On
		if b.Before(start) {
			break
		}
		if n := a.DaysTo(b); n > days {
			days, from, to = n, a, b
		}
	}
	return days, from, to
}

// firstCommit is the day on which git first saw the file of a rule set; empty: not known.
func (ev *Evidence) firstCommit(r RuleSet) string {
	if ev.facts.Git == nil {
		return ""
	}
	for _, f := range ev.facts.Git.Files {
		if f.Path == r.Source.File {
			return f.First
		}
	}
	return ""
}

// changedSince says what changed since a review: the flows that differ by rules of the set, where the review has a snapshot, else the
// commits of its file.
func (ev *Evidence) changedSince(review int, r RuleSet) string {
	for _, d := range ev.facts.Changed {
		if d.Review != review || d.Comparison == nil {
			continue
		}
		return count(len(flowsOf(d.Comparison, r)), "flow") + " of " + fmt.Sprint(len(d.Comparison.Flows)) + " that differ"
	}
	if ev.facts.Git == nil || r.Source.File == "" {
		switch broken := slices.ContainsFunc(ev.facts.Changed, func(d ReviewDelta) bool { return d.Review == review && d.Err != "" }); {
		case broken:
			return "not known: the snapshot cannot be read"
		case ev.in.Reviews[review].Snapshot != "":
			return "not known: the snapshot was not compared"
		default:
			return "not known: no snapshot"
		}
	}
	on := ev.in.Reviews[review].On.String()
	for _, f := range ev.facts.Git.Files {
		if f.Path != r.Source.File {
			continue
		}
		n := 0
		for _, c := range f.Commits {
			if words := strings.SplitN(c, " ", 3); len(words) > 1 && words[1] > on {
				n++
			}
		}
		if n == keptCommits {
			return fmt.Sprintf("%d or more commits of its file", n)
		}
		return count(n, "commit") + " of its file"
	}
	return "not known"
}

// flowsOf are the flows that differ by a rule of a set, with the rules of the set to blame.
func flowsOf(c *solver.Comparison, r RuleSet) []solver.FlowChange {
	var out []solver.FlowChange
	for _, f := range c.Flows {
		f.Because = slices.DeleteFunc(slices.Clone(f.Because), func(b solver.Blame) bool { return !ruleOf(b.Rule, r) })
		if len(f.Because) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// sinceReview lists what changed since a review that has a snapshot: each flow that differs by a rule of the set, and the rules to blame.
func (ev *Evidence) sinceReview(review int, r RuleSet) []string {
	var out []string
	for _, d := range ev.facts.Changed {
		if d.Review != review || d.Comparison == nil {
			continue
		}
		for _, f := range flowsOf(d.Comparison, r) {
			var blames []string
			for _, b := range f.Because {
				b.Side = map[string]string{"base": "what was reviewed", "proposed": "now"}[b.Side]
				if text := blameText(b); !slices.Contains(blames, text) {
					blames = append(blames, text)
				}
			}
			out = append(out, fmt.Sprintf("%s, since %s: %s %s: %s; %s", r.ID, ev.in.Reviews[review].On, f.Change, pairText(f), whatText(f), strings.Join(blames, "; ")))
		}
	}
	return out
}

// ruleOf reports whether a rule, as flows name it, belongs to a rule set.
func ruleOf(rule string, r RuleSet) bool {
	name := r.parts[len(r.parts)-1]
	head, _, _ := strings.Cut(rule, "/")
	return strings.EqualFold(head, name)
}

// reviewers asks that each record says who, when and what was done (1.1.7-b).
func (ev *Evidence) reviewers() []Part {
	p := Part{Statement: "each review says who made it, when, and what was done", Subjects: len(ev.in.Reviews), Verdict: ItemAttested}
	if len(ev.in.Reviews) == 0 {
		return []Part{{Statement: p.Statement, Verdict: ItemAttestationMissing, Reason: "reviews of ringfence.yaml is empty"}}
	}
	missing := func(f Fault, text string) {
		f.Text = text
		p.Verdict = ItemAttestationMissing
		p.Faults = append(p.Faults, f)
	}
	for _, v := range ev.in.Reviews {
		f := Fault{Cause: Cause{Class: CauseRegister, Of: strings.Join(v.RuleSets, ", ")}, Subject: "review of " + v.On.String(), Source: v.Source.String(), Remedy: "complete the record"}
		var lacks []string
		for _, x := range [][2]string{{"by", v.By}, {"on", v.On.String()}, {"actions", v.Actions}} {
			if !written(x[1]) {
				lacks = append(lacks, x[0])
			}
		}
		switch {
		case len(lacks) > 0:
			missing(f, "the record lacks "+strings.Join(lacks, ", "))
		case acted(v.Actions) && v.Ticket == "":
			missing(f, "actions were taken (`"+v.Actions+"`) and no ticket or commit names them")
		default:
			line := fmt.Sprintf("%s, on %s: %s; %s", v.By, v.On, v.Actions, strings.Join(v.RuleSets, ", "))
			if v.Ticket != "" {
				line += "; " + v.Ticket
			}
			if v.Procedure != "" {
				line += "; by " + v.Procedure
			}
			p.Facts = append(p.Facts, line)
		}
	}
	for _, r := range ev.ruleSets() {
		if ev.internal(r) && len(ev.reviewsOf(r)) == 0 && !r.Missing && ev.firstCommit(r) == "" {
			missing(Fault{Cause: Cause{Class: CauseRegister, Of: r.ID}, Subject: r.ID, Source: r.Source.String(), Remedy: "review it and record that: `ringfence review record --rules " + r.ID + "`"}, r.ID+" has no record")
		}
	}
	if p.Verdict != ItemAttested {
		p.Reason = "a record is missing or not complete"
	}
	return []Part{p}
}

// acted reports whether the words for what was done say more than that nothing was.
func acted(words string) bool {
	switch l := strings.ToLower(strings.Trim(strings.TrimSpace(words), ".")); l {
	case "none", "none needed", "no action", "no actions", "no action needed", "no actions needed", "no change", "no changes", "nothing", "none required", "no findings":
		return false
	default:
		return l != ""
	}
}
