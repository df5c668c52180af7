package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"causeway/internal/config"
)

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		return path
	}
	url := file("url", "postgres://causeway:hunter2@db/causeway\r\n")
	empty := file("empty", "\n")

	c, err := config.Load(config.Source{Environ: []string{
		"CAUSEWAY_PUBLIC_URL=https://west.example.com",
		"CAUSEWAY_PUBLIC_TRUSTED_PROXIES=10.0.0.0/8, 192.0.2.1/32",
		"CAUSEWAY_DATABASE_URL_FILE=" + url,
		"CAUSEWAY_GOSSIP_FEDERATION=causeway", // makes the optional section
		"CAUSEWAY_GOSSIP_KEY_FILE=/etc/causeway/gossip.key",
		"CAUSEWAY_LIMITS_LOGIN_SOURCE_PER=30m",
		// Other people's variables.
		"CAUSEWAY_TOKEN=x", "CAUSEWAY_CONFIG=/etc/causeway.yaml",
		"CAUSEWAY_PEER_SERVICE_HOST=10.1.2.3", "CAUSEWAY_PEER_SERVICE_PORT=7443", "CAUSEWAY_PEER_SERVICE_PORT_HTTPS=7443",
		"CAUSEWAY_PEER_PORT=tcp://10.1.2.3:7443", "CAUSEWAY_PEER_PORT_7443_TCP_ADDR=10.1.2.3",
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want any }{
		{c.Database.URL.Reveal(), "postgres://causeway:hunter2@db/causeway"},
		{len(c.Public.TrustedProxies), 2},
		{c.Gossip.Listen, ":7947"},
		{c.Limits.Login.Source, config.Budget{Per: 30 * time.Minute}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("got %v, want %v", tt.got, tt.want)
		}
	}

	path := write(t, minimal)
	for _, tt := range []struct {
		variable string
		want     string
	}{
		{"CAUSEWAY_SESSIONS_IDLE_TIMEOUT=30", `CAUSEWAY_SESSIONS_IDLE_TIMEOUT: sessions.idle_timeout: "30" is not a duration such as 90s, 30m or 24h`},
		{"CAUSEWAY_SESSIONS_IDLE_TIMEOUT=48h", `CAUSEWAY_SESSIONS_IDLE_TIMEOUT: sessions.idle_timeout: must be between 1m and 24h`},
		{"CAUSEWAY_SESSIONS_IDEL_TIMEOUT=1m", `CAUSEWAY_SESSIONS_IDEL_TIMEOUT: there is no such setting, or it can be set in the file only`},
		{"CAUSEWAY_SERVICES_0_NAME=x", `CAUSEWAY_SERVICES_0_NAME: there is no such setting, or it can be set in the file only`},
		{"CAUSEWAY_PUBLIC_TRUSTED_PROXIES=10.0.0.0/8,10.0.0.1", `CAUSEWAY_PUBLIC_TRUSTED_PROXIES: public.trusted_proxies: "10.0.0.1" is not a network such as 10.0.0.0/8`},
		{"CAUSEWAY_PUBLIC_TRUSTED_PROXIES=0.0.0.0/0", `CAUSEWAY_PUBLIC_TRUSTED_PROXIES: public.trusted_proxies[0]: would let everybody choose the address they are limited by`},
		{"CAUSEWAY_DATABASE_URL_FILE=/nowhere", `CAUSEWAY_DATABASE_URL_FILE: database.url: "/nowhere" cannot be read: no such file or directory`},
		{"CAUSEWAY_DATABASE_URL_FILE=" + empty, `is empty`},
		{"CAUSEWAY_PUBLIC_URL_FILE=" + url, `CAUSEWAY_PUBLIC_URL_FILE: there is no such setting, or it can be set in the file only`},
		{"CAUSEWAY_GOSSIP_LISTEN=:1", `CAUSEWAY_GOSSIP_LISTEN`}, // the rest of the section is missing
	} {
		_, err := config.Load(config.Source{Path: path, Environ: []string{tt.variable}})
		if tt.variable == "CAUSEWAY_GOSSIP_LISTEN=:1" {
			wantFaults(t, err, "causeway.yaml: gossip.federation: is required", "causeway.yaml: gossip.key_file: is required")
			continue
		}
		if got := faults(t, err); len(got) != 1 || !strings.Contains(got[0], tt.want) {
			t.Errorf("%s: got %q, want %q", tt.variable, got, tt.want)
		}
	}
	// A list from a variable takes the place of the file's, members and all.
	_, err = config.Load(config.Source{
		Path:    write(t, "public:\n  url: https://a.example\n  trusted_proxies: [x, 10.0.0.0/8]\ndatabase: {url: \"sqlite:///a.db\"}"),
		Environ: []string{"CAUSEWAY_PUBLIC_TRUSTED_PROXIES=0.0.0.0/0,::/0"},
	})
	wantFaults(t, err,
		`causeway.yaml:3:21: public.trusted_proxies[0]: "x" is not a network such as 10.0.0.0/8`,
		`CAUSEWAY_PUBLIC_TRUSTED_PROXIES: public.trusted_proxies[0]: would let everybody choose the address they are limited by`,
		`CAUSEWAY_PUBLIC_TRUSTED_PROXIES: public.trusted_proxies[1]: would let everybody choose the address they are limited by`)
	_, err = config.Load(config.Source{Path: path, Environ: []string{"CAUSEWAY_DATABASE_URL=sqlite:///a.db", "CAUSEWAY_DATABASE_URL_FILE=" + url}})
	wantFaults(t, err, "CAUSEWAY_DATABASE_URL: database.url: is set by CAUSEWAY_DATABASE_URL_FILE too")
}

func TestFlags(t *testing.T) {
	path := write(t, minimal)
	c, err := config.Load(config.Source{Path: path, Flags: map[string]string{"database.url": "postgres:///causeway?host=/run/postgresql", "peer.listen": ":0", "operations.listen": ":0"}})
	if err != nil || c.Peer.Listen != ":0" {
		t.Errorf("%v", err)
	}
	for _, url := range []string{"postgres://u:hunter2@db/x", "postgres://db/x?password=hunter2", "postgres://u:hunter2@db:port/x"} {
		_, err := config.Load(config.Source{Path: path, Flags: map[string]string{"database.url": url}})
		if got := faults(t, err); len(got) != 1 || !strings.Contains(got[0], "holds a password") {
			t.Errorf("%s: %q", url, got)
		}
	}
}

// TestFaultsKeepSecrets gives the secret in every way that is wrong and looks
// for it in what is printed.
func TestFaultsKeepSecrets_R12(t *testing.T) {
	for _, url := range []string{
		"hunter2", "mysql://u:hunter2@db/x", "postgres://u:hunter2@db:port/x", "postgres://u:hunter2@db",
		"postgres://u:hunter2/%zz@db/x", "sqlite://hunter2", "sqlite:///a?key=hunter2", "\x7fhunter2", "postgres://u:hunter2 x@db/y",
	} {
		quoted := "\"" + strings.ReplaceAll(url, "\x7f", "\\x7f") + "\""
		for name, src := range map[string]config.Source{
			"file":     {Path: write(t, "database: {url: "+quoted+"}")},
			"list":     {Path: write(t, "database: {url: ["+quoted+"]}")},
			"no YAML":  {Path: write(t, "database: {url: "+quoted+"\n  x")},
			"unquoted": {Path: write(t, "database:\n  url: a: hunter2\n")},
			"variable": {Environ: []string{"CAUSEWAY_DATABASE_URL=" + url}},
			"flag":     {Flags: map[string]string{"database.url": url}},
		} {
			_, err := config.Load(src)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %q: %v", name, url, err)
			}
		}
	}
}
