{{/* What every object of a component carries. Takes a dict: root, name. */}}
{{- define "component.labels" -}}
app: harbor
release: {{ .root.Release.Name }}
component: {{ .name }}
app.kubernetes.io/name: harbor
app.kubernetes.io/component: {{ .name }}
app.kubernetes.io/part-of: harbor
app.kubernetes.io/version: {{ .root.Chart.AppVersion }}
{{- end -}}

{{- define "component.selector" -}}
app: harbor
release: {{ .root.Release.Name }}
component: {{ .name }}
{{- end -}}

{{/* Redis's URL with its password, which the official chart writes into ConfigMaps as well. */}}
{{- define "redis.url" -}}
{{- $redis := .Values.redis.external -}}
{{- if eq .Values.redis.type "internal" -}}
redis://harbor-redis:6379
{{- else -}}
{{ ternary "rediss" "redis" (dig "tlsOptions" "enable" false $redis) }}://{{ $redis.username }}:{{ $redis.password }}@{{ $redis.addr }}
{{- end -}}
{{- end -}}

{{/* A component's settings: the text that its ConfigMap holds and its pods' checksum is made of. */}}
{{- define "component.config" -}}
{{- $own := index .root.Values .name -}}
EXT_ENDPOINT: {{ .root.Values.externalURL | quote }}
{{- if has .name (list "core" "jobservice" "registry" "trivy" "exporter") }}
REDIS_URL: {{ include "redis.url" .root | quote }}
{{- end }}
{{- if has .name (list "core" "exporter") }}
POSTGRESQL_HOST: {{ .root.Values.database.external.host | default "harbor-database" | quote }}
POSTGRESQL_MAX_OPEN_CONNS: {{ .root.Values.database.maxOpenConns | quote }}
{{- end }}
VALUES: {{ omit $own "replicas" "podAnnotations" "serviceAnnotations" "resources" "topologySpreadConstraints" | toJson | quote }}
{{- end -}}

{{- define "component.security" -}}
allowPrivilegeEscalation: false
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "component.pod" -}}
{{- $own := index .root.Values .name -}}
metadata:
  labels: {{- include "component.labels" . | nindent 4 }}
  annotations:
    checksum/configmap: {{ include "component.config" . | sha256sum }}
    {{- with $own.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- if has .name (list "core" "jobservice" "registry") }}
  terminationGracePeriodSeconds: 120
  {{- end }}
  # What the namespace's pod security asks for, and the official chart's containers have.
  securityContext: {runAsUser: 10000, fsGroup: 10000}
  {{- with $own.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    - {{- merge (dict "labelSelector" (dict "matchLabels" (include "component.selector" $ | fromYaml))) . | toYaml | nindent 6 }}
    {{- end }}
  {{- end }}
  containers:
    {{- $containers := ternary (list "registry" "controller") (list .name) (eq .name "registry") }}
    {{- range $containers }}
    {{- $resources := $own.resources }}
    {{- if eq $.name "registry" }}{{ $resources = index $own . "resources" }}{{ end }}
    - name: {{ ternary "registryctl" . (eq . "controller") }}
      image: stand-in/harbor-{{ . }}:{{ $.root.Chart.Version }}
      envFrom: [{configMapRef: {name: harbor-{{ $.name }}}}]
      securityContext: {{- include "component.security" . | nindent 8 }}
      {{- with $resources }}
      resources: {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
  {{- if eq .name "registry" }}
  volumes:
    - name: registry-data
      persistentVolumeClaim:
        claimName: {{ .root.Values.persistence.persistentVolumeClaim.registry.existingClaim | default "harbor-registry" }}
  {{- end }}
{{- end -}}
