package cli_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// With a watermark a restore lets those refresh tokens go on to which nothing happened
// after the backup, each time anew, and no other.
func TestWatermark_R12_R14_FamiliesGoOnWhereItProvesIt(t *testing.T) {
	mark := storetest.EmptyURL(t, storetest.SQLite)
	cell := sitetest.NewCell(t, storetest.EmptyURL(t, storetest.Postgres), "")
	cell.Init(t)
	wantRun(t, 2, "database.watermark is not configured", "watermark", "begin", "-c", cell.Config)
	t.Setenv("CAUSEWAY_DATABASE_WATERMARK", mark)
	process := cell.Begin(t)
	cell.Ready(t, process)
	wantRun(t, 1, "stop first: ", "watermark", "begin", "-c", cell.Config)
	process.Stop(t)
	wantRun(t, 0, "is kept from now on", "watermark", "begin", "-c", cell.Config)
	wantRun(t, 1, "keeps a watermark already", "watermark", "begin", "-c", cell.Config)

	process = cell.Begin(t)
	cell.Ready(t, process)
	c := cell.Client(t)
	admin := c.Login(t, sitetest.SiteName, sitetest.System)
	id, first := map[string]string{}, map[string]string{}
	names := []string{"idle", "renewed", "revoked"}
	for _, name := range names {
		id[name] = c.Register(t, sitetest.SiteName, sitetest.System, admin, name, "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "System Administrator")
		_, first[name] = c.ConnectAs(t, sitetest.SiteName, sitetest.System, admin, id[name])
	}
	file := filepath.Join(t.TempDir(), "site.backup")
	wantRun(t, 0, "site solo", "backup", "-c", cell.Config, file)
	wantRun(t, 0, "The audit trail is as it was written", "verify", "-c", cell.Config, file)
	second := c.Refresh(t, sitetest.SiteName, sitetest.System, first["renewed"]).Want(t, http.StatusOK).String(t, "refresh_token")
	c.Revoke(t, sitetest.SiteName, admin, id["revoked"])
	for series, none := range map[string]bool{
		`causeway_watermark_marks_total{outcome="written"}`: false, `causeway_watermark_marks_total{outcome="failed"}`: true,
		"causeway_watermark_wait_seconds_total": false,
	} {
		if got := cell.Metric(t, series); got == "" || (got == "0") != none {
			t.Errorf("%s is %q", series, got)
		}
	}
	c.Hangup()
	process.Kill()

	cell = restored(t, cell, storetest.Postgres, file, "idle", "renewed (renewed since)", "revoked (revoked or replaced since)")
	process = cell.Begin(t)
	cell.Ready(t, process)
	c = cell.Client(t)
	for name, token := range map[string]string{"renewed": first["renewed"], "its successor": second, "revoked": first["revoked"]} {
		if a := c.Refresh(t, sitetest.SiteName, sitetest.System, token); a.Status != http.StatusBadRequest {
			t.Errorf("the token that was %s: status %d: %s", name, a.Status, a.Body)
		}
	}
	next := c.Refresh(t, sitetest.SiteName, sitetest.System, first["idle"]).Want(t, http.StatusOK).String(t, "refresh_token")
	c.Refresh(t, sitetest.SiteName, sitetest.System, next).Want(t, http.StatusOK)
	c.Hangup()
	process.Stop(t)

	// The same backup once more: by now the third has been renewed as well.
	cell = restored(t, cell, storetest.SQLite, file, "", "idle (renewed since)", "renewed (renewed since)", "revoked (revoked or replaced since)")
	wantRun(t, 0, "The audit trail is as it was written", "audit", "verify", "-c", cell.Config)
	wantRun(t, 0, "keeps no watermark", "watermark", "end", "-c", cell.Config)

	// What was ended proves nothing.
	restored(t, cell, storetest.SQLite, file, "", "idle", "renewed", "revoked")
}

// restored restores a file into an empty database and wants the report to say what
// goes on and what ended.
func restored(t *testing.T, cell *sitetest.Cell, to storetest.Kind, file, on string, ended ...string) *sitetest.Cell {
	t.Helper()
	cell = cell.Another(t, storetest.EmptyURL(t, to))
	code, out, errs := run(t, "restore", "-c", cell.Config, "-o", "json", file)
	var report struct {
		Organizations []struct {
			Continuing      []string `json:"serviceAccountsContinuing"`
			ServiceAccounts []struct{ Name, Why string }
		}
	}
	if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || len(report.Organizations) != 1 {
		t.Fatalf("restore: exit code %d, %v\n%s%s", code, err, out, errs)
	}
	var got []string
	for _, a := range report.Organizations[0].ServiceAccounts {
		if a.Why != "" {
			a.Name += " (" + a.Why + ")"
		}
		got = append(got, a.Name)
	}
	if strings.Join(report.Organizations[0].Continuing, ", ") != on || strings.Join(got, ", ") != strings.Join(ended, ", ") {
		t.Errorf("the restore says\n%s\nwant %q to go on and %q to have ended", out, on, ended)
	}
	return cell
}
