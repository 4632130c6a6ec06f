package diagram

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/png"
	"strings"

	"github.com/fogleman/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

const (
	pngZoom = 2.0  // pixels of the picture for each of the drawing
	pngSide = 8000 // the longest side: the cost grows with the height, and viewers give up
)

// PNG draws the diagram as a picture, in the built-in font, whatever fonts a machine has. What it shows stands in its description as
// text, from which Check reads it.
func (d *Diagram) PNG() ([]byte, error) {
	s, err := compose(d, false)
	if err != nil {
		return nil, err
	}
	c, err := newCanvas(s)
	if err != nil {
		return nil, err
	}
	if note := c.m.lacking(s); note != "" {
		s.add(textItem{at: point{margin, s.h - 8}, face: plain(smallSize), class: "soft", text: note})
	}
	for _, x := range s.items {
		if err = c.draw(x); err != nil {
			return nil, fmt.Errorf("draw the %s diagram as PNG: %w", d.Kind, err)
		}
	}
	var b bytes.Buffer
	if err = png.Encode(&b, c.dc.Image()); err != nil {
		return nil, fmt.Errorf("write the %s diagram as PNG: %w", d.Kind, err)
	}
	return describe(b.Bytes(), d.Title+": "+d.Project+"\n"+strings.Join(d.words(), "\n")), nil
}

type canvas struct {
	dc    *gg.Context
	m     *metrics
	look  map[string]style
	fonts [2]*opentype.Font
	faces map[face]font.Face
	k     float64
}

func newCanvas(s *scene) (*canvas, error) {
	m, err := newMetrics()
	if err != nil {
		return nil, err
	}
	c := &canvas{m: m, look: looks(), faces: map[face]font.Face{}, k: min(pngZoom, pngSide/max(s.w, s.h))}
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		if c.fonts[i], err = opentype.Parse(ttf); err != nil {
			return nil, fmt.Errorf("read the built-in font: %w", err)
		}
	}
	c.dc = gg.NewContext(max(1, int(s.w*c.k+0.5)), max(1, int(s.h*c.k+0.5)))
	return c, nil
}

func (c *canvas) draw(x item) error {
	switch x := x.(type) {
	case rectItem:
		c.dc.DrawRoundedRectangle(x.x*c.k, x.y*c.k, x.w*c.k, x.h*c.k, x.r*c.k)
		c.paint(styleOf(c.look, x.class), x.zoom)
	case pathItem:
		c.dc.NewSubPath()
		for _, s := range x.steps {
			switch p := s.p; s.op {
			case 'M':
				c.dc.MoveTo(p[0].x*c.k, p[0].y*c.k)
			case 'L':
				c.dc.LineTo(p[0].x*c.k, p[0].y*c.k)
			case 'C':
				c.dc.CubicTo(p[0].x*c.k, p[0].y*c.k, p[1].x*c.k, p[1].y*c.k, p[2].x*c.k, p[2].y*c.k)
			case 'Z':
				c.dc.ClosePath()
			}
		}
		c.paint(styleOf(c.look, x.class), x.zoom)
	case textItem:
		f, err := c.face(x.face)
		if err != nil {
			return err
		}
		c.dc.SetFontFace(f)
		c.colour(styleOf(c.look, x.class).fill.light)
		c.dc.DrawString(c.m.printable(x.text), x.left(c.m)*c.k, x.at.y*c.k)
	case openItem, closeItem:
	}
	return nil
}

// paint fills and strokes the path at hand.
func (c *canvas) paint(s style, zoom float64) {
	if c.colour(s.fill.light) {
		c.dc.FillPreserve()
	}
	if c.colour(s.stroke.light) {
		k := c.k * cmp.Or(zoom, 1)
		c.dc.SetLineWidth(s.width * k)
		dash := make([]float64, len(s.dash))
		for i, d := range s.dash {
			dash[i] = d * k
		}
		c.dc.SetDash(dash...)
		c.dc.SetLineCapButt()
		c.dc.StrokePreserve()
	}
	c.dc.ClearPath()
}

// colour chooses a colour, and reports whether there is one.
func (c *canvas) colour(text string) bool {
	if text == "" || text == "none" {
		return false
	}
	r, g, b := rgb(text)
	c.dc.SetRGB255(int(r), int(g), int(b))
	return true
}

func (c *canvas) face(f face) (font.Face, error) {
	if known, ok := c.faces[f]; ok {
		return known, nil
	}
	i := 0
	if f.bold {
		i = 1
	}
	made, err := opentype.NewFace(c.fonts[i], &opentype.FaceOptions{Size: f.size * c.k, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, err
	}
	c.faces[f] = made
	return made, nil
}

const pngHead = "\x89PNG\r\n\x1a\n"

// describe adds a text to a PNG, as an international text chunk behind the header.
func describe(data []byte, text string) []byte {
	const headEnd = len(pngHead) + 4 + 4 + 13 + 4 // the signature and IHDR
	var chunk bytes.Buffer
	body := "Description\x00\x00\x00en\x00\x00" + text
	chunk.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body))))
	chunk.WriteString("iTXt" + body)
	chunk.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte("iTXt"+body))))
	return bytes.Join([][]byte{data[:headEnd], chunk.Bytes(), data[headEnd:]}, nil)
}

// description returns the text of describe.
func description(data []byte) string {
	for at := len(pngHead); at+12 <= len(data); {
		size := int(binary.BigEndian.Uint32(data[at:]))
		if size < 0 || at+12+size > len(data) {
			return ""
		}
		if body, ok := strings.CutPrefix(string(data[at+4:at+8+size]), "iTXtDescription\x00\x00\x00en\x00\x00"); ok {
			return body
		}
		at += 12 + size
	}
	return ""
}
