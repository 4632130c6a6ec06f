package snapshot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/ringfence/ringfence/model"
)

// names maps words letter by letter: each letter and digit is replaced by one that depends on the letters before it in its part, so that words
// that begin alike still do, words of one length keep it, and a pattern with a wildcard matches the same words. Parts end at everything that
// is neither letter nor digit, which stays.
type names struct {
	key   []byte
	known map[string][]byte // permutations, by alphabet and the letters before
}

const (
	letters = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	hexa    = "0123456789abcdef"
)

// sum is a keyed function of a text; what tells its uses apart.
func sum(key []byte, what, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(what))
	m.Write([]byte{0})
	m.Write([]byte(text))
	return m.Sum(nil)
}

// permutation is a permutation of an alphabet, drawn by the letters before.
func (n *names) permutation(alphabet, before string) []byte {
	k := alphabet[:1] + fmt.Sprint(len(alphabet)) + before
	if p, ok := n.known[k]; ok {
		return p
	}
	p := []byte(alphabet)
	pool, used := sum(n.key, "name "+k, ""), 0
	for i := len(p) - 1; i > 0; i-- {
		if used+2 > len(pool) {
			pool, used = sum(n.key, "more "+k, fmt.Sprint(i)), 0
		}
		j := int(binary.BigEndian.Uint16(pool[used:])) % (i + 1)
		used += 2
		p[i], p[j] = p[j], p[i]
	}
	n.known[k] = p
	return p
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// word maps a word whatever it is.
func (n *names) word(s string) string {
	var out strings.Builder
	before := ""
	letter := func(r byte, alphabet string) {
		low := r | 0x20
		if alphabet == digits {
			low = r
		}
		x := n.permutation(alphabet, before)[strings.IndexByte(alphabet, low)]
		before += string(low)
		if r >= 'A' && r <= 'Z' && x >= 'a' {
			x -= 0x20
		}
		out.WriteByte(x)
	}
	isGUID := guid.MatchString(s)
	for _, r := range s {
		switch {
		case isGUID && r != '-':
			low := byte(r)
			if low >= 'A' {
				low |= 0x20
			}
			x := n.permutation(hexa, before)[strings.IndexByte(hexa, low)]
			before += string(low)
			out.WriteByte(x)
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			letter(byte(r), letters)
		case r >= '0' && r <= '9':
			letter(byte(r), digits)
		case r >= 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || !unicode.IsPrint(r)):
			for _, x := range fmt.Sprintf("%06x", r) {
				if x >= 'a' {
					letter(byte(x), letters)
				} else {
					letter(byte(x), digits)
				}
			}
		default:
			out.WriteRune(r)
			if !isGUID {
				before = ""
			}
		}
	}
	return out.String()
}

// keptNames are names that Azure, AKS and Kubernetes give or look for, in lower case. They are nobody's.
func keptNames() []string {
	return []string{
		// AZ-NSG-20
		"azurefirewallsubnet", "azurefirewallmanagementsubnet", "gatewaysubnet", "azurebastionsubnet", "routeserversubnet",
		// AZ-NSG-03
		"allowvnetinbound", "allowazureloadbalancerinbound", "denyallinbound", "allowvnetoutbound", "allowinternetoutbound", "denyalloutbound",
		"securityrules", "defaultsecurityrules",
		"defaultroutetable", "noneroutetable", "default", "none", "system", "internet", "any",
		"kube-system", "kube-public", "kube-node-lease", "gatekeeper-system", "calico-system", "tigera-operator", "aks-istio-system", "aks-istio-ingress",
		"aks-istio-egress", "app-routing-system", "aks-command", "azure-arc", "dapr-system", "flux-system", "istio-system", "ingress-nginx",
		"true", "false", "enabled", "disabled",
	}
}

// keptBeginnings begin rule names that lint recognises, those of just-in-time access, and what Kubernetes gives to itself.
func keptBeginnings() []string {
	return []string{"microsoftdefenderforcloud-jitrule", "securitycenter-jitrule", "system:"}
}

