package diagram

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// id names a thing on a panel after what it is, not after its place in a list: a new subnet changes no other ID, and positions that
// somebody gave to a box by hand find it again. Two things of one name get two IDs, in the order in which they come.
func (p *Panel) id(prefix string, key ...string) string {
	text := strings.Join(key, "\x00")
	for {
		sum := sha256.Sum256([]byte(text))
		id := prefix + hex.EncodeToString(sum[:5])
		if !p.taken[id] {
			if p.taken == nil {
				p.taken = map[string]bool{}
			}
			p.taken[id] = true
			return id
		}
		text += "\x00"
	}
}

// join adds a line between two ends.
func (p *Panel) join(e Edge, key ...string) {
	e.ID = p.id("e", append([]string{e.From, e.To, string(e.Line)}, key...)...)
	p.Edges = append(p.Edges, e)
}
