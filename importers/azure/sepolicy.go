package azure

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readServiceEndpointPolicy reads a service endpoint policy with its definitions (AZ-SE-04 to AZ-SE-06).
func readServiceEndpointPolicy(r *resource) {
	is, at := decode[armnetwork.ServiceEndpointPolicy](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.ServiceEndpointPolicyPropertiesFormat{}
	}
	at = at.get("properties")
	policy := &model.ServiceEndpointPolicy{Meta: r.meta(), Alias: deref(p.ServiceAlias)}
	for _, v := range at.list("contextualServiceEndpointPolicies") {
		if policy.Alias == "" {
			policy.Alias = v.raw.text
		}
	}
	for _, s := range items(r, p.ServiceEndpointPolicyDefinitions, at.list("serviceEndpointPolicyDefinitions"), "serviceendpointpolicydefinitions") {
		if d, ok := policyDefinition(s); ok {
			policy.Definitions = append(policy.Definitions, d)
		}
	}
	policy.Definitions = merge(r, "serviceEndpointPolicyDefinitions", policy.Definitions, func(d model.PolicyDefinition) (string, model.Source) { return d.Name, d.Source })
	r.attach(r.references(at, "subnets"), "subnets", at)
	r.emit(policy)
}

func policyDefinition(s item[armnetwork.ServiceEndpointPolicyDefinition]) (d model.PolicyDefinition, ok bool) {
	at := s.at.get("properties")
	if s.is.Properties == nil {
		s.missing(s.at, "properties", "the definition: a reference alone describes none")
		return d, false
	}
	before := len(s.errs)
	_, d.Name = s.part(s.at, "serviceEndpointPolicyDefinitions")
	d.Source = s.source(s.at.raw)
	if d.Service = at.text("service"); d.Service == "" {
		s.missing(at, "service", "the service that the definition speaks of, such as Microsoft.Storage")
	}
	for _, v := range at.list("serviceResources") {
		text := strings.TrimSpace(v.raw.text)
		low := strings.ToLower("/" + strings.Trim(text, "/"))
		switch {
		case low == "/services" || strings.HasPrefix(low, "/services/"):
			d.Aliases = append(d.Aliases, text)
		case strings.HasPrefix(low, "/subscriptions/") && len(text) <= maxID: // with and without the first slash
			d.Resources = append(d.Resources, model.ID("/"+strings.Trim(text, "/")))
		default:
			s.fail(v, "a subscription, a resource group or an account, as an ID, or an alias: /services/Azure/…")
		}
	}
	return d, len(s.errs) == before
}
