package tenants_test

import (
	"context"
	"testing"
	"time"

	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// oneByOne counts how often a single organization is asked for in a transaction.
type oneByOne struct {
	tenants.Store
	asked *int
}

func (s oneByOne) InTx(ctx context.Context, f func(tenants.Tx) error) error {
	return s.Store.InTx(ctx, func(tx tenants.Tx) error { return f(oneByOneTx{tx, s.asked}) })
}

type oneByOneTx struct {
	tenants.Tx
	asked *int
}

func (tx oneByOneTx) Organization(id tenants.OrgID) (tenants.Organization, error) {
	*tx.asked++
	return tx.Tx.Organization(id)
}

// The publication is held meanwhile, so the tenants are not looked up one by one.
func TestPublications_ListedTenantsAreLookedUpTogether(t *testing.T) {
	t.Parallel()
	w := newRoleWorld(t, storetest.New(t, storetest.SQLite))
	p := w.published(tenants.RightsBundle, "bundle", viewCatalogs)
	var ids []tenants.OrgID
	for range 50 {
		ids = append(ids, w.newOrg("Org "+tenants.NewID()))
	}
	asked := 0
	service := tenants.New(tenants.Config{
		Store: oneByOne{w.db.Tenants(), &asked}, Directory: w.directory(), Hasher: w.hasher, Now: func() time.Time { return w.now },
	})
	for _, change := range []func(context.Context, tenants.Caller, tenants.PublicationKind, tenants.PublicationID, []tenants.OrgID) error{
		service.Publish, service.Unpublish, service.ReplaceTenants,
	} {
		asked = 0
		w.must(change(w.ctx(), w.provider(), p.Kind, p.ID, ids))
		if asked > 10 {
			t.Errorf("%d look-ups for %d tenants", asked, len(ids))
		}
	}
	if got := w.tenants(p); len(got) != len(ids) {
		t.Errorf("published to %d, want %d", len(got), len(ids))
	}
}
