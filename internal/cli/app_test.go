package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// A provider makes an instance, an organization's owner an app that works there, all
// from the command line; secrets are shown once and end when they are replaced.
func TestApp_CSP_25_CSP_26_CSP_32_CSP_42(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	at := func(org string, args ...string) []string {
		return append(args, "--folder", p.Folder, "--dev", "--org", org)
	}
	wantRun(t, 0, "Operations for Applications", at("System", "service", "definitions")...)
	wantRun(t, 0, "observability", at("System", "service", "create", "--name", "observability", "--organization", "acme",
		"--prefix", "/observability", "--upstream", "http://127.0.0.1:9")...)
	wantRun(t, 0, "onboarded", at("acme", "service", "instances")...)

	file := filepath.Join(t.TempDir(), "shipper.json")
	wantRun(t, 0, "credentials are in", at("acme", "app", "create", "--name", "shipper", "--service-role", "aoa:proxies", "--credentials", file)...)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file of the credentials: %v, %v", info, err)
	}
	made := readCredentials(t, file)
	if status := exchange(t, p, made); status != http.StatusForbidden {
		t.Errorf("before it was added the app gets %d", status)
	}
	wantRun(t, 0, "added", at("acme", "app", "add", made.ClientID, "--service-role", "aoa:proxies")...)
	if status := exchange(t, p, made); status != http.StatusOK {
		t.Errorf("the app gets %d", status)
	}
	wantRun(t, 0, "aoa:proxies", at("acme", "app", "members")...)
	wantRun(t, 0, "shipper", at("acme", "app", "list")...)
	code, shown, errs := run(t, at("acme", "app", "show", made.ClientID, "-o", "json")...)
	if code != 0 || strings.Contains(shown+errs, made.ClientSecret) || strings.Contains(shown, "ecret\":") {
		t.Errorf("exit code %d, it shows %s%s", code, shown, errs)
	}

	again := filepath.Join(t.TempDir(), "again.json")
	wantRun(t, 0, "credentials are in", at("acme", "app", "secret", "rotate", made.ClientID, "--credentials", again)...)
	for _, c := range []credentials{made, readCredentials(t, again)} {
		if status := exchange(t, p, c); status != http.StatusOK {
			t.Errorf("while both secrets work one gets %d", status)
		}
	}
	wantRun(t, 0, "has ended", at("acme", "app", "secret", "end-rotation", made.ClientID)...)
	wantRun(t, 0, "shown once", at("acme", "app", "secret", "regenerate", made.ClientID)...)
	for _, c := range []credentials{made, readCredentials(t, again)} {
		if status := exchange(t, p, c); status != http.StatusUnauthorized {
			t.Errorf("an ended secret gets %d", status)
		}
	}

	wantRun(t, 0, "done", at("acme", "app", "roles", "revoke", made.ClientID, "--service-role", "aoa:proxies")...)
	wantRun(t, 0, "removed", at("acme", "app", "remove", made.ClientID)...)
	wantRun(t, 0, "deleted", at("acme", "app", "delete", made.ClientID)...)
	if code, _, errs := run(t, at("acme", "app", "delete", made.ClientID)...); code != 1 || !strings.Contains(errs, made.ClientID) {
		t.Errorf("deleted again: exit code %d, %s", code, errs)
	}
	for _, args := range [][]string{
		at("acme", "app", "create"), at("acme", "app", "add"), at("acme", "app", "roles", "grant", "some-app"), at("acme", "app", "list", "x"),
		at("System", "service", "create", "--name", "x"), at("System", "service", "define"),
	} {
		if code, out, errs := run(t, args...); code != 2 || out != "" {
			t.Errorf("%q: exit code %d\n%s%s", args, code, out, errs)
		}
	}
}

// A provider's own definition is created, and replaced by its id.
func TestServiceDefine(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	write := func(description string) {
		t.Helper()
		text := `id: 5b4f8f5e-7d8a-4d53-9a0e-7f4d1f7a2c11
name: Inventory
description: ` + description + `
prefix: inv
permissions:
  - {name: "inv:read", displayName: Read, description: See what there is.}
roles:
  - {name: "inv:read", displayName: Read, description: See what there is., permissions: ["inv:read"]}
routes:
  - {methods: [GET], path: /things, permission: "inv:read"}
`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := []string{"--folder", p.Folder, "--dev"}
	for _, description := range []string{"first", "second"} {
		write(description)
		wantRun(t, 0, "Inventory", append([]string{"service", "define", file}, at...)...)
	}
	code, out, errs := run(t, append([]string{"service", "definitions", "-o", "json"}, at...)...)
	if code != 0 || !strings.Contains(out, "second") || strings.Contains(out, `"first"`) {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

type credentials struct{ ClientID, ClientSecret string }

func readCredentials(t *testing.T, file string) (c credentials) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil || c.ClientID == "" || len(c.ClientSecret) < 32 {
		t.Fatalf("the credentials are %s, %v", text, err)
	}
	return c
}

// exchange asks for a token and says how that ended.
func exchange(t *testing.T, p *sitetest.Pair, c credentials) int {
	t.Helper()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.ClientID+":"+c.ClientSecret))
	return p.Client.Do(t, http.MethodPost, p.Client.Site("west").API+"/csp/gateway/am/api/auth/authorize",
		http.Header{"Authorization": {basic}, "Content-Type": {"application/x-www-form-urlencoded"}}, strings.NewReader("grant_type=client_credentials")).Status
}
