package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// insecureClass is how grave it is that a rule admits a protocol (decisions.md, section 7.1).
type insecureClass uint8

const (
	alwaysInsecure insecureClass = iota // class A: always needs security features
	serversChoice                       // class B: a setting of the server settles it, else security features
	listedOnly                          // class C: listed and justified
)

// insecureService is one row of the tables.
type insecureService struct {
	name  string
	class insecureClass
	ports []model.PortService
}

// insecureServices are the tables of decisions.md, section 7.1.
func insecureServices() []insecureService {
	return []insecureService{
		{"telnet", alwaysInsecure, services("tcp/23")},
		{"ftp", alwaysInsecure, services("tcp/20-21")},
		{"tftp", alwaysInsecure, services("udp/69")},
		{"rexec, rlogin, rsh", alwaysInsecure, services("tcp/512-514")},
		{"http", alwaysInsecure, services("tcp/80", "tcp/8080", "tcp/8000", "tcp/8008", "tcp/8888")},
		{"pop2, pop3, imap", alwaysInsecure, services("tcp/109-110", "tcp/143")},
		{"smtp", alwaysInsecure, services("tcp/25", "tcp/587")},
		{"ldap", alwaysInsecure, services("tcp/389", "udp/389", "tcp/3268")},
		{"snmp v1, v2c", alwaysInsecure, services("udp/161-162")},
		{"smb1, NetBIOS", alwaysInsecure, services("tcp/137-139", "udp/137-139", "tcp/445")},
		{"nfs, portmapper", alwaysInsecure, services("tcp/111", "udp/111", "tcp/2049", "udp/2049")},
		{"x11, vnc, xdmcp", alwaysInsecure, services("tcp/6000-6063", "tcp/5900-5903", "udp/177")},
		{"syslog", alwaysInsecure, services("udp/514", "tcp/601")},
		{"finger, chargen, echo, discard, daytime, time", alwaysInsecure, services("tcp/7", "udp/7", "tcp/9", "udp/9", "tcp/13", "udp/13", "tcp/19", "udp/19", "tcp/37", "udp/37", "tcp/79")},
		{"kubelet read-only, etcd peers", alwaysInsecure, services("tcp/10255", "tcp/2379-2380")},
		{"WinRM over http", alwaysInsecure, services("tcp/5985")},
		{"SQL Server, MySQL, PostgreSQL, Oracle", serversChoice, services("tcp/1433", "tcp/3306", "tcp/5432", "tcp/6432", "tcp/1521")},
		{"Redis, Memcached, MongoDB, Cassandra", serversChoice, services("tcp/6379", "tcp/11211", "tcp/27017", "tcp/9042")},
		{"AMQP, MQTT, Kafka, Elasticsearch", serversChoice, services("tcp/5672", "tcp/1883", "tcp/9092", "tcp/9200")},
		{"DNS, NTP", listedOnly, services("tcp/53", "udp/53", "udp/123")},
		{"SSH, RDP, WinRM", listedOnly, services("tcp/22", "tcp/3389", "tcp/5986")},
		{"RPC, IPMI, ICMP", listedOnly, services("tcp/135", "udp/623", "icmp")},
	}
}

// meets reports whether two services have a packet in common.
func meets(a, b model.PortService) bool {
	switch {
	case a.IsAny() || b.IsAny():
		return true
	case a.Protocol != b.Protocol:
		return false
	case !a.Protocol.HasPorts():
		return true
	}
	return a.Ports.First <= b.Ports.Last && b.Ports.First <= a.Ports.Last
}

// insecureIn names what a list of services admits of the tables, by class. An empty list is everything.
func insecureIn(list []model.PortService) map[insecureClass][]string {
	if len(list) == 0 {
		list = []model.PortService{{}}
	}
	out := map[insecureClass][]string{}
	for _, row := range insecureServices() {
		if slices.ContainsFunc(row.ports, func(p model.PortService) bool {
			return slices.ContainsFunc(list, func(s model.PortService) bool { return meets(p, s) })
		}) {
			out[row.class] = append(out[row.class], row.name)
		}
	}
	return out
}

// compensation is how the security features of a justification were judged (decisions.md, section 7.3).
type compensation struct {
	protects bool     // some word protects confidentiality or integrity, verified or declared
	untrue   []string // words that are verified and false
	declared []string // words that nobody can verify
}

// compensated judges the features of a rule.
func (ev *Evidence) compensated(l liveRule) compensation {
	var out compensation
	for _, word := range l.SecurityFeatures {
		verified, known := ev.feature(strings.ToLower(strings.TrimSpace(word)), l)
		switch {
		case known && !verified:
			out.untrue = append(out.untrue, word)
			continue
		case !known:
			out.declared = append(out.declared, word)
		}
		if w := strings.ToLower(word); w != "monitored" && w != "single-host" {
			out.protects = true
		}
	}
	return out
}

