package cli_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/cli"
	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
)

// audited is a site that does not run, with three sealed token events and one
// that is not.
type audited struct {
	t    *testing.T
	cell *sitetest.Cell
	raw  *sql.DB
}

func newAudited(t *testing.T, kind storetest.Kind) *audited {
	url := storetest.EmptyURL(t, kind)
	a := &audited{t: t, cell: sitetest.NewCell(t, url, "")}
	a.cell.Init(t)
	db, err := store.Open(t.Context(), store.Config{URL: url})
	a.ok(err)
	a.note(db)
	a.note(db)
	a.note(db)
	events, err := db.Upkeep().Events(t.Context(), journal.TokenEvents, 0, 1<<62, 10)
	a.ok(err)
	seal := journal.NewSeal(journal.TokenEvents, events)
	done, err := db.Upkeep().Seal(t.Context(), seal, 0, seal.Entry(time.Now()))
	if err != nil || !done {
		t.Fatal(done, err)
	}
	a.note(db)
	a.ok(db.Close())
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, source = "sqlite", path
	}
	a.raw, err = sql.Open(driver, source)
	a.ok(err)
	t.Cleanup(func() { a.raw.Close() })
	if kind == storetest.Postgres {
		a.exec("DROP TRIGGER journal_append_only ON journal")
	} else {
		a.exec("DROP TRIGGER journal_no_update")
		a.exec("DROP TRIGGER journal_no_delete")
	}
	return a
}

func (a *audited) ok(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *audited) note(db *store.DB) {
	a.ok(db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error {
		return tx.Note(oauth.Event{At: time.Now(), Org: "org", Account: "app", Kind: "issued"})
	}))
}

func (a *audited) exec(statement string) {
	a.t.Helper()
	_, err := a.raw.ExecContext(a.t.Context(), statement)
	a.ok(err)
}

// auditVerify runs the command in this process: it is run often here.
func auditVerify(config string, args ...string) (code int, out, errs string) {
	var stdout, stderr strings.Builder
	code = cli.Main(append([]string{"audit", "verify", "-c", config}, args...), strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// verify wants an exit code and words.
func (a *audited) verify(want int, says string, args ...string) {
	a.t.Helper()
	if code, out, errs := auditVerify(a.cell.Config, args...); code != want || !strings.Contains(out+errs, says) {
		a.t.Errorf("%q: exit code %d, want %d and %q\n%s%s", args, code, want, says, out, errs)
	}
}

// found is the answer for programs.
func (a *audited) found(code int) (found struct {
	Intact bool
	Rows   int
	Head   string
	Logs   []struct {
		Log                      string
		Seals, Events, NotSealed int
	}
	Faults []struct{ What string }
}) {
	a.t.Helper()
	got, out, errs := auditVerify(a.cell.Config, "-o", "json")
	if err := json.Unmarshal([]byte(out), &found); err != nil || got != code {
		a.t.Fatalf("exit code %d, %v\n%s%s", got, err, out, errs)
	}
	return found
}

// An operator proves the trail, and is told what was done to it. R7.
func TestAuditVerify_R7(t *testing.T) {
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		a := newAudited(t, kind)
		sound := a.found(0)
		if l := sound.Logs[0]; !sound.Intact || sound.Rows == 0 || l.Log != "token_events" || l.Seals != 1 || l.Events != 3 || l.NotSealed != 1 {
			t.Errorf("%+v", sound)
		}
		a.verify(0, "3 events under 1 seals are as they were, the last is 3. Not sealed yet: 1", "--expect-head", sound.Head)

		a.exec("UPDATE token_events SET source = '203.0.113.9' WHERE id = 2")
		a.verify(1, "of the events 1 to 3 of token_events at least one was changed")
		a.exec("UPDATE token_events SET source = '' WHERE id = 2")
		a.exec("UPDATE journal SET org_id = 'elsewhere' WHERE seq = 2")
		if bad := a.found(1); bad.Intact || len(bad.Faults) != 1 || !strings.Contains(bad.Faults[0].What, "row 2") {
			t.Errorf("%+v", bad)
		}
		a.exec("DELETE FROM journal WHERE seq = 2")
		a.verify(1, "row 2 is missing")
	})
}

// Who writes all of it anew, or cuts the end off, is found by what was noted.
func TestAuditVerify_R7_FindsANewJournalByTheNotedHead(t *testing.T) {
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		a := newAudited(t, kind)
		a.exec("DELETE FROM token_events")
		a.exec("DELETE FROM seals")
		a.exec("DELETE FROM journal WHERE action = 'tokenEvents.sealed'")
		noted := journal.Head{}
		a.ok(a.raw.QueryRowContext(t.Context(), "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").Scan(&noted.Seq, &noted.Hash))
		a.exec("UPDATE journal_head SET seq = seq - 1, hash = (SELECT hash FROM journal j WHERE j.seq = journal_head.seq - 1)")
		a.verify(0, "as it was written", "--expect-head", noted.String())
		other := noted
		other.Hash = append([]byte{noted.Hash[0] ^ 1}, noted.Hash[1:]...)
		a.verify(1, "written anew", "--expect-head", other.String())
		other.Seq = noted.Seq + 1
		a.verify(1, "cut off", "--expect-head", other.String())
	})
}

// It changes nothing and makes no database; what cannot be read is no verdict.
func TestAuditVerify_ChangesNothing(t *testing.T) {
	cell := sitetest.NewCell(t, storetest.EmptyURL(t, storetest.SQLite), "")
	file := filepath.Join(t.TempDir(), "none.db")
	config, err := os.ReadFile(cell.Config)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(config), "\n")
	for i, line := range lines {
		if at := strings.Index(line, "sqlite://"); at >= 0 {
			lines[i] = line[:at] + "sqlite://" + file
			if strings.Contains(line[:at], `"`) {
				lines[i] += `"`
			}
		}
	}
	if err := os.WriteFile(cell.Config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &audited{t: t, cell: cell}
	a.verify(1, "could not be verified")
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a database now")
	}
	for _, args := range [][]string{{"--expect-head", ""}, {"--expect-head", "1:ab"}, {"-o", "xml"}, {"x"}} {
		a.verify(2, "", args...)
	}
}
