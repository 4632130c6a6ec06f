package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows a bar on a terminal once work lasts over a second; in a pipe it stays silent.
type progress struct {
	w     io.Writer
	start time.Time
	bar   *progressbar.ProgressBar
	on    bool
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, start: time.Now(), on: terminal(w)}
}

func (p *progress) step(done, total int, what string) {
	if !p.on || time.Since(p.start) < time.Second {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.w), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(false))
	}
	p.bar.ChangeMax(total)
	p.bar.Describe(what)
	_ = p.bar.Set(done) // a bar that cannot be drawn is no reason to stop
	if done == total {
		_ = p.bar.Finish() // each part of the work has a bar of its own, which is gone before results are printed
		p.bar = nil
	}
}
