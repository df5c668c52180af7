package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

func TestJournal_R7_GaplessAndChainedUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		undone := errors.New("undone")
		const writers, each = 16, 8
		var wg sync.WaitGroup
		for range writers {
			role := newID[tenants.RoleID]() // of its own, so that nothing but the journal is shared
			inTenants(t, db, func(tx tenants.Tx) error {
				return tx.CreateRole(tenants.Role{ID: role, Org: w.org, Name: string(role)})
			})
			wg.Go(func() {
				for n := range each {
					err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
						for range 1 + n%3 {
							if err := tx.Record(w.entry(journal.RoleUpdated)); err != nil {
								return err
							}
						}
						if n%4 == 3 {
							return undone // leaves no gap
						}
						return tx.SetRoleRights(w.org, role, []tenants.Right{tenants.Right(fmt.Sprint("right ", n))})
					})
					if err != nil && !errors.Is(err, undone) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		storetest.Intact(t, db)
		head, err := db.Journal().Head(t.Context())
		ok(t, err)
		// Of n = 0…7, 3 and 7 are undone; the others write 1, 2, 3, 2, 3, 1 rows.
		if want := int64(writers * 12); head != want {
			t.Errorf("the journal has %d rows, want %d", head, want)
		}
	})
}

func TestJournal_ReturnsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		e := journal.Entry{
			At: now.Add(789), Org: string(w.org), Actor: journal.Actor{Kind: "user", ID: "id", Name: "Jane <&>", Org: string(w.org)},
			Action: journal.AccountCreated, Subject: journal.Subject{Kind: journal.KindAccount, ID: "x", Name: "né \u2028"},
			RequestID: "r", Source: "192.0.2.1", Detail: map[string]string{"b": "2", "a": "bad \xff\x00 bytes"},
		}
		inTenants(t, db, func(tx tenants.Tx) error { return errors.Join(tx.Record(e), tx.Record(w.entry(journal.RoleCreated))) })
		rows, err := db.Journal().After(t.Context(), 0, 10)
		ok(t, err)
		e.At, e.Detail = now, map[string]string{"b": "2", "a": "bad \uFFFD\x00 bytes"}
		if len(rows) != 2 || rows[0].Seq != 1 || rows[1].Seq != 2 || !reflect.DeepEqual(rows[0].Entry, e) {
			t.Errorf("got %+v, want %+v", rows, e)
		}
		storetest.Intact(t, db)
		if rows, err := db.Journal().After(t.Context(), 1, 10); err != nil || len(rows) != 1 || rows[0].Seq != 2 {
			t.Errorf("After 1: %+v, %v", rows, err)
		}
		if rows, err := db.Journal().After(t.Context(), 0, 1); err != nil || len(rows) != 1 || rows[0].Seq != 1 {
			t.Errorf("one after 0: %+v, %v", rows, err)
		}
	})
}

// The database itself refuses to change the past; who gets round that is found out.
func TestJournal_AppendOnlyAndVerified(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		for range 4 {
			inTenants(t, db, func(tx tenants.Tx) error { return tx.Record(w.entry(journal.RoleUpdated)) })
		}
		for _, statement := range []string{"UPDATE journal SET at = 0", "DELETE FROM journal WHERE seq = 4"} {
			if _, err := db.SQL().Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		drop := []string{"DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_delete"}
		if db.OnPostgres() {
			drop = []string{"DROP TRIGGER journal_append_only ON journal"}
		}
		for _, statement := range drop {
			_, err := db.SQL().Exec(statement)
			ok(t, err)
		}
		storetest.Intact(t, db)
		exec(t, db, "CREATE TABLE before_journal AS SELECT * FROM journal")
		exec(t, db, "CREATE TABLE before_head AS SELECT * FROM journal_head")
		for _, damage := range damages {
			for one := range strings.SplitSeq(damage.do, "; ") {
				exec(t, db, one)
			}
			found, err := journal.Verify(t.Context(), db.Archive(), journal.Options{})
			ok(t, err)
			if said := fmt.Sprint(found.Faults); found.Intact || len(found.Faults) != damage.faults || !strings.Contains(said, damage.want) {
				t.Errorf("after %s: got %s, want %q", damage.do, said, damage.want)
			}
			for _, table := range []string{"journal", "head"} {
				to := strings.Replace(table, "head", "journal_head", 1)
				exec(t, db, "DELETE FROM "+to)
				exec(t, db, "INSERT INTO "+to+" SELECT * FROM before_"+table)
			}
			storetest.Intact(t, db)
		}
	})
}

