package sitetest

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"causeway/internal/problem"
	"causeway/internal/store/storetest"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const metricsPage = "../../docs/metrics.md"

// scrape reads a site's metrics as Prometheus does.
func scrape(t *testing.T, p *Pair, site string) (families map[string]*dto.MetricFamily, text []byte) {
	t.Helper()
	text = p.Client.Do(t, http.MethodGet, p.Client.Site(site).Ops+"/metrics", nil, nil).Want(t, http.StatusOK).Body
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return families, text
}

// series are the names and labels of all samples, but those of the runtime.
func series(families map[string]*dto.MetricFamily) map[string]bool {
	all := map[string]bool{}
	for name, f := range families {
		if !ours(name) {
			continue
		}
		for _, m := range f.Metric {
			labels := []string{name}
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			all[strings.Join(labels, " ")] = true
		}
	}
	return all
}

func ours(name string) bool { return strings.HasPrefix(name, "causeway_") }

// TestMetrics_R13 looks at one pair of sites before anybody asked them for anything,
// and after much and after hostile traffic.
func TestMetrics_R13(t *testing.T) {
	p := Start(t, storetest.SQLite)
	Eventually(t, 20*time.Second, "the sites hear of each other", func() bool {
		families, _ := scrape(t, p, "west")
		return families["causeway_peer_status"] != nil
	})
	fresh, text := scrape(t, p, "west")
	t.Run("names and help follow Prometheus' conventions", func(t *testing.T) {
		problems, err := promlint.New(bytes.NewReader(text)).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range problems {
			t.Errorf("%s: %s", found.Metric, found.Text)
		}
	})
	t.Run("docs/metrics.md is what a site shows", func(t *testing.T) { comparePage(t, fresh) })
	t.Run("every problem is counted from the start", func(t *testing.T) {
		for _, code := range problem.Codes() {
			if !series(fresh)["causeway_problems_total code="+string(code)] {
				t.Errorf("there is no series of %s", code)
			}
		}
	})
	trouble(t, p)
	loaded, _ := scrape(t, p, "west")
	t.Run("no traffic makes a series that was not there at zero", func(t *testing.T) {
		before := series(fresh)
		if len(before) < 200 {
			t.Fatalf("only %d series", len(before))
		}
		for s := range series(loaded) {
			if !before[s] {
				t.Errorf("%s is new", s)
			}
		}
		// A scrape that says nothing of the traffic would pass, too.
		for _, code := range []problem.Code{problem.Unauthenticated, problem.UnknownPath} {
			if value(loaded, "causeway_problems_total", string(code)) == 0 {
				t.Errorf("%s was not counted", code)
			}
		}
		for _, where := range []string{"here", "peer"} {
			if value(loaded, "causeway_requests_total", where, "2xx") == value(fresh, "causeway_requests_total", where, "2xx") {
				t.Errorf("what was served at %q was not counted", where)
			}
		}
	})
}

// trouble asks a site for much of what it serves, here and at its peer, and for what
// it does not, with names, methods and addresses that nobody has asked by before.
func trouble(t *testing.T, p *Pair) {
	c := p.Client
	admin := c.Login(t, "west", "acme")
	id, _ := c.Account(t, "west", admin, "inventory-bot")
	access, refresh := c.Connect(t, "west", "acme", id)
	c.Refresh(t, "west", "acme", refresh).Want(t, http.StatusOK)
	c.Get(t, "west", "/sample/inventory", Bearer(access)).Want(t, http.StatusOK)
	c.Get(t, "west", "/sample/inventory", Bearer(access, authContext, "acme-labs")).Want(t, http.StatusOK)
	c.Form(t, "west", "acme", "token", "grant_type", "nonsense").Want(t, http.StatusBadRequest)
	for i := range 5 {
		unknown := fmt.Sprintf("stranger-%d", i)
		for _, method := range []string{http.MethodGet, "BREW" + unknown, http.MethodPost} {
			c.Do(t, method, c.Site("west").API+"/"+unknown, nil, nil)
			c.Do(t, method, c.Site("west").API+"/api/"+unknown, Bearer(unknown), nil)
			c.Do(t, method, c.Site("west").API+"/sample/"+unknown, Bearer(access, authContext, unknown), nil)
		}
		c.Form(t, "west", unknown, "device_authorization", "client_id", unknown)
		c.Form(t, "west", "acme", "device_authorization", "client_id", unknown)
		c.Get(t, "west", "/api/org", http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", i)}, "X-Vmware-Vcloud-Client-Request-Id": {unknown}})
	}
}

func value(families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	for _, m := range families[name].GetMetric() {
		var has []string
		for _, l := range m.Label {
			has = append(has, l.GetValue())
		}
		if slices.Equal(has, labels) {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return 0
}

// comparePage holds the page against the site, or writes it.
func comparePage(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	want := page(families)
	if *update {
		if err := os.WriteFile(metricsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("docs/metrics.md is not what a site shows; write it anew: go test ./internal/sitetest -run TestMetrics -update")
	}
}

const pageHead = `# Metrics

What the operations listener shows at ` + "`/metrics`" + `, in Prometheus' text format. The names are stable: one is not renamed or given another meaning within a major version.
Everything is there at zero from the start, so that an alert need not ask whether a series exists; only series of another site (` + "`site`" + `) and of a gossip key
(` + "`fingerprint`" + `) come with it. No label names a tenant, an account, an address or a path. Beside these there are Go's (` + "`go_*`" + `) and the process's (` + "`process_*`" + `).

This page is made by ` + "`go test ./internal/sitetest -run TestMetrics -update`" + ` from what a site shows.

| name | type | unit | labels | meaning |
|---|---|---|---|---|
`

func page(families map[string]*dto.MetricFamily) string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if f := families[name]; ours(name) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()), unit(name), labels(f), strings.ReplaceAll(f.GetHelp(), "|", `\|`))
		}
	}
	return b.String()
}

func unit(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, u := range []string{"seconds", "bytes"} {
		if strings.HasSuffix(name, "_"+u) {
			return u
		}
	}
	return ""
}

// labels lists each label with its values, where those are few and of our choosing.
func labels(f *dto.MetricFamily) string {
	values := map[string]map[string]bool{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			if values[l.GetName()] == nil {
				values[l.GetName()] = map[string]bool{}
			}
			values[l.GetName()][l.GetValue()] = true
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := "`" + name + "`"
		if n := len(values[name]); n <= 8 && !unknowable[name] {
			text += ": " + strings.Join(slices.Sorted(maps.Keys(values[name])), ", ")
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// unknowable are labels whose values are a deployment's.
var unknowable = map[string]bool{"site": true, "fingerprint": true, "version": true, "commit": true, "goversion": true, "table": true}
