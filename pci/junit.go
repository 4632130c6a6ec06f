package pci

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/ringfence/ringfence/solver"
)

// JUnit writes the assertions and the items of the checklist as test cases: a failure with its witness, and an unknown verdict as an error with the missing fact.
func JUnit(r *Result) ([]byte, error) {
	r = r.printable()
	const noTime = "0.000" // runs of the same input give the same bytes
	suite := junit.Testsuite{Name: r.Project, Time: noTime}
	for _, p := range [][2]string{{"asOf", r.AsOf}, {"standard", r.Standard}, {"tool", r.Tool}, {"checklist", r.Summary.Checklist}} {
		if p[1] != "" {
			suite.AddProperty(p[0], p[1])
		}
	}
	for _, a := range r.Assertions {
		c := junit.Testcase{Name: a.ID, Classname: "assertions", Time: noTime}
		if a.Requirement != "" {
			c.Classname = "requirement " + a.Requirement
		}
		switch a.Verdict {
		case solver.Pass:
		case solver.Fail:
			c.Failure = &junit.Result{Message: message(a), Type: "fail", Data: strings.Join(evidence(a), "\n")}
		default:
			c.Error = &junit.Result{Message: message(a), Type: "unknown", Data: strings.Join(evidence(a), "\n")}
		}
		suite.AddTestcase(c)
	}
	for _, x := range r.Items {
		suite.AddTestcase(itemCase(x, noTime))
	}
	all := junit.Testsuites{Name: "ringfence", Time: noTime}
	all.AddSuite(suite)
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	if err := all.WriteXML(&b); err != nil {
		return nil, fmt.Errorf("write JUnit: %w", err)
	}
	return b.Bytes(), nil
}