// azureSuffixes are domains of Azure in which customers have names.
func azureSuffixes() []string {
	return []string{
		"vault.azure.net", "vaultcore.azure.net", "managedhsm.azure.net", "database.windows.net", "blob.core.windows.net", "file.core.windows.net", "queue.core.windows.net",
		"table.core.windows.net", "dfs.core.windows.net", "web.core.windows.net", "core.windows.net", "documents.azure.com", "cosmos.azure.com", "azurecr.io",
		"redis.cache.windows.net", "postgres.database.azure.com", "mysql.database.azure.com", "mariadb.database.azure.com", "database.azure.com", "servicebus.windows.net",
		"azmk8s.io", "cloudapp.azure.com", "azurefd.net", "azurewebsites.net", "azure-api.net", "trafficmanager.net", "azureedge.net", "monitor.azure.com",
		"opinsights.azure.com", "applicationinsights.azure.com", "azure-automation.net", "search.windows.net", "cognitiveservices.azure.com", "openai.azure.com",
		"azconfig.io", "eventgrid.azure.net", "signalr.net", "azuresynapse.net", "azurecontainerapps.io", "azurestaticapps.net", "webpubsub.azure.com", "batch.azure.com",
		"windowsazure.com", "azure.cn", "chinacloudapi.cn", "usgovcloudapi.net", "azure.us", "windows.net", "azure.net",
	}
}

// publicDomains are domains in which nobody but Microsoft has names: all of such a name stays.
func publicDomains() []string {
	return []string{"microsoft.com", "microsoftonline.com", "windows.com", "windowsupdate.com", "msedge.net", "mcr-msedge.net", "aks.azure.com", "management.azure.com"}
}

// publicEnds are top-level domains that say nothing of who has a name there.
func publicEnds() []string {
	return []string{
		"com", "net", "org", "io", "info", "biz", "int", "edu", "gov", "mil", "eu", "de", "at", "ch", "fr", "it", "es", "nl", "be", "uk", "us", "ca", "au", "jp", "in", "br", "se",
		"no", "dk", "fi", "pl", "cz", "ie", "pt", "gr", "co", "dev", "app", "cloud", "example", "test", "invalid", "local", "internal", "arpa",
	}
}

// keptLabels are parts of names in Azure's domains that say which service or door it is.
func keptLabels() []string {
	return []string{"privatelink", "hcp", "private", "scm", "public", "oms", "ods", "agentsvc", "prod", "secondary", "acs-mirror"}
}

// name maps a name; names of the platform stay. A name of several parts is mapped part by part.
func (r *redactor) name(s string) string {
	if s == "" {
		return s
	}
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i] = r.part(p)
	}
	return strings.Join(parts, "/")
}

func (r *redactor) part(p string) string {
	low := strings.ToLower(p)
	if p == "" || r.kept[low] || r.regions[low] {
		return p
	}
	for _, b := range keptBeginnings() {
		if strings.HasPrefix(low, b) {
			return p[:len(b)] + r.words.word(p[len(b):])
		}
	}
	return r.note("name", p, r.words.word(p))
}

// fqdn maps a domain name or a pattern label by label: what ends alike still does. The domains of Azure stay, and public top-level domains.
func (r *redactor) fqdn(s string) string {
	low := strings.ToLower(strings.TrimSuffix(s, "."))
	within := func(domain string) bool { return low == domain || strings.HasSuffix(low, "."+domain) }
	if s == "" || r.kept[low] || slices.ContainsFunc(publicDomains(), within) {
		return s
	}
	keep := 0 // labels at the end
	if slices.Contains(publicEnds(), low[strings.LastIndexByte(low, '.')+1:]) {
		keep = 1
	}
	azure := slices.ContainsFunc(azureSuffixes(), within)
	for _, d := range azureSuffixes() {
		if within(d) {
			keep = max(keep, strings.Count(d, ".")+1)
		}
	}
	labels := strings.Split(s, ".")
	tail := len(labels)
	if strings.HasSuffix(s, ".") {
		tail--
	}
	for i, l := range labels[:max(tail-keep, 0)] {
		x := strings.ToLower(l)
		if azure && (slices.Contains(keptLabels(), x) || r.regions[x]) {
			continue
		}
		labels[i] = r.part(l)
	}
	return r.note("fqdn", s, strings.Join(labels, "."))
}

