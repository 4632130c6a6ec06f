package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// filler gives every field a value that no other field has, as far as its type allows.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value, at string, depth int) {
	f.n++
	switch v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, byte(f.n >> 16), byte(f.n >> 8), byte(f.n)})))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(f.n >> 8), byte(f.n), 0}), 24)))
		return
	case model.PortRange:
		v.Set(reflect.ValueOf(model.PortRange{First: uint16(f.n), Last: 65535}))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if t := v.Type().Field(i); t.IsExported() {
				f.fill(v.Field(i), at+"."+t.Name, depth)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), at, depth)
	case reflect.Slice:
		if depth > 6 {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // empty, which is not absent
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), at, depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i), at, depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 2 {
			m := reflect.New(v.Type().Elem()).Elem()
			f.fill(m, at, depth+1)
			key := reflect.New(v.Type().Key()).Elem()
			if key.Kind() == reflect.String {
				key.SetString(fmt.Sprintf("key%d", i))
			} else {
				key.SetUint(uint64(8080 + i))
			}
			v.SetMapIndex(key, m)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d \"<>\u2028", at, f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8: // a word, or the number of a protocol
		v.SetUint(1)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Float64: // an order, which is infinite where none is stated
		v.SetFloat([]float64{float64(f.n) / 8, math.Inf(1)}[f.n%2])
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n))
	default:
		panic("snapshot: a field of kind " + v.Kind().String())
	}
}

// projects compare in all that they hold; the index of an estate follows from it.
func sameProject() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreUnexported(model.Estate{}),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	}
}

func written(t *testing.T, p *model.Project, plain bool) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p, Options{Tool: "test", Plain: plain}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) (*model.Project, error) {
	return Import(fstest.MapFS{"s.json": {Data: data}}, "s.json")
}

// roundTrip fails where a project that was written and read differs from itself, or is written otherwise the second time.
func roundTrip(t *testing.T, p *model.Project) {
	t.Helper()
	for _, plain := range []bool{false, true} {
		data := written(t, p, plain)
		if !Recognise(data) || !Recognise(data[:min(len(data), 512)]) {
			t.Errorf("plain %v: not recognised", plain)
		}
		got, err := read(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got, sameProject()); diff != "" {
			t.Fatalf("plain %v (-written +read):\n%s", plain, diff)
		}
		if !bytes.Equal(data, written(t, got, plain)) {
			t.Errorf("plain %v: the second snapshot has other bytes", plain)
		}
	}
}

