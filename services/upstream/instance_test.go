package upstream_test

import (
	"strings"
	"testing"

	"causeway/services/upstream"
)

func newTable(t testing.TB, instances ...upstream.Instance) *upstream.Table {
	t.Helper()
	table, err := upstream.NewTable(instances)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestMatch(t *testing.T) {
	t.Parallel()
	table := newTable(t,
		upstream.Instance{Name: "sample", Prefix: "/sample", Rules: upstream.SampleRules()},
		upstream.Instance{Name: "files", Prefix: "/files", Rules: []upstream.Rule{
			{Method: "GET", Path: "/files/private/*", Right: upstream.SampleAudit},
			{Method: "GET", Path: "/files/*", Right: upstream.SampleView},
			{Method: "PUT", Path: "/files/*", Right: upstream.SampleReserve},
		}},
		upstream.Instance{Name: "closed", Prefix: "/closed"},
		upstream.Instance{Name: "things", Prefix: "/things", Rules: []upstream.Rule{
			{Method: "GET", Path: "/things/{id}/parts", Right: upstream.SampleView},
			{Method: "GET", Path: "/things/{id}/parts/{part}/*", Right: upstream.SampleAudit},
		}},
	)
	for _, tt := range []struct {
		name, method, path string
		instance, right    string // empty: none
	}{
		{"exact", "GET", "/sample/inventory", "sample", upstream.SampleView},
		{"another method", "POST", "/sample/inventory", "sample", ""},
		{"the method in other case", "get", "/sample/inventory", "sample", ""},
		{"the path in other case", "GET", "/sample/INVENTORY", "sample", ""},
		{"below an exact path", "GET", "/sample/inventory/1", "sample", ""},
		{"an exact path with a slash", "GET", "/sample/inventory/", "sample", ""},
		{"longer than an exact path", "GET", "/sample/inventory2", "sample", ""},
		{"the instance itself", "GET", "/sample", "sample", ""},
		{"what begins like an instance", "GET", "/sampler/inventory", "", ""},
		{"an instance further down", "GET", "/x/sample/inventory", "", ""},
		{"nobody's", "GET", "/", "", ""},
		{"everything below", "GET", "/files/a/b/c", "files", upstream.SampleView},
		{"directly below", "GET", "/files/a", "files", upstream.SampleView},
		{"the directory itself is not below", "GET", "/files", "files", ""},
		{"nor is it with a slash", "GET", "/files/", "files", ""},
		{"the first rule counts", "GET", "/files/private/a", "files", upstream.SampleAudit},
		{"what only begins like its path", "GET", "/files/private2", "files", upstream.SampleView},
		{"by method", "PUT", "/files/private/a", "files", upstream.SampleReserve},
		{"no rule for the method", "DELETE", "/files/a", "files", ""},
		{"no rules at all", "GET", "/closed/a", "closed", ""},
		{"one segment of any name", "GET", "/things/7/parts", "things", upstream.SampleView},
		{"not two segments", "GET", "/things/7/8/parts", "things", ""},
		{"nor an empty one", "GET", "/things//parts", "things", ""},
		{"nor what follows", "GET", "/things/7/parts/", "things", ""},
		{"nor a part of the way", "GET", "/things/7", "things", ""},
		{"two of any name, and all below", "GET", "/things/7/parts/8/a/b", "things", upstream.SampleAudit},
		{"and nothing below", "GET", "/things/7/parts/8", "things", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := table.Match(tt.method, tt.path)
			instance := ""
			if m.Instance != nil {
				instance = m.Instance.Name
			}
			if instance != tt.instance || string(m.Right) != tt.right {
				t.Errorf("leads to %q by %q, want %q by %q", instance, m.Right, tt.instance, tt.right)
			}
		})
	}
}

func TestNewTable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		instances []upstream.Instance
		wrong     string // in the error; empty: none
	}{
		{"none", nil, ""},
		{"side by side", []upstream.Instance{{Name: "a", Prefix: "/a"}, {Name: "b", Prefix: "/b"}, {Name: "ab", Prefix: "/ab"}}, ""},
		{"the same prefix", []upstream.Instance{{Name: "a", Prefix: "/a"}, {Name: "b", Prefix: "/a"}}, "overlap"},
		{"inside another", []upstream.Instance{{Name: "a", Prefix: "/a"}, {Name: "b", Prefix: "/a/b"}}, "overlap"},
		{"around another", []upstream.Instance{{Name: "b", Prefix: "/a/b"}, {Name: "c", Prefix: "/c"}, {Name: "a", Prefix: "/a"}}, "overlap"},
		{"no prefix", []upstream.Instance{{Name: "a"}}, "prefix"},
		{"everything", []upstream.Instance{{Name: "a", Prefix: "/"}}, "prefix"},
		{"a slash at the end", []upstream.Instance{{Name: "a", Prefix: "/a/"}}, "prefix"},
		{"not absolute", []upstream.Instance{{Name: "a", Prefix: "a"}}, "prefix"},
		{"a right nobody knows", []upstream.Instance{{Name: "a", Prefix: "/a", Rules: []upstream.Rule{{Method: "GET", Path: "/a/x", Right: "Anything"}}}}, "Anything"},
		{"no right", []upstream.Instance{{Name: "a", Prefix: "/a", Rules: []upstream.Rule{{Method: "GET", Path: "/a/x"}}}}, "unknown right"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := upstream.NewTable(tt.instances)
			switch {
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("got %v, want an error about %q", err, tt.wrong)
			}
		})
	}
}
