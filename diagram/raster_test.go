package diagram

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// inked counts the dark pixels of a part of a picture.
func inked(img image.Image, part image.Rectangle) int {
	n := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y < 90 {
				n++
			}
		}
	}
	return n
}

// The picture has the size of the sheet, its text is drawn without any font of the machine, and it says in words what it shows.
func TestPNG(t *testing.T) {
	d, err := Network(shop())
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img := decoded(t, data)
	s, err := compose(d, false)
	if err != nil {
		t.Fatal(err)
	}
	k := min(pngZoom, pngSide/max(s.w, s.h))
	if got, want := img.Bounds().Dx(), int(s.w*k+0.5); got != want {
		t.Errorf("the picture is %d wide, want %d", got, want)
	}
	m, err := newMetrics()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range s.items {
		text, ok := x.(textItem)
		if !ok || text.class != "ink" || strings.TrimSpace(text.text) == "" {
			continue
		}
		left := text.left(m)
		part := image.Rect(int(left*k), int((text.at.y-text.face.size)*k), int((left+m.width(text.text, text.face))*k)+1, int((text.at.y+2)*k))
		if inked(img, part) == 0 {
			t.Errorf("`%s` is not to be seen", text.text)
		}
	}
	if got := description(data); !strings.Contains(got, "Flow: internet to dmz: tcp/443") {
		t.Errorf("the description of the picture lacks its flows: %.200q", got)
	}
}

// A sheet that is too high is drawn smaller, not cut.
func TestPNGLimit(t *testing.T) {
	in := campus(0)
	in.View.Level = ZoneLevel
	for i := range 25 {
		in.Zones = append(in.Zones, ZoneInfo{Name: strings.Repeat("z", i+1), Kind: "trusted"})
		for j := range 25 {
			if i != j {
				in.Rows = append(in.Rows, row(strings.Repeat("z", i+1), strings.Repeat("z", j+1), "tcp/443"))
			}
		}
	}
	d, err := Network(in)
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if got := decoded(t, data).Bounds(); got.Dx() > pngSide || got.Dy() > pngSide || got.Dy() < pngSide/2 {
		t.Errorf("got a picture of %v, want at most %d a side", got, pngSide)
	}
}

// Every panel has a page of A3, landscape, with the title block and the legend, and the rows of its table stand on those behind it. What
// is printed small is still read: the example's smallest text is above four points.
func TestPages(t *testing.T) {
	d, err := Network(shop())
	if err != nil {
		t.Fatal(err)
	}
	pages, err := d.pages()
	if err != nil {
		t.Fatal(err)
	}
	var heads, legends, numbers int
	for _, s := range pages {
		for _, x := range s.items {
			switch x := x.(type) {
			case textItem:
				switch {
				case x.text == "owner of the CDE":
					heads++
				case x.text == "Legend":
					legends++
				case strings.HasPrefix(x.text, "page ") && strings.HasSuffix(x.text, " of 4"):
					numbers++
				}
				if points := x.face.size * 72 / 96; points < 4 {
					t.Errorf("`%s` is printed at %.1f points", x.text, points)
				}
				if x.at.x < 0 || x.at.y < 0 || x.at.x > pageWidth || x.at.y > pageHeight {
					t.Errorf("`%s` stands outside the page", x.text)
				}
			case rectItem:
				if x.x < -1 || x.y < -1 || x.x+x.w > pageWidth+1 || x.y+x.h > pageHeight+1 {
					t.Errorf("a box stands outside the page: %v", x.area)
				}
			case openItem, closeItem, pathItem:
			}
		}
	}
	if heads != 2 || legends != 2 || numbers != 4 {
		t.Errorf("got %d title blocks, %d legends, %d page numbers; want 2, 2 and 4", heads, legends, numbers)
	}
	data, err := d.PDF()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("/MediaBox [0 0 1190.55 841.88]")) || bytes.Count(data, []byte("/FontFile2")) != 2 {
		t.Errorf("want pages of A3 landscape and two embedded fonts")
	}
}

// Drawn twice, and with another stamp, a picture and a file of pages count as the same; with another flow they do not.
func TestCheckPictures(t *testing.T) {
	formats := map[string]func(Input) []byte{}
	for name, write := range map[string]func(*Diagram) ([]byte, error){"png": (*Diagram).PNG, "pdf": (*Diagram).PDF} {
		formats[name] = func(in Input) []byte {
			d, err := DataFlow(in)
			if err != nil {
				t.Fatal(err)
			}
			data, err := write(d)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
	}
	for name, write := range formats {
		committed := write(shop())
		if !bytes.Equal(write(shop()), committed) {
			t.Errorf("%s differs from one run to the next", name)
		}
		stamped := shop()
		stamped.AsOf, stamped.Hash, stamped.Tool = "2027-01-02", strings.Repeat("0", 64), "ringfence 99"
		if diff := Check(write(stamped), committed); diff != "" {
			t.Errorf("%s with another stamp counts as stale:\n%s", name, diff)
		}
		changed := shop()
		changed.Flows[0].Legs[0].Service = "tcp/8080"
		diff := Check(write(changed), committed)
		if !strings.Contains(diff, "+ Flow: internet to dmz/agw: card capture; PAN, expiry, CVV; tcp/8080") {
			t.Errorf("%s with another flow: the difference is %q", name, diff)
		}
	}
	for _, broken := range []string{pngHead, pngHead + "\x00\x00", pngHead + "\xff\xff\xff\xffiTXt", "%PDF-1.3"} {
		if Check([]byte(broken), formats["png"](shop())) == "" {
			t.Errorf("a broken file %q counts as current", broken)
		}
	}
}
