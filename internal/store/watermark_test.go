package store_test

import (
	"errors"
	"testing"

	"causeway/internal/cells"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/watermark"
	"causeway/oauth"
	"causeway/tenants"
)

// marked begins a watermark for a database; url is where it is.
func marked(t *testing.T, db *store.DB, kind storetest.Kind) (w *store.Watermark, url string) {
	t.Helper()
	url = storetest.EmptyURL(t, kind)
	w = openMark(t, url)
	ok(t, w.Begin(t.Context()))
	ok(t, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
		return tx.Record(store.WatermarkEntry(now, journal.System, journal.WatermarkBegan, w.ID()))
	}))
	if kept, err := db.KeepMarks(t.Context(), w); err != nil || !kept {
		t.Fatal(kept, err)
	}
	return w, url
}

func openMark(t *testing.T, url string) *store.Watermark {
	t.Helper()
	w, err := store.OpenWatermark(t.Context(), url)
	ok(t, err)
	t.Cleanup(func() { ok(t, w.Close()) })
	return w
}

func eachMark(t *testing.T, f func(t *testing.T, db *store.DB, own *store.Watermark, url string)) {
	for from, to := range map[storetest.Kind]storetest.Kind{storetest.SQLite: storetest.Postgres, storetest.Postgres: storetest.SQLite} {
		t.Run(string(from), func(t *testing.T) {
			db := storetest.New(t, from)
			own, url := marked(t, db, to)
			f(t, db, own, url)
		})
	}
}

// What is told to anybody was marked before: rotations by their generation, changes by
// their row of the journal.
func TestWatermark_R12_MarksAreKept(t *testing.T) {
	t.Parallel()
	eachMark(t, func(t *testing.T, db *store.DB, own *store.Watermark, url string) {
		w, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		before := own.Marking()
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
			t.Fatal(did, err)
		}
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); did || err != nil { // spent: nothing happens
			t.Fatal(did, err)
		}
		ok(t, db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
			if err := tx.RevokeFamilies(other.org, other.account, now); err != nil {
				return err
			}
			for _, e := range []journal.Entry{
				{At: now, Org: string(w.org), Action: journal.AccountRevoked, Subject: journal.Subject{Kind: journal.KindAccount, ID: string(w.account)}},
				{At: now, Org: string(w.org), Action: journal.AccountUpdated, Subject: journal.Subject{Kind: journal.KindAccount, ID: string(w.account)}},
				{At: now, Org: string(w.org), Action: journal.UserCreated, Subject: journal.Subject{Kind: journal.KindUser, ID: "u"}},
			} {
				if err := tx.Record(e); err != nil {
					return err
				}
			}
			return nil
		}))
		if after := own.Marking(); after.Written != before.Written+2 || after.Failed != 0 || after.Waited <= before.Waited {
			t.Errorf("one rotation and one change: %+v, and %+v before", after, before)
		}
		head, err := db.Journal().Head(t.Context())
		ok(t, err)
		fencing := openMark(t, url)
		id := fencing.ID()
		if m, err := fencing.Fence(t.Context(), "another"); m != nil || err != nil || fencing.ID() != id {
			t.Fatalf("a watermark of another site was fenced: %+v, %v", m, err)
		}
		m, err := fencing.Fence(t.Context(), id)
		ok(t, err)
		account := watermark.Scope(string(w.org) + "/" + string(w.account))
		if !m.Covers(id) || m.ID == id || len(m.Rotated) != 2 || m.Rotated[w.family.ID] != 2 || m.Rotated[other.family.ID] != watermark.Revoked || m.Changed[account] != head-1 || m.Changed[watermark.Scope(w.org)] >= head-1 {
			t.Errorf("%+v, the head is %d", m, head)
		}
	})
}

// A cell that cannot write marks, or works on a database that was given up, renews
// and revokes nothing, and spends no token.
func TestWatermark_R12_R13_WithoutItNothingIsRenewed(t *testing.T) {
	t.Parallel()
	eachMark(t, func(t *testing.T, db *store.DB, own *store.Watermark, url string) {
		w := newTenant(t, db, "Own")
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
			t.Fatal(did, err)
		}
		other := openMark(t, url)
		if m, err := other.Fence(t.Context(), other.ID()); m == nil || err != nil {
			t.Fatal(m, err)
		}
		before := own.Marking()
		for range 2 {
			_, did, err := db.OAuth().Rotate(t.Context(), w.rotation(2))
			if did || !problem.Has(err, problem.Unavailable) {
				t.Errorf("rotated: %v, %v", did, err)
			}
		}
		revoke := db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
			if err := tx.RevokeFamilies(w.org, w.account, now); err != nil {
				return err
			}
			return tx.Record(journal.Entry{At: now, Org: string(w.org), Action: journal.AccountRevoked, Subject: journal.Subject{Kind: journal.KindAccount, ID: string(w.account)}})
		})
		if !problem.Has(revoke, problem.Unavailable) {
			t.Errorf("revoked: %v", revoke)
		}
		if after := own.Marking(); after.Written != before.Written || after.Failed != before.Failed+3 || after.Waited <= before.Waited {
			t.Errorf("three that failed: %+v, and %+v before", after, before)
		}
		if got := w.presented(t, digest(w.family.ID, 2)); got.Generation != 2 || !got.RevokedAt.IsZero() {
			t.Errorf("the family is %+v", got.Family)
		}
		m, err := other.Fence(t.Context(), other.ID())
		ok(t, err)
		if got := m.Rotated[w.family.ID]; got != 2 {
			t.Errorf("what was refused left a mark: generation %d", got)
		}
		// A cell that knows the watermark goes on.
		ok(t, other.End(t.Context()))
		ok(t, other.Begin(t.Context()))
		again := openMark(t, url)
		if _, err := db.KeepMarks(t.Context(), again); !errors.Is(err, store.ErrWatermark) {
			t.Errorf("a watermark that was begun anew is taken for the old one: %v", err)
		}
		ok(t, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
			return tx.Record(store.WatermarkEntry(now, journal.System, journal.WatermarkBegan, again.ID()))
		}))
		if kept, err := db.KeepMarks(t.Context(), again); err != nil || !kept {
			t.Fatal(kept, err)
		}
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(2)); !did || err != nil {
			t.Errorf("the token that was refused: %v, %v", did, err)
		}
	})
}

