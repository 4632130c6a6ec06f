package snapshot

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringfence/ringfence/model"
)

// Schema names the form of snapshots that this version writes and reads. It changes whenever a field of the model changes its meaning.
const Schema = "ringfence/snapshot/v2"

// maxBytes bounds a snapshot once it is unpacked. An estate of 1,000 subnets and 26,000 rules takes about 30 MB.
const maxBytes = 2 << 30

// File is a snapshot as JSON.
type File struct {
	Schema  string         `json:"schema"`
	Tool    string         `json:"tool"`
	Digest  string         `json:"digest"` // `sha256:` and the hash of project, white space left out
	Project jsontext.Value `json:"project"`
}

// Options says how a snapshot is written.
type Options struct {
	Tool  string // name and version of the program
	Plain bool   // indented JSON, for readers and for diff; else gzipped
}

// Write writes a snapshot of a project. The same project gives the same bytes.
func Write(w io.Writer, p *model.Project, o Options) error {
	content, err := json.Marshal(p, coding())
	if err != nil {
		return fmt.Errorf("encode the snapshot: %w", err)
	}
	f := File{Schema: Schema, Tool: o.Tool, Digest: digest(content), Project: content}
	if o.Plain {
		if err = json.MarshalWrite(w, f, jsontext.WithIndent("  ")); err == nil {
			_, err = io.WriteString(w, "\n")
		}
		return err
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return errors.Join(json.MarshalWrite(z, f), z.Close())
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Recognise reports whether a file, or its beginning of at least 512 bytes, is a snapshot of this or another version.
func Recognise(data []byte) bool {
	if zipped(data) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return false
		}
		head := make([]byte, 512)
		n, _ := io.ReadFull(z, head) // a cut file is recognised too: reading it says what is wrong
		data = head[:n]
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for i, want := range []string{"{", `"schema"`, `"ringfence/snapshot/`} {
		t, err := d.ReadToken()
		if err != nil || i < 2 && t.String() != strings.Trim(want, `"`) || i == 2 && !strings.HasPrefix(t.String(), want[1:]) {
			return false
		}
	}
	return true
}

func zipped(data []byte) bool { return len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b }

// reader reads one snapshot.
type reader struct {
	name string
}

func (r reader) fail(field, found, accepted string, err error) error {
	return &model.InputError{Source: model.Source{File: r.name}, Field: field, Found: found, Accepted: accepted, Err: err}
}

// Import reads a snapshot.
func Import(fsys fs.FS, name string) (*model.Project, error) {
	r := reader{name}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if data, err = r.unpack(data); err != nil {
		return nil, err
	}
	content, err := r.content(data)
	if err != nil {
		return nil, err
	}
	var p model.Project
	if err = json.Unmarshal(content, &p, coding()); err != nil {
		return nil, r.fail("project", "what a project does not hold", asWritten, err)
	}
	if p.Estate == nil {
		return nil, r.fail("project.Estate", "nothing", "an estate", nil)
	}
	look := checker{types: map[reflect.Type]*checks{}}
	if where, what := look.invalid(reflect.ValueOf(&p)); what != "" {
		return nil, r.fail("project"+where, what, "what `ringfence import` writes", nil)
	}
	list := p.Estate.Held()
	if len(list) == 0 {
		return nil, r.fail("project.Estate", "no resource", "at least one: nothing can be checked", nil)
	}
	if p.Estate, err = model.NewEstate(list, p.Estate.Ledger); err != nil {
		return nil, err
	}
	return &p, nil
}

const asWritten = "a snapshot, as `ringfence import` writes it"

// unpack returns the JSON of a file that may be gzipped.
func (r reader) unpack(data []byte) ([]byte, error) {
	if zipped(data) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, r.fail("", "a gzip file that can't be read", "a whole snapshot", err)
		}
		var b bytes.Buffer
		b.Grow(unpackedSize(data) + bytes.MinRead) // without room to see the end it would grow once more
		if _, err = b.ReadFrom(io.LimitReader(z, maxBytes+1)); err != nil {
			return nil, r.fail("", "a file that is cut off or damaged", "a whole snapshot", err)
		}
		data = b.Bytes()
	}
	if len(data) > maxBytes {
		return nil, r.fail("", "more than 2 GiB of JSON", "a snapshot of at most 2 GiB", nil)
	}
	return data, nil
}

// unpackedSize is the size that a gzip file states for its content (RFC 1952, 2.3.1), as far as its own size allows: no file grows
// a thousandfold and more.
func unpackedSize(data []byte) int {
	stated := binary.LittleEndian.Uint32(data[max(0, len(data)-4):])
	return int(min(int64(stated), 1000*int64(len(data)), maxBytes))
}

// content is the project of a snapshot as JSON without white space, once its schema and its digest are found to be right.
func (r reader) content(data []byte) (jsontext.Value, error) {
	var f File
	if err := json.Unmarshal(data, &f, json.RejectUnknownMembers(true)); err != nil || f.Schema != Schema {
		return nil, r.foreign(data, err)
	}
	if len(f.Project) == 0 {
		return nil, r.fail("project", "nothing", "a project", nil)
	}
	if digest(f.Project) == f.Digest { // no white space in it, as it is written but for readers
		return f.Project, nil
	}
	if err := f.Project.Compact(); err != nil {
		return nil, r.fail("project", "no JSON", asWritten, err)
	}
	if sum := digest(f.Project); sum != f.Digest {
		return nil, r.fail("digest", f.Digest, sum+", the digest of what is in the file: it was changed after it was written", nil)
	}
	return f.Project, nil
}

// foreign says why a file is no snapshot of this version: cause, unless what it states of itself says more.
func (r reader) foreign(data []byte, cause error) error {
	var head struct {
		Schema string         `json:"schema"`
		Rest   jsontext.Value `json:",unknown"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return r.fail("", "no whole JSON object", asWritten, err)
	}
	if head.Schema != Schema {
		return r.fail("schema", head.Schema, Schema+"; another version of ringfence wrote this file: read it with that one, or import the sources again", nil)
	}
	return r.fail("", "members that a snapshot does not have", asWritten, cause)
}
