package store_test

import (
	"fmt"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// A publication is held while many tenants are named: they are named many at a
// time, and every one of them counts.
func TestPublications_ManyTenantsTakeFewStatements(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const many = 1200
		p := tenants.Publication{Kind: tenants.GlobalRole, ID: newID[tenants.PublicationID](), Name: "Wide"}
		var bulk store.Bulk
		var ids []tenants.OrgID
		for i := range many + 1 { // one of them stays
			id := newID[tenants.OrgID]()
			ids = append(ids, id)
			bulk.Organizations = append(bulk.Organizations, tenants.Organization{ID: id, Name: fmt.Sprint("wide ", i), CreatedAt: now})
		}
		ok(t, db.Load(t.Context(), bulk))
		statements := 0
		ok(t, db.Spy(func(string, []any) { statements++ }))
		few := func(what string, f func() error) error {
			before := statements
			err := f()
			if n := statements - before; n > 3 {
				t.Errorf("%s takes %d statements", what, n)
			}
			return err
		}
		ok(t, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
			if err := tx.CreatePublication(p); err != nil {
				return err
			}
			var names map[tenants.OrgID]string
			err := few("to name them", func() (err error) {
				names, err = tx.OrganizationNames(append(ids[:many:many], newID[tenants.OrgID]()))
				return err
			})
			if err != nil {
				return err
			}
			for i, id := range ids[:many] {
				if names[id] != fmt.Sprint("wide ", i) {
					t.Errorf("%s is %q", id, names[id])
				}
			}
			if len(names) != many {
				t.Errorf("%d have a name, want %d", len(names), many)
			}
			if err := few("to publish", func() error { return tx.Publish(p.ID, ids) }); err != nil {
				return err
			}
			return few("to unpublish", func() error { return tx.Unpublish(p.ID, ids[:many]) })
		}))
		ok(t, db.Tenants().View(t.Context(), func(r tenants.Reader) error {
			left, total, err := r.PublicationTenants(p.Kind, p.ID, tenants.Query{Page: 1, PageSize: 10})
			if total != 1 || len(left) != 1 || left[0].ID != ids[many] {
				t.Errorf("published to %+v of %d", left, total)
			}
			return err
		}))
	})
}
