package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// TestLoadCommand sizes a site that serves meanwhile.
func TestLoadCommand(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			cell := sitetest.NewCell(t, storetest.EmptyURL(t, kind), "")
			wantRun(t, 1, "migrate", "load", "--config", cell.Config)
			cell.Init(t)
			passwords := filepath.Join(t.TempDir(), "administrators")
			if err := os.WriteFile(passwords, []byte("a long password\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			sized := []string{"load", "--config", cell.Config, "--organizations", "4", "--users", "2", "--accounts", "3", "--password-file", passwords}
			wantRun(t, 0, "4 are new, with 8 users and 12 service accounts", sized...)

			p := cell.Begin(t)
			cell.Ready(t, p)
			client := cell.Client(t)
			defer func() { client.Hangup(); p.Stop(t) }()
			wantRun(t, 0, "0 are new", sized...)
			sized[4] = "5" // while the site serves
			wantRun(t, 0, "1 are new, with 2 users and 3 service accounts", sized...)
			const org = "juniper-robotics-5"
			cell.File.Sites[0].Organizations = append(cell.File.Sites[0].Organizations, dev.OrgFile{
				Name: org, Admin: dev.Login{User: "administrator", Password: "a long password"},
			})
			token := client.Login(t, sitetest.SiteName, org)
			page := client.Get(t, sitetest.SiteName, "/cloudapi/1.0.0/serviceAccounts", sitetest.Bearer(token)).Want(t, http.StatusOK)
			if total := page.JSON(t)["resultTotal"]; total != 3.0 {
				t.Errorf("%s has %v accounts", org, total)
			}
		})
	}
}

func TestLoadCommandRefuses(t *testing.T) {
	cell := sitetest.NewCell(t, storetest.EmptyURL(t, storetest.SQLite), "")
	wantRun(t, 0, "current", "migrate", "--config", cell.Config)
	wantRun(t, 1, "causeway init", "load", "--config", cell.Config)
	wantRun(t, 2, "between", "load", "--config", cell.Config, "--organizations", "0")
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRun(t, 2, "no password", "load", "--config", cell.Config, "--password-file", empty)
	wantRun(t, 2, "absent", "load", "--config", cell.Config, "--password-file", empty+"absent")
}
