package instances

import (
	"strconv"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/portal/ui"
	"causeway/services"
)

// The fields of an instance's form, named as the API names them; those of the health
// check stand by themselves, since each has a field.
const (
	fieldOrg        = "orgId"
	fieldDefinition = "serviceDefinitionId"
	fieldName       = "name"
	fieldMode       = "mode"
	fieldPrefix     = "prefix"
	fieldHosts      = "hosts"
	fieldEnabled    = "enabled"
	fieldUpstreams  = "upstreams"
	fieldTimeout    = "timeoutMilliseconds"
	fieldHealth     = "healthCheck"
	fieldInterval   = "interval"
	fieldPatience   = "timeout"
	fieldHealthy    = "healthyCount"
	fieldUnhealthy  = "unhealthyCount"
	fieldHook       = "hookUrl"
	fieldSecret     = "hookSecret"
	fieldSure       = "sure"
	fieldSeen       = "seen"
)

// draft reads what a form says of an instance. Whether it makes sense the domain says.
func draft(s *ui.Screen, v ui.Values) (services.Draft, error) {
	d := services.Draft{
		Name: v.Text(fieldName), Mode: services.Mode(v.Get(fieldMode)), Prefix: strings.TrimSuffix(v.Text(fieldPrefix), "/"),
		Hosts: lines(strings.ToLower(v.Get(fieldHosts))), Enabled: v.Is(fieldEnabled), HookSecret: secret.Text(v.Get(fieldSecret)),
		InstanceSettings: services.InstanceSettings{
			Upstreams: lines(v.Get(fieldUpstreams)), HookURL: v.Text(fieldHook), Health: services.HealthCheck{Path: v.Text(fieldHealth)},
		},
	}
	for _, f := range []struct {
		name string
		to   *time.Duration
	}{{fieldTimeout, &d.Timeout}, {fieldInterval, &d.Health.Interval}, {fieldPatience, &d.Health.Timeout}} {
		given, ok := span(v.Text(f.name))
		if !ok {
			return d, problem.New(problem.BadRequest, "%s", s.T("instances.form.badspan", v.Text(f.name))).In(f.name)
		}
		*f.to = given
	}
	for _, f := range []struct {
		name string
		to   *int
	}{{fieldHealthy, &d.Health.Healthy}, {fieldUnhealthy, &d.Health.Unhealthy}} {
		given, ok := number(v.Text(f.name))
		if !ok {
			return d, problem.New(problem.BadRequest, "%s", s.T("instances.form.badnumber", v.Text(f.name))).In(f.name)
		}
		*f.to = given
	}
	return d, nil
}

// lines are the words of text, however they are divided.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ' ' || r == '\t' || r == ',' })
}

// mostSpan is more than any bound allows, and far from where durations overflow.
const mostSpan = 7 * 24 * time.Hour

// span reads a duration such as 500ms, 10s or 2m; a bare number is of seconds, and
// nothing is none.
func span(text string) (time.Duration, bool) {
	if text == "" {
		return 0, true
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if n >= 0 && n <= mostSpan.Seconds() {
			return time.Duration(n * float64(time.Second)).Round(time.Millisecond), true
		}
		return 0, false
	}
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err != nil || d < 0 || d > mostSpan {
		return 0, false
	}
	return d.Round(time.Millisecond), true
}

// spanText is what span reads as d.
func spanText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func number(text string) (int, bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

func numberText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
