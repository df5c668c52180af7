package oauth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// pausing stops a redemption after it has ended the account's sessions.
type pausing struct {
	oauth.Store
	ended func()
}

func (p pausing) InTx(ctx context.Context, f func(oauth.Tx) error) error {
	return p.Store.InTx(ctx, func(tx oauth.Tx) error { return f(pausingTx{tx, p.ended}) })
}

type pausingTx struct {
	oauth.Tx
	ended func()
}

func (t pausingTx) CreateFamily(f oauth.Family) error {
	t.ended()
	return t.Tx.CreateFamily(f)
}

// Who disables an organization holds it and then ends its sessions; a redemption
// ends sessions and opens one in the organization. Both hold the organization
// first: otherwise each waits for the other, for a second, and one starts again.
func TestRedeem_R4_MeetsTheOrganizationBeingDisabled(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		a := w.newAccount()
		before := w.activate(a)
		d := w.startDevice(a)
		d.decide(granted)
		org := w.snapshot()

		holds := make(chan struct{})
		var disabling sync.WaitGroup
		var once sync.Once
		redeeming := w.newService(pausing{db.OAuth(), func() {
			once.Do(func() {
				disabling.Go(func() { w.disable(sync.OnceFunc(func() { close(holds) })) })
				r.waitUntilHeldOrWaiting(holds)
			})
		}})
		tokens, err := redeeming.RedeemDevice(w.ctx(), from(here), org, a.ID, d.DeviceCode)
		wantProblem(t, err, "")
		disabling.Wait()
		w.orgs.Flush()
		w.wantAlive(before.AccessToken, false)
		w.wantAlive(tokens.AccessToken, false)
		if _, sessions := r.live(a); sessions != 0 {
			t.Errorf("%d sessions are live in a disabled organization", sessions)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock", n)
		}
	})
}

// disable does what the tenants package does, and says when it holds the organization.
func (w *world) disable(holds func()) {
	err := w.db.Tenants().InTx(w.ctx(), func(tx tenants.Tx) error {
		if err := tx.LockOrganization(w.org); err != nil {
			return err
		}
		holds()
		o, err := tx.Organization(w.org)
		if err != nil {
			return err
		}
		o.Enabled = false
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		return tx.EndSessions(w.org, w.clock.now())
	})
	if err != nil {
		w.t.Error(err)
	}
}

// waitUntilHeldOrWaiting returns when somebody holds what they want or PostgreSQL
// says that they wait for it. On SQLite they wait for the whole database, in our
// own process, where nothing can be crossed.
func (r rows) waitUntilHeldOrWaiting(holds <-chan struct{}) {
	for end := time.Now().Add(10 * time.Second); r.onPostgres; {
		select {
		case <-holds:
			return
		case <-time.After(time.Millisecond):
		}
		if r.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0 {
			return
		}
		if time.Now().After(end) {
			r.t.Error("nobody came to disable the organization")
			return
		}
	}
}
