package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// solveFlags are the flags of every command that asks the solver.
func solveFlags(more ...cli.Flag) []cli.Flag {
	flags := append(loadFlags(), variantFlag(), &cli.BoolFlag{Name: "direct", Usage: "packets alone: leave chains of relays out"})
	return append(append(flags, outputFlag()), more...)
}

func serviceFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "service", Usage: "`SERVICE` such as tcp/443, udp/53, tcp/8000-8100, tcp/1433/50000 (with source port), icmp, any (repeatable)"}
}

// selectors reads a selector flag.
func selectors(c *cli.Context, name string) ([]model.Selector, error) {
	texts := c.StringSlice(name)
	if len(texts) == 0 {
		return nil, usage("--%s is missing: want a selector such as zone:cde, subnet:vnet/subnet, pod:namespace/name, ip:10.0.0.4, internet", name)
	}
	for _, t := range texts {
		if t == "" || strings.HasPrefix(t, "-") {
			return nil, usage("--%s `%s` is no selector", name, t)
		}
	}
	sels, err := model.ParseSelectors(texts)
	if err != nil {
		return nil, usage("--%s: %v", name, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return sels, nil
}

// question is what reach and trace are asked.
type question struct {
	from, to []model.Selector
	services []model.PortService
	format   string
}

// ask reads a question from the flags, before any work is done.
func ask(c *cli.Context) (q question, err error) {
	if q.format, err = format(c, "text", "json"); err != nil {
		return q, err
	}
	if q.from, err = selectors(c, "from"); err != nil {
		return q, err
	}
	if q.to, err = selectors(c, "to"); err != nil {
		return q, err
	}
	if q.services, err = services(c); err != nil {
		return q, err
	}
	return q, checkExpect(c)
}

// ends lists the selectors of a question.
func (q question) ends() []model.Selector { return append(slices.Clone(q.from), q.to...) }

// answer prints what a question gave and judges its verdict.
func (q question) answer(c *cli.Context, v solver.Verdict, value any, text func(*printer)) error {
	if err := emitAs(c, q.format, value, text); err != nil {
		return err
	}
	return judge(c, v)
}

func services(c *cli.Context) ([]model.PortService, error) {
	var out []model.PortService
	for _, t := range c.StringSlice("service") {
		s, err := model.ParsePortService(t)
		if err != nil {
			return nil, usage("--service: %v", err)
		}
		out = append(out, s)
	}
	return out, nil
}

// solve loads and solves the project that a command names behind some words of its own.
func solve(c *cli.Context, words int, o solver.Options) (*solver.Solution, error) {
	p, err := load(c, words)
	if err != nil {
		return nil, err
	}
	return solver.Solve(p, solveOptions(c, o))
}

// solveOptions adds what every command that solves takes from its flags.
func solveOptions(c *cli.Context, o solver.Options) solver.Options {
	o.Strict, o.Progress = c.Bool("strict"), newProgress(c.App.ErrWriter).step
	return o
}

// expectFlag is --expect.
func expectFlag() cli.Flag {
	return &cli.StringFlag{Name: "expect", Usage: "exit 1 unless the verdict is `VERDICT`: reachable or unreachable"}
}

// checkExpect refuses a verdict that --expect cannot mean, before any work is done.
func checkExpect(c *cli.Context) error {
	switch want := c.String("expect"); want {
	case "", solver.Reachable.String(), solver.Unreachable.String():
		return nil
	default:
		return usage("--expect %s: want reachable or unreachable", want)
	}
}

// judge turns a verdict and --expect into an exit code.
func judge(c *cli.Context, v solver.Verdict) error {
	want := c.String("expect")
	switch v.String() {
	case want:
		return nil
	case solver.Unknown.String():
		if want == "" {
			return nil
		}
		return &exitError{exitUnknown, fmt.Sprintf("verdict is unknown, expected %s", want)}
	default:
		if want == "" {
			return nil
		}
		return &exitError{exitFail, fmt.Sprintf("verdict is %s, expected %s", v, want)}
	}
}
