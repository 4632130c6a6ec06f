package model

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Proxy is where clients of an HTTP proxy connect to (AKS-OUT-07).
type Proxy struct {
	Host string     // as read, lower case; empty where the URL could not be read
	Addr netip.Addr // valid where the host is an address
	Port uint16     // 0: any
}

// Proxies returns the HTTP proxies that a cluster sets for its nodes and pods, each once.
func (c *Cluster) Proxies() []Proxy {
	var out []Proxy
	for _, text := range []string{c.HTTPProxy, c.HTTPSProxy} {
		if text == "" {
			continue
		}
		if p := readProxy(text); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func readProxy(text string) Proxy {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return Proxy{}
	}
	p := Proxy{Host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), Port: 80}
	if a, err := netip.ParseAddr(p.Host); err == nil {
		p.Addr = a.Unmap()
	}
	if strings.EqualFold(u.Scheme, "https") {
		p.Port = 443
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			n = 0
		}
		p.Port = uint16(n)
	}
	return p
}
