package kubernetes

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ringfence/ringfence/model"
)

// K8S-WL-01: the labels of the pod template count, those of the workload itself and of a Job template do not.

func (im *importer) deployment(o *object, d *appsv1.Deployment) {
	c := im.template(o, d, "spec.template", d.Spec.Template, d.Spec.Replicas, appsv1.DefaultDeploymentUniqueLabelKey)
	im.checkSelector(o, d.Spec.Selector, d.Spec.Template.Labels)
	im.carry(c)
}

func (im *importer) replicaSet(o *object, r *appsv1.ReplicaSet) {
	c := im.template(o, r, "spec.template", r.Spec.Template, r.Spec.Replicas)
	im.checkSelector(o, r.Spec.Selector, r.Spec.Template.Labels)
	c.idle = c.workload.Replicas == 0
	im.carry(c)
}

func (im *importer) statefulSet(o *object, s *appsv1.StatefulSet) {
	c := im.template(o, s, "spec.template", s.Spec.Template, s.Spec.Replicas, appsv1.StatefulSetPodNameLabel, appsv1.PodIndexLabel, appsv1.ControllerRevisionHashLabelKey)
	im.checkSelector(o, s.Spec.Selector, s.Spec.Template.Labels)
	c.workload.Claims = len(s.Spec.VolumeClaimTemplates) > 0
	im.carry(c)
}

func (im *importer) daemonSet(o *object, d *appsv1.DaemonSet) {
	c := im.template(o, d, "spec.template", d.Spec.Template, nil, appsv1.ControllerRevisionHashLabelKey, "pod-template-generation")
	im.checkSelector(o, d.Spec.Selector, d.Spec.Template.Labels)
	im.carry(c)
}

func (im *importer) replicationController(o *object, r *corev1.ReplicationController) {
	if r.Spec.Template == nil {
		im.bad(o, "spec.template", "", "a pod template")
		return
	}
	c := im.template(o, r, "spec.template", *r.Spec.Template, r.Spec.Replicas)
	if s := r.Spec.Selector; len(s) > 0 { // absent: the labels of the template
		im.checkSelector(o, &metav1.LabelSelector{MatchLabels: s}, r.Spec.Template.Labels)
	}
	im.carry(c)
}

func (im *importer) job(o *object, j *batchv1.Job) {
	implied := []string{batchv1.ControllerUidLabel, "controller-uid"}
	if m := j.Spec.CompletionMode; m != nil && *m == batchv1.IndexedCompletion {
		implied = append(implied, batchv1.JobCompletionIndexAnnotation)
	}
	c := im.template(o, j, "spec.template", j.Spec.Template, j.Spec.Parallelism, implied...)
	// K8S-WL-02: the name of the Job is a label of its pods, and known.
	for _, key := range jobNameLabels() {
		c.workload.Labels[key] = j.Name
	}
	c.workload.Suspended = j.Spec.Suspend != nil && *j.Spec.Suspend
	c.idle = c.workload.Suspended
	for _, cond := range j.Status.Conditions {
		if (cond.Type == batchv1.JobComplete || cond.Type == batchv1.JobFailed) && cond.Status == corev1.ConditionTrue {
			c.idle = true
		}
	}
	im.carry(c)
}

func (im *importer) cronJob(o *object, j *batchv1.CronJob) {
	implied := append(jobNameLabels(), batchv1.ControllerUidLabel, "controller-uid")
	if m := j.Spec.JobTemplate.Spec.CompletionMode; m != nil && *m == batchv1.IndexedCompletion {
		implied = append(implied, batchv1.JobCompletionIndexAnnotation)
	}
	spec := j.Spec.JobTemplate.Spec
	c := im.template(o, j, "spec.jobTemplate.spec.template", spec.Template, spec.Parallelism, implied...)
	c.workload.Suspended = j.Spec.Suspend != nil && *j.Spec.Suspend || spec.Suspend != nil && *spec.Suspend
	im.carry(c)
}

func jobNameLabels() []string { return []string{batchv1.JobNameLabel, "job-name"} }

