package diagram

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func drawIO(t *testing.T, in Input, keep *Positions) string {
	t.Helper()
	d, err := Network(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.DrawIO(keep)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Boxes that were moved by hand, bends of lines and shapes that somebody added survive a new drawing; what is new gets a place, and a
// note that hangs on a box that is gone goes with it.
func TestKeepPositions(t *testing.T) {
	old := drawIO(t, shop(), nil)
	cell := regexp.MustCompile(`<mxCell id="(rf-zones-z[0-9a-f]+)" value="cde[^>]*><mxGeometry ([^/]*)/></mxCell>`)
	m := cell.FindStringSubmatch(old)
	if m == nil {
		t.Fatalf("no cell of the CDE in\n%s", old)
	}
	moved := strings.Replace(old, m[2], `x="1234" y="-56" width="900" height="901" as="geometry"`, 1)
	edge := regexp.MustCompile(`(<mxCell id="rf-zones-e[0-9a-f]+"[^>]*>)<mxGeometry relative="1" as="geometry"/>`)
	bend := `<mxGeometry relative="1" as="geometry"><Array as="points"><mxPoint x="7" y="8"/></Array></mxGeometry>`
	first := edge.FindStringSubmatch(moved)
	moved = strings.Replace(moved, first[0], first[1]+bend, 1)
	note := `<mxCell id="note-1" value="ask &lt;Kim&gt;" style="shape=note" vertex="1" parent="1"><mxGeometry x="1" y="2" width="3" height="4" as="geometry"/></mxCell>`
	gone := `<mxCell id="note-2" value="on what is gone" vertex="1" parent="rf-zones-z0000000000"></mxCell>`
	moved = strings.Replace(moved, "</root>", note+"\n"+gone+"\n</root>", 1)

	changed := shop()
	changed.Zones[1].Members = append(changed.Zones[1].Members, MemberInfo{Ref: "subnet:vnet-spoke/snet-new", VNet: "vnet-spoke", Subnet: "snet-new"})
	for form, file := range map[string]string{"plain": moved, "compressed": compressed(t, moved)} {
		keep, err := ReadPositions([]byte(file))
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		got := drawIO(t, changed, keep)
		for _, want := range []string{`x="1234" y="-56" width="900" height="901" as="geometry"`, bend, note, "snet-new"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the new drawing lacks `%s`", form, want)
			}
		}
		if strings.Contains(got, "on what is gone") {
			t.Errorf("%s: a shape hangs on a box that is gone", form)
		}
		if m := regexp.MustCompile(`value="subnet snet-new[^>]*><mxGeometry x="10" y="([0-9.]+)"`).FindStringSubmatch(got); m == nil {
			t.Errorf("%s: the new subnet does not stand below those that are kept", form)
		}
		again, err := ReadPositions([]byte(got))
		if err != nil {
			t.Fatal(err)
		}
		if drawIO(t, changed, again) != got {
			t.Errorf("%s: drawn once more with its own positions, the drawing changes", form)
		}
	}
}

// compressed packs each page as draw.io does.
func compressed(t *testing.T, file string) string {
	t.Helper()
	return regexp.MustCompile(`(?s)<mxGraphModel.*?</mxGraphModel>`).ReplaceAllStringFunc(file, func(graph string) string {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, 9)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = w.Write([]byte(strings.ReplaceAll(url.PathEscape(graph), "+", "%2B"))); err != nil {
			t.Fatal(err)
		}
		if err = w.Close(); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b.Bytes())
	})
}

func TestBadPositions(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"no XML", "{", "no draw.io file"},
		{"an SVG", "<svg/>", "found `<svg>`, want `<mxfile>`"},
		{"an element with a hostile name", "<a\u202e/>", "no draw.io file"},
		{"no base64", `<mxfile><diagram id="p">???</diagram></mxfile>`, "page `p`"},
		{"not deflated", `<mxfile><diagram id="p">AAAA</diagram></mxfile>`, "page `p`"},
		{"no number", `<mxfile><diagram id="p"><mxGraphModel><root><mxCell id="rf-zones-z1" vertex="1"><mxGeometry x="ten"/></mxCell></root></mxGraphModel></diagram></mxfile>`, "cell `rf-zones-z1`: `ten` is no coordinate"},
		{"no finite number", `<mxfile><diagram id="p"><mxGraphModel><root><mxCell id="rf-zones-z1" vertex="1"><mxGeometry x="NaN"/></mxCell></root></mxGraphModel></diagram></mxfile>`, "`NaN` is no coordinate"},
	} {
		if _, err := ReadPositions([]byte(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with `%s`", test.name, err, test.want)
		}
	}
}

func FuzzReadPositions(f *testing.F) {
	f.Add([]byte(`<mxfile><diagram id="p"><mxGraphModel><root><mxCell id="0"/><mxCell id="rf-zones-z1" vertex="1"><mxGeometry x="1" y="2"/></mxCell></root></mxGraphModel></diagram></mxfile>`))
	f.Add([]byte(`<mxfile><diagram id="p">AAAA</diagram></mxfile>`))
	f.Fuzz(func(_ *testing.T, data []byte) { // an error or positions, never a panic
		if keep, err := ReadPositions(data); err == nil {
			d, err := Network(Input{Zones: []ZoneInfo{{Name: "cde", Kind: "cde"}}})
			if err != nil {
				return
			}
			if _, err = d.DrawIO(keep); err != nil {
				panic(err)
			}
		}
	})
}