// damages are done to a journal of four rows, whose head somebody may move along.
var damages = []struct {
	do     string
	faults int
	want   string
}{
	{"UPDATE journal SET entry = REPLACE(entry, 'role.updated', 'role.created') WHERE seq = 3", 1, "row 3 of the journal was changed"},
	{"UPDATE journal SET entry = entry || ' ' WHERE seq = 3", 1, "row 3 of the journal was changed"},
	{"UPDATE journal SET entry = 'x' WHERE seq = 3", 1, "row 3 of the journal was changed"},
	{"UPDATE journal SET hash = prev WHERE seq = 4; UPDATE journal_head SET hash = (SELECT prev FROM journal WHERE seq = 4)", 1, "row 4 of the journal was changed"},
	{"UPDATE journal SET prev = hash WHERE seq = 2", 2, "row 2 of the journal does not follow row 1"},
	{"UPDATE journal SET org_id = 'other' WHERE seq = 2", 1, "row 2 of the journal is filed wrongly: org_id is"},
	{"UPDATE journal SET action = 'other' WHERE seq = 2", 1, "filed wrongly: action is"},
	{"UPDATE journal SET at = 1, subject_kind = 'other', subject_id = 'other' WHERE seq = 4", 1, "at, subject_kind, subject_id is"},
	{"DELETE FROM journal WHERE seq = 2", 1, "row 2 is missing"},
	{"DELETE FROM journal WHERE seq IN (1, 2, 3)", 1, "rows 1 to 3 are missing"},
	{"DELETE FROM journal WHERE seq > 2", 1, "ends at 2, its head says 4"},
	{"DELETE FROM journal", 1, "ends at 0, its head says 4"},
	{"UPDATE journal_head SET seq = 3, hash = (SELECT hash FROM journal WHERE seq = 3)", 1, "goes on to 4, its head says 3"},
	{"UPDATE journal_head SET hash = (SELECT hash FROM journal WHERE seq = 3)", 1, "another hash"},
}

// memory is a follower that remembers what it was told.
type memory struct {
	mu      sync.Mutex
	seqs    []int64
	flushes int
	slow    func() // called before a row is applied
}

func (m *memory) Apply(row journal.Row) {
	m.slow()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seqs = append(m.seqs, row.Seq)
}

func (m *memory) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flushes++
}

func (m *memory) last() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seqs) == 0 {
		return 0
	}
	return m.seqs[len(m.seqs)-1]
}

// follow attaches a running tail to db.
func follow(t *testing.T, db *store.DB, interval time.Duration) (*memory, *journal.Tail) {
	t.Helper()
	m := &memory{slow: func() { time.Sleep(time.Millisecond) }}
	tail, err := journal.New(journal.TailConfig{Source: db.Journal(), Followers: []journal.Follower{m}, Interval: interval, Stale: max(2*interval, 5*time.Second)})
	ok(t, err)
	tail.Start()
	t.Cleanup(tail.Stop)
	ok(t, tail.WaitFor(t.Context(), 0))
	db.Follow(tail)
	return m, tail
}

// Whoever is told "done" sees it done, also when many write and the tail's own
// poll is far away.
func TestInTx_R4_ReturnsAfterThisCellHasFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		m, _ := follow(t, db, time.Minute)
		parallel(t, 8, func(int) (bool, error) {
			for range 5 {
				before := m.last()
				if err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return tx.Record(w.entry(journal.RoleUpdated)) }); err != nil {
					return false, err
				}
				if m.last() <= before {
					t.Errorf("a transaction returned before the follower saw it")
				}
			}
			return true, nil
		})
		if m.last() != 40 {
			t.Errorf("the follower has seen %d rows, want 40", m.last())
		}
	})
}

// A commit stands although nobody waits for the followers any more.
func TestInTx_ACommitIsNeverReportedAsFailed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		m, tail := follow(t, db, time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		m.slow = func() { // it is committed then
			cancel()
			time.Sleep(20 * time.Millisecond)
		}
		ok(t, db.Tenants().InTx(ctx, func(tx tenants.Tx) error { return tx.Record(w.entry(journal.RoleUpdated)) }))
		tail.Stop() // and when the tail has stopped, there is nothing to wait for
		ok(t, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return tx.Record(w.entry(journal.RoleUpdated)) }))
		head, err := db.Journal().Head(t.Context())
		if head != 2 || err != nil {
			t.Errorf("the journal has %d rows, %v, want 2", head, err)
		}
	})
}