// value maps a text that may be an address, a range of them, a URL, an ID, a domain name or a name.
func (r *redactor) value(s string) string {
	trimmed := strings.TrimSpace(s)
	if a, err := netip.ParseAddr(trimmed); err == nil && a.Zone() == "" {
		return r.addr(a.Unmap()).String()
	}
	if p, err := netip.ParsePrefix(trimmed); err == nil {
		to := r.prefix(p.Masked())
		if p == p.Masked() {
			return to.String()
		}
		return netip.PrefixFrom(r.addr(p.Addr()), p.Bits()).String()
	}
	if from, to, ok := strings.Cut(trimmed, "-"); ok {
		a, err := netip.ParseAddr(strings.TrimSpace(from))
		b, bad := netip.ParseAddr(strings.TrimSpace(to))
		if err == nil && bad == nil {
			return r.addr(a).String() + "-" + r.addr(b).String()
		}
	}
	scheme, rest, isURL := strings.Cut(trimmed, "://")
	switch {
	case isURL:
		host, tail, _ := strings.Cut(rest, "/")
		out := scheme + "://" + r.host(host)
		if tail != "" {
			out += "/" + r.name(tail)
		}
		return out
	case strings.HasPrefix(trimmed, "/subscriptions/") || strings.HasPrefix(strings.ToLower(trimmed), "/providers/"):
		return string(r.id(model.ID(trimmed)))
	case strings.Contains(trimmed, "/"):
		host, tail, _ := strings.Cut(trimmed, "/")
		if strings.Contains(host, ".") {
			return r.host(host) + "/" + r.name(tail)
		}
		return r.name(trimmed)
	case strings.Contains(trimmed, "."):
		return r.host(trimmed)
	}
	return r.name(trimmed)
}

// principal maps who has a right: an object ID, the address of a user, or a name as Kubernetes writes it. `system:serviceaccount:NS:NAME` holds
// a namespace, so that it still names the account of the same name; other names of the system stay.
func (r *redactor) principal(s string) string {
	if rest, ok := strings.CutPrefix(s, "system:serviceaccount:"); ok {
		parts := strings.Split(rest, ":")
		for i := range parts {
			parts[i] = r.part(parts[i])
		}
		return "system:serviceaccount:" + strings.Join(parts, ":")
	}
	if strings.HasPrefix(s, "system:") {
		return s
	}
	if user, domain, ok := strings.Cut(s, "@"); ok {
		return r.part(user) + "@" + r.fqdn(domain)
	}
	return r.name(s)
}

// host maps a host with a port or a user, which no output needs.
func (r *redactor) host(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	name, port, ok := strings.Cut(s, ":")
	if a, err := netip.ParseAddr(name); err == nil {
		name = r.addr(a).String()
	} else {
		name = r.fqdn(name)
	}
	if ok {
		return name + ":" + port
	}
	return name
}

// file maps a path; what kind of file it is stays.
func (r *redactor) file(s string) string {
	parts := strings.Split(s, "/")
	for i, p := range parts {
		switch {
		case p == "" || p == "-" || p == "." || p == ".." || p == "ringfence.yaml" || p == "ringfence.d":
		case i == len(parts)-1:
			base, ext, ok := strings.Cut(p, ".")
			if parts[i] = r.part(base); ok {
				known := []string{"json", "yaml", "yml", "gz", "svg", "csv", "md", "snapshot", "html", "png", "pdf"}
				for _, x := range strings.Split(ext, ".") {
					if !slices.Contains(known, strings.ToLower(x)) {
						x = r.part(x)
					}
					parts[i] += "." + x
				}
			}
		default:
			parts[i] = r.part(p)
		}
	}
	return strings.Join(parts, "/")
}

