package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/cells"
	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/upkeep"
)

// A clean-up step reads the rows of its batch and no more, however full the
// tables are; so do sealing and receipts.
func TestPlans_UpkeepNeverReadsAllOfATable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		note(t, db)
		refuse(t, db, "request")
		exec(t, db, "UPDATE seals SET purged = last")
		sealAll(t, db)
		var mu sync.Mutex
		seen := map[string][]any{}
		ok(t, db.Spy(func(query string, args []any) {
			mu.Lock()
			defer mu.Unlock()
			seen[query] = slices.Clone(args)
		}))
		u, years := db.Upkeep(), keep.Before(now.Add(100*365*24*time.Hour))
		for _, table := range u.Tables() {
			for _, after := range []upkeep.Cursor{cursor(table.Name), nil} { // nil removes
				_, err := u.Sweep(t.Context(), table.Name, years, after, 64)
				ok(t, err)
			}
		}
		for _, l := range journal.Logs() {
			ok(t, u.AllowPurge(t.Context(), l, now.Add(time.Hour), now))
			for _, f := range []func() error{
				func() error { return second(u.Newest(t.Context(), l)) },
				func() error { return second(u.Sealed(t.Context(), l)) },
				func() error { return second(u.Events(t.Context(), l, 0, 10, 10)) },
				func() error { return second(db.Archive().Younger(t.Context(), l, 0, 10)) },
				func() error { return second(db.Archive().Borders(t.Context(), l)) },
			} {
				ok(t, f())
			}
		}
		_, err := db.Archive().Stored(t.Context(), 1, 10)
		ok(t, err)
		ok(t, second(db.Archive().End(t.Context())))
		ok(t, db.Cells().Beat(t.Context(), cells.Cell{ID: "a"}))
		ok(t, db.Cells().Leave(t.Context(), "a"))
		_, err = u.Hold(t.Context(), upkeep.Lease{Name: "work", Holder: "a"})
		ok(t, err)
		_ = second(db.Receipts().Recorded(t.Context(), w.org, 1))
		_ = second(db.Receipts().RecordedAnywhere(t.Context(), 1))
		if len(seen) < 30 {
			t.Fatalf("only %d statements were seen", len(seen))
		}
		for query, args := range seen {
			for _, table := range scans(t, db, query, args) {
				if !mayScan(query, table) {
					t.Errorf("all of %s is read:\n\t%s", table, query)
				}
			}
		}
	})
}

// mayScan allows the batch's own keys, which are no table, tables of a few rows,
// and the beginning of a walk, which ends after its batch.
func mayScan(query, table string) bool {
	switch table {
	case "journal_head", "cells", "leases", "seals", "json_array_elements", "json_each", "v":
		return true
	}
	return strings.Contains(query, " LIMIT 64) r ") && !strings.Contains(query, ") > (")
}

// cursor is somewhere in a table.
func cursor(table string) upkeep.Cursor {
	return map[string]upkeep.Cursor{
		"device_requests": {"org", "id"}, "sessions": {"id"}, "used_tokens": {"org", "family", "1"}, "token_families": {"org", "id"},
		"login_failures": {"org", "user", "source"}, "tasks": {"org", "id"}, "instance_accounts": {"org", "id"}, "assertions": {"site", "id"}, "token_events": {"0"}, "refusals": {"0"},
	}[table]
}
