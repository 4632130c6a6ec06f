package snapshot

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringfence/ringfence/model"
)

// coding is how the model is written: zero values are left out, an absent list differs from an empty one, and numbers that stand for
// words are words, so that a snapshot does not depend on the order of constants.
func coding() json.Options {
	return json.JoinOptions(
		json.OmitZeroStructFields(true),
		json.FormatNilSliceAsNull(true),
		json.FormatNilMapAsNull(true),
		json.Deterministic(true),
		json.RejectUnknownMembers(true),
		jsontext.AllowInvalidUTF8(false),
		json.WithMarshalers(json.JoinMarshalers(
			json.MarshalToFunc(func(e *jsontext.Encoder, r model.PortRange) error {
				return e.WriteToken(jsontext.String(strconv.Itoa(int(r.First)) + "-" + strconv.Itoa(int(r.Last))))
			}),
			json.MarshalToFunc(func(e *jsontext.Encoder, x float64) error {
				if math.IsInf(x, 1) {
					return e.WriteToken(jsontext.String(infinite))
				}
				return errors.ErrUnsupported
			}),
			json.MarshalToFunc(func(e *jsontext.Encoder, p model.Protocol) error { return e.WriteToken(jsontext.Uint(uint64(p))) }),
			put(accesses()), put(directions()), put(dispositions()), put(endpointPolicies()), put(gatewayKinds()), put(hubGatewayKinds()),
			put(intentModes()), put(policyActions()), put(policyTiers()), put(roles()), put(ruleKinds()), put(serviceKinds()), put(settings()), put(skus()),
		)),
		json.WithUnmarshalers(json.JoinUnmarshalers(
			json.UnmarshalFromFunc(readPorts),
			json.UnmarshalFromFunc(readNumber),
			json.UnmarshalFromFunc(readProtocol),
			take(accesses()), take(directions()), take(dispositions()), take(endpointPolicies()), take(gatewayKinds()), take(hubGatewayKinds()),
			take(intentModes()), take(policyActions()), take(policyTiers()), take(roles()), take(ruleKinds()), take(serviceKinds()), take(settings()), take(skus()),
		)),
	)
}

func readPorts(d *jsontext.Decoder, r *model.PortRange) error {
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '"' {
		return fmt.Errorf("a range of ports is %s; want FIRST-LAST", t)
	}
	*r, err = model.ParsePortRange(t.String())
	return err
}

// infinite is how the order of a Calico policy is written that states none; JSON has no number for it.
const infinite = "+Inf"

func readNumber(d *jsontext.Decoder, x *float64) error {
	if d.PeekKind() != '"' {
		return errors.ErrUnsupported
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if t.String() != infinite {
		return fmt.Errorf("no number is %s; want one, or %q", t, infinite)
	}
	*x = math.Inf(1)
	return nil
}

func readProtocol(d *jsontext.Decoder, p *model.Protocol) error {
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '0' {
		return fmt.Errorf("a protocol is %s; want its number", t)
	}
	n, err := strconv.ParseUint(t.String(), 10, 8)
	*p = model.Protocol(n)
	return err
}

// Words lists the words that snapshots write for the values of a type of the model; nil for other types.
func Words(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[model.Access]():
		return accesses()
	case reflect.TypeFor[model.Direction]():
		return directions()
	case reflect.TypeFor[model.Disposition]():
		return dispositions()
	case reflect.TypeFor[model.EndpointPolicies]():
		return endpointPolicies()
	case reflect.TypeFor[model.GatewayKind]():
		return gatewayKinds()
	case reflect.TypeFor[model.HubGatewayKind]():
		return hubGatewayKinds()
	case reflect.TypeFor[model.IntentPolicyMode]():
		return intentModes()
	case reflect.TypeFor[model.PolicyAction]():
		return policyActions()
	case reflect.TypeFor[model.PolicyTier]():
		return policyTiers()
	case reflect.TypeFor[model.Role]():
		return roles()
	case reflect.TypeFor[model.RuleKind]():
		return ruleKinds()
	case reflect.TypeFor[model.ServiceKind]():
		return serviceKinds()
	case reflect.TypeFor[model.Setting]():
		return settings()
	case reflect.TypeFor[model.SKU]():
		return skus()
	default:
		return nil
	}
}

// words are the values of a type and the words that snapshots write for them.
type words[T ~uint8] []string // by value

func put[T ~uint8](list words[T]) *json.Marshalers {
	return json.MarshalToFunc(func(e *jsontext.Encoder, v T) error {
		if int(v) >= len(list) {
			return fmt.Errorf("no word for %T %d", v, v)
		}
		return e.WriteToken(jsontext.String(list[v]))
	})
}

func take[T ~uint8](list words[T]) *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *T) error {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		for i, word := range list {
			if t.Kind() == '"' && t.String() == word {
				*v = T(i)
				return nil
			}
		}
		return fmt.Errorf("no %s is %s; want one of %q", reflect.TypeFor[T]().Name(), t, []string(list))
	})
}

func accesses() words[model.Access] {
	return words[model.Access]{model.Deny: "Deny", model.Allow: "Allow", model.AlwaysAllow: "AlwaysAllow"}
}

func directions() words[model.Direction] {
	return words[model.Direction]{model.Inbound: "Inbound", model.Outbound: "Outbound"}
}

func dispositions() words[model.Disposition] {
	return words[model.Disposition]{model.Unsupported: "unsupported", model.Irrelevant: "irrelevant", model.Modelled: "modelled"}
}

func endpointPolicies() words[model.EndpointPolicies] {
	return words[model.EndpointPolicies]{
		model.PoliciesNotStated: "not stated", model.PoliciesDisabled: "Disabled", model.PoliciesNSG: "NetworkSecurityGroupEnabled",
		model.PoliciesRouteTable: "RouteTableEnabled", model.PoliciesEnabled: "Enabled",
	}
}

