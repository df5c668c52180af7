package config

import (
	"slices"
	"testing"

	"causeway/internal/secret"
)

func TestChanged_R14_NamesEverySettingOnce(t *testing.T) {
	make := func() *Config {
		c := Defaults()
		c.Database.URL = secret.Text("postgres://one")
		c.Services = []Service{{Name: "a", Prefix: "/a"}}
		return c
	}
	for name, tt := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"nothing":          {func(*Config) {}, nil},
		"a number":         {func(c *Config) { c.Limits.Cells = 7 }, []string{"limits.cells"}},
		"a bucket":         {func(c *Config) { c.Limits.Login.Site.Tokens = 7 }, []string{"limits.login.site.tokens"}},
		"a secret":         {func(c *Config) { c.Database.URL = "postgres://two" }, []string{"database.url"}},
		"one of a list":    {func(c *Config) { c.Services[0].Prefix = "/b" }, []string{"services"}},
		"a longer list":    {func(c *Config) { c.Services = append(c.Services, Service{Name: "b"}) }, []string{"services"}},
		"several":          {func(c *Config) { c.Site.Name, c.Log.Level = "x", "debug" }, []string{"log.level", "site.name"}},
		"an empty section": {func(c *Config) { c.Gossip = nil }, nil},
	} {
		a, b := make(), make()
		tt.change(b)
		if got := Changed(a, b); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	a, b := make(), make()
	b.Gossip = &Gossip{Federation: "ours"}
	for _, got := range [][]string{Changed(a, b), Changed(b, a)} {
		if !slices.Contains(got, "gossip.federation") || slices.ContainsFunc(got, func(k string) bool { return k[:7] != "gossip." }) {
			t.Errorf("a section that was not there: %q", got)
		}
	}
}
