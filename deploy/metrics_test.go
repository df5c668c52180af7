package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

const (
	rulesFile     = "prometheus/causeway.rules.yaml"
	rulesTestFile = "prometheus/causeway.rules.test.yaml"
)

// rules is the part of a rule file that names metrics.
type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For string
			Labels           map[string]string
			Annotations      map[string]string
		}
	}
}

func readRules(t *testing.T) (r rules) {
	t.Helper()
	data, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(data, &r, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return r
}

// dashboard is all that ours use of Grafana's model, so that a misspelt member is
// found.
type dashboard struct {
	UID           string `json:"uid"`
	Title         string
	Description   string
	Tags          []string
	Editable      bool
	SchemaVersion int
	Version       int
	Timezone      string
	Refresh       string
	Time          struct{ From, To string }
	Links         []struct {
		Title, Type                       string
		Tags                              []string
		AsDropdown, KeepTime, IncludeVars bool
	}
	Templating struct {
		List []struct {
			Name, Type, Query, Label string
			Datasource               source
			Refresh, Sort            int
			Multi, IncludeAll        bool
		}
	}
	Panels []struct {
		ID          int `json:"id"`
		Type        string
		Title       string
		Description string
		Datasource  source
		GridPos     struct{ X, Y, W, H int }
		FieldConfig struct {
			Defaults struct {
				Unit string
				Min  *int
			}
			Overrides []struct{}
		}
		Targets []struct{ RefID, Expr, LegendFormat string }
	}
}

type source struct {
	Type string
	UID  string `json:"uid"`
}

func readDashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob("grafana/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	all := map[string]dashboard{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[file] = d
	}
	return all
}

// expressions are all that dashboards and rules ask Prometheus, by where it is.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			found[r.Alert] = r.Expr
		}
	}
	for file, d := range readDashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				found[fmt.Sprintf("%s, panel %d (%s) %s", file, p.ID, p.Title, target.RefID)] = target.Expr
			}
		}
	}
	return found
}

var (
	metricName = regexp.MustCompile(`\b(?:causeway|process|go)_[a-z0-9_]+`)
	matcher    = regexp.MustCompile(`(\w+)\s*(=~|!=|=)\s*"([^"]*)"`)
	selector   = regexp.MustCompile(`\b((?:causeway|process|go)_[a-z0-9_]+)(?:\{([^}]*)\})?`)
)

// TestMetrics_AllThatIsAskedForExists holds dashboards and rules against what a
// site shows before anything has happened: names, labels, and values of labels.
func TestMetrics_AllThatIsAskedForExists(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	series := scrape(t, p.Client.Site("west").Ops)
	for where, expr := range expressions(t) {
		found := selector.FindAllStringSubmatch(expr, -1)
		if len(found) == 0 && !strings.Contains(expr, "up{") {
			t.Errorf("%s asks for no metric of ours: %s", where, expr)
		}
		for _, s := range found {
			if !exists(series[s[1]], s[2]) {
				t.Errorf("%s asks for what no site shows: %s", where, s[0])
			}
		}
	}
}

// exists reports whether one of the series, given by their labels, answers to each
// matcher on its own. What Prometheus adds is not the site's.
func exists(series []map[string]string, matchers string) bool {
	if len(series) == 0 {
		return false
	}
	for _, m := range matcher.FindAllStringSubmatch(matchers, -1) {
		label, op, value := m[1], m[2], m[3]
		if label == "job" || label == "instance" {
			continue
		}
		words := []string{value}
		if op == "=~" {
			words = strings.Split(value, "|") // each of them
		}
		for _, word := range words {
			if !slices.ContainsFunc(series, func(labels map[string]string) bool { return labels[label] == word }) {
				return false
			}
		}
	}
	return true
}

// scrape is what an operations listener shows: the labels of the series of each name.
func scrape(t *testing.T, operations string) map[string][]map[string]string {
	t.Helper()
	res, err := http.Get(operations + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	series := map[string][]map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name := metricName.FindString(line); name != "" && strings.HasPrefix(line, name) {
			labels := map[string]string{}
			for _, m := range matcher.FindAllStringSubmatch(line, -1) {
				labels[m[1]] = m[3]
			}
			series[name] = append(series[name], labels)
		}
	}
	return series
}

// TestRules_AlertAsTheirTestsSay has Prometheus' own tool read the rules, run their
// unit tests, and read what the dashboards ask.
func TestRules_AlertAsTheirTestsSay(t *testing.T) {
	promtool := sitetest.Needs(t, "promtool", "prometheus")
	output(t, promtool, "check", "rules", rulesFile)
	output(t, promtool, "check", "config", "prometheus/scrape.yaml")
	output(t, promtool, "test", "rules", rulesTestFile)

	asked := expressions(t)
	var list strings.Builder
	list.WriteString("groups:\n- name: dashboards\n  rules:\n")
	for i, where := range slices.Sorted(maps.Keys(asked)) {
		expr := strings.NewReplacer("$__rate_interval", "5m", "$job", "causeway-west").Replace(asked[where])
		fmt.Fprintf(&list, "  - record: asked:%d\n    expr: %q\n", i, expr)
	}
	file := filepath.Join(t.TempDir(), "dashboards.yaml")
	if err := os.WriteFile(file, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, promtool, "check", "rules", file)
}

// An alert that nobody has seen fire may never do so.
func TestRules_EachAlertIsTestedAndExplained(t *testing.T) {
	tests, err := os.ReadFile(rulesTestFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			if !strings.Contains(string(tests), `alertname="`+r.Alert+`"`) {
				t.Errorf("no test has %s fire", r.Alert)
			}
			if !slices.Contains([]string{"page", "ticket", "notice"}, r.Labels["severity"]) {
				t.Errorf("%s has severity %q", r.Alert, r.Labels["severity"])
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s does not say what is wrong and what to do", r.Alert)
			}
		}
	}
}