// feature verifies one word; known is false where the input cannot show it.
func (ev *Evidence) feature(word string, l liveRule) (holds, known bool) {
	targets := ev.servicesAt(l)
	switch word {
	case "mtls":
		return worst(ev.partsOf("1.1.4-d")) == ItemPass, true
	case "tls-enforced":
		if len(targets) == 0 {
			return false, false // a far end that is not in the input
		}
		for _, s := range targets {
			version, ok := tlsFloorOf(s)
			if s.HTTPSOnly == model.Off || ok && version < "1.2" {
				return false, true
			}
			if !ok {
				return false, false
			}
		}
		return true, true
	case "private-endpoint":
		if len(targets) == 0 {
			return false, true
		}
		return !slices.ContainsFunc(targets, func(s *model.Service) bool {
			return len(ev.privateWays(s)) == 0 || !strings.EqualFold(s.Public, "Disabled") && s.Injected == "" && s.Kind != model.MonitorScope
		}), true
	case "vpn-ipsec":
		return slices.ContainsFunc(l.flows, func(f solver.CarriedFlow) bool { return ev.behindVPN(f.From) || ev.behindVPN(f.To) }), true
	case "redirect-only":
		return l.kindOf() == "appgw" && !slices.ContainsFunc(ev.webWays(), func(w webWay) bool { return w.name == l.Rule || strings.HasPrefix(w.name, l.Rule+" ") }), true
	case "waf":
		enforcing, _ := ev.enforcingRouters()
		return len(enforcing) > 0, true
	case "single-host":
		return len(l.Source) == 1 && len(l.Destination) == 1 && oneHost(l.Source[0]) && oneHost(l.Destination[0]), true
	default: // smb3-encryption, snmpv3, starttls-required, monitored, and words of one's own
		return false, false
	}
}

func oneHost(text string) bool {
	return strings.HasSuffix(text, "/32") || strings.HasSuffix(text, "/128") || strings.HasPrefix(text, "pods ")
}

// tlsFloorOf reads the lowest TLS version of a service; false where it is not stated. Vaults and registries take 1.2 by the platform.
func tlsFloorOf(s *model.Service) (string, bool) {
	switch s.Kind {
	case model.KeyVault, model.ContainerRegistry, model.LogAnalytics, model.MonitorScope:
		return "1.2", true
	default:
	}
	text := strings.NewReplacer("_", ".", "TLSv", "", "TLS", "", "tls", "").Replace(s.MinTLS)
	switch {
	case text == "1.0" || text == "1.1" || text == "1.2" || text == "1.3":
		return text, true
	case strings.EqualFold(s.MinTLS, "None") || strings.EqualFold(s.MinTLS, "Tls"):
		return "1.0", true
	default:
		return "", false
	}
}

// servicesAt are the services whose private endpoints are all that a rule names as destination, or whose own rule it is.
func (ev *Evidence) servicesAt(l liveRule) []*model.Service {
	at := map[string]*model.Service{}
	for _, pe := range ev.e.Endpoints {
		if s, ok := model.Get[*model.Service](ev.e, pe.Target); ok {
			for _, a := range pe.Addresses {
				at[a.String()] = s
			}
		}
	}
	var out []*model.Service
	for _, d := range l.Destination {
		s, ok := at[strings.TrimSuffix(strings.TrimSuffix(d, "/32"), "/128")]
		if !ok {
			i := slices.IndexFunc(ev.e.Services, func(s *model.Service) bool { return ev.refs.Of(model.SelService, s) == d })
			if i < 0 {
				return nil
			}
			s = ev.e.Services[i]
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// behindVPN reports a zone behind a gateway that joins it by IPsec.
func (ev *Evidence) behindVPN(end string) bool {
	for _, z := range ev.in.Zones {
		if "zone:"+z.Name != end || z.Behind == nil {
			continue
		}
		found, err := ev.e.Find(*z.Behind)
		if err == nil && slices.ContainsFunc(found, func(f model.Found) bool {
			return slices.ContainsFunc(ev.e.Connections, func(c *model.Connection) bool {
				return c.Gateway.Key() == f.Resource.ResourceID().Key() && strings.EqualFold(c.Kind, "IPsec")
			})
		}) {
			return true
		}
	}
	return false
}

// insecureText says what a rule admits in a few words.
func insecureText(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%d insecure services, such as %s", len(names), strings.Join(names[:3], ", "))
	}
	return strings.Join(names, ", ")
}
