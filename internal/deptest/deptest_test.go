package deptest

import (
	"slices"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	g := load(t)
	for _, c := range containments {
		for _, e := range c.violations(g) {
			t.Errorf("%s imports %s, which only %s may:\n\t%s", e.from, e.to, strings.Join(c.in, ", "), c.reason)
		}
	}
	for _, b := range bans {
		for _, chain := range b.violations(g) {
			t.Errorf("%s:\n\t%s", strings.Join(chain, " imports "), b.reason)
		}
	}
}

func TestContainmentsCatch(t *testing.T) {
	for _, c := range containments {
		imported := []string{c.caught.to}
		for _, at := range []imports{{code: imported}, {tests: imported}} {
			if got := c.violations(graph{c.caught.from: at}); len(got) != 1 {
				t.Errorf("%v: caught %v; want just that", c.caught, got)
			}
		}
		for _, pattern := range c.in {
			allowed := strings.NewReplacer("/...", "", "*", "oauth").Replace(pattern)
			if got := c.violations(graph{allowed: {code: imported}}); len(got) != 0 {
				t.Errorf("%s may import %s, but: %v", allowed, c.caught.to, got)
			}
		}
	}
}

func TestBansCatch(t *testing.T) {
	const between = "causeway/cmd/between" // covered by the fewest rules
	for _, b := range bans {
		from, to := b.caught.from, b.caught.to
		for name, tt := range map[string]struct {
			g    graph
			want bool
		}{
			"directly":          {graph{from: {code: []string{to}}}, true},
			"through another":   {graph{from: {code: []string{between}}, between: {code: []string{to}}}, true},
			"in its tests only": {graph{from: {tests: []string{to}}}, false},
		} {
			if got := b.violations(tt.g); (len(got) > 0) != tt.want {
				t.Errorf("%v %s: caught %v; want it caught: %v", b.caught, name, got, tt.want)
			}
		}
	}
}

func TestRulesHaveReasons(t *testing.T) {
	var reasons []string
	for _, c := range containments {
		reasons = append(reasons, c.reason)
	}
	for _, b := range bans {
		reasons = append(reasons, b.reason)
	}
	if slices.Contains(reasons, "") {
		t.Error("a ban without a reason teaches nobody")
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pkg      string
		patterns string
		want     bool
	}{
		{"causeway/oauth", "causeway/oauth/...", true},
		{"causeway/oauth/oauthhttp", "causeway/oauth/...", true},
		{"causeway/oauthish", "causeway/oauth/...", false},
		{"causeway/oauth/oauthhttp", "causeway/oauth/... !causeway/*/*http/...", false},
		{"causeway/oauth/oauthhttp/form", "causeway/oauth/... !causeway/*/*http/...", false},
		{"causeway/oauth/keys", "causeway/oauth/... !causeway/*/*http/...", true},
		{"net/http", "causeway/*/*http/...", false},
		{"gorm.io/gorm", "gorm.io/...", true},
		{"github.com/glebarez/sqlite", "github.com/glebarez/sqlite", true},
		{"github.com/glebarez/sqlite/x", "github.com/glebarez/sqlite", false},
		{"testing", "testing/...", true},
		{"testing/synctest", "testing/...", true},
		{"causeway/internal/store/storetest", "causeway/*/*/*test", true},
		{"causeway/internal/site", "causeway/*/*test", false},
		{"fmt", "causeway/...", false},
	} {
		if got := match(tt.pkg, strings.Fields(tt.patterns)); got != tt.want {
			t.Errorf("match(%q, %q) = %v; want %v", tt.pkg, tt.patterns, got, tt.want)
		}
	}
}