// Another cell on the same database learns of it by its own polls.
func TestTail_R4_AnotherCellFollowsWithinASecond(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		url := storetest.URL(t, kind)
		here, there := storetest.Open(t, url), storetest.Open(t, url)
		w := newOrg(t, here, "Own")
		m, _ := follow(t, there, 0)
		inTenants(t, here, func(tx tenants.Tx) error { return tx.Record(w.entry(journal.RoleUpdated)) })
		for end := time.Now().Add(5 * time.Second); m.last() != 1; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the other cell did not follow")
			}
		}
		if m.flushes != 1 {
			t.Errorf("%d flushes, want the first poll's only", m.flushes)
		}
	})
}

func TestWakeIsToldTheSequence(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		var woken atomic.Int64
		url := storetest.URL(t, kind)
		db, err := store.Open(t.Context(), store.Config{URL: url, Wake: func(seq int64) { woken.Store(seq) }})
		ok(t, err)
		defer db.Close()
		w := newOrg(t, db, "Own")
		if woken.Load() != 0 {
			t.Error("a transaction without entries woke somebody")
		}
		inTenants(t, db, func(tx tenants.Tx) error {
			return errors.Join(tx.Record(w.entry(journal.RoleUpdated)), tx.Record(w.entry(journal.RoleUpdated)))
		})
		if woken.Load() != 2 {
			t.Errorf("told %d, want 2", woken.Load())
		}
	})
}

// Proof that a warm request does no database work hangs on this count.
func TestStatementsCountRequestsApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		counts := func(do func(context.Context)) (request, background int64) {
			r, b := db.Statements(), db.BackgroundStatements()
			do(t.Context())
			return db.Statements() - r, db.BackgroundStatements() - b
		}
		view := func(ctx context.Context) {
			ok(t, db.Tenants().View(ctx, func(r tenants.Reader) error {
				_, err := r.Role(w.org, w.role)
				return err
			}))
		}
		rotation := int64(1)
		if !db.OnPostgres() {
			rotation = 4 // in one transaction, also for many
		}
		for _, c := range []struct {
			name                string
			do                  func(context.Context)
			request, background int64
		}{
			{"a view of raw SQL", view, 1, 0},
			{"the same in the background", func(ctx context.Context) { view(store.Background(ctx)) }, 0, 1},
			{"nothing", func(ctx context.Context) {
				ok(t, db.Tenants().View(ctx, func(tenants.Reader) error { return nil }))
			}, 0, 0},
			{"an empty transaction", func(ctx context.Context) {
				ok(t, db.Tenants().InTx(ctx, func(tenants.Tx) error { return nil }))
			}, 1, 0},
			{"a built insert", func(ctx context.Context) {
				ok(t, db.Tenants().InTx(ctx, func(tx tenants.Tx) error {
					return tx.CreateRole(tenants.Role{ID: newID[tenants.RoleID](), Org: w.org, Name: "x"})
				}))
			}, 2, 0},
			{"a rotation", func(ctx context.Context) {
				if _, did, err := db.OAuth().Rotate(ctx, w.rotation(1)); !did || err != nil {
					t.Error(did, err)
				}
			}, rotation, 0},
			{"a flush of last uses", func(ctx context.Context) {
				ok(t, db.OAuth().Touch(store.Background(ctx), map[tenants.SessionID]time.Time{w.session.ID: now}))
			}, 0, 2},
			{"a tail's poll", func(ctx context.Context) {
				_, err := db.Journal().Head(ctx)
				ok(t, err)
			}, 0, 1},
			{"a ping", func(ctx context.Context) { ok(t, db.Ping(ctx)) }, 0, 0},
		} {
			if r, b := counts(c.do); r != c.request || b != c.background {
				t.Errorf("%s: %d for requests and %d in the background, want %d and %d", c.name, r, b, c.request, c.background)
			}
		}
	})
}

func TestInTx_UndoesAndRepeats(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		add := func(tx tenants.Tx, name string) error {
			return tx.CreateRole(tenants.Role{ID: newID[tenants.RoleID](), Org: w.org, Name: name})
		}
		before := dump(t, db)

		mine := errors.New("mine")
		if err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return errors.Join(add(tx, "a"), mine) }); !errors.Is(err, mine) {
			t.Errorf("the function's error became %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
				_ = add(tx, "b")
				panic("in the middle")
			})
		}()
		// A failed write ends the transaction on both databases alike.
		err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
			_ = add(tx, "c")
			_ = add(tx, "c")
			return nil
		})
		wantProblem(t, err, problem.DuplicateName)
		ctx, cancel := context.WithCancel(t.Context())
		err = db.Tenants().InTx(ctx, func(tx tenants.Tx) error {
			err := add(tx, "d")
			cancel() // the caller has gone before the commit
			return err
		})
		wantProblem(t, err, problem.Unavailable)
		if after := dump(t, db); after != before {
			t.Errorf("something was left:\n%s\nbefore:\n%s", after, before)
		}
	})
}