// pod reads a Pod: a live one as `kubectl get` prints it, or one that a person wrote.
func (im *importer) pod(o *object, p *corev1.Pod) {
	c := im.podFacts(o, "", p.ObjectMeta, p.Spec)
	c.pod = true
	c.controller = im.controllerRef(o, p)
	c.finished = p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed // K8S-NP-28
	ips := p.Status.PodIPs
	if len(ips) == 0 && p.Status.PodIP != "" {
		ips = []corev1.PodIP{{IP: p.Status.PodIP}}
	}
	for i, ip := range ips {
		if a, ok := im.address(o, child(index("status.podIPs", i), "ip"), ip.IP); ok {
			c.workload.Addresses = append(c.workload.Addresses, a)
		}
	}
	c.workload.Replicas = 1
	// Where a live pod runs today says nothing about where its successor will.
	scheduled := p.Status.Phase != "" || p.Status.HostIP != ""
	c.workload.Affinity = pinned(p.Spec, scheduled)
	im.carry(c)
}

// template reads a controller with its pod template. The platform sets the implied labels on each pod, whatever the template says.
func (im *importer) template(o *object, meta metav1.Object, at string, t corev1.PodTemplateSpec, replicas *int32, implied ...string) *carrier {
	c := im.podFacts(o, at+".", t.ObjectMeta, t.Spec)
	c.controller = im.controllerRef(o, meta)
	c.workload.Implied = slices.Sorted(slices.Values(implied))
	for _, key := range implied {
		delete(c.workload.Labels, key)
	}
	c.workload.Affinity = pinned(t.Spec, false)
	c.workload.Replicas = -1
	if replicas != nil {
		c.workload.Replicas = int(*replicas)
		if *replicas < 0 {
			im.bad(o, "spec.replicas", fmt.Sprint(*replicas), "a number from 0 up")
		}
	}
	return c
}

// checkSelector validates what the API server validates, because a selector that misses its own template shows that one of them is
// misread or mistaken.
func (im *importer) checkSelector(o *object, s *metav1.LabelSelector, template map[string]string) {
	if s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
		im.bad(o, "spec.selector", "", "a selector that matches the labels of the pod template")
		return
	}
	before, selected := len(im.errs), len(im.selected)
	im.selector(o, "spec.selector", s)
	im.selected = im.selected[:selected] // it selects the controller's own pods, for itself alone
	if len(im.errs) == before && !matches(s, template) {
		im.bad(o, "spec.selector", "", "a selector that matches the labels of the pod template")
	}
}

// podFacts reads what a pod and a pod template have in common; at is the path before `metadata` and `spec`.
func (im *importer) podFacts(o *object, at string, meta metav1.ObjectMeta, spec corev1.PodSpec) *carrier {
	im.checkLabels(o, at+"metadata.labels", meta.Labels)
	im.checkLabels(o, at+"spec.nodeSelector", spec.NodeSelector)
	w := model.Workload{
		Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Kind: o.kind,
		Labels: maps.Clone(meta.Labels), HostNetwork: spec.HostNetwork, NodeSelector: spec.NodeSelector,
		ServiceAccount: spec.ServiceAccountName, Annotations: annotations(meta.Annotations),
	}
	if w.Labels == nil {
		w.Labels = map[string]string{}
	}
	if w.ServiceAccount == "" {
		w.ServiceAccount = "default"
	}
	if len(validation.IsDNS1123Subdomain(w.ServiceAccount)) > 0 {
		im.bad(o, at+"spec.serviceAccountName", w.ServiceAccount, "the name of a ServiceAccount")
	}
	// K8S-NP-27: containers of every kind are one pod, with its ports and its policies.
	for i, c := range spec.InitContainers {
		// K8S-NP-18: a restartable init container is a sidecar; it listens as long as the pod lives.
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			im.container(o, index(at+"spec.initContainers", i), c, &w)
		}
	}
	for i, c := range spec.Containers {
		im.container(o, index(at+"spec.containers", i), c, &w)
	}
	if len(spec.Containers) == 0 {
		im.bad(o, at+"spec.containers", "", "at least one container")
	}
	for i, t := range spec.Tolerations {
		if t.Key != "" && len(validation.IsQualifiedName(t.Key)) > 0 {
			im.bad(o, index(at+"spec.tolerations", i)+".key", t.Key, wantLabelKey)
		}
		operator := string(t.Operator)
		switch operator {
		case "":
			operator = string(corev1.TolerationOpEqual)
		case string(corev1.TolerationOpEqual), string(corev1.TolerationOpExists):
		case "Lt", "Gt": // of numbers: whether it holds for a taint is not asked, so that no pool is left out (K8S-WL-07)
			operator = string(corev1.TolerationOpExists)
		default:
			im.bad(o, index(at+"spec.tolerations", i)+".operator", operator, "Equal, Exists, Lt or Gt")
		}
		w.Tolerations = append(w.Tolerations, model.Toleration{Key: t.Key, Operator: operator, Value: t.Value, Effect: string(t.Effect)})
	}
	w.Volumes = persistent(spec.Volumes)
	return &carrier{workload: w, typeName: o.typeName(), name: o.name}
}

