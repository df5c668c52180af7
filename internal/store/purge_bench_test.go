package store_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

// BenchmarkPurge refreshes a token again and again while the expired rows of
// CAUSEWAY_SCALE sessions (20,000; a million is what the project is measured by, and
// takes half an hour) are removed beside it, and alone, as often before as after,
// because tables that grow make refreshes slower too. On PostgreSQL; run it with pgrun
// -durable, or PostgreSQL does not fsync. x-p99 is how much slower the slowest refresh
// in a hundred was than alone. What the refreshes write is young and stays.
func BenchmarkPurge(b *testing.B) {
	rows := 20_000
	if n, err := strconv.Atoi(os.Getenv("CAUSEWAY_SCALE")); err == nil {
		rows = n
	}
	db := storetest.New(b, storetest.Postgres)
	w := newTenant(b, db, "Own")
	ids, begun := make([]tenants.SessionID, rows), time.Now().Add(-48*time.Hour)
	for i := range ids {
		ids[i] = tenants.NewSessionID(begun.Add(time.Duration(i) * 10 * time.Millisecond))
	}
	list, err := json.Marshal(ids)
	ok(b, err)
	_, err = db.SQL().ExecContext(b.Context(), `INSERT INTO sessions
		(id, org_id, kind, principal, name, software_id, role_id, family_id, created_at, expires_at, last_used, ended_at)
		SELECT id, $1, 'serviceAccount', gen_random_uuid()::text, 'app', '', '', '', 1, 2, 1, 0 FROM json_array_elements_text($2::json) AS id`,
		string(w.org), string(list))
	ok(b, err)
	ok(b, db.Settle(b.Context()))
	for b.Loop() { // once: it is the rows that are many
		some := func(n int) bool { return n < 20_000 }
		alone := rotations(b, w, some)
		done := make(chan time.Duration, 1)
		go func() { done <- clean(b, db) }()
		var took time.Duration
		beside := rotations(b, w, func(int) bool {
			select {
			case took = <-done:
				return false
			default:
				return true
			}
		})
		alone = append(alone, rotations(b, w, some)...)
		slices.Sort(alone)
		if left := len(keys(b, db, "sessions WHERE expires_at = 2", "id")); left > 0 {
			b.Fatalf("%d rows are left", left)
		}
		at := func(d []time.Duration, q float64) float64 {
			return float64(d[int(float64(len(d)-1)*q)].Microseconds())
		}
		b.ReportMetric(at(alone, .5), "p50-alone-µs")
		b.ReportMetric(at(alone, .99), "p99-alone-µs")
		b.ReportMetric(at(beside, .5), "p50-beside-µs")
		b.ReportMetric(at(beside, .99), "p99-beside-µs")
		b.ReportMetric(at(beside, .99)/at(alone, .99), "x-p99")
		b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
	}
}

// sessionsOnly leaves out the tables that the refreshes of one account make longer at
// their end as fast as they are walked.
type sessionsOnly struct{ store.UpkeepStore }

func (s sessionsOnly) Tables() []upkeep.Table { return []upkeep.Table{{Name: "sessions"}} }

// clean removes the sessions that are over, as a cell does.
func clean(b *testing.B, db *store.DB) time.Duration {
	start := time.Now()
	c := &upkeep.Cleaner{
		Store: sessionsOnly{db.Upkeep()}, Holder: "bench", Every: 10 * time.Minute, Keep: keep, Now: time.Now, // with which the database must agree
		Log: slog.New(slog.DiscardHandler),
	}
	if err := c.Turn(context.Background()); err != nil {
		b.Error(err)
	}
	return time.Since(start)
}

// rotations refreshes w's token while more says so, and returns how long each took,
// the shortest first.
func rotations(b *testing.B, w *tenant, more func(n int) bool) (took []time.Duration) {
	for n := 0; more(n); n++ {
		begun := time.Now()
		r := w.rotation(w.family.Generation)
		r.At, r.Session = begun, tenants.NewSessionID(begun)
		_, did, err := w.db.OAuth().Rotate(b.Context(), r)
		took = append(took, time.Since(begun))
		if !did || err != nil {
			b.Fatal(did, err)
		}
		w.family.Generation, w.family.Current = w.family.Generation+1, r.To
	}
	slices.Sort(took)
	return took
}