// id maps an ID: its names, not the words between them.
func (r *redactor) id(id model.ID) model.ID {
	s := string(id)
	if rest, ok := strings.CutPrefix(s, "kubernetes:"); ok {
		parts := strings.Split(rest, "/")
		for i := range parts {
			switch {
			case i == 1: // the kind
			case i == 3 && parts[1] == "ClusterRole" && slices.Contains([]string{"cluster-admin", "admin", "edit", "view"}, parts[i]): // those of Kubernetes
			default:
				parts[i] = r.part(parts[i])
			}
		}
		return model.ID("kubernetes:" + strings.Join(parts, "/"))
	}
	if low := strings.ToLower(s); strings.HasPrefix(low, "/providers/microsoft.authorization/policydefinitions/") || strings.HasPrefix(low, "/providers/microsoft.authorization/policysetdefinitions/") {
		return id // built-in policies, which everybody has
	}
	parts := strings.Split(s, "/")
	for i := 0; i < len(parts); i++ {
		switch strings.ToLower(parts[i]) {
		case "":
		case "subscriptions", "resourcegroups", "managementgroups", "locations":
			if i++; i < len(parts) {
				parts[i] = r.part(parts[i])
			}
		case "providers": // NAMESPACE, then TYPE/NAME; a further `providers` begins anew
			i++
			for i++; i < len(parts) && !strings.EqualFold(parts[i], "providers"); i += 2 {
				if i+1 >= len(parts) {
					break
				}
				switch strings.ToLower(parts[i]) {
				case "effective": // model.EffectiveRulesID
				case "deployments": // of a network manager: KIND-REGION
					if !strings.Contains(strings.ToLower(s), "/networkmanagers/") {
						parts[i+1] = r.part(parts[i+1])
					}
				case "roledefinitions": // those that Azure provides are everybody's
					if _, builtIn := model.BuiltInRole(parts[i+1]); !builtIn {
						parts[i+1] = r.part(parts[i+1])
					}
				case "privatednszones", "dnszones":
					parts[i+1] = r.fqdn(parts[i+1])
				default:
					parts[i+1] = r.part(parts[i+1])
				}
			}
			i--
		default:
			parts[i] = r.part(parts[i])
		}
	}
	return model.ID(strings.Join(parts, "/"))
}

// labelKey maps the key of a label; keys of Kubernetes, Azure and the engines stay.
func (r *redactor) labelKey(k string) string {
	if publicKey(k) {
		return k
	}
	return r.name(k)
}

func publicKey(k string) bool {
	domain, _, ok := strings.Cut(k, "/")
	if !ok {
		return slices.Contains([]string{
			"agentpool", "pod-template-hash", "pod-template-generation", "controller-revision-hash", "controller-uid", "job-name", "istio-injection", "k8s-app",
			"CriticalAddonsOnly",
		}, k)
	}
	domain = strings.TrimPrefix(domain, "k8s:")
	for _, d := range []string{"kubernetes.io", "k8s.io", "kubernetes.azure.com", "azure.com", "azure.io", "cilium.io", "projectcalico.org", "istio.io", "prometheus.io"} {
		if domain == d || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return strings.HasPrefix(k, "io.kubernetes.") || strings.HasPrefix(k, "io.cilium.")
}

// labelValue maps the value of a label; words of the platform stay.
func (r *redactor) labelValue(k, v string) string {
	switch k {
	case "kubernetes.io/os", "beta.kubernetes.io/os", "kubernetes.io/arch", "kubernetes.azure.com/mode", "kubernetes.azure.com/scalesetpriority", "kubernetes.azure.com/os-sku",
		"pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn":
		return v
	}
	return r.name(v)
}