// filled is a project that has a value in every field of every type of the model.
func filled(t *testing.T) *model.Project {
	t.Helper()
	p := &model.Project{}
	new(filler).fill(reflect.ValueOf(p).Elem(), "p", 0)
	ledger := p.Estate.Ledger
	estate, err := model.NewEstate(p.Estate.Held(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	p.Estate = estate
	return p
}

// Every field of the model survives, whatever it is: a field that someone adds is in the snapshot, or this fails.
func TestEveryField(t *testing.T) {
	roundTrip(t, filled(t))
}

// A project that holds next to nothing is one too.
func TestSparse(t *testing.T) {
	estate, err := model.NewEstate([]model.Resource{&model.VNet{Meta: model.Meta{ID: "/v", Source: model.Source{File: "a.json"}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, &model.Project{Estate: estate})
}

// random is a drawn estate with everything in it that can be drawn.
func random(t testing.TB, seed uint64) *model.Project {
	t.Helper()
	d := modeltest.Random(rand.New(rand.NewPCG(seed, 1)), modeltest.AllKinds)
	e, err := d.Estate()
	if err != nil {
		t.Fatal(err)
	}
	return &model.Project{Estate: e, Tags: d.Tags}
}

func TestRandomEstates(t *testing.T) {
	for seed := range uint64(50) {
		roundTrip(t, random(t, seed))
	}
}

// Every type whose values stand for words has a word for each: a constant that someone adds is in the lists, or this fails.
func TestWords(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(typ.Field(i).Type)
			}
		default:
		}
	}
	walk(reflect.TypeFor[model.Project]())
	for typ := range seen {
		if typ.PkgPath() != reflect.TypeFor[model.Project]().PkgPath() {
			continue
		}
		switch typ.Kind() {
		case reflect.Uint8, reflect.Int, reflect.Uint, reflect.Uint16, reflect.Uint32:
			if typ != reflect.TypeFor[model.Protocol]() && Words(typ) == nil {
				t.Errorf("%s has no words", typ)
			}
		default:
		}
	}
}

func TestRefused(t *testing.T) {
	p := filled(t)
	good := string(written(t, p, true))
	zipped := written(t, p, false)
	for _, tt := range []struct {
		name, data, want string
	}{
		{"newer", strings.Replace(good, "snapshot/v2", "snapshot/v3", 1), "s.json: schema: found `ringfence/snapshot/v3`, want ringfence/snapshot/v2; another version"},
		{"changed", strings.Replace(good, `"Path"`, `"Pfad"`, 1), "s.json: digest: found `sha256:"},
		{"truncated", good[:len(good)/2], "s.json: found `no whole JSON object`"},
		{"truncated gzip", string(zipped[:len(zipped)/2]), "s.json: found `a file that is cut off or damaged`"},
		{"damaged gzip", string(zipped[:3]) + "\xff", "s.json: found `a gzip file that can't be read`"},
		{"another object", `{"schema": "ringfence/verify/v1"}`, "s.json: schema: found `ringfence/verify/v1`"},
		{"no object", `[1]`, "s.json: found `no whole JSON object`"},
		{"no project", `{"schema": "ringfence/snapshot/v2", "tool": "", "digest": ""}`, "s.json: project: found `nothing`, want a project"},
		{"more members", strings.Replace(good, `"tool"`, `"tools"`, 1), "s.json: found `members that a snapshot does not have`"},
		{"a member of no type", sealed(`{"Estate": {"VNet": []}}`), "s.json: project: found `what a project does not hold`"},
		{"a word of no type", sealed(`{"Estate": {"Ledger": [{"Disposition": "fine"}]}}`), "s.json: project: found `what a project does not hold`"},
		{"null in a list", sealed(`{"Estate": {"VNets": [null]}}`), "s.json: project.Estate.VNets[0]: found `null`"},
		{"no ID", sealed(`{"Estate": {"VNets": [{"Source": {"File": "a"}}]}}`), "s.json: project.Estate.VNets[0].ID: found `nothing`"},
		{"no origin", sealed(`{"Estate": {"VNets": [{"ID": "/v"}]}}`), "s.json: project.Estate.VNets[0].Source: found `nothing`"},
		{"host bits", sealed(`{"Estate": {"VNets": [{"ID": "/v", "Source": {"File": "a"}, "Prefixes": ["10.0.0.1/8"]}]}}`), "project.Estate.VNets[0].Prefixes[0]: found `the prefix 10.0.0.1/8`"},
		{"a mapped prefix", sealed(`{"Estate": {"VNets": [{"ID": "/v", "Source": {"File": "a"}, "Prefixes": ["::ffff:10.0.0.0/104"]}]}}`), "project.Estate.VNets[0].Prefixes[0]: found `the prefix"},
		{"no prefix", sealed(`{"Estate": {"VNets": [{"ID": "/v", "Source": {"File": "a"}, "Prefixes": [""]}]}}`), "project.Estate.VNets[0].Prefixes[0]: found `nothing`"},
		{"an empty estate", sealed(`{"Estate": {}}`), "s.json: project.Estate: found `no resource`"},
		{"no estate", sealed(`{}`), "s.json: project.Estate: found `nothing`"},
		{"one ID twice", sealed(`{"Estate": {"VNets": [{"ID": "/v", "Source": {"File": "a"}}], "NSGs": [{"ID": "/V", "Source": {"File": "b"}}]}}`), "a second, different copy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read([]byte(tt.data))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v\nwant %s", err, tt.want)
			}
			if _, ok := errors.AsType[*model.InputError](err); !ok {
				t.Errorf("a %T", err)
			}
		})
	}
}

// sealed is a snapshot of a project that is given as JSON without white space, with the digest that belongs to it.
func sealed(project string) string {
	var b bytes.Buffer
	for _, r := range project {
		if r != ' ' {
			b.WriteRune(r)
		}
	}
	return fmt.Sprintf(`{"schema": %q, "tool": "test", "digest": %q, "project": %s}`, Schema, digest(b.Bytes()), b.String())
}

// FuzzImport: whatever the file, an error with a place or a project that is written and read again as it is.
func FuzzImport(f *testing.F) {
	for seed := range uint64(4) {
		content, err := json.Marshal(random(f, seed), coding())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte(`{"Estate":{"VNets":[{"ID":"/v","Source":{"File":"a"},"Prefixes":["10.0.0.1/8"]}]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := read([]byte(sealed(string(content))))
		if err == nil {
			roundTrip(t, p)
		}
	})
}
