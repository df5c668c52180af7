package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"causeway/internal/config"
	"causeway/ratelimit"
)

// minimal is the least that is valid, in two lines.
const minimal = "public: {url: \"https://west.example.com\"}\ndatabase: {url: \"sqlite:///var/lib/causeway/west.db\"}\n"

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "causeway.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// faults gives the lines of Load's error with the file called by its base name.
func faults(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var f *config.Faults
	if !errors.As(err, &f) || len(f.List) == 0 {
		t.Fatalf("not *Faults: %#v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		if at := strings.Index(line, "causeway.yaml"); at >= 0 {
			lines[i] = line[at:]
		}
	}
	return lines
}

func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	if got := faults(t, err); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestLoadFull(t *testing.T) {
	c, err := config.Load(config.Source{Path: "testdata/full.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want any }{
		{c.Site.Name, "west"},
		{c.Public.TrustedProxies, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}},
		{c.Gossip.Seeds, []string{"east.example.com:7947", "[2001:db8::7]:7947"}},
		{c.Database.URL.Reveal(), "postgres://causeway:s3cret@db.example.com/causeway?sslmode=verify-full"},
		{c.Database.Connections, 32},
		{c.Rotation.Window, time.Duration(0)},
		{c.Federation.ConnectTimeout, time.Second},
		{c.Federation.Timeout, 30 * time.Second}, // a default beside a set one
		{c.Limits.Budgets(), ratelimit.Limits{ratelimit.DeviceAuthorization: {ratelimit.PerSource: {Tokens: 8, Per: time.Minute, Burst: 15}}}},
		{c.Services[0].Routes[1], config.ServiceRoute{Method: "DELETE", Path: "/sample/inventory/{id}/*", Right: "Inventory: Manage"}},
		{c.Audit.Syslog, []config.Syslog{{Name: "siem", Address: "siem.example.com:6514", Transport: "tls", Format: "cef", Facility: 13}}}, // of a list, too
		{c.PeerAddress(), "west.example.com:7443"},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("got %v, want %v", tt.got, tt.want)
		}
	}

	// What is shown is what would be loaded, but for the secret.
	shown, err := yaml.Marshal(c)
	if err != nil || strings.Contains(string(shown), "s3cret") {
		t.Fatalf("%v:\n%s", err, shown)
	}
	again, err := config.Load(config.Source{Path: write(t, string(shown)), Environ: []string{"CAUSEWAY_DATABASE_URL=" + c.Database.URL.Reveal()}})
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v\n got %+v\nwant %+v\n%s", err, again, c, shown)
	}
}

func TestLoadMinimal(t *testing.T) {
	c, err := config.Load(config.Source{Path: write(t, minimal)})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Defaults()
	want.Public.URL = "https://west.example.com"
	want.Database.URL = "sqlite:///var/lib/causeway/west.db"
	want.Site.Name, _ = os.Hostname()
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
	if got := c.PeerAddress(); got != "west.example.com:7443" {
		t.Errorf("PeerAddress() = %q", got)
	}
	if got, ok := c.Database.SQLite(); !ok || got != "/var/lib/causeway/west.db" {
		t.Errorf("SQLite() = %q, %v", got, ok)
	}
}

// TestEveryFaultAtOnce has a file with mistakes of every sort, and wrong
// variables and flags on top; none may hide another.
func TestEveryFaultAtOnce_R14(t *testing.T) {
	_, err := config.Load(config.Source{
		Path: write(t, `site:
  name: "no spaces please"
public:
  url: http://west.example.com
  listne: ":8443"
sessions:
  idle_timeout: 30
  token_lifetime: 9000h
database:
  url: mysql://root:hunter2@db/causeway
log: {level: loud}
services:
  - name: sample
    prefix: /api/sample
    upstream: [http://127.0.0.1:9000]
    routes:
      - method: GET
        path: /elsewhere
        right: x
device:
  interval: 60s
  interval: 30s
`),
		Environ: []string{"CAUSEWAY_JOURNAL_POLL=soon", "CAUSEWAY_DATABSE_URL=x", "CAUSEWAY_DATABASE_URI=x", "PATH=/bin"},
		Flags:   map[string]string{"peer.listen": "7443", "log.colour": "true"},
	})
	wantFaults(t, err,
		`causeway.yaml:2:3: site.name: must be 1 to 63 letters, digits, dots and dashes`,
		`causeway.yaml:4:3: public.url: must start with https://`,
		`causeway.yaml:5:3: public.listne: there is no such setting; did you mean listen?`,
		`causeway.yaml:7:3: sessions.idle_timeout: "30" is not a duration such as 90s, 30m or 24h`,
		`causeway.yaml:8:3: sessions.token_lifetime: must be between 5m and 720h`,
		`causeway.yaml:10:3: database.url: must start with sqlite:/// or postgres://`,
		`causeway.yaml:11:7: log.level: must be one of debug, info, warn, error`,
		`causeway.yaml:14:5: services[0].prefix: collides with /api, which is the gateway's own`,
		`causeway.yaml:15:5: services[0].upstream: must be a single value`,
		`causeway.yaml:18:9: services[0].routes[0].path: must lie below the service's prefix /api/sample`,
		`causeway.yaml:22:3: device.interval: is set twice, first in line 21`,
		`CAUSEWAY_DATABASE_URI: there is no such setting, or it can be set in the file only`,
		`CAUSEWAY_JOURNAL_POLL: journal.poll: "soon" is not a duration such as 90s, 30m or 24h`,
		`flag: log.colour: there is no such setting`,
		`flag: peer.listen: must be an address such as :8443 or 127.0.0.1:8443`,
	)
}

