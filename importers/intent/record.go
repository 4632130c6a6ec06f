package intent

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

// AddReview returns the text of an intent file with one more review behind the others. All that stands in it already, comments and layout
// included, stays as it is. A file that it cannot extend so is an error that shows the entry.
func AddReview(data []byte, r model.Review) ([]byte, error) {
	entry, err := reviewText(r)
	if err != nil {
		return nil, err
	}
	byHand := func(why string) error {
		return fmt.Errorf("%s; add this to its reviews by hand:\n%s", why, entry)
	}
	var doc yaml.Node
	if err = yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode || doc.Content[0].Style&yaml.FlowStyle != 0 {
		return nil, byHand("the file is no mapping of keys, one a line")
	}
	lines := strings.SplitAfter(string(data), "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	} else {
		lines[n-1] += "\n"
	}
	root := doc.Content[0]
	at := -1
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "reviews" {
			at = i
		}
	}
	if at < 0 {
		return []byte(strings.Join(lines, "") + "\nreviews:\n" + indented(entry, 2)), nil
	}
	list := root.Content[at+1]
	if list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0 {
		return nil, byHand("reviews is no list of entries, one below the other")
	}
	end := len(lines) // the line behind the list
	if at+2 < len(root.Content) {
		end = root.Content[at+2].Line - 1
	}
	for end > list.Line && (strings.TrimSpace(lines[end-1]) == "" || strings.HasPrefix(lines[end-1], "#") || strings.HasPrefix(lines[end-1], "...")) {
		end-- // what stands before the next key belongs to it
	}
	out := strings.Join(lines[:end], "") + indented(entry, list.Column-1) + strings.Join(lines[end:], "")
	return []byte(out), nil
}

// reviewText writes a review as an entry of a list.
func reviewText(r model.Review) (string, error) {
	sets := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, s := range r.RuleSets {
		sets.Content = append(sets.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle})
	}
	m := yaml.Node{Kind: yaml.MappingNode}
	add := func(key string, v *yaml.Node) {
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, v)
	}
	add("ruleSets", &sets)
	for _, x := range [][2]string{{"by", r.By}, {"on", r.On.String()}, {"actions", r.Actions}, {"ticket", r.Ticket}, {"procedure", r.Procedure}, {"snapshot", r.Snapshot}} {
		switch {
		case x[1] == "":
		case strings.ContainsAny(x[1], "\r\n"):
			return "", errors.New(x[0] + " has a line break; want one line")
		case x[0] == "on":
			add(x[0], &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: x[1]})
		default:
			add(x[0], &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: x[1]})
		}
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{&m}}); err != nil {
		return "", fmt.Errorf("write the review: %w", err)
	}
	return b.String(), e.Close()
}

// indented puts so many spaces before each line.
func indented(text string, n int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Repeat(" ", n) + line)
	}
	return b.String()
}
