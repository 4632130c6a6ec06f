package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

type jitPolicy struct {
	Properties *jitProperties `json:"properties,omitempty"`
}

type jitProperties struct {
	VMs []*jitMachine `json:"virtualMachines,omitempty"`
}

type jitMachine struct {
	ID    *string    `json:"id,omitempty"`
	Ports []*jitPort `json:"ports,omitempty"`
}

type jitPort struct {
	Number   *int32    `json:"number,omitempty"`
	Protocol *string   `json:"protocol,omitempty"`
	Source   *string   `json:"allowedSourceAddressPrefix,omitempty"`
	Sources  []*string `json:"allowedSourceAddressPrefixes,omitempty"`
	MaxTime  *string   `json:"maxRequestAccessDuration,omitempty"`
}

func jitFields() map[string]fieldUse {
	return map[string]fieldUse{
		"jitPolicy":     {harmless: "id kind location name type etag systemData"},
		"jitProperties": {harmless: "provisioningState requests appendMode"},
		"jitMachine":    {harmless: "publicIpAddress"},
		"jitPort":       {},
	}
}

// readJIT reads a just-in-time access policy (AZ-JIT-01, AZ-JIT-02). Requests that are open now show as rules of the NSG.
func readJIT(r *resource) {
	is, at := decode[jitPolicy](r, r.node)
	if is == nil {
		return
	}
	p := &model.JITPolicy{Meta: r.meta()}
	for _, v := range at.list("properties", "virtualMachines") {
		m := model.JITMachine{VM: r.idText(v, "id")}
		if m.VM == "" {
			r.missing(v, "id", "the ID of a machine")
			continue
		}
		for _, w := range v.list("ports") {
			if w.get("number") == nil {
				r.missing(w, "number", "a port from 1 to 65535")
			}
			port := model.JITPort{Port: r.port(w, "number", 1), MaxTime: w.text("maxRequestAccessDuration")}
			switch strings.ToLower(w.text("protocol")) {
			case "tcp":
				port.Protocol = model.TCP
			case "udp":
				port.Protocol = model.UDP
			case "*", "all", "any":
				port.Protocol = model.AnyProtocol
			default:
				r.missing(w, "protocol", "one of TCP, UDP, *")
			}
			r.match(&port.Sources, both(w, "allowedSourceAddressPrefix", "allowedSourceAddressPrefixes"), true)
			m.Ports = append(m.Ports, port)
		}
		slices.SortStableFunc(m.Ports, func(a, b model.JITPort) int {
			return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
		})
		p.VMs = append(p.VMs, m)
	}
	slices.SortStableFunc(p.VMs, func(a, b model.JITMachine) int { return a.VM.Compare(b.VM) })
	r.emit(p)
}
