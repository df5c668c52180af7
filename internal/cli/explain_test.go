package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// An identifier out of an error message is all that somebody needs.
func TestExplain(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	west := p.Client.Site("west")
	admin := p.Client.Login(t, "west", "acme")
	refused := p.Client.Get(t, "west", "/cloudapi/1.0.0/rightsBundles", sitetest.Bearer(admin)).Want(t, http.StatusForbidden)
	id := refused.Header.Get("X-VMWARE-VCLOUD-REQUEST-ID")
	dev := func(args ...string) []string { return append([]string{"explain", "--folder", p.Folder}, args...) }

	code, out, errs := run(t, dev("--dev", "[ "+id+" ]")...)
	for _, want := range []string{
		"Request " + id + " was refused with 403 (forbidden).", `Who:  the user "acme-admin" of acme, from 127.0.0.1`,
		"GET /cloudapi/1.0.0/rightsBundles, in the organization acme", `"Rights Bundle: View"`, "only the provider's people",
	} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, want %q\n%s%s", code, want, out, errs)
		}
	}
	wantRun(t, 0, id, dev("--dev=west", "--org", "acme", id)...)
	wantRun(t, 5, "Nothing is known", dev("--dev=east", id)...)
	wantRun(t, 5, "Nothing is known", dev("--dev", "00000000-0000-4000-8000-000000000000")...)

	var explained struct {
		Known   bool
		Refusal struct{ Facts map[string]string }
	}
	_, out, _ = run(t, dev("--dev", "-o", "json", id)...)
	if err := json.Unmarshal([]byte(out), &explained); err != nil || !explained.Known || explained.Refusal.Facts["roleOrganization"] != "acme" {
		t.Errorf("%v: %s", err, out)
	}
	_, out, _ = run(t, dev("--dev", "-o", "yaml", id)...)
	var again struct {
		RequestID string `yaml:"requestId"`
	}
	if err := yaml.Unmarshal([]byte(out), &again); err != nil || again.RequestID != id {
		t.Errorf("%v: %s", err, out)
	}

	for _, args := range [][]string{
		{"explain"}, dev("--dev", "no/id"), dev("--dev=north", id), dev("--dev", "-o", "xml", id), dev("--dev", "--org", "nowhere", id), {"explain", id},
		dev("--dev", "--user", "jane", id), dev("--dev", "--url", "https://nowhere.example", id), dev("--dev", "--token-file", "x", id),
		{"explain", "--url", west.API, id}, {"explain", "--url", west.API, "--user", "jane", id},
	} {
		if code, out, errs := run(t, args...); code != 2 || out != "" {
			t.Errorf("%q: exit code %d\n%s%s", args, code, out, errs)
		}
	}

	t.Run("with a password", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(file, []byte(west.Admin.Password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		site := []string{"explain", "--url", west.API, "--ca", p.Client.File.CA, "--user", west.Admin.User, "--password-file"}
		wantRun(t, 0, "was refused with 403", append(site, file, id)...)
		if err := os.WriteFile(file, []byte("not-the-passw0rd"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := run(t, append(site, file, id)...)
		if code != 1 || !strings.Contains(errs, "401") || strings.Contains(out+errs, "not-the-passw0rd") {
			t.Errorf("exit code %d\n%s%s", code, out, errs)
		}
	})
	t.Run("the sessions are ended", func(t *testing.T) {
		a := p.Client.Get(t, "west", "/cloudapi/1.0.0/sessions", sitetest.Bearer(p.Client.Login(t, "west", sitetest.System))).Want(t, http.StatusOK)
		if total, _ := a.JSON(t)["resultTotal"].(float64); total != 1 {
			t.Errorf("%v sessions are left\n%s", total, a.Body)
		}
	})
}
