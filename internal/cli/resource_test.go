package cli_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/cli"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// shell runs commands in this process, with a home of its own.
type shell struct {
	*sitetest.Pair
	t *testing.T
}

func newShell(t *testing.T) *shell {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("CAUSEWAY_PROFILE", "")
	return &shell{sitetest.Start(t, storetest.SQLite), t}
}

func (s *shell) run(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = cli.Main(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// want runs a command that ends with a code and says something.
func (s *shell) want(code int, says string, args ...string) string {
	s.t.Helper()
	got, out, errs := s.run(args...)
	if got != code || !strings.Contains(out+errs, says) {
		s.t.Errorf("%q: exit code %d, want %d and %q\n%s%s", args, got, code, says, out, errs)
	}
	return out
}

// list runs a command that prints objects.
func (s *shell) list(args ...string) (found []map[string]any) {
	s.t.Helper()
	out := s.want(0, "", append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		s.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return found
}

// file is one that holds a line.
func file(t *testing.T, line string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// login logs in to west with a password from its dev.json, under a name.
func (s *shell) login(name, org string) {
	s.t.Helper()
	west := s.File.Site("west")
	admin := west.Admin
	if org != "System" {
		admin = west.Org(org).Admin
	}
	s.want(0, "It is the current one", "login", name, "--url", west.API, "--ca", s.File.CA, "--org", org,
		"--user", admin.User, "--password-file", file(s.t, admin.Password))
}

// A provider manages organizations, their people and roles, from the command line
// alone, after one login.
func TestResources_OfTheProvider(t *testing.T) {
	s := newShell(t)
	s.login("west", "System")

	s.want(0, "Fresh Corporation", "org", "create", "fresh", "--display-name", "Fresh Corporation")
	s.want(1, "", "org", "create", "fresh")
	s.want(0, "Fresh Corporation", "org", "create", "fresh", "--if-missing")
	s.want(0, "Newer", "org", "update", "FRESH", "--display-name", "Newer")
	s.want(2, "say what to change", "org", "update", "fresh")
	all := s.list("org", "list")
	if one := s.list("org", "list", "--limit", "1"); len(all) < 3 || len(one) != 1 {
		t.Errorf("%d organizations, and with a limit %d", len(all), len(one))
	}
	if some := s.list("org", "list", "--filter", "name==fr*"); len(some) != 1 || some[0]["displayName"] != "Newer" || some[0]["isEnabled"] != true {
		t.Errorf("the filter finds %v", some)
	}

	s.want(0, "auditor", "role", "create", "auditor", "--tenant", "fresh", "--right", "organization: view")
	s.want(5, "no right", "role", "create", "other", "--tenant", "fresh", "--right", "Nothing: Such")
	s.want(0, "Organization: View", "role", "show", "auditor", "--tenant", "fresh", "--rights")
	s.want(0, "", "role", "set-rights", "auditor", "--tenant", "fresh", "--none")
	if shown := s.list("role", "show", "auditor", "--tenant", "fresh", "--rights"); len(shown[0]["rights"].([]any)) != 0 {
		t.Errorf("%v", shown)
	}
	s.want(2, "say which rights", "role", "set-rights", "auditor", "--tenant", "fresh")
	s.want(0, "support", "role", "global", "create", "support", "--right", "Organization: View")
	s.want(2, "to whom", "role", "global", "publish", "support")
	s.want(0, "support", "role", "global", "publish", "support", "--to", "fresh")
	s.want(0, "support", "role", "list", "--tenant", "fresh")
	s.want(0, "support", "role", "global", "unpublish", "support", "--to", "fresh")
	s.want(0, "deleted", "role", "global", "delete", "support", "--yes")
	s.want(0, "Organization: View", "right", "list", "--filter", "name==Organization*")

	password := file(t, "Sesame-Opens-42!")
	s.want(2, "--role", "user", "create", "jane", "--tenant", "fresh", "--password-from", password)
	s.want(2, "no terminal", "user", "create", "jane", "--tenant", "fresh", "--role", "auditor")
	s.want(0, "auditor", "user", "create", "jane", "--tenant", "fresh", "--role", "auditor", "--password-from", password)
	s.want(0, "Organization Administrator", "user", "set-role", "jane", "--tenant", "fresh", "--role", "organization administrator")
	s.want(0, "jane", "user", "set-password", "jane", "--tenant", "fresh", "--password-from", file(t, "Another-Sesame-43!"))
	s.want(0, "jane", "user", "unlock", "jane", "--tenant", "fresh")
	s.want(2, "say --yes", "user", "disable", "jane", "--tenant", "fresh")
	s.want(0, "disabled", "user", "disable", "jane", "--tenant", "fresh", "--yes")
	if shown := s.list("user", "show", "jane", "--tenant", "fresh"); shown[0]["enabled"] != false {
		t.Errorf("%v", shown)
	}
	s.want(0, "jane", "user", "enable", "jane", "--tenant", "fresh")
	s.want(0, "deleted", "role", "delete", "auditor", "--tenant", "fresh", "--yes")
	s.want(0, "deleted", "user", "delete", "jane", "--tenant", "fresh", "--yes")
	s.want(5, "no user", "user", "show", "jane", "--tenant", "fresh")

	s.want(0, "disabled", "org", "disable", "fresh", "--yes")
	s.want(0, "deleted", "org", "delete", "fresh", "--yes")
	s.want(5, "no organization", "org", "show", "fresh")
	s.want(0, "POLICY", "quota", "list")
	s.want(0, "TASK", "task", "list")
	s.want(2, "table, json, yaml", "org", "list", "-o", "xml")
	s.want(0, "name: acme", "org", "show", "acme", "-o", "yaml")
}

// A tenant's administrator creates an account, answers its request, and makes tokens.
func TestResources_OfTheTenant(t *testing.T) {
	s := newShell(t)
	s.login("acme", "acme")
	made := s.list("sa", "create", "shipper", "--role", "Organization Administrator", "--software-version", "1")
	if made[0]["status"] != "CREATED" {
		t.Fatalf("%v", made)
	}
	client := strings.TrimPrefix(made[0]["id"].(string), "urn:vcloud:serviceAccount:")
	s.want(0, "2.0", "sa", "edit", "shipper", "--software-version", "2.0")
	for _, answer := range []string{"deny", "grant"} {
		code := s.Client.Ask(t, "west", "acme", client).Want(t, http.StatusOK).String(t, "user_code")
		s.want(0, "shipper", "sa", "review", code)
		s.want(2, "say --yes", "sa", "review", code, "--"+answer)
		s.want(0, "ed", "sa", "review", code, "--"+answer, "--yes")
	}
	if now := s.list("sa", "list", "--filter", "name==shipper"); now[0]["status"] != "GRANTED" || now[0]["softwareVersion"] != "2.0" {
		t.Errorf("%v", now)
	}
	s.want(0, "revoked", "sa", "revoke", "shipper", "--yes")
	s.want(0, "deleted", "sa", "delete", "shipper", "--yes")

	token := filepath.Join(t.TempDir(), "ci.token")
	s.want(0, "the token is in", "token", "create", "ci", "--file", token)
	if info, err := os.Stat(token); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	s.want(0, "ci", "token", "list")
	s.want(0, "shown once", "token", "create", "other")
	west := s.File.Site("west")
	s.want(0, "It is the current one", "login", "ci", "--url", west.API, "--ca", s.File.CA, "--org", "acme", "--token-file", token)
	for range 2 { // each exchanges it
		s.want(0, "acme", "org", "list")
	}
	s.want(0, "revoked", "token", "revoke", "ci", "--yes", "--profile", "acme")
	s.want(1, "exchange the token", "org", "list")

	sessions := s.list("session", "list", "--profile", "acme")
	if len(sessions) == 0 {
		t.Fatal("there is no session")
	}
	s.want(0, "acme", "session", "show", sessions[0]["id"].(string), "--profile", "acme")
	s.want(2, "say --yes", "session", "end", sessions[0]["id"].(string), "--profile", "acme")
}

// What login remembers is used, is less than flags, and ends.
func TestProfiles(t *testing.T) {
	s := newShell(t)
	s.want(2, "causeway login", "org", "list")
	s.want(2, "there is no profile", "login", "west")
	s.login("west", "System")
	s.login("tenant", "acme")
	west := s.File.Site("west")
	s.want(0, "* ", "profile", "list")
	s.want(0, "tenant", "profile", "show", "tenant", "-o", "yaml")
	config := os.Getenv("XDG_CONFIG_HOME")
	_ = filepath.Walk(config, func(path string, info os.FileInfo, _ error) error {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), west.Admin.Password) {
			t.Errorf("%s holds the password", path)
		}
		return nil
	})
	if mine := s.list("org", "list"); len(mine) != 1 {
		t.Errorf("the tenant sees %v", mine)
	}
	if all := s.list("org", "list", "--profile", "west"); len(all) < 2 {
		t.Errorf("the provider sees %v", all)
	}
	t.Setenv("CAUSEWAY_PROFILE", "west")
	if all := s.list("org", "list"); len(all) < 2 {
		t.Errorf("the environment's profile sees %v", all)
	}
	t.Setenv("CAUSEWAY_PROFILE", "")
	s.want(2, "is of organization acme", "org", "list", "--org", "acme-labs")
	s.want(2, "give another name", "login", "--url", "https://elsewhere.example", "--user", "jane")
	s.want(2, "two sites", "org", "list", "--profile", "west", "--url", west.API)
	s.want(2, "--user or --token-file", "org", "list", "--url", west.API) // no session goes to a site that was named
	s.want(5, "no profile", "org", "list", "--profile", "nowhere")
	s.want(0, "acme", "org", "list", "--dev", "--folder", s.Folder)

	s.want(0, "Logged out", "logout")
	s.want(7, "causeway login tenant", "org", "list")
	s.want(0, "Nobody", "logout")
	s.want(0, "", "profile", "use", "west")
	s.want(0, "acme", "org", "list")
	held := s.list("session", "list")
	if len(held) != 1 {
		t.Fatalf("%d sessions of the provider", len(held))
	}
	s.want(0, "ended", "session", "end", held[0]["id"].(string), "--yes")
	s.want(7, "causeway login west", "org", "list")
	s.want(0, "", "profile", "remove", "west")
	s.want(5, "no profile", "profile", "use", "west")
}

// The reference says what the commands say, and each has a man page.
func TestReference_IsCurrent(t *testing.T) {
	var out, errs bytes.Buffer
	if code := cli.Main([]string{"docs", "reference"}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit code %d, %s", code, &errs)
	}
	kept, err := os.ReadFile("../../docs/cli.md")
	if err != nil || string(kept) != out.String() {
		t.Errorf("docs/cli.md is not what the commands say: make docs writes it (%v)", err)
	}
	folder := t.TempDir()
	if code := cli.Main([]string{"docs", "man", folder}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit code %d, %s", code, &errs)
	}
	if page, err := os.ReadFile(filepath.Join(folder, "causeway-org-create.1")); err != nil || !strings.Contains(string(page), "if-missing") {
		t.Errorf("%v\n%s", err, page)
	}
}