// container adds ports, host ports and probes of a container.
func (im *importer) container(o *object, at string, c corev1.Container, w *model.Workload) {
	names := map[string]bool{}
	for i, p := range c.Ports {
		here := index(child(at, "ports"), i)
		port := model.ContainerPort{
			Name: p.Name, Port: im.portNumber(o, child(here, "containerPort"), p.ContainerPort),
			Protocol: im.protocol(o, child(here, "protocol"), p.Protocol), Source: o.source(here),
		}
		if p.Name != "" {
			im.portName(o, child(here, "name"), p.Name)
			if names[p.Name] {
				im.bad(o, child(here, "name"), p.Name, "each port name once in a container")
			}
			names[p.Name] = true
		}
		w.Ports = append(w.Ports, port)
		// K8S-AZ-09. A pod in the node's network has the node's ports anyway.
		if p.HostPort != 0 && !w.HostNetwork {
			host := port
			host.Port, host.Target = im.portNumber(o, child(here, "hostPort"), p.HostPort), port.Port
			if p.HostIP != "" {
				host.HostIP, _ = im.address(o, child(here, "hostIP"), p.HostIP)
				if host.HostIP.IsUnspecified() {
					host.HostIP = netip.Addr{}
				}
			}
			w.HostPorts = append(w.HostPorts, host)
		}
	}
	for _, p := range []struct {
		kind  string
		probe *corev1.Probe
	}{{"startup", c.StartupProbe}, {"readiness", c.ReadinessProbe}, {"liveness", c.LivenessProbe}} {
		if p.probe != nil {
			im.probe(o, child(at, p.kind+"Probe"), p.kind, p.probe, w)
		}
	}
}

// probe adds a probe that the kubelet makes over the network to the pod's own address. One with a `host` goes elsewhere, one that runs
// a command stays inside.
func (im *importer) probe(o *object, at, kind string, p *corev1.Probe, w *model.Workload) {
	out := model.Probe{Kind: kind, Source: o.source(at)}
	var port intstr.IntOrString
	switch {
	case p.HTTPGet != nil && p.HTTPGet.Host == "":
		out.Action, port = "httpGet", p.HTTPGet.Port
	case p.TCPSocket != nil && p.TCPSocket.Host == "":
		out.Action, port = "tcpSocket", p.TCPSocket.Port
	case p.GRPC != nil:
		out.Action, port = "grpc", intstr.FromInt32(p.GRPC.Port)
	default:
		return
	}
	here := child(child(at, out.Action), "port")
	if port.Type == intstr.String {
		out.PortName = port.StrVal
		im.portName(o, here, port.StrVal)
	} else {
		out.Port = im.portNumber(o, here, port.IntVal)
	}
	w.Probes = append(w.Probes, out)
}

// pinned says that required node affinity, or a node's name, narrows where a pod may run. A scheduled pod has a node's name always,
// and that of a DaemonSet an affinity to it.
func pinned(spec corev1.PodSpec, scheduled bool) bool {
	if spec.NodeName != "" && !scheduled {
		return true
	}
	a := spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return false
	}
	for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		if len(term.MatchExpressions) > 0 || len(term.MatchFields) > 0 && !scheduled {
			return true
		}
	}
	return false
}

// persistent lists the kinds of volumes whose content outlives the pod.
func persistent(volumes []corev1.Volume) []string {
	kinds := map[string]bool{}
	for _, v := range volumes {
		source := reflect.ValueOf(v.VolumeSource)
		for i := range source.NumField() {
			name, _, _ := strings.Cut(source.Type().Field(i).Tag.Get("json"), ",")
			switch name {
			case "emptyDir", "configMap", "secret", "projected", "downwardAPI", "image", "ephemeral", "gitRepo": // made for the pod
			default:
				if !source.Field(i).IsZero() {
					kinds[name] = true
				}
			}
		}
		if v.CSI != nil && v.CSI.Driver == "secrets-store.csi.k8s.io" { // secrets, mounted for the life of the pod
			delete(kinds, "csi")
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

// address reads an IP address.
func (im *importer) address(o *object, at, text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		im.bad(o, at, text, "an IP address")
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}
