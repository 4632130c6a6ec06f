package azure

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ringfence/ringfence/model"
)

const (
	maxFile   = 256 << 20 // bytes of a file after decompression
	maxValues = 4_000_000 // JSON values of a file
	maxDepth  = 100       // levels of nesting
	maxID     = 2048      // characters of a resource ID
)

// readFile opens a file and returns its text as UTF-8: gzip is unpacked, a byte order mark is taken off, UTF-16 (what PowerShell
// writes with `>`) is converted.
func readFile(fsys fs.FS, name string) ([]byte, *model.InputError) {
	fail := func(found, accepted string, err error) *model.InputError {
		return &model.InputError{Source: model.Source{File: name}, Found: found, Accepted: accepted, Err: err}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fail("", "", fmt.Errorf("open: %w", cause(err)))
	}
	defer f.Close() //nolint:errcheck // nothing was written
	size := int64(0)
	if info, statErr := f.Stat(); statErr == nil {
		if info.IsDir() {
			return nil, fail("a folder", "a file of Azure resources as JSON", nil)
		}
		size = info.Size()
	}
	data, err := limited(f, size)
	if err != nil {
		return nil, fail("", "", fmt.Errorf("read: %w", cause(err)))
	}
	text, err := utf8Text(data)
	if err != nil {
		return nil, fail("", "", err)
	}
	return text, nil
}

// cause strips the path that fs errors repeat.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

var errTooLarge = fmt.Errorf("the file is larger than %d MiB; split it", maxFile>>20)

// limited reads all of a text, for which a size is expected; 0: nothing is known of it.
func limited(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(size, 0), maxFile)) + bytes.MinRead) // without room to see the end it would grow once more
	if _, err := b.ReadFrom(io.LimitReader(r, maxFile+1)); err != nil {
		return nil, err
	}
	if b.Len() > maxFile {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}

// utf8Text unpacks and converts; see readFile.
func utf8Text(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		if data, err = limited(z, 0); err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
	}
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return data[3:], nil
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return fromUTF16(data[2:], binary.BigEndian)
	default:
		return data, nil
	}
}

func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, errors.New("the file starts as UTF-16 and ends in half a character")
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i += 2 {
		r := rune(order.Uint16(data[i:]))
		if utf16.IsSurrogate(r) && i+3 < len(data) {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(data[i+2:]))); pair != utf8.RuneError {
				r, i = pair, i+2
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}
