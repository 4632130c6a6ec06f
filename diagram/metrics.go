package diagram

import (
	"fmt"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// metrics measures text in the Go fonts, whose widths are those of Arial, Helvetica and Liberation Sans: what fits here fits in every
// viewer that has one of them.
type metrics struct {
	fonts [2]*sfnt.Font // regular, bold
	buf   sfnt.Buffer
	known [2]map[rune]float64
	lacks map[rune]bool
}

func newMetrics() (*metrics, error) {
	m := &metrics{known: [2]map[rune]float64{{}, {}}, lacks: map[rune]bool{}}
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("read the built-in font: %w", err)
		}
		m.fonts[i] = f
	}
	return m, nil
}

// width is the width of a line of text of a size. Characters that the font lacks count as one square, as wide as any is drawn.
func (m *metrics) width(text string, f face) float64 {
	i := 0
	if f.bold {
		i = 1
	}
	total := 0.0
	for _, r := range text {
		w, ok := m.known[i][r]
		if !ok {
			w = 1
			m.lacks[r] = true
			if g, err := m.fonts[i].GlyphIndex(&m.buf, r); err == nil && g != 0 {
				if a, err := m.fonts[i].GlyphAdvance(&m.buf, g, fixed.I(1000), font.HintingNone); err == nil {
					w, m.lacks[r] = float64(a.Round())/1000, false
				}
			}
			m.known[i][r] = w
		}
		total += w
	}
	return total * f.size
}

// knows reports whether the font has every character of a text.
func (m *metrics) knows(text string) bool {
	m.width(text, face{})
	for _, r := range text {
		if m.lacks[r] {
			return false
		}
	}
	return true
}

// fit cuts a text to a width.
func (m *metrics) fit(text string, f face, width float64) string {
	width += 0.01 // sums of widths differ in the last digits
	room := width - m.width("…", f)
	cut := 0 // bytes that fit beside an ellipsis
	used := 0.0
	for i, r := range text {
		w := m.width(string(r), f)
		if used <= room {
			cut = i
		}
		used += w
	}
	if used <= width {
		return text
	}
	return text[:cut] + "…"
}

// wrap breaks a text at spaces into lines of a width, at most limit of them; the last one is cut.
func (m *metrics) wrap(text string, f face, width float64, limit int) []string {
	var lines []string
	line := ""
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if line == "" && len(lines) < limit-1 { // a word that is longer than a line goes on in the next
			if head := strings.TrimSuffix(m.fit(word, f, width), "…"); head != "" && len(head) < len(word) {
				if at := strings.LastIndexAny(head, "/-_.,"); at > len(head)/2 {
					head = head[:at+1]
				}
				lines, words[i] = append(lines, head), word[len(head):]
				i--
				continue
			}
		}
		next := strings.TrimPrefix(line+" "+word, " ")
		switch {
		case line == "" || m.width(next, f) <= width:
			line = next
		case len(lines) == limit-1:
			return append(lines, m.fit(line+" "+strings.Join(words[i:], " "), f, width))
		default:
			lines, line = append(lines, m.fit(line, f, width)), ""
			i--
		}
	}
	return append(lines, m.fit(line, f, width))
}
