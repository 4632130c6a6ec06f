package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/pci"
)

// formatFlag is --format with the formats that a command knows; the first is the default.
func formatFlag(formats ...string) cli.Flag {
	return &cli.StringFlag{Name: "format", Value: formats[0], Usage: "`FORMAT` of the output: " + strings.Join(formats, ", ")}
}

// formatsFlag is --format of a command that writes several results in one run.
func formatsFlag(formats ...string) cli.Flag {
	return &cli.StringSliceFlag{Name: "format", Usage: "`FORMAT` of the output: " + strings.Join(formats, ", ") + " (default: " + formats[0] + "); FORMAT=FILE writes one more to a file (repeatable)"}
}

// results is what one run writes: one to standard output or the file of -o, the others to files.
type results struct {
	format string
	files  []resultFile
}

type resultFile struct{ format, name string }

// formats reads --format of a command that writes several results; the first of the formats is the default.
func formats(c *cli.Context, known ...string) (results, error) {
	out := results{}
	named := map[string]string{c.String("o"): "-o"}
	for _, text := range c.StringSlice("format") {
		f, file, toFile := strings.Cut(text, "=")
		switch other, taken := named[file]; {
		case !slices.Contains(known, f):
			return out, usage("--format %s: want %s, or one of them and a file: %s=FILE", text, strings.Join(known, ", "), known[len(known)-1])
		case toFile && file == "":
			return out, usage("--format %s: want a file behind the `=`", text)
		case toFile && taken:
			return out, usage("--format %s: %s is written by %s already", text, file, other)
		case toFile:
			named[file] = "--format " + text
			out.files = append(out.files, resultFile{f, file})
		case out.format != "":
			return out, usage("--format %s: %s goes to standard output already; want %s=FILE", text, out.format, f)
		default:
			out.format = f
		}
	}
	if out.format == "" {
		out.format = known[0]
	}
	return out, nil
}

// has reports whether a format is among the results.
func (r results) has(format string) bool {
	return r.format == format || slices.ContainsFunc(r.files, func(f resultFile) bool { return f.format == format })
}

// emit builds every result before it writes the first. plain says that a text goes to a file, which takes no colours.
func (r results) emit(c *cli.Context, build func(format string, plain bool) ([]byte, error)) error {
	data, err := build(r.format, c.String("o") != "")
	if err != nil {
		return err
	}
	built := make([][]byte, len(r.files))
	for i, f := range r.files {
		if built[i], err = build(f.format, true); err != nil {
			return err
		}
	}
	var errs []error
	for i, f := range r.files {
		errs = append(errs, writeFile(f.name, built[i]))
	}
	return errors.Join(append(errs, emit(c, data))...)
}

// textOptions say how text is set: for the terminal, or for a file.
func textOptions(c *cli.Context, plain bool) pci.TextOptions {
	return pci.TextOptions{Width: width(c.App.Writer), Color: !plain && colour(c.App.Writer)}
}

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "o", Usage: "write to `FILE` instead of standard output"}
}

// format checks --format against the formats that a command knows.
func format(c *cli.Context, formats ...string) (string, error) {
	f := c.String("format")
	if !slices.Contains(formats, f) {
		return "", usage("--format %s: want %s", f, strings.Join(formats, ", "))
	}
	return f, nil
}

// emit writes a result to standard output, or to the file of -o.
func emit(c *cli.Context, data []byte) error {
	return emitBy(c, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// emitBy has a result written to standard output, or to the file of -o, piece by piece.
func emitBy(c *cli.Context, write func(io.Writer) error) error {
	if name := c.String("o"); name != "" {
		return writeFileBy(name, write)
	}
	return write(c.App.Writer)
}

// emitAs emits a result in the format `json` or `text`.
func emitAs(c *cli.Context, format string, value any, text func(*printer)) error {
	if format == "json" {
		data, err := jsonBytes(value)
		if err != nil {
			return err
		}
		return emit(c, data)
	}
	p := newPrinter(c.App.Writer, c.String("o") != "")
	text(p)
	return emit(c, p.b.Bytes())
}

// writeFile writes a file whole or not at all.
func writeFile(name string, data []byte) error {
	return writeFileBy(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeFileBy has a file written whole or not at all: under a temporary name beside it, then renamed.
func writeFileBy(name string, write func(io.Writer) error) error {
	return writeFileAs(name, 0o644, write)
}

// writeFileAs does so with the permissions that the file shall have.
func writeFileAs(name string, mode os.FileMode, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(tmp.Name()) // gone after the rename; a leftover otherwise
	if err = write(tmp); err == nil {
		err = tmp.Chmod(mode)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// jsonBytes is a value as indented JSON with a last newline; markup is left as it is.
func jsonBytes(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return b.Bytes(), nil
}

// printer builds text for people.
type printer struct {
	b     bytes.Buffer
	color bool
	width int
}

func newPrinter(w io.Writer, toFile bool) *printer {
	return &printer{color: !toFile && colour(w), width: width(w)}
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
}

// table prints rows with aligned columns; the last one may be of any length, and may be painted.
func (p *printer) table(indent string, rows [][]string) {
	const most = 80 // a cell that is wider pushes its own row alone
	var wide []int
	for _, r := range rows {
		for i, cell := range r[:len(r)-1] {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			if n := utf8.RuneCountInString(cell); n <= most {
				wide[i] = max(wide[i], n)
			}
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r {
			b.WriteString(cell)
			if i < len(r)-1 && r[len(r)-1] != "" || i < len(r)-2 {
				b.WriteString(strings.Repeat(" ", max(0, wide[i]-utf8.RuneCountInString(cell))+2))
			}
		}
		p.line("%s%s", indent, strings.TrimRight(b.String(), " "))
	}
}

// paint wraps text in an ANSI colour.
func (p *printer) paint(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *printer) good(s string) string { return p.paint("32", s) }
func (p *printer) bad(s string) string  { return p.paint("31;1", s) }
func (p *printer) open(s string) string { return p.paint("33", s) }
func (p *printer) dim(s string) string  { return p.paint("2", s) }
