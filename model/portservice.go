package model

import (
	"fmt"
	"strings"
)

// PortService is what people write as `tcp/443`, `udp/53`, `tcp/8000-8100`, `tcp/1433/50000` (with a source port), `icmp` or `any`.
// The zero value is `any`.
type PortService struct {
	Protocol    Protocol // 0: any protocol
	Ports       PortRange
	SourcePorts PortRange
	HasSource   bool
}

// IsAny reports whether the service is every protocol and port.
func (s PortService) IsAny() bool { return s.Protocol == 0 }

func (s PortService) String() string {
	if s.IsAny() {
		return "any"
	}
	if !s.Protocol.HasPorts() {
		return s.Protocol.String()
	}
	out := s.Protocol.String() + "/" + s.Ports.String()
	if s.HasSource {
		out += "/" + s.SourcePorts.String()
	}
	return out
}

// ParsePortService reads a service as people write it.
func ParsePortService(text string) (PortService, error) {
	accepted := fmt.Errorf("service `%s`: want tcp/443, udp/53, sctp/7, tcp/8000-8100, tcp/1433/50000 (with a source port), icmp, esp, ah or any", clip(text))
	parts := strings.Split(strings.ToLower(strings.TrimSpace(text)), "/")
	protocols := map[string]Protocol{"tcp": TCP, "udp": UDP, "sctp": SCTP, "icmp": ICMP, "icmpv6": ICMPv6, "esp": ESP, "ah": AH}
	if len(parts) == 1 && parts[0] == "any" {
		return PortService{}, nil
	}
	p, ok := protocols[parts[0]]
	if !ok || len(parts) > 3 || !p.HasPorts() && len(parts) > 1 {
		return PortService{}, accepted
	}
	s := PortService{Protocol: p, Ports: AllPorts, SourcePorts: AllPorts}
	if len(parts) > 1 {
		r, err := ParsePortRange(parts[1])
		if err != nil {
			return PortService{}, fmt.Errorf("%w (%w)", accepted, err)
		}
		s.Ports = r
	}
	if len(parts) > 2 {
		r, err := ParsePortRange(parts[2])
		if err != nil {
			return PortService{}, fmt.Errorf("%w (%w)", accepted, err)
		}
		s.SourcePorts, s.HasSource = r, true
	}
	return s, nil
}
