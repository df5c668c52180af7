package oauth_test

import (
	"context"
	"sync"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

// fuse lets a call fail at one of its steps: asking the database for anything,
// committing, or hearing that it was committed.
type fuse struct {
	mu    sync.Mutex
	steps int                // until it burns
	hurt  context.CancelFunc // who waits gives up; nil: the database is gone for a step
	burnt bool
}

type fuseKey struct{}

// fused is ctx for a call that fails at its nth step.
func fused(ctx context.Context, n int, giveUp bool) (context.Context, *fuse) {
	f := &fuse{steps: n}
	if giveUp {
		ctx, f.hurt = context.WithCancel(ctx)
	}
	return context.WithValue(ctx, fuseKey{}, f), f
}

// stumble is one step of the call that ctx belongs to.
func stumble(ctx context.Context) error {
	f, ok := ctx.Value(fuseKey{}).(*fuse)
	if !ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.steps--; f.steps != 0 {
		return nil
	}
	f.burnt = true
	if f.hurt != nil {
		f.hurt()
		return nil
	}
	return problem.New(problem.Unavailable, "The database cannot be reached now.")
}

// faulty is a store whose calls fail where their fuse says.
type faulty struct{ oauth.Store }

func (s faulty) View(ctx context.Context, f func(oauth.Reader) error) error {
	if err := stumble(ctx); err != nil {
		return err
	}
	return s.Store.View(ctx, f)
}

// after is a step that comes when the work is done: its answer is lost.
func after(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	return stumble(ctx)
}

func (s faulty) InTx(ctx context.Context, f func(oauth.Tx) error) error {
	if err := stumble(ctx); err != nil {
		return err
	}
	return after(ctx, s.Store.InTx(ctx, func(tx oauth.Tx) error { return f(faultyTx{tx, ctx}) }))
}

func (s faulty) Rotate(ctx context.Context, r oauth.Rotation) (oauth.Session, bool, error) {
	if err := stumble(ctx); err != nil {
		return oauth.Session{}, false, err
	}
	session, done, err := s.Store.Rotate(ctx, r)
	return session, done, after(ctx, err)
}

func (s faulty) UseAPIToken(ctx context.Context, u oauth.TokenUse) (oauth.Session, bool, error) {
	if err := stumble(ctx); err != nil {
		return oauth.Session{}, false, err
	}
	session, done, err := s.Store.UseAPIToken(ctx, u)
	return session, done, after(ctx, err)
}

// faultyTx has a step before each statement that writes or locks.
type faultyTx struct {
	oauth.Tx
	ctx context.Context
}

func (t faultyTx) first(f func() error) error {
	if err := stumble(t.ctx); err != nil {
		return err
	}
	return f()
}

func (t faultyTx) HoldOrganization(org tenants.OrgID) error {
	return t.first(func() error { return t.Tx.HoldOrganization(org) })
}

func (t faultyTx) LockServiceAccount(org tenants.OrgID, id oauth.ClientID) error {
	return t.first(func() error { return t.Tx.LockServiceAccount(org, id) })
}

func (t faultyTx) DeleteServiceAccount(org tenants.OrgID, id oauth.ClientID, now time.Time) error {
	return t.first(func() error { return t.Tx.DeleteServiceAccount(org, id, now) })
}

func (t faultyTx) CreateDevice(d oauth.DeviceRequest) error {
	return t.first(func() error { return t.Tx.CreateDevice(d) })
}

func (t faultyTx) SetPolled(org tenants.OrgID, id string, at time.Time, interval time.Duration) error {
	return t.first(func() error { return t.Tx.SetPolled(org, id, at, interval) })
}

func (t faultyTx) MoveDevice(org tenants.OrgID, id string, from, to oauth.DeviceState, now time.Time) (moved bool, err error) {
	err = t.first(func() (err error) { moved, err = t.Tx.MoveDevice(org, id, from, to, now); return err })
	return moved, err
}

func (t faultyTx) CloseDevices(org tenants.OrgID, account oauth.ClientID, except string) error {
	return t.first(func() error { return t.Tx.CloseDevices(org, account, except) })
}

func (t faultyTx) CreateFamily(f oauth.Family) error {
	return t.first(func() error { return t.Tx.CreateFamily(f) })
}

func (t faultyTx) RevokeFamilies(org tenants.OrgID, account oauth.ClientID, now time.Time) error {
	return t.first(func() error { return t.Tx.RevokeFamilies(org, account, now) })
}

func (t faultyTx) EndSessionsOf(org tenants.OrgID, kind tenants.PrincipalKind, principal string, now time.Time) error {
	return t.first(func() error { return t.Tx.EndSessionsOf(org, kind, principal, now) })
}

func (t faultyTx) CreateSession(s oauth.Session) error {
	return t.first(func() error { return t.Tx.CreateSession(s) })
}

func (t faultyTx) Note(e oauth.Event) error { return t.first(func() error { return t.Tx.Note(e) }) }

func (t faultyTx) Record(e journal.Entry) error {
	return t.first(func() error { return t.Tx.Record(e) })
}
