package store_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// revocations are what ends the sessions of a stolen API token, each in its own way.
var revocations = []struct {
	name string
	do   func(w *tenant) error
}{
	{"the organization is disabled", func(w *tenant) error {
		return w.db.Tenants().InTx(context.Background(), func(tx tenants.Tx) error {
			if err := tx.LockOrganization(w.org); err != nil {
				return err
			}
			o, err := tx.Organization(w.org)
			o.Enabled = false
			return errors.Join(err, tx.UpdateOrganization(o), tx.EndSessions(w.org, now))
		})
	}},
	{"the user is disabled", func(w *tenant) error {
		return w.db.Tenants().InTx(context.Background(), func(tx tenants.Tx) error {
			if err := tx.LockUser(w.org, w.user); err != nil {
				return err
			}
			u, err := tx.User(w.org, w.user, now)
			u.Enabled = false
			return errors.Join(err, tx.UpdateUser(u), tx.EndUserSessions(w.org, w.user, "", now))
		})
	}},
	{"the token is deleted", func(w *tenant) error {
		return w.db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error { return tx.DeleteAPIToken(w.token, now) })
	}},
}

func (w *tenant) openTokenSession() error {
	return w.db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error { return tx.CreateSession(w.newTokenSession()) })
}

// Whoever asks later does not get in before a revocation that waits.
func TestHold_R4_NobodyPassesARevocation(t *testing.T) {
	t.Parallel()
	for _, revocation := range revocations {
		t.Run(revocation.name, func(t *testing.T) {
			t.Parallel()
			w := newTenant(t, storetest.New(t, storetest.Postgres), "Own")
			holding, release := make(chan struct{}), make(chan struct{})
			first, revoked, later := make(chan error, 1), make(chan error, 1), make(chan error, 1)
			go func() {
				first <- w.db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error {
					err := tx.CreateSession(w.newTokenSession())
					close(holding)
					<-release
					return err
				})
			}()
			<-holding
			go func() { revoked <- revocation.do(w) }()
			w.waiting(t, 1, later)
			go func() { later <- w.openTokenSession() }()
			w.waiting(t, 2, later)
			close(release)
			ok(t, <-first)
			ok(t, <-revoked)
			wantProblem(t, <-later, problem.NotFound)
			if n := count(t, w.db, "sessions", "kind = 'apiToken' AND ended_at = 0"); n != 0 {
				t.Errorf("%d sessions of the token live on", n)
			}
		})
	}
}

// waiting returns when n connections wait for a lock, or fails when passed gives
// an answer before.
func (w *tenant) waiting(t *testing.T, n int, passed <-chan error) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Second); ; {
		var got int
		ok(t, w.db.SQL().QueryRowContext(context.Background(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&got))
		switch {
		case got >= n:
			return
		case len(passed) > 0:
			t.Fatalf("it passed who was waiting: %v", <-passed)
		case time.Now().After(deadline):
			t.Fatalf("%d wait, want %d", got, n)
		}
		time.Sleep(time.Millisecond)
	}
}

// A stolen token that is refreshed in many loops at once is revoked at once.
func TestHold_R4_LoopsDoNotDelayARevocation(t *testing.T) {
	t.Parallel()
	loops := 8
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		loops = 32
	}
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, kind), MaxConns: 2*loops + 4})
		ok(t, err)
		t.Cleanup(func() { ok(t, db.Close()) })
		for _, revocation := range revocations {
			w := newTenant(t, db, revocation.name)
			var opened atomic.Int64
			var done sync.WaitGroup
			running := make(chan struct{})
			for range loops {
				done.Go(func() {
					for {
						err := w.openTokenSession()
						if problem.Has(err, problem.NotFound) {
							return
						}
						if err != nil {
							t.Errorf("%s: %v", revocation.name, err)
							return
						}
						if opened.Add(1) == int64(3*loops) {
							close(running)
						}
					}
				})
			}
			<-running
			start := time.Now()
			ok(t, revocation.do(w))
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s: that took %v", revocation.name, took)
			}
			done.Wait()
			if n := count(t, db, "sessions", "kind = 'apiToken' AND ended_at = 0"); n != 0 {
				t.Errorf("%s: %d sessions live on", revocation.name, n)
			}
		}
	})
}
