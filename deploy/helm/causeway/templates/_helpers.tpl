{{- define "causeway.name" -}}
{{- ternary .Release.Name (printf "%s-causeway" .Release.Name) (contains "causeway" .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "causeway.selector" -}}
app.kubernetes.io/name: causeway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "causeway.labels" -}}
{{ include "causeway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "causeway.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "causeway.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* What cannot work is refused here, and not by a cell that does not start. */}}
{{- define "causeway.check" -}}
{{- $url := dig "database" "url" "" .Values.config }}
{{- if not (dig "public" "url" "" .Values.config) }}{{ fail "config.public.url is required: the address that clients use" }}{{ end }}
{{- if and (not $url) (not .Values.databaseUrl.secret) }}{{ fail "databaseUrl.secret or config.database.url is required" }}{{ end }}
{{- if and $url .Values.databaseUrl.secret }}{{ fail "databaseUrl.secret and config.database.url are both set" }}{{ end }}
{{- if hasPrefix "sqlite:" $url }}
{{- if gt (int .Values.replicas) 1 }}{{ fail "SQLite is for one cell: replicas above 1 need PostgreSQL" }}{{ end }}
{{- if not .Values.persistence.enabled }}{{ fail "SQLite needs persistence.enabled: without, the site is gone with its pod" }}{{ end }}
{{- end }}
{{- if and (not .Values.masterKey.secret) (or (gt (int .Values.replicas) 1) (not .Values.persistence.enabled)) }}{{ fail "masterKey.secret is required, but for one cell with persistence: each cell needs the same key, and after each start" }}{{ end }}
{{- end }}

{{- define "causeway.config" -}}
{{- $operations := dict "listen" ":9443" "drain_delay" (printf "%ds" (int .Values.drain.delaySeconds)) "drain_timeout" (printf "%ds" (int .Values.drain.timeoutSeconds)) }}
{{- $set := dict "operations" $operations "public" (dict "listen" ":8443") "peer" (dict "listen" ":7443") }}
{{- if .Values.tls.secret }}{{ $_ := set $set "public" (dict "listen" ":8443" "certificate" "/etc/causeway/tls/tls.crt" "key" "/etc/causeway/tls/tls.key") }}{{ end }}
{{- mergeOverwrite (deepCopy .Values.config) $set | toYaml }}
{{- end }}

{{- define "causeway.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "causeway.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "causeway.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{/* Paths of secrets, which are no secrets. */}}
{{- define "causeway.env" -}}
{{- if .Values.databaseUrl.secret }}
- {name: CAUSEWAY_DATABASE_URL_FILE, value: /etc/causeway/database/url}
{{- end }}
{{- if .Values.masterKey.secret }}
- {name: CAUSEWAY_KEYS_MASTER_KEY_FILE, value: /etc/causeway/master/key}
{{- end }}
{{- end }}

{{- define "causeway.mounts" -}}
- {name: config, mountPath: /etc/causeway/config, readOnly: true}
- {name: state, mountPath: /var/lib/causeway}
- {name: tmp, mountPath: /tmp}
{{- if .Values.databaseUrl.secret }}
- {name: database, mountPath: /etc/causeway/database, readOnly: true}
{{- end }}
{{- if .Values.masterKey.secret }}
- {name: master, mountPath: /etc/causeway/master, readOnly: true}
{{- end }}
{{- if .Values.tls.secret }}
- {name: tls, mountPath: /etc/causeway/tls, readOnly: true}
{{- end }}
{{- end }}

{{- define "causeway.volumes" -}}
- name: config
  configMap: {name: {{ include "causeway.name" . }}}
- name: tmp
  emptyDir: {}
{{- if .Values.databaseUrl.secret }}
- name: database
  secret:
    secretName: {{ .Values.databaseUrl.secret }}
    defaultMode: 0440
    items: [{key: {{ .Values.databaseUrl.key | quote }}, path: url}]
{{- end }}
{{- if .Values.masterKey.secret }}
- name: master
  secret:
    secretName: {{ .Values.masterKey.secret }}
    defaultMode: 0440
    items: [{key: {{ .Values.masterKey.key | quote }}, path: key}]
{{- end }}
{{- if .Values.tls.secret }}
- name: tls
  secret: {secretName: {{ .Values.tls.secret }}, defaultMode: 0440}
{{- end }}
{{- end }}
