package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// described says beside the rule that decided what its tags hold at the NIC: VirtualNetwork is computed there and written down nowhere
// (AZ-TAG-01), and a published list has a number.
func (t *tracer) described(b blame, rules []model.SecurityRule, g *model.NSG, v *view) blame {
	if !t.details || !b.is || b.rule == "" || b.detail != "" {
		return b
	}
	i := slices.IndexFunc(rules, func(r model.SecurityRule) bool { return ruleName(g, r) == b.rule })
	if i < 0 {
		return b
	}
	var said []string
	for _, tag := range slices.Concat(rules[i].SourceAddrs.Tags, rules[i].DestAddrs.Tags) {
		text := ""
		switch _, listed := t.prefixesOf(tag); {
		case fold(tag, "VirtualNetwork") || fold(tag, "VIRTUAL_NETWORK"):
			text = v.text()
		case listed && !fold(tag, "Internet"):
			text = fmt.Sprintf("%s by change number %d of the service tags", tag, t.tags.ChangeNumber)
		}
		if text != "" && !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	b.detail = strings.Join(said, "; ")
	return b
}

// text is what VirtualNetwork holds: for certain, and possibly with the reason.
func (v *view) text() string {
	own := v.own
	from := ""
	if l := v.learned; l != nil && l.said != nil {
		own = joinSets(lessSet(v.own, l.said), l.least)
		from = ", by imported effective rules"
	}
	out := "VirtualNetwork holds " + prefixText(own.Prefixes()) + from
	for _, r := range v.rows {
		set := r.set
		if set != nil && r.but != nil {
			set = lessSet(set, r.but)
		}
		var held []string
		if set != nil {
			more := slices.DeleteFunc(set.Prefixes(), own.ContainsPrefix)
			if len(more) > 0 {
				held = append(held, prefixText(more))
			}
		}
		for _, tag := range r.tags {
			held = append(held, "tag "+tag)
		}
		if r.every {
			held = append(held, "any address")
		}
		if len(held) > 0 {
			out += ", possibly " + strings.Join(held, ", ")
			if r.what != "" {
				out += " (" + r.what + ")"
			}
		}
	}
	return out
}

// prefixText writes prefixes, the host address of the platform last, cut where it is long.
func prefixText(list []netip.Prefix) string {
	const most = 4
	host := netip.PrefixFrom(wireServer(), wireServer().BitLen())
	if i := slices.Index(list, host); i >= 0 {
		list = append(slices.Delete(list, i, i+1), host)
	}
	var words []string
	for i, p := range list {
		if i == most && len(list) > most+1 {
			words = append(words, fmt.Sprintf("… (%d in all)", len(list)))
			break
		}
		words = append(words, model.PrefixText(p))
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
