package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// frontName is a name under which a Front Door takes clients: an endpoint's own, or a custom domain.
type frontName struct {
	id     model.ID
	name   string
	source model.Source
}

// servedNames returns the names under which the routes of an endpoint take clients. That the own name is linked counts unless it is off.
func servedNames(f *model.FrontDoor, x model.FrontDoorEndpoint) []frontName {
	var out []frontName
	own := false
	for _, t := range x.Routes {
		own = own || t.Default != model.Off
		for _, id := range t.Domains {
			i := slices.IndexFunc(f.Domains, func(d model.FrontDoorDomain) bool { return d.ID.Key() == id.Key() })
			if i >= 0 && !slices.ContainsFunc(out, func(s frontName) bool { return s.id.Key() == id.Key() }) {
				out = append(out, frontName{id, f.Domains[i].Name, f.Domains[i].Source})
			}
		}
	}
	if own {
		out = append([]frontName{{x.ID, x.Name, x.Source}}, out...)
	}
	return out
}

func (r *reader) frontDoor(f *model.FrontDoor, name string) string {
	return r.refs.Of(model.SelFrontDoor, f) + "/" + name
}

// frontDoorNotEnforcing: a name of a Front Door is behind a WAF only if a security policy names it, with a policy that is enabled and in
// Prevention, for every path (AZ-AFD-03). A policy that is not in the input is not known, and not reported.
func frontDoorNotEnforcing(r *reader, found sink) {
	for _, f := range r.e.FrontDoors {
		for _, x := range f.Endpoints {
			for _, s := range servedNames(f, x) {
				why, origin := "no security policy names it", s.source
				for _, w := range f.WAFs {
					if !slices.ContainsFunc(w.Domains, func(id model.ID) bool { return id.Key() == s.id.Key() }) {
						continue
					}
					policy, ok := model.Get[*model.WAFPolicy](r.e, w.Policy)
					switch {
					case !ok:
						why = ""
					case policy.Enabled == model.Off:
						why, origin = "waf:"+policy.Name()+" is disabled", policy.Source
					case !strings.EqualFold(policy.Mode, "Prevention"):
						why, origin = fmt.Sprintf("waf:%s is in mode %s", policy.Name(), cmp.Or(policy.Mode, "Detection (not stated)")), policy.Source
					case !w.Whole:
						why, origin = "its security policy is for some paths alone", w.Source
					default:
						why = ""
					}
					if why == "" {
						break
					}
				}
				if why == "" {
					continue
				}
				found(fact{
					subject: r.frontDoor(f, s.name), origin: origin,
					text:   fmt.Sprintf("The Front Door forwards what comes to %s, and %s: nothing is blocked.", s.name, why),
					remedy: "Associate a WAF policy that is Enabled and in mode Prevention with every endpoint and custom domain, for /*; unlink the endpoint's own name where it is not needed.",
				})
			}
		}
	}
}

// frontDoorClear: a route that sends to its origins in clear text (AZ-AFD-02).
func frontDoorClear(r *reader, found sink) {
	for _, f := range r.e.FrontDoors {
		for _, x := range f.Endpoints {
			for _, t := range x.Routes {
				if t.Enabled == model.Off || t.Forwarding != "HttpOnly" && (t.Forwarding == "HttpsOnly" || !t.HTTP || t.Redirect == model.On) {
					continue
				}
				found(fact{
					subject: r.frontDoor(f, x.Name+"/"+t.Name), origin: t.Source,
					text:   "The route sends to its origins over HTTP: what it carries is readable on the way.",
					remedy: "Set forwardingProtocol to HttpsOnly, and httpsRedirect to Enabled.",
				})
			}
		}
	}
}

// frontDoorTLSFloor: a custom domain that still takes TLS 1.0 (AZ-AFD-02).
func frontDoorTLSFloor(r *reader, found sink) {
	for _, f := range r.e.FrontDoors {
		for _, d := range f.Domains {
			if strings.EqualFold(d.MinTLS, "TLS10") {
				found(fact{
					subject: r.frontDoor(f, d.Name), origin: d.Source,
					text:   fmt.Sprintf("The custom domain %s accepts TLS 1.0.", cmp.Or(d.Host, d.Name)),
					remedy: "Set tlsSettings.minimumTlsVersion to TLS12.",
				})
			}
		}
	}
}

// frontDoorUnlocked: an NSG before an application gateway admits AzureFrontDoor.Backend, which is the Front Doors of every customer, and no
// custom rule of an enforcing WAF asks for the ID of one's own (AZ-AFD-10). Behind other machines the application may ask for it, which the
// input does not show.
func frontDoorUnlocked(r *reader, found sink) {
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			if !custom(u, model.Inbound, model.Allow) || !hasTag(u.SourceAddrs, "AzureFrontDoor.Backend") {
				continue
			}
			for _, s := range r.behind[g.ID.Key()] {
				for _, agw := range r.in(s.ID).gateways {
					var open []string
					for _, l := range agw.Listeners {
						if isPublic(agw, l) && slices.ContainsFunc(forwards(agw, l), func(w forward) bool { return !r.locked(agw, l, w.policy) }) {
							open = append(open, l.Name)
						}
					}
					if len(open) == 0 {
						continue
					}
					found(fact{
						subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
						text: fmt.Sprintf("The rule admits the Front Door of every Azure customer to %s, and no WAF rule of %s asks for X-Azure-FDID: anybody reaches it through a Front Door of his own, past yours and its WAF.",
							r.refs.Of(model.SelAppGateway, agw), join(open)),
						remedy: "Add a custom rule to the gateway's WAF policy, in Prevention: Block when the request header X-Azure-FDID is not the frontDoorId of your profile. Or reach the gateway by Private Link.",
					})
				}
			}
		}
	}
}

// locked reports whether an enforcing WAF policy blocks every request whose X-Azure-FDID is not among those listed (AZ-AFD-10).
func (r *reader) locked(g *model.AppGateway, l model.AGWListener, policy model.ID) bool {
	w, ok := model.Get[*model.WAFPolicy](r.e, policy)
	if !ok {
		return policy != "" // not in the input: not known
	}
	if _, _, off := r.wafOff(g, l, policy); off {
		return false
	}
	for _, u := range w.Custom {
		if u.Enabled == model.Off || strings.EqualFold(u.Action, "Log") {
			continue
		}
		lock := strings.EqualFold(u.Action, "Block") && len(u.Conditions) == 1 && u.Conditions[0].Negate && len(u.Conditions[0].Variables) == 1 &&
			strings.EqualFold(u.Conditions[0].Variables[0], "RequestHeaders:X-Azure-FDID") && strings.EqualFold(u.Conditions[0].Operator, "Equal")
		if lock {
			return true
		}
		if strings.EqualFold(u.Action, "Allow") {
			return false // it comes first, and who writes the request meets it
		}
	}
	return false
}
