package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// A site is saved while it serves, destroyed, and restored into the other database:
// what is there is whole, and neither the token that was rotated nor the one that
// replaced it opens anything.
func TestBackup_R12_R14_DestroyAndRestore(t *testing.T) {
	cell := sitetest.NewCell(t, storetest.EmptyURL(t, storetest.SQLite), "")
	cell.Init(t)
	process := cell.Begin(t)
	cell.Ready(t, process)
	c := cell.Client(t)
	admin := c.Login(t, sitetest.SiteName, sitetest.System)
	account := c.Register(t, sitetest.SiteName, sitetest.System, admin, "nightly", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "System Administrator")
	access, rotated := c.ConnectAs(t, sitetest.SiteName, sitetest.System, admin, account)

	folder := t.TempDir()
	file := filepath.Join(folder, "site.backup")
	wantRun(t, 0, "site solo", "backup", "-c", cell.Config, file)
	wantRun(t, 0, "The audit trail is as it was written", "verify", "-c", cell.Config, file)
	wantRun(t, 2, "takes the file", "restore", "-c", cell.Config)
	wantRun(t, 1, "nothing was changed", "restore", "-c", cell.Config, file)

	next := c.Refresh(t, sitetest.SiteName, sitetest.System, rotated).Want(t, http.StatusOK).String(t, "refresh_token")
	c.Hangup()
	process.Stop(t)

	cell = cell.Another(t, storetest.EmptyURL(t, storetest.Postgres))
	code, out, errs := run(t, "restore", "-c", cell.Config, "-o", "json", file)
	var report struct {
		Organizations []struct {
			Organization    string
			ServiceAccounts []struct{ Name string }
			Users           []string
		}
	}
	if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || len(report.Organizations) != 1 ||
		report.Organizations[0].Organization != sitetest.System || len(report.Organizations[0].ServiceAccounts) != 1 || report.Organizations[0].ServiceAccounts[0].Name != "nightly" {
		t.Fatalf("restore: exit code %d, %v\n%s%s", code, err, out, errs)
	}

	password := filepath.Join(folder, "password.txt")
	const fresh = "a password that nobody had before"
	if err := os.WriteFile(password, []byte(fresh+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRun(t, 2, "--password-file", "recover-admin", "-c", cell.Config)
	process = cell.Begin(t)
	cell.Ready(t, process)
	c = cell.Client(t)
	defer func() {
		c.Hangup()
		process.Stop(t)
	}()
	if a, err := c.TryLogin(sitetest.SiteName, sitetest.System); err != nil || a.Status != http.StatusUnauthorized {
		t.Errorf("the password of then: %v, status %d", err, a.Status)
	}
	user := cell.File.Sites[0].Admin.User
	wantRun(t, 0, "has the password now", "recover-admin", "-c", cell.Config, "--administrator", user, "--password-file", password)
	cell.File.Sites[0].Admin = dev.Login{User: user, Password: fresh}
	admin = c.Login(t, sitetest.SiteName, sitetest.System)
	c.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(access)).Want(t, http.StatusUnauthorized)
	for name, token := range map[string]string{"rotated": rotated, "its successor": next} {
		if a := c.Refresh(t, sitetest.SiteName, sitetest.System, token); a.Status != http.StatusBadRequest {
			t.Errorf("the token that was %s: status %d: %s", name, a.Status, a.Body)
		}
	}
	_, again := c.ConnectAs(t, sitetest.SiteName, sitetest.System, admin, account) // the account itself is there
	c.Refresh(t, sitetest.SiteName, sitetest.System, again).Want(t, http.StatusOK)
	trail := c.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/auditTrail?pageSize=25", sitetest.Bearer(admin)).Want(t, http.StatusOK)
	for _, said := range []string{"site.restored", "user.passwordChanged"} {
		if !strings.Contains(string(trail.Body), said) {
			t.Errorf("the audit trail has no %s", said)
		}
	}
	wantRun(t, 0, "The audit trail is as it was written", "audit", "verify", "-c", cell.Config)
}
