package diagram

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
)

// Check compares a document as it is made now with its committed copy and returns the first differences, one a line: `-` for what the
// copy has, `+` for what it lacks. It returns nothing when both show the same. The stamp (day, hash of the inputs, version) is left
// out, and so is the kind of line ends. A PNG and a PDF are compared by what they say of themselves in words.
func Check(got, committed []byte) string {
	was, is := content(committed), content(got)
	if slices.Equal(was, is) {
		return ""
	}
	const shown, width = 12, 150
	var b strings.Builder
	changes := difference(was, is)
	for _, c := range changes[:min(shown, len(changes))] {
		fmt.Fprintf(&b, "%c %s\n", c.sign, label.Clip(model.Visible(c.line), width))
	}
	if more := len(changes) - shown; more > 0 {
		fmt.Fprintf(&b, "and %d more lines that differ\n", more)
	}
	return b.String()
}

// content is the lines of a document without its stamp. Of a picture and of pages it is what they show, in words.
func content(doc []byte) []string {
	switch {
	case bytes.HasPrefix(doc, []byte(pngHead)):
		return strings.Split(description(doc), "\n")
	case bytes.HasPrefix(doc, []byte("%PDF-")):
		_, rest, _ := bytes.Cut(doc, []byte("<dc:title>"))
		text, _, _ := bytes.Cut(rest, []byte("</dc:description>"))
		return strings.Split(html.UnescapeString(string(text)), "\n")
	}
	lines := strings.Split(strings.ReplaceAll(string(doc), "\r\n", "\n"), "\n")
	inStamp := false
	return slices.DeleteFunc(lines, func(l string) bool {
		switch {
		case l == `  "stamp": {`: // JSON
			inStamp = true
		case inStamp && l == "  },":
			inStamp = false
			return true
		}
		return inStamp || strings.HasPrefix(l, "// stamp: ") || strings.HasPrefix(l, "%% stamp: ") || strings.Contains(l, " "+stampClass+`" x="`) || stampCell.MatchString(l)
	})
}

// stampCell is the cell of a draw.io page that holds the stamp.
var stampCell = regexp.MustCompile(`^<mxCell id="rf-[a-z]+-stamp" `)

type change struct {
	sign byte
	line string
}

// difference lists the lines that only one of two documents has, in their order: by a longest common subsequence where that is
// affordable, else as two blocks.
func difference(was, is []string) []change {
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	var out []change
	const affordable = 4_000_000
	if len(was)*len(is) > affordable {
		for i := range max(len(was), len(is)) {
			if i < len(was) {
				out = append(out, change{'-', was[i]})
			}
			if i < len(is) {
				out = append(out, change{'+', is[i]})
			}
		}
		return out
	}
	common := make([][]int32, len(was)+1) // length of the longest common subsequence of what follows
	for i := range common {
		common[i] = make([]int32, len(is)+1)
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			if was[i] == is[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			out = append(out, change{'-', was[i]})
			i++
		default:
			out = append(out, change{'+', is[j]})
			j++
		}
	}
	return out
}
