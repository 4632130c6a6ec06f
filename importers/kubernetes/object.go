package kubernetes

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	kjson "sigs.k8s.io/json"

	"github.com/ringfence/ringfence/model"
)

// object is one Kubernetes object of the input.
type object struct {
	file       string
	line       int
	path       string // of the object in its document: `items[3].` in a list, else empty
	apiVersion string
	group      string
	version    string
	kind       string
	root       *yaml.Node // the top level at least
	node       *yaml.Node // everything; nil until it is wanted, for JSON and long lists
	raw        []byte     // as JSON
	entry      *chunk     // an entry of a long list of YAML; else nil

	namespace, name string
	id              model.ID // empty until namespace and name are known to be valid
}

func newObject(file string, root *yaml.Node, raw []byte) *object {
	o := &object{file: file, line: root.Line, root: root, raw: raw}
	version, _ := value(root, "apiVersion")
	kind, _ := value(root, "kind")
	if version != nil && kind != nil {
		o.setType(version.Value, kind.Value)
	}
	return o
}

func (o *object) setType(apiVersion, kind string) {
	o.apiVersion, o.kind = apiVersion, kind
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group, version = "", apiVersion
	}
	o.group, o.version = group, version
}

func (o *object) typeName() string { return o.apiVersion + "/" + o.kind }

// idKind is the kind in the object's ID. Kinds of Calico bear names that Kubernetes has too.
func (o *object) idKind() string {
	if o.group == calicoGroup || o.group == calicoCRDGroup {
		return "Calico" + o.kind
	}
	return o.kind
}

// isList says that the object is `kind: List` or a typed list of objects, such as PodList.
func (o *object) isList() bool {
	if o.kind == "List" && o.group == "" {
		return true
	}
	items, _ := value(o.root, "items")
	return strings.HasSuffix(o.kind, "List") && o.kind != "List" && items != nil
}

// typeOfItems is what the items of a typed list are that do not say it themselves: of a PodList, pods. Those of a plain list say it.
func (o *object) typeOfItems() (apiVersion, kind string) {
	if o.kind == "List" {
		return "", ""
	}
	return o.apiVersion, strings.TrimSuffix(o.kind, "List")
}

// tree returns the nodes of the whole object.
func (o *object) tree() (*yaml.Node, *faultError) {
	if o.node == nil {
		node, fault := (*yaml.Node)(nil), (*faultError)(nil)
		if o.entry != nil {
			node, _, fault = parseYAML(*o.entry) // as it was parsed before
		} else {
			node, fault = jsonTree(o.raw, o.line)
		}
		if fault != nil {
			return nil, fault
		}
		o.node = node
	}
	return o.node, nil
}

// source says where a field of the object stands; the empty path is the object itself. A field that the input leaves out stands where
// the nearest thing around it does.
func (o *object) source(path string) model.Source {
	s := model.Source{File: o.file, Line: o.line, Path: o.path + path, Resource: o.id}
	if path == "" {
		s.Path = strings.TrimSuffix(o.path, ".")
		return s
	}
	node := o.node
	if node == nil {
		node = o.root
	}
	_, s.Line = locate(node, path)
	return s
}

// absent reports a field that the input leaves out.
func (o *object) absent(path string) bool {
	if o.node == nil {
		return false
	}
	n, _ := locate(o.node, path)
	return n == nil
}

// text returns a scalar as the input spells it, or what else was read where the input has none.
func (o *object) text(path, read string) string {
	if o.node != nil {
		if n, _ := locate(o.node, path); n != nil && n.Kind == yaml.ScalarNode {
			return n.Value
		}
	}
	return read
}

// object imports one object.
func (im *importer) object(o *object) {
	if im.objects++; im.objects > maxObjects {
		if im.objects == maxObjects+1 {
			im.fail(&model.InputError{Source: o.source(""), Found: "more objects", Accepted: fmt.Sprintf("at most %d", maxObjects)})
		}
		return
	}
	if _, fault := o.tree(); fault != nil {
		im.fail(fault.at(o.file))
		return
	}
	k := im.kindOf(o)
	named := im.identify(o, k)
	if _, gone := im.replaced[objectKey{o.group, o.kind, o.namespace, o.name}]; gone && o.id != "" {
		return
	}
	before := im.count()
	switch {
	case !named:
		return
	case k.reader != nil:
		if obj := im.decode(o, k); obj != nil {
			im.checkMeta(o, k, obj)
			k.reader.read(im, o, obj)
		}
	case k.special != nil:
		k.special(im, o, k)
	case k.disposition == model.Unsupported:
		im.unmodelled(o, k.role, k.why, im.affected(o, k)...)
	default:
		im.record(o, k.disposition, k.why)
	}
	im.claim(o, k)
	im.remember(o, k, before)
}

