package kubernetes

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ringfence/ringfence/model"
)

const (
	wantLabelKey   = "a label key: up to 63 letters, digits, `-`, `_`, `.`, possibly behind a DNS name and `/`"
	wantLabelValue = "a label value: up to 63 letters, digits, `-`, `_`, `.`, with a letter or digit at both ends"
)

// checkLabels validates labels, or a selector that is a map (K8S-GEN-06).
func (im *importer) checkLabels(o *object, at string, set map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if len(validation.IsQualifiedName(key)) > 0 {
			im.bad(o, child(at, key), key, wantLabelKey)
		}
		if value := set[key]; len(validation.IsValidLabelValue(value)) > 0 {
			im.bad(o, child(at, key), value, wantLabelValue)
		}
	}
}

// selector reads a label selector. Nil stays nil: a selector that is absent or null is not one that is empty (K8S-NP-11).
func (im *importer) selector(o *object, at string, s *metav1.LabelSelector) *model.LabelSelector {
	if s == nil {
		return nil
	}
	im.checkLabels(o, child(at, "matchLabels"), s.MatchLabels)
	out := &model.LabelSelector{}
	if len(s.MatchLabels) > 0 {
		out.Match = s.MatchLabels
	}
	for i, e := range s.MatchExpressions {
		here := index(child(at, "matchExpressions"), i)
		if len(validation.IsQualifiedName(e.Key)) > 0 {
			im.bad(o, child(here, "key"), e.Key, wantLabelKey)
		}
		// K8S-NP-02: In and NotIn need values, Exists and DoesNotExist have none.
		switch e.Operator {
		case metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn:
			if len(e.Values) == 0 {
				im.bad(o, child(here, "values"), "", "at least one value with operator "+string(e.Operator))
			}
		case metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist:
			if len(e.Values) > 0 {
				im.bad(o, child(here, "values"), strings.Join(e.Values, ", "), "no values with operator "+string(e.Operator))
			}
		default:
			im.bad(o, child(here, "operator"), string(e.Operator), "In, NotIn, Exists or DoesNotExist")
		}
		for j, v := range e.Values {
			if len(validation.IsValidLabelValue(v)) > 0 {
				im.bad(o, index(child(here, "values"), j), v, wantLabelValue)
			}
		}
		out.Requirements = append(out.Requirements, model.Requirement{Key: e.Key, Operator: string(e.Operator), Values: e.Values})
	}
	im.selected = append(im.selected, *out)
	return out
}

// matches decides a selector on labels.
func matches(s *metav1.LabelSelector, set map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(set))
}

// annotations keeps those that a rule reads, and drops all others: they may hold anything, `last-applied-configuration` the whole
// object with the values of its environment.
func annotations(all map[string]string) map[string]string {
	var kept map[string]string
	for key, v := range all {
		if !readsAnnotation(key) {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[key] = v
	}
	return kept
}

func readsAnnotation(key string) bool {
	prefix, name, _ := strings.Cut(key, "/")
	switch prefix {
	case "service.beta.kubernetes.io", // K8S-SVC-06, K8S-SVC-07, AKS-LB
		"kubernetes.azure.com",        // AKS-OUT-07, AKS-OUT-09
		"sidecar.istio.io",            // K8S-IST-01
		"traffic.sidecar.istio.io",    // K8S-IST-01: ports and ranges that bypass the sidecar
		"prometheus.io",               // AKS-POL-06
		"appgw.ingress.kubernetes.io", // AKS-ING-02
		"alb.networking.azure.io":     // AKS-ING-03
		return true
	case "kubernetes.io":
		return name == "ingress.class" // K8S-ING-02
	case "nginx.ingress.kubernetes.io": // snippets of this prefix are programs
		switch name {
		case "whitelist-source-range", "allowlist-source-range", "denylist-source-range", "backend-protocol", "ssl-passthrough", "service-upstream":
			return true
		}
	}
	return false
}
