package tenants_test

import (
	"context"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/tenants"
)

const password = secret.Text("correct horse battery")

// world is an empty site with what makes organizations, roles and users.
type world struct {
	t      testing.TB
	db     *store.DB
	hasher *secret.PasswordHasher
	*tenants.Provisioner
	now time.Time
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)}
	var err error
	w.hasher, err = secret.NewPasswordHasher(secret.PasswordLimits{Concurrent: 2, Waiting: 100})
	w.must(err)
	w.Provisioner = tenants.NewProvisioner(db.Tenants(), w.hasher, func() time.Time { return w.now })
	return w
}

func (w *world) directory() *tenants.Directory {
	w.t.Helper()
	d, err := tenants.NewDirectory(w.db.Tenants(), 100)
	w.must(err)
	return d
}

// administrator of the site, as a caller.
func administrator() tenants.Caller {
	return tenants.Caller{
		Principal: tenants.Principal{Kind: tenants.KindUser, ID: tenants.NewID(), Name: "root", Org: tenants.SystemOrgID},
		Address:   "203.0.113.1", RequestID: "a-request",
	}
}

// holder is somebody who is there and holds a role.
func (w *world) holder(org tenants.OrgID, role tenants.RoleID) tenants.Principal {
	w.t.Helper()
	u := tenants.User{
		ID: tenants.UserID(tenants.NewID()), Org: org, Name: tenants.NewID(), ProviderType: tenants.ProviderSAML,
		Role: role, Enabled: true, CreatedAt: w.now,
	}
	w.inTx(func(tx tenants.Tx) error { return tx.CreateUser(u) })
	return tenants.Principal{Kind: tenants.KindUser, ID: string(u.ID), Name: u.Name, Org: org, Role: role}
}

func (w *world) newOrg(name string) tenants.OrgID {
	w.t.Helper()
	w.must(w.EnsureSystem(w.ctx()))
	o, err := w.CreateOrganization(w.ctx(), administrator(), name, name+" Inc.")
	w.must(err)
	return o.ID
}

// organization reads around every cache.
func (w *world) organization(id tenants.OrgID) *tenants.Snapshot {
	w.t.Helper()
	s, err := w.directory().Organization(w.ctx(), id)
	w.must(err)
	return s
}

func (w *world) inTx(f func(tenants.Tx) error) {
	w.t.Helper()
	w.must(w.db.Tenants().InTx(w.ctx(), f))
}

func (w *world) recorded(action journal.Action) (rows []journal.Row) {
	w.t.Helper()
	all, err := w.db.Journal().After(w.ctx(), 0, 1000)
	w.must(err)
	for _, row := range all {
		if row.Action == action {
			rows = append(rows, row)
		}
	}
	return rows
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// wantProblem checks the code of a problem; the empty code is success.
func wantProblem(t testing.TB, err error, code problem.Code) {
	t.Helper()
	if code == "" && err == nil || code != "" && problem.Has(err, code) {
		return
	}
	t.Errorf("got %v, want the problem %q", err, code)
}
