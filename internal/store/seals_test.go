package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"causeway/internal/cells"
	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/upkeep"
)

// refuse writes a refusal as it is.
func refuse(t testing.TB, db *store.DB, request string) {
	t.Helper()
	insert(t, db, "refusals", "", "at, org_id, request_id, actor_kind, actor_id, actor_name, actor_org, address, method, route, status, code, detail",
		now.UnixMicro(), "org", request, "user", "id", "jane", "org", "192.0.2.1", "GET", "/x", 403, "forbidden", `{"right":"<&>"}`)
}

// sealAll seals everything that is not sealed, in batches of three.
func sealAll(t testing.TB, db *store.DB) {
	t.Helper()
	u := db.Upkeep()
	for _, l := range journal.Logs() {
		newest, err := u.Newest(t.Context(), l)
		ok(t, err)
		after, err := u.Sealed(t.Context(), l)
		ok(t, err)
		for after < newest {
			events, err := u.Events(t.Context(), l, after, newest, 3)
			ok(t, err)
			seal := journal.NewSeal(l, events)
			did, err := u.Seal(t.Context(), seal, after, seal.Entry(now))
			if err != nil || !did {
				t.Fatal(did, err)
			}
			if again, err := u.Seal(t.Context(), seal, after, seal.Entry(now)); again || err != nil {
				t.Fatalf("the same events are sealed twice: %v", err)
			}
			after = seal.Last
		}
		if last, err := u.Sealed(t.Context(), l); err != nil || last != newest {
			t.Fatalf("%s is sealed up to %d of %d: %v", l, last, newest, err)
		}
	}
}

// Whatever is done to an event after it was sealed is found: any column changed,
// a row removed, a row put in.
func TestSeal_R7_FindsWhatWasDoneToEvents(t *testing.T) {
	t.Parallel()
	tampers := map[string]string{
		"an event removed":          "DELETE FROM token_events WHERE id = 5",
		"the last one removed":      "DELETE FROM token_events WHERE id = 9",
		"a refusal removed":         "DELETE FROM refusals WHERE id = 1",
		"an event put in":           "INSERT INTO token_events (id, at, org_id, account_id, kind, source, detail) OVERRIDING SYSTEM VALUE VALUES (6, 1, '', '', 'issued', '', '')",
		"two exchanged":             "UPDATE token_events SET kind = CASE id WHEN 4 THEN 'denied' ELSE kind END WHERE id IN (4, 5)",
		"where purging stood moved": "UPDATE seals SET purged = last",
		"where sealing stood moved": "UPDATE seals SET last = last - 1",
		"that forgotten":            "DELETE FROM seals",
		"one put in before all":     "INSERT INTO token_events (id, at, org_id, account_id, kind, source, detail) OVERRIDING SYSTEM VALUE VALUES (-1, 1, '', '', 'issued', '', '')",
		"removed as if by age":      "UPDATE seals SET purged = last; DELETE FROM token_events",
	}
	for table, columns := range map[string]string{
		"token_events": "at org_id account_id kind source detail",
		"refusals":     "at org_id request_id actor_kind actor_id actor_name actor_org address method route status code detail",
	} {
		for column := range strings.FieldsSeq(columns) {
			value := "'other'"
			if column == "at" || column == "status" {
				value = column + " + 1"
			}
			tampers["changed: "+table+"."+column] = "UPDATE " + table + " SET " + column + " = " + value + " WHERE id = 2"
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for range 9 {
			note(t, db)
			refuse(t, db, "request")
		}
		exec(t, db, "DELETE FROM token_events WHERE id = 6") // a gap, as a transaction leaves that failed
		sealAll(t, db)
		storetest.Intact(t, db)
		note(t, db) // not sealed yet, so nothing is said of it
		storetest.Intact(t, db)
		for name, statement := range tampers {
			before := snapshot(t, db)
			if !db.OnPostgres() {
				statement = strings.ReplaceAll(statement, " OVERRIDING SYSTEM VALUE", "")
			}
			for one := range strings.SplitSeq(statement, "; ") {
				exec(t, db, one)
			}
			if found, err := journal.Verify(t.Context(), db.Archive(), journal.Options{}); found.Intact || err != nil {
				t.Errorf("%s: not found, %v", name, err)
			}
			before.restore(t, db)
			storetest.Intact(t, db)
		}
	})
}

func exec(t testing.TB, db *store.DB, statement string) {
	t.Helper()
	_, err := db.SQL().ExecContext(context.Background(), statement)
	ok(t, err)
}

// logsBefore are the logs in tables beside them.
type logsBefore struct{}

func snapshot(t testing.TB, db *store.DB) logsBefore {
	t.Helper()
	for _, table := range []string{"token_events", "refusals", "seals"} {
		exec(t, db, "DROP TABLE IF EXISTS before_"+table)
		exec(t, db, "CREATE TABLE before_"+table+" AS SELECT * FROM "+table)
	}
	return logsBefore{}
}

