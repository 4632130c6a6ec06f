package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/diagram"
)

// imagesOf are the pictures that documents show, with the command line of each, run from the project's root.
func imagesOf() map[string]string {
	return map[string]string{
		"network.svg":  "diagram --level zone network examples/aks-pci",
		"dataflow.svg": "diagram dataflow examples/aks-pci",
		"verify.svg":   "verify examples/aks-pci",
	}
}

// The pictures that documents show are what the program draws and prints. Rewrite them by `go test ./cmd/ringfence -run TestImages -update`.
func TestImages(t *testing.T) {
	t.Setenv("FORCE_COLOR", "1")
	t.Setenv("NO_COLOR", "")
	for name, line := range imagesOf() {
		got := []byte(printed(t, line))
		if !strings.HasPrefix(line, "diagram ") {
			got = terminalPicture(line, string(got))
		}
		path := filepath.Join("../../docs/images", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diagram.Check(got, want); diff != "" {
			t.Errorf("docs/images/%s is stale; look at the new one, then run go test ./cmd/ringfence -run TestImages -update:\n%s", name, diff)
		}
	}
	var shown []byte
	for _, file := range []string{"../../README.md", "../../docs/diagrams.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, text...)
	}
	for name, line := range imagesOf() {
		if !bytes.Contains(shown, []byte("images/"+name)) || !bytes.Contains(shown, []byte("ringfence "+line)) {
			t.Errorf("no document shows docs/images/%s with its command `ringfence %s`", name, line)
		}
	}
}

// terminalPicture draws what a command printed, with its colours, as a terminal shows it.
func terminalPicture(line, out string) []byte {
	const advance, height, left, top = 7.8, 17.0, 18.0, 52.0 // of a monospaced font of 13
	lines := strings.Split(strings.TrimSuffix("$ ringfence "+line+"\n"+out, "\n"), "\n")
	codes := regexp.MustCompile("\x1b\\[([0-9;]*)m")
	wide := 0
	for _, l := range lines {
		wide = max(wide, len([]rune(codes.ReplaceAllString(l, ""))))
	}
	w, h := left*2+advance*float64(wide), top+height*float64(len(lines))
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="what ringfence %s prints">`+"\n", w, h, w, h, line)
	b.WriteString("<style>text{font:13px ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#e6edf3;white-space:pre}.c1{font-weight:bold}.c2{fill:#9aa5b1}.c31{fill:#ff8fa8}.c32{fill:#6fd19c}.c33{fill:#f0c15e}.c36{fill:#6cb6ff}</style>\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" rx="8" fill="#0f141a"/>`+"\n", w, h)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="20" r="6" fill="%s"/>`+"\n", 22+20*i, colour)
	}
	class := "" // goes on in the next line
	for i, l := range lines {
		column := 0
		for l != "" {
			text := l
			at := codes.FindStringSubmatchIndex(l)
			if at != nil {
				text = l[:at[0]]
			}
			if n := len([]rune(text)); strings.TrimSpace(text) != "" {
				var escaped bytes.Buffer
				if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
					panic(err)
				}
				fmt.Fprintf(&b, `<text x="%.1f" y="%.0f" textLength="%.1f"%s xml:space="preserve">%s</text>`+"\n", left+advance*float64(column), top+height*float64(i), advance*float64(n), class, escaped.String())
			}
			column += len([]rune(text))
			if at == nil {
				break
			}
			class = ""
			if code := l[at[2]:at[3]]; code != "" && code != "0" {
				class = ` class="c` + strings.ReplaceAll(code, ";", " c") + `"`
			}
			l = l[at[1]:]
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
