{{/* The release's name, which is also that of every object. */}}
{{- define "manifold.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{- define "manifold.selector" -}}
app.kubernetes.io/name: manifold
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "manifold.labels" -}}
{{ include "manifold.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The smallest image that can do what is asked. */}}
{{- define "manifold.image" -}}
{{- $kind := "slim" }}
{{- if or .Values.service.grpcPort .Values.settings.fleet }}{{ $kind = "grpc" }}{{ end }}
{{- if .Values.resources.gpus }}{{ $kind = "gpu" }}{{ end }}
{{- .Values.image.repository }}:{{ .Values.image.tag | default (printf "%s-%s" .Chart.AppVersion $kind) }}
{{- end }}

{{- define "manifold.claim" -}}
{{ .Values.store.claim | default (printf "%s-store" (include "manifold.name" .)) }}
{{- end }}

{{/*
What to serve, and from where: for what serves and what pulls, which takes no unsigned version where there is trust. A
whole number stays one: Helm would write 268435456 as 2.68435456e+08.
*/}}
{{- define "manifold.wanted" -}}
- name: MANIFOLD_STORE
  value: {{ .Values.store.url | default "/store" | quote }}
{{- if .Values.store.url }}
- name: MANIFOLD_CACHE
  value: /store
{{- end }}
{{- if .Values.policy }}
- name: MANIFOLD_POLICY
  value: /policy/serving.json
{{- end }}
{{- if .Values.trust }}
- name: MANIFOLD_TRUST
  value: {{ range $index, $name := keys .Values.trust | sortAlpha }}{{ if $index }},{{ end }}/trust/{{ $name }}{{ end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: MANIFOLD_{{ upper $name }}
  value: {{ ternary $value (toJson $value) (kindIs "string" $value) | quote }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Who may ask, and how; for what serves alone. */}}
{{- define "manifold.access" -}}
{{- if .Values.tls.secret }}
- name: MANIFOLD_CERTIFICATE
  value: /secrets/tls/tls.crt
- name: MANIFOLD_PRIVATE_KEY
  value: /secrets/tls/tls.key
{{- end }}
{{- if .Values.keys.secret }}
- name: MANIFOLD_KEYS
  value: /secrets/keys/keys.json
{{- end }}
{{- if .Values.service.grpcPort }}
- name: MANIFOLD_GRPC_PORT
  value: "8500"
{{- end }}
{{- if .Values.resources.gpus }}
- name: MANIFOLD_PLACEMENT
  value: device
{{- end }}
{{- end }}

{{- define "manifold.credentials" -}}
{{- with .Values.store.secret }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
{{- end }}

{{- define "manifold.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "manifold.probe" -}}
path: {{ .path }}
port: http
{{- if .tls }}
scheme: HTTPS
{{- end }}
{{- end }}

{{- define "manifold.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: store
  mountPath: /store
  readOnly: {{ not .Values.store.url }}
{{- if .Values.policy }}
- name: policy
  mountPath: /policy
  readOnly: true
{{- end }}
{{- end }}

{{- define "manifold.secrets" -}}
{{- if .Values.trust }}
- name: trust
  mountPath: /trust
  readOnly: true
{{- end }}
{{- range $name := list "keys" "tls" }}
{{- if (index $.Values $name).secret }}
- name: {{ $name }}
  mountPath: /secrets/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{- define "manifold.volumes" -}}
# Metrics are files that are mapped into memory: on a disk they would be written, and waited for.
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 256Mi
- name: store
  {{- if .Values.store.url }}
  emptyDir:
    sizeLimit: {{ .Values.store.size }}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ include "manifold.claim" . }}
    readOnly: true
  {{- end }}
{{- range $name := list "policy" "trust" }}
{{- if index $.Values $name }}
- name: {{ $name }}
  configMap:
    name: {{ include "manifold.name" $ }}-{{ $name }}
{{- end }}
{{- end }}
{{- range $name := list "keys" "tls" }}
{{- with (index $.Values $name).secret }}
- name: {{ $name }}
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- end }}