func (logsBefore) restore(t testing.TB, db *store.DB) {
	t.Helper()
	overriding := ""
	if db.OnPostgres() {
		overriding = " OVERRIDING SYSTEM VALUE"
	}
	for table, columns := range map[string]string{
		"token_events": "id, at, org_id, account_id, kind, source, detail",
		"refusals":     "id, at, org_id, request_id, actor_kind, actor_id, actor_name, actor_org, address, method, route, status, code, detail",
		"seals":        "log, last, purged",
	} {
		exec(t, db, "DELETE FROM "+table)
		exec(t, db, "INSERT INTO "+table+" ("+columns+")"+overriding+" SELECT "+columns+" FROM before_"+table)
	}
}

// A column that a later version adds must be sealed, too.
func TestSeal_CoversEveryColumn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		note(t, db)
		refuse(t, db, "request")
		for _, l := range journal.Logs() {
			events, err := db.Upkeep().Events(t.Context(), l, 0, 1<<62, 10)
			ok(t, err)
			rows, err := db.SQL().QueryContext(t.Context(), "SELECT * FROM "+string(l))
			ok(t, err)
			columns, err := rows.Columns()
			ok(t, err)
			ok(t, rows.Close())
			for _, c := range columns {
				if !strings.Contains(string(events[0].JSON), `"`+c+`":`) {
					t.Errorf("%s.%s is not sealed: %s", l, c, events[0].JSON)
				}
			}
		}
	})
}

// Token events and seals say the same on either database: a site may move.
func TestSeal_IsTheSameOnEveryDatabase(t *testing.T) {
	t.Parallel()
	var sums []string
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for range 3 {
			note(t, db)
		}
		events, err := db.Upkeep().Events(t.Context(), journal.TokenEvents, 0, 1<<62, 10)
		ok(t, err)
		sums = append(sums, journal.NewSeal(journal.TokenEvents, events).Entry(now).Detail["sha256"])
	})
	if len(sums) == 2 && sums[0] != sums[1] {
		t.Errorf("%v", sums)
	}
}

func TestLease_OneHolder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		u := db.Upkeep()
		hold := func(holder string, d time.Duration) (string, bool) {
			t.Helper()
			held, err := u.Hold(t.Context(), upkeep.Lease{Name: "work", Holder: holder, For: d})
			ok(t, err)
			if off := time.Since(held.Now); off.Abs() > time.Minute { // one machine has one clock
				t.Errorf("the database's clock is %v behind", off)
			}
			return held.Progress, held.Ours
		}
		got := make(chan bool, 8)
		for i := range 8 {
			go func() {
				held, err := u.Hold(context.Background(), upkeep.Lease{Name: "work", Holder: string(rune('a' + i)), For: time.Hour})
				got <- held.Ours && err == nil
			}()
		}
		holders := 0
		for range 8 {
			if <-got {
				holders++
			}
		}
		if holders != 1 {
			t.Fatalf("%d hold it", holders)
		}
		exec(t, db, "DELETE FROM leases")
		if _, held := hold("a", time.Hour); !held {
			t.Fatal("a free lease was not given")
		}
		if _, held := hold("b", time.Hour); held {
			t.Error("two hold it")
		}
		if kept, err := u.Keep(t.Context(), upkeep.Lease{Name: "work", Holder: "b", For: time.Hour}); kept || err != nil {
			t.Errorf("who does not hold it keeps it: %v", err)
		}
		if kept, err := u.Keep(t.Context(), upkeep.Lease{Name: "work", Holder: "a", For: -time.Second, Progress: "half"}); !kept || err != nil {
			t.Errorf("given back: %v, %v", kept, err)
		}
		if progress, held := hold("b", time.Hour); !held || progress != "half" {
			t.Errorf("after it was given back: %q, %v", progress, held)
		}
	})
}

func TestCells_R13_AreSeenByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		head, err := db.Journal().Head(t.Context())
		ok(t, err)
		c := db.Cells()
		// Their own clocks are years away.
		for _, one := range []cells.Cell{{ID: "1", Name: "a", Version: "v1", StartedAt: now, Applied: 7}, {ID: "2", Name: "b", StartedAt: now}} {
			ok(t, c.Beat(t.Context(), one))
		}
		ok(t, c.Beat(t.Context(), cells.Cell{ID: "1", Name: "a", Applied: 9}))
		exec(t, db, "UPDATE cells SET seen_at = seen_at - 7000000 WHERE id = '2'")
		all, err := c.Cells(t.Context())
		if err != nil || len(all) != 2 || all[0].Applied != 9 || all[0].Version != "v1" || !all[0].StartedAt.Equal(now) || all[0].Unseen > 5*time.Second ||
			all[1].Unseen < 7*time.Second || all[1].Unseen > time.Minute {
			t.Errorf("%+v, %v", all, err)
		}
		if n, err := c.ForgetCells(t.Context(), 5*time.Minute); n != 0 || err != nil {
			t.Errorf("%d forgotten, %v", n, err)
		}
		if n, err := c.ForgetCells(t.Context(), 6*time.Second); n != 1 || err != nil {
			t.Errorf("%d forgotten, %v", n, err)
		}
		ok(t, c.Leave(t.Context(), "1"))
		ok(t, c.Leave(t.Context(), "1")) // has left
		if all, err := c.Cells(t.Context()); len(all) != 0 || err != nil {
			t.Errorf("%+v, %v", all, err)
		}
		if after, err := db.Journal().Head(t.Context()); after != head || err != nil {
			t.Error("beats are in the journal")
		}
	})
}