func TestLoadOrder(t *testing.T) {
	path := write(t, minimal+"log: {level: warn, format: json}\nsessions: {idle_timeout: 10m}\n")
	c, err := config.Load(config.Source{
		Path:    path,
		Environ: []string{"CAUSEWAY_LOG_LEVEL=error", "CAUSEWAY_SESSIONS_IDLE_TIMEOUT=20m", "CAUSEWAY_LOG_FORMAT="},
		Flags:   map[string]string{"sessions.idle_timeout": "25m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Log.Format != "json" || c.Log.Level != "error" || c.Sessions.IdleTimeout != 25*time.Minute {
		t.Errorf("format %s from the file, level %s from a variable, idle_timeout %v from a flag", c.Log.Format, c.Log.Level, c.Sessions.IdleTimeout)
	}
}

func TestFileFaults(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"not YAML", "public: [1\nsite: x", `causeway.yaml:2:1: ',' or ']' must be specified`},
		{"a list", "- a", `causeway.yaml:1:1: must be a list of settings such as "site:"`},
		{"a word", "just", `causeway.yaml:1:1: must be a list of settings such as "site:"`},
		{"two documents", minimal + "---\nsite: {name: x}", `causeway.yaml:4:5: a second document; only one is read`},
		{"a number for a text", minimal + "site: {name: 12}", `causeway.yaml:3:8: site.name: must be a text; put it in quotes`},
		{"a text for a number", minimal + `passwords: {concurrent: "4"}`, `causeway.yaml:3:13: passwords.concurrent: must be a whole number`},
		{"a fraction for a number", minimal + `passwords: {concurrent: 4.5}`, `causeway.yaml:3:13: passwords.concurrent: must be a whole number`},
		{"a number too big", minimal + `passwords: {concurrent: 18446744073709551615}`, `causeway.yaml:3:13: passwords.concurrent: must be a whole number`},
		{"infinity", minimal + `limits: {login: {source: {tokens: .inf}}}`, `causeway.yaml:3:27: limits.login.source.tokens: must be a whole number`},
		{"true for a text", minimal + `log: {level: true}`, `causeway.yaml:3:7: log.level: must be a text; put it in quotes`},
		{"a section for a value", minimal + `log: {level: {a: b}}`, `causeway.yaml:3:7: log.level: must be a single value`},
		{"a value for a section", minimal + `log: debug`, `causeway.yaml:3:1: log: is a section; its settings belong below it`},
		{"a value for an optional section", minimal + `gossip: true`, `causeway.yaml:3:1: gossip: is a section; its settings belong below it`},
		{"no value", minimal + "log:\n  level:\n", `causeway.yaml:4:3: log.level: has no value; give it one or leave it out`},
		{"an empty member", minimal + "services:\n  -\n", `causeway.yaml:4:5: services[0]: is empty`},
		{"an alias", minimal + "site: &a {name: x}", `causeway.yaml:3:1: site: is a section; its settings belong below it`},
		{"a merge", minimal + "<<: {}", `causeway.yaml:3:1: this is not the name of a setting`},
		{"a tag", minimal + "log: {level: !!str debug}", `causeway.yaml:3:7: log.level: must be a single value`},
		{"an empty section", minimal + "log:\ngossip:\nservices:\n", ``},
		{"what is missing is placed at its section", "public:\n  listen: \":1\"\ndatabase: {url: \"sqlite:///a.db\"}", `causeway.yaml:1:1: public.url: is required`},
		{"what is missing with its section", "public: {url: \"https://a.example\"}", `causeway.yaml: database.url: is required`},
		{"in a list", minimal + "public: {}", "causeway.yaml:3:1: public: is set twice, first in line 1"},
		{"a text in lines", minimal + "log:\n  level: |\n    debug\n", `causeway.yaml:4:3: log.level: must be one of debug, info, warn, error`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Load(config.Source{Path: write(t, tt.text)})
			if tt.want == "" {
				wantFaults(t, err)
				return
			}
			wantFaults(t, err, tt.want)
		})
	}
	_, err := config.Load(config.Source{Path: filepath.Join(t.TempDir(), "causeway.yaml")})
	wantFaults(t, err, "causeway.yaml: cannot be read: no such file or directory")
	_, err = config.Load(config.Source{Path: write(t, "public: {url: x}")})
	wantFaults(t, err, "causeway.yaml:1:10: public.url: must start with https://", "causeway.yaml: database.url: is required")
	_, err = config.Load(config.Source{})
	wantFaults(t, err, "database.url: is required", "public.url: is required")
	_, err = config.Load(config.Source{Path: write(t, strings.Repeat("#", 2<<20))})
	wantFaults(t, err, "causeway.yaml: cannot be read: larger than 1 MiB")
}
