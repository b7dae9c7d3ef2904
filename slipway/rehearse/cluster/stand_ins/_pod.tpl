{{/* One Deployment with its account and, where it has several pods, a disruption budget. Takes a dict: root, name, account, replicas, budget, image, resources, spread. Real charts have webhooks, roles and probes as well. */}}
{{- define "controller" -}}
{{- $labels := dict "app.kubernetes.io/name" .name "app.kubernetes.io/instance" .root.Release.Name -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .account }}
  labels: {{- toYaml $labels | nindent 4 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels: {{- toYaml $labels | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels: {{- toYaml $labels | nindent 6 }}
  template:
    metadata:
      labels: {{- toYaml $labels | nindent 8 }}
    spec:
      serviceAccountName: {{ .account }}
      {{- with .spread }}
      topologySpreadConstraints:
        {{- range . }}
        - {{- toYaml (merge . (dict "labelSelector" (dict "matchLabels" $labels))) | nindent 10 }}
        {{- end }}
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ .image }}
          {{- with .resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
{{- with .budget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $.name }}
  labels: {{- toYaml $labels | nindent 4 }}
spec: {{- toYaml (merge (dict "selector" (dict "matchLabels" $labels)) (omit . "enabled")) | nindent 2 }}
{{- end }}
{{- end -}}