// identify reads name and namespace of an object, whatever its kind. Of kinds that are decoded as a whole the errors come later, with
// all others of the object; a kind that no API server stores (a kubeconfig) may have no name.
func (im *importer) identify(o *object, k kind) bool {
	var head struct {
		APIVersion any             `json:"apiVersion"`
		Kind       any             `json:"kind"`
		Metadata   json.RawMessage `json:"metadata"`
	}
	var meta struct {
		Name      any `json:"name"`
		Namespace any `json:"namespace"`
	}
	// Only the keys in this very spelling count; metadata that is no object has none.
	if kjson.UnmarshalCaseSensitivePreserveInts(o.raw, &head) == nil && len(head.Metadata) > 0 {
		_ = kjson.UnmarshalCaseSensitivePreserveInts(head.Metadata, &meta)
	}
	if head.APIVersion != nil && head.APIVersion != o.apiVersion || head.Kind != nil && head.Kind != o.kind {
		// Two parsers read the text, one for lines and one for values: an object that they take for different ones is no object.
		im.bad(o, "kind", o.kind, "apiVersion and kind that every YAML parser reads alike")
		return false
	}
	name, nameOK := meta.Name.(string)
	namespace, namespaceOK := meta.Namespace.(string)
	namespaceOK = (namespaceOK || meta.Namespace == nil) && (namespace == "" || len(validation.IsDNS1123Label(namespace)) == 0)
	nameOK = nameOK && validName(name)
	if !k.clusterScoped && namespace == "" && k.known {
		namespace = metav1.NamespaceDefault // K8S-NS-01
	}
	if k.clusterScoped {
		namespace = ""
	}
	if nameOK && namespaceOK {
		o.namespace, o.name = namespace, name
		o.id = im.id(o.idKind(), namespace, name)
	}
	if k.reader != nil {
		return true
	}
	if !namespaceOK {
		im.bad(o, "metadata.namespace", o.text("metadata.namespace", ""), "a DNS label (RFC 1123) as a string")
	}
	if !nameOK && meta.Name != nil {
		im.bad(o, "metadata.name", o.text("metadata.name", ""), "a name as a string: printable, without `/` and `%`")
	}
	return namespaceOK && (nameOK || meta.Name == nil)
}

// validName accepts what the API server accepts for every kind; most kinds are stricter.
func validName(name string) bool {
	printable := !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	return name != "" && len(name) <= validation.DNS1123SubdomainMaxLength && printable && len(content.IsPathSegmentName(name)) == 0
}

// checkMeta validates the metadata of a decoded object (K8S-GEN-06).
func (im *importer) checkMeta(o *object, k kind, obj metav1.Object) {
	valid, want := validation.IsDNS1123Subdomain, "a DNS name (RFC 1123): lower case, digits, `-` and `.`"
	if o.group == "" && (o.kind == "Namespace" || o.kind == "Service") {
		valid, want = validation.IsDNS1123Label, "a DNS label (RFC 1123): lower case, digits and `-`, at most 63"
	}
	if o.group == rbacv1.GroupName { // `system:node` is one
		valid, want = func(name string) []string { return content.IsPathSegmentName(name) }, "a name without `/` and `%`"
	}
	switch name := obj.GetName(); {
	case name == "" && obj.GetGenerateName() != "":
		im.bad(o, "metadata.generateName", obj.GetGenerateName(), "a name: an object that gets a new name each time is not described by a file")
	case name == "":
		im.bad(o, "metadata.name", "", "a name")
	case len(valid(name)) > 0:
		im.bad(o, "metadata.name", name, want)
	}
	if ns := obj.GetNamespace(); !k.clusterScoped && ns != "" && len(validation.IsDNS1123Label(ns)) > 0 {
		im.bad(o, "metadata.namespace", ns, "a DNS label (RFC 1123): lower case, digits and `-`, at most 63")
	}
	im.checkLabels(o, "metadata.labels", obj.GetLabels())
}

// claim notes that an object exists, and reports the second of its kind and name (K8S-NS-04).
func (im *importer) claim(o *object, k kind) {
	if !k.clusterScoped && o.namespace != "" {
		im.useNamespace(o.namespace, o.source("metadata.namespace"))
	}
	if o.id == "" {
		return
	}
	key := objectKey{o.group, o.kind, o.namespace, o.name}
	if first, ok := im.seen[key]; ok {
		im.fail(&model.InputError{Source: o.source(""), Resource: o.id, Found: "a second " + o.kind + " of this name", Accepted: "each object once; the other is at " + first.String()})
		return
	}
	im.seen[key] = o.source("")
}

// meta is what every object of the model has.
func (o *object) meta() model.Meta { return model.Meta{ID: o.id, Source: o.source("")} }
