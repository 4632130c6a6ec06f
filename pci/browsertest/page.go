package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is one page in a browser of its own.
type Page struct {
	tb  testing.TB
	ctx context.Context
	url string
	off bool // scripts do not run

	mu       sync.Mutex
	faults   []string
	requests []string
}

// Open writes a page to a file and opens it. The browser ends with the test.
func Open(tb testing.TB, html []byte) *Page {
	tb.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		missing(tb, "chromium is not installed (bash .ci/install)")
	}
	file := filepath.Join(tb.TempDir(), "report.html")
	if err = os.WriteFile(file, html, 0o600); err != nil {
		tb.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.DisableGPU, chromedp.UserDataDir(tb.TempDir()), chromedp.WindowSize(1300, 900))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	tb.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser, so that its folder can be removed
		cancel()
		stop()
	})
	p := &Page{tb: tb, ctx: ctx, url: "file://" + file}
	p.must(chromedp.Listen(ctx, p.heard))
	p.call(func() error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	})
	p.Reload()
	return p
}

// missing skips a test for want of a program; where everything must be there, it fails.
func missing(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

// heard notes what a page must not do.
func (p *Page) heard(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, "exception: "+ev.ExceptionDetails.Text)
		if x := ev.ExceptionDetails.Exception; x != nil {
			p.faults = append(p.faults, x.Description)
		}
	case *runtime.EventConsoleAPICalled:
		p.faults = append(p.faults, "console: "+string(ev.Type))
	case *log.EventEntryAdded:
		p.faults = append(p.faults, "log: "+ev.Entry.Text)
	case *network.EventRequestWillBeSent:
		if u := ev.Request.URL; u != p.url && u != "about:blank" && !strings.HasPrefix(u, p.url+"#") {
			p.requests = append(p.requests, u)
		}
	}
}

func (p *Page) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatal(err)
	}
}

func (p *Page) call(f func() error) {
	p.tb.Helper()
	p.must(f())
}

// Do carries out what the browser is to do.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.tb.Helper()
	p.must(chromedp.Do(p.ctx, steps...))
}

// Reload opens the page anew and returns how long that took until it had loaded, its script had run and it was drawn.
func (p *Page) Reload() time.Duration {
	p.tb.Helper()
	start := time.Now()
	p.Do(chromedp.Navigate(p.url))
	if p.off {
		return time.Since(start)
	}
	Value[bool](p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	return time.Since(start)
}

// Load opens the page anew and returns how long that took, and how long the page itself computed for it.
func (p *Page) Load() (wall, busy time.Duration) {
	p.tb.Helper()
	p.call(func() error {
		_, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		return err
	})
	p.Do(chromedp.Navigate("about:blank"))
	before := p.computed()
	wall = p.Reload()
	return wall, p.computed() - before
}

// computed is the processor time that the page has taken so far.
func (p *Page) computed() time.Duration {
	p.tb.Helper()
	m, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	p.must(err)
	for _, x := range m.Metrics {
		if x.Name == "TaskDuration" {
			return time.Duration(x.Value * float64(time.Second))
		}
	}
	p.tb.Fatal("the browser does not say how long the page computes")
	return 0
}

// Value is what an expression of the page gives; a promise is waited for.
func Value[T any](p *Page, expression string) T {
	p.tb.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.tb.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Quiet demands that the page has asked for nothing but itself, and has nothing to complain about.
func (p *Page) Quiet() {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		p.tb.Error(f)
	}
	for _, u := range p.requests {
		p.tb.Errorf("the page asks for %s", u)
	}
}

// Dark makes the screen dark or light.
func (p *Page) Dark(dark bool) {
	p.tb.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.call(func() error {
		_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// Paper shows the page as it stands on paper, or on a screen again.
func (p *Page) Paper(paper bool) {
	p.tb.Helper()
	media := ""
	if paper {
		media = "print"
	}
	p.call(func() error {
		_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media})
		return err
	})
}

// Scripts switches the scripts of pages on or off, from the next Reload on.
func (p *Page) Scripts(on bool) {
	p.tb.Helper()
	p.off = !on
	p.call(func() error {
		_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// PDF prints the page, on the paper that its style asks for.
func (p *Page) PDF() []byte {
	p.tb.Helper()
	data, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPaper(chromedp.PaperA4)))
	p.must(err)
	return data
}

// Picture is what the window shows.
func (p *Page) Picture() []byte {
	p.tb.Helper()
	data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	p.must(err)
	return data
}
