package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"causeway/internal/cells"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

func TestMigrate_R14_PlanStatusDown(t *testing.T) {
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		url := storetest.URL(t, kind)
		cell := sitetest.NewCell(t, url, "")
		wantRun(t, 0, "nothing would run", "migrate", "plan", "-c", cell.Config)
		_, out, _ := run(t, "migrate", "status", "-c", cell.Config, "-o", "json")
		var all []struct {
			Version    int64
			File, Kind string
			AppliedAt  *time.Time
		}
		if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) < 6 || all[0].File != "0001_first.sql" || all[0].Kind != "expand" || all[0].AppliedAt == nil {
			t.Fatalf("%v\n%s", err, out)
		}
		db := storetest.Open(t, url)
		beat := func(started time.Time) {
			if err := db.Cells().Beat(t.Context(), cells.Cell{ID: "one", Name: "host:8443", Version: "v9", StartedAt: started}); err != nil {
				t.Fatal(err)
			}
		}
		wantRun(t, 2, "--yes", "migrate", "down", "-c", cell.Config)
		beat(time.Now())
		wantRun(t, 1, "host:8443 (v9", "migrate", "down", "--yes", "-c", cell.Config)
		wantRun(t, 0, "nothing would run", "migrate", "plan", "-c", cell.Config) // it was refused
		if err := db.Cells().Leave(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		beat(time.Now().Add(-24 * time.Hour)) // of the version before: it goes on
		wantRun(t, 0, "was taken back", "migrate", "down", "--yes", "-c", cell.Config)
		_, out, _ = run(t, "migrate", "plan", "-c", cell.Config)
		if last := all[len(all)-1].File; strings.Count(out, ".sql") != 1 || !strings.Contains(out, last) {
			t.Errorf("after one down the plan is\n%s", out)
		}
		wantRun(t, 0, "current", "migrate", "up", "-c", cell.Config)
	})
}
