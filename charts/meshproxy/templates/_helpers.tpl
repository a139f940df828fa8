{{- define "meshproxy.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Cluster-wide objects carry the namespace, so that two releases do not meet. */ -}}
{{- define "meshproxy.clusterName" -}}
{{- printf "%s-%s" (include "meshproxy.fullname" .) .Release.Namespace | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "meshproxy.injectorName" -}}{{ include "meshproxy.fullname" . }}-injector{{- end -}}
{{- define "meshproxy.controlPlaneName" -}}{{ include "meshproxy.fullname" . }}-control-plane{{- end -}}

{{- /* The plugin lets pods with this prefix through before it asks anybody: the name is not free. */ -}}
{{- define "meshproxy.cniName" -}}meshproxy-cni{{- end -}}

{{- define "meshproxy.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "meshproxy.labels" -}}
{{ include "meshproxy.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: meshproxy
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* metadata of a namespaced object: dict root, component, name, annotations */ -}}
{{- define "meshproxy.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
{{ include "meshproxy.commonMetadata" . }}
{{- end -}}

{{- define "meshproxy.clusterMetadata" -}}
name: {{ .name }}
{{ include "meshproxy.commonMetadata" . }}
{{- end -}}

{{- define "meshproxy.commonMetadata" -}}
labels:
  {{- include "meshproxy.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Labels of our pods: selector, version, the user's, and that no mesh injects into them. */ -}}
{{- define "meshproxy.podLabels" -}}
{{ include "meshproxy.labels" . }}
sidecar.istio.io/inject: "false"
{{- with .extra }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "meshproxy.imageName" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- printf "%s/%s" $registry .Values.image.repository -}}
{{- end -}}

{{- define "meshproxy.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" (include "meshproxy.imageName" .) .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" (include "meshproxy.imageName" .) (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "meshproxy.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "meshproxy.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /* What Pod Security "restricted" asks for. */ -}}
{{- define "meshproxy.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1337
runAsGroup: 1337
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "meshproxy.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "meshproxy.cniPaths" -}}
{{- $paths := dict "confDir" "/etc/cni/net.d" "binDir" "/opt/cni/bin" "netnsDir" "/var/run/netns" -}}
{{- $byPlatform := dict
  "openshift" (dict "binDir" "/var/lib/cni/bin" "confDir" "/etc/cni/multus/net.d")
  "gke" (dict "binDir" "/home/kubernetes/bin")
  "k3s" (dict "binDir" "/var/lib/rancher/k3s/data/cni" "confDir" "/var/lib/rancher/k3s/agent/etc/cni/net.d")
  "k3d" (dict "binDir" "/bin" "confDir" "/var/lib/rancher/k3s/agent/etc/cni/net.d")
  "microk8s" (dict "binDir" "/var/snap/microk8s/current/opt/cni/bin" "confDir" "/var/snap/microk8s/current/args/cni-network")
  "minikube" (dict "netnsDir" "/var/run/docker/netns") -}}
{{- $own := pick .Values.cni "confDir" "binDir" "netnsDir" -}}
{{- range $name, $value := $own }}{{ if not $value }}{{ $own = omit $own $name }}{{ end }}{{ end -}}
{{- toYaml (merge $own (default dict (get $byPlatform .Values.platform)) $paths) -}}
{{- end -}}

{{- define "meshproxy.serviceAccount" -}}
{{- if .Values.injector.serviceAccount.create -}}
{{- default (include "meshproxy.injectorName" .) .Values.injector.serviceAccount.name -}}
{{- else -}}
{{- required "injector.serviceAccount.name is needed when injector.serviceAccount.create is false" .Values.injector.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "meshproxy.hasPodMonitor" -}}
{{- if and .Values.metrics.podMonitor.enabled (or .Values.metrics.podMonitor.force (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}yes{{- end -}}
{{- end -}}