func gatewayKinds() words[model.GatewayKind] {
	return words[model.GatewayKind]{model.GatewayKindUnknown: "not stated", model.VPNGateway: "Vpn", model.ExpressRouteGateway: "ExpressRoute"}
}

func hubGatewayKinds() words[model.HubGatewayKind] {
	return words[model.HubGatewayKind]{model.HubVPN: "Vpn", model.HubClients: "PointToSite", model.HubExpressRoute: "ExpressRoute"}
}

func intentModes() words[model.IntentPolicyMode] {
	return words[model.IntentPolicyMode]{
		model.IntentNotStated: "not stated", model.IntentNone: "None", model.IntentAllowRulesOnly: "AllowRulesOnly", model.IntentAll: "All",
	}
}

func policyActions() words[model.PolicyAction] {
	return words[model.PolicyAction]{model.PolicyDeny: "Deny", model.PolicyAllow: "Allow", model.PolicyPass: "Pass", model.PolicyLog: "Log"}
}

func policyTiers() words[model.PolicyTier] {
	return words[model.PolicyTier]{model.AdminTier: "Admin", model.BaselineTier: "Baseline"}
}

func roles() words[model.Role] {
	return words[model.Role]{model.Carries: "carries", model.Steers: "steers", model.Resolves: "resolves", model.Relays: "relays", model.Refuses: "refuses", model.Adds: "adds"}
}

func ruleKinds() words[model.RuleKind] {
	return words[model.RuleKind]{model.DNATRules: "dnat", model.NetworkRules: "network", model.ApplicationRules: "application"}
}

func serviceKinds() words[model.ServiceKind] {
	return words[model.ServiceKind]{
		model.OtherService: "other", model.KeyVault: "KeyVault", model.ContainerRegistry: "ContainerRegistry", model.SQLServer: "SQLServer",
		model.StorageAccount: "StorageAccount", model.CosmosDB: "CosmosDB", model.PostgreSQL: "PostgreSQL", model.MySQL: "MySQL", model.Redis: "Redis",
		model.ServiceBus: "ServiceBus", model.EventHub: "EventHub", model.LogAnalytics: "LogAnalytics", model.MonitorScope: "MonitorScope",
	}
}

func settings() words[model.Setting] {
	return words[model.Setting]{model.NotStated: "not stated", model.Off: "false", model.On: "true"}
}

func skus() words[model.SKU] {
	return words[model.SKU]{model.SKUNotStated: "not stated", model.Basic: "Basic", model.Standard: "Standard", model.GatewaySKU: "Gateway"}
}

// checker looks for what no importer makes: addresses in another form than the model promises, a null in a list, a resource without an ID
// or an origin. The packages behind rely on these.
type checker struct {
	types map[reflect.Type]*checks
}

// checks is what is asked of the values of a type.
type checks struct {
	prefix, addr, resource bool
	below                  bool  // something in it is asked
	fields                 []int // of a struct: those that are
}

// of tells what is asked of a type. Of one inside itself something is asked below, until more is known.
func (c *checker) of(t reflect.Type) *checks {
	if known, ok := c.types[t]; ok {
		return known
	}
	k := &checks{
		prefix: t == reflect.TypeFor[netip.Prefix](), addr: t == reflect.TypeFor[netip.Addr](),
		resource: t.Implements(reflect.TypeFor[model.Resource]()), below: true,
	}
	c.types[t] = k
	switch below := false; {
	case k.prefix || k.addr:
		k.below = false
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && c.of(f.Type).any() {
				below, k.fields = true, append(k.fields, i)
			}
		}
		k.below = below
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		k.below = c.of(t.Elem()).any()
	default:
		k.below = false // no addresses there
	}
	return k
}

func (k *checks) any() bool { return k.prefix || k.addr || k.resource || k.below }

// invalid returns the first place of a value that holds what it must not, from the value on, and what is there.
func (c *checker) invalid(v reflect.Value) (where, what string) {
	k := c.of(v.Type())
	switch {
	case k.prefix:
		if x := v.Interface().(netip.Prefix); x != (netip.Prefix{}) && (x != x.Masked() || x.Addr().Is4In6()) { //nolint:forcetypeassert // by its type
			return "", fmt.Sprintf("the prefix %s", x)
		}
	case k.addr:
		if x := v.Interface().(netip.Addr); x.Is4In6() || x.Zone() != "" { //nolint:forcetypeassert // by its type
			return "", fmt.Sprintf("the address %s", x)
		}
	case k.resource && !v.IsNil(): // in a list a nil is refused
		switch x := v.Interface().(model.Resource); { //nolint:forcetypeassert // by its type
		case x.ResourceID() == "":
			return ".ID", "nothing"
		case x.Origin().IsZero():
			return ".Source", "nothing"
		}
	}
	if !k.below {
		return "", ""
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return c.invalid(v.Elem())
		}
	case reflect.Struct:
		for _, i := range k.fields {
			if where, what = c.invalid(v.Field(i)); what != "" {
				return "." + v.Type().Field(i).Name + where, what
			}
		}
	case reflect.Slice, reflect.Array:
		of := c.of(v.Type().Elem())
		for i := range v.Len() {
			item := v.Index(i)
			switch {
			case (of.prefix || of.addr) && item.IsZero():
				return fmt.Sprintf("[%d]", i), "nothing"
			case item.Kind() == reflect.Pointer && item.IsNil():
				return fmt.Sprintf("[%d]", i), "null"
			}
			if where, what = c.invalid(item); what != "" {
				return fmt.Sprintf("[%d]%s", i, where), what
			}
		}
	default: // nothing is below
	}
	return "", ""
}
