package diagram

import "strings"

// icon draws the sign of a kind into a square of 14 points. Kinds differ by shape alone.
func icon(kind string, at point) []item {
	p := func(x, y float64) point { return point{at.x + x, at.y + y} }
	stroke := func(points ...point) item { return pathItem{steps: lineTo(points...), class: "icon"} }
	closed := func(points ...point) item {
		return pathItem{steps: append(lineTo(points...), step{op: 'Z'}), class: "icon"}
	}
	box := func(x, y, w, h, r float64) item {
		return rectItem{area: area{at.x + x, at.y + y, w, h}, r: r, class: "icon"}
	}
	arc := func(a, b, c, d point) item {
		return pathItem{steps: []step{{op: 'M', p: [3]point{a}}, {op: 'C', p: [3]point{b, c, d}}}, class: "icon"}
	}
	switch kind {
	case "firewall": // a wall of bricks
		return []item{
			box(1, 1, 12, 12, 0), stroke(p(1, 5), p(13, 5)), stroke(p(1, 9), p(13, 9)), stroke(p(7, 1), p(7, 5)),
			stroke(p(4, 5), p(4, 9)), stroke(p(10, 5), p(10, 9)), stroke(p(7, 9), p(7, 13)),
		}
	case "appgw", "frontdoor", "apim": // a shield
		return []item{closed(p(7, 0.5), p(13, 2.5), p(12.2, 8), p(7, 13.5), p(1.8, 8), p(1, 2.5)), stroke(p(4, 6.5), p(6.4, 9), p(10.2, 4.4))}
	case "bastion": // a prompt
		return []item{box(0.5, 1.5, 13, 11, 1.5), stroke(p(3, 5), p(5.6, 7.2), p(3, 9.4)), stroke(p(7, 9.6), p(11, 9.6))}
	case "gateway": // a padlock
		return []item{box(2, 6.4, 10, 7, 1), arc(p(4, 6.4), p(4, -1), p(10, -1), p(10, 6.4)), stroke(p(7, 9), p(7, 11))}
	case "store", "service": // a cylinder
		items := []item{
			ring(p(7, 3), 5.5, 2.2), stroke(p(1.5, 3), p(1.5, 11)), stroke(p(12.5, 3), p(12.5, 11)),
			arc(p(1.5, 11), p(1.5, 14), p(12.5, 14), p(12.5, 11)),
		}
		if kind == "store" { // with a card in it
			items = append(items, stroke(p(4, 7.6), p(10, 7.6)), stroke(p(4, 10), p(7.4, 10)))
		}
		return items
	case "endpoint": // a plug
		return []item{ring(p(7, 7), 3, 3), stroke(p(0.5, 7), p(4, 7)), stroke(p(10, 7), p(13.5, 7))}
	case "pod", "pods", "ns": // a container
		items := []item{closed(p(7, 0.6), p(13, 3.8), p(13, 10.2), p(7, 13.4), p(1, 10.2), p(1, 3.8)), stroke(p(1, 3.8), p(7, 7), p(13, 3.8)), stroke(p(7, 7), p(7, 13.4))}
		return items
	case "nodepool", "vm", "nic", "cluster": // a server
		return []item{box(1, 1, 12, 5, 1), box(1, 8, 12, 5, 1), stroke(p(3.4, 3.5), p(6, 3.5)), stroke(p(3.4, 10.5), p(6, 10.5))}
	case "apiserver": // a wheel
		return []item{ring(p(7, 7), 5, 5), ring(p(7, 7), 1.4, 1.4), stroke(p(7, 0.4), p(7, 5.6)), stroke(p(7, 8.4), p(7, 13.6)), stroke(p(0.4, 7), p(5.6, 7)), stroke(p(8.4, 7), p(13.6, 7))}
	case "lb": // one to many
		return []item{ring(p(2.4, 7), 1.8, 1.8), stroke(p(4.2, 7), p(13, 1.6)), stroke(p(4.2, 7), p(13, 7)), stroke(p(4.2, 7), p(13, 12.4))}
	case "internet", "fqdn", "tag": // a globe
		return []item{ring(p(7, 7), 6.2, 6.2), ring(p(7, 7), 2.6, 6.2), stroke(p(0.8, 7), p(13.2, 7))}
	case "wireless": // waves
		return []item{
			arc(p(1, 6), p(4, 1), p(10, 1), p(13, 6)), arc(p(3, 8.6), p(5, 5.4), p(9, 5.4), p(11, 8.6)), ring(p(7, 11.4), 1.2, 1.2),
		}
	case "on-prem", "partner", "cidr": // a building
		return []item{box(3, 1, 8, 12.5, 0), stroke(p(5.4, 4), p(5.4, 6)), stroke(p(8.6, 4), p(8.6, 6)), stroke(p(5.4, 8), p(5.4, 10)), stroke(p(8.6, 8), p(8.6, 10))}
	case "subnet": // a net
		return []item{box(1, 1, 12, 12, 1), stroke(p(1, 5), p(13, 5)), stroke(p(1, 9), p(13, 9)), stroke(p(5, 1), p(5, 13)), stroke(p(9, 1), p(9, 13))}
	case "bundle": // several boxes
		return []item{box(1, 4, 9, 9, 1), stroke(p(4, 4), p(4, 1), p(13, 1), p(13, 10), p(10, 10))}
	default:
		return []item{box(2, 2, 10, 10, 2)}
	}
}

// badgeIcon draws the sign of a filter or of a route table into a square of 10 points.
func badgeIcon(text string, at point) []item {
	p := func(x, y float64) point { return point{at.x + x, at.y + y} }
	switch {
	case strings.HasPrefix(text, "routes "): // a fork
		return []item{pathItem{steps: lineTo(p(0.5, 5), p(4, 5), p(9, 1.5)), class: "icon"}, pathItem{steps: lineTo(p(4, 5), p(9, 8.5)), class: "icon"}}
	case strings.HasPrefix(text, "no "): // an open gate
		return []item{pathItem{steps: lineTo(p(1, 1), p(1, 9)), class: "icon"}, pathItem{steps: lineTo(p(9, 1), p(9, 9)), class: "icon"}}
	default: // a funnel
		return []item{pathItem{steps: append(lineTo(p(0.5, 1), p(9.5, 1), p(6, 5.2), p(6, 9.5), p(4, 8.2), p(4, 5.2)), step{op: 'Z'}), class: "icon"}}
	}
}

// ring is an ellipse, as four curves.
func ring(c point, rx, ry float64) item {
	const k = 0.5523 // how far the handles of a quarter circle reach
	at := func(x, y float64) point { return point{c.x + x*rx, c.y + y*ry} }
	return pathItem{steps: []step{
		{op: 'M', p: [3]point{at(1, 0)}},
		{op: 'C', p: [3]point{at(1, k), at(k, 1), at(0, 1)}},
		{op: 'C', p: [3]point{at(-k, 1), at(-1, k), at(-1, 0)}},
		{op: 'C', p: [3]point{at(-1, -k), at(-k, -1), at(0, -1)}},
		{op: 'C', p: [3]point{at(k, -1), at(1, -k), at(1, 0)}},
		{op: 'Z'},
	}, class: "icon"}
}
