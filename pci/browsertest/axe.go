package browsertest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/chromedp/chromedp"
)

// Hindrance is what axe-core finds to hinder people.
type Hindrance struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"` // minor, moderate, serious, critical
	Help   string   `json:"help"`
	Places []string `json:"places"`
}

func (h Hindrance) String() string {
	return fmt.Sprintf("%s (%s): %s at %q", h.ID, h.Impact, h.Help, h.Places)
}

// Axe runs rules of axe-core in the page, as it stands; without a name, all of them.
func (p *Page) Axe(rules ...string) []Hindrance {
	p.tb.Helper()
	p.Do(chromedp.Evaluate[chromedp.Void](p.axe()))
	options := `{resultTypes: ["violations"]}`
	if len(rules) > 0 {
		options = fmt.Sprintf(`{resultTypes: ["violations"], runOnly: ["%s"]}`, strings.Join(rules, `", "`))
	}
	return Value[[]Hindrance](p, `axe.run(document, `+options+`).then((r) => r.violations.map((v) =>
		({id: v.id, impact: v.impact, help: v.help, places: v.nodes.slice(0, 5).map((n) => n.html.slice(0, 200) + " " + n.failureSummary.slice(0, 300))})))`)
}

// axe reads axe-core from where .ci/install has put it, and demands the version that is named there.
func (p *Page) axe() string {
	p.tb.Helper()
	install := ".ci/install"
	for range 8 {
		if _, err := os.Stat(install); err == nil {
			break
		}
		install = filepath.Join("..", install)
	}
	text, err := os.ReadFile(install)
	p.must(err)
	setting := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `=(\S+)$`).FindSubmatch(text)
		if m == nil {
			p.tb.Fatalf("%s sets no %s", install, name)
		}
		return string(m[1])
	}
	cache, err := os.UserCacheDir()
	p.must(err)
	file := filepath.Join(cache, "ringfence", "axe-core-"+setting("axe_version"), "axe.min.js")
	source, err := os.ReadFile(file)
	if err != nil {
		missing(p.tb, "axe-core is not installed (bash .ci/install): "+err.Error())
	}
	if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != setting("axe_sha256") {
		p.tb.Fatalf("%s is not the version that .ci/install names", file)
	}
	return string(source)
}