// Whatever was renewed while somebody takes the marks is among them, and what comes
// later is refused.
func TestWatermark_R12_FencedAtOnce(t *testing.T) {
	t.Parallel()
	eachMark(t, func(t *testing.T, db *store.DB, own *store.Watermark, url string) {
		w := newTenant(t, db, "Own")
		for round, generation := 0, 1; round < rounds(10); round++ {
			going, refused := make(chan struct{}), make(chan error)
			go func() {
				for first := generation; ; generation++ {
					if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(generation)); !did || err != nil {
						refused <- err
						return
					}
					if generation == first+3 {
						close(going)
					}
				}
			}()
			<-going
			next := openMark(t, url)
			marks, err := next.Fence(t.Context(), own.ID())
			if err := <-refused; !problem.Has(err, problem.Unavailable) {
				t.Fatalf("not refused: %v", err)
			}
			ok(t, err)
			if got := marks.Rotated[w.family.ID]; got != int64(generation) {
				t.Fatalf("the family has the generation %d, and its mark says %d", generation, got)
			}
			ok(t, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
				return tx.Record(store.WatermarkEntry(now, journal.System, journal.WatermarkBegan, next.ID()))
			}))
			if kept, err := db.KeepMarks(t.Context(), next); err != nil || !kept {
				t.Fatal(kept, err)
			}
			ok(t, own.Close())
			own = next
		}
	})
}

// A watermark is begun once, ended for good, and a site that keeps one takes no other
// and does not do without.
func TestWatermark_R12_OneAtATime(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		db := storetest.New(t, kind)
		if kept, err := db.KeepMarks(t.Context(), nil); kept || err != nil {
			t.Fatal(kept, err)
		}
		_, url := marked(t, db, kind)
		first := openMark(t, url)
		if err := first.Begin(t.Context()); !errors.Is(err, store.ErrWatermarkUsed) {
			t.Errorf("begun twice: %v", err)
		}
		if _, err := db.KeepMarks(t.Context(), nil); !errors.Is(err, store.ErrWatermark) {
			t.Errorf("without: %v", err)
		}
		if _, err := db.KeepMarks(t.Context(), openMark(t, storetest.EmptyURL(t, kind))); !errors.Is(err, store.ErrWatermark) {
			t.Errorf("with an empty one: %v", err)
		}
		id := first.ID()
		ok(t, first.End(t.Context()))
		ended := openMark(t, url)
		if m, err := ended.Fence(t.Context(), id); ended.ID() != "" || !ended.Ended(id) || ended.Ended("another") || m != nil || err != nil {
			t.Errorf("what was ended proves %+v, %v", m, err)
		}
		ok(t, ended.Begin(t.Context()))
		if m, err := ended.Fence(t.Context(), id); m != nil || err != nil {
			t.Errorf("what was begun anew proves what was before: %+v, %v", m, err)
		}
	})
}

// SQLite that has no page left refuses what would grow it, and goes on when it may grow.
func TestDiskFull_R13_PagesOfSQLite(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.SQLite)
	w := newTenant(t, db, "Own")
	_, err := db.SQL().Exec("PRAGMA max_page_count = 1") // it takes the present count
	ok(t, err)
	var refused error
	g := 1
	for ; refused == nil && g < 5000; g++ {
		_, _, refused = db.OAuth().Rotate(t.Context(), w.rotation(g))
	}
	if g--; !problem.Has(refused, problem.Unavailable) || problem.From(refused).Detail == "The database cannot be reached now." || !db.Full() {
		t.Fatalf("after %d rotations: %v", g, refused)
	}
	if got := w.presented(t, digest(w.family.ID, g)); got.Generation != g || got.Shown != g {
		t.Errorf("the token that was refused is spent: %+v", got.Family)
	}
	var said string
	ok(t, db.SQL().QueryRow("PRAGMA integrity_check").Scan(&said))
	if said != "ok" {
		t.Error(said)
	}
	_, err = db.SQL().Exec("PRAGMA max_page_count = 100000")
	ok(t, err)
	if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(g)); !did || err != nil {
		t.Errorf("with room again: %v, %v", did, err)
	}
	ok(t, db.Cells().Beat(t.Context(), cells.Cell{ID: "c", Name: "c", StartedAt: now}))
	if db.Full() {
		t.Error("a cell that could write still calls the disk full")
	}
}
