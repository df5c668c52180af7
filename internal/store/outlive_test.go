package store_test

import (
	"testing"

	"causeway/internal/refusal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// What was sealed stays as it was when its organization goes.
func TestSeals_OutliveTheOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		exec(t, db, "INSERT INTO token_events (at, org_id, account_id, kind, source, detail) VALUES (1, '"+string(w.org)+"', '', 'issued', '', '')")
		ok(t, db.Refusals().AddRefusals(t.Context(), []refusal.Refusal{refusedAt(w.org, "request", now)}))
		sealAll(t, db)
		inTenants(t, db, func(tx tenants.Tx) error { return tx.DeleteOrganization(w.org, now) })
		storetest.Intact(t, db)
		for _, table := range []string{"token_events", "refusals"} {
			if count(t, db, table, "org_id = '"+string(w.org)+"'") == 0 {
				t.Errorf("%s went with the organization", table)
			}
		}
	})
}
