package store_test

import (
	"errors"
	"testing"

	"causeway/federation"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// People of associated providers go on mapping, now that the association's own word
// counts; those of tenants do not begin to.
func TestMigrate_R10_ProvidersGoOnMappingPeople(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tenant := newOrg(t, db, "Own").org
		inTenants(t, db, func(tx tenants.Tx) error {
			return tx.CreateOrganization(tenants.Organization{ID: tenants.SystemOrgID, Name: "System", Enabled: true, CreatedAt: now})
		})
		theirs := tenants.LocationID{Org: newID[tenants.OrgID](), Site: newID[tenants.SiteID]()}
		inFederation(t, db, func(tx federation.Tx) error {
			half := federation.OrgAssociation{Remote: theirs.Org, RemoteName: "Theirs", Site: theirs.Site, PublicKey: "KEY", Status: federation.StatusActive, CreatedAt: now}
			provider := half
			half.Local, provider.Local = tenant, tenants.SystemOrgID
			return errors.Join(tx.PutOrgAssociation(half), tx.PutOrgAssociation(provider))
		})
		ok(t, db.MigrateTo(t.Context(), 4))
		ok(t, db.Migrate(t.Context()))
		ok(t, db.Federation().View(t.Context(), func(r federation.Reader) error {
			for local, want := range map[tenants.OrgID]bool{tenant: false, tenants.SystemOrgID: true} {
				a, err := r.OrgAssociation(local, theirs)
				if err != nil || a.MapUsers != want {
					t.Errorf("people map in %s: %v, %v; want %v", local, a.MapUsers, err, want)
				}
			}
			return nil
		}))
	})
}
