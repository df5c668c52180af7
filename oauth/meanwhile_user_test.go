package oauth_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// TestOpenSession_R12_PasswordReplacedMeanwhile: whoever knew the old password and
// had it checked just before it was replaced does not get in with it.
func TestOpenSession_R12_PasswordReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		snapshot, err := w.orgs.Organization(t.Context(), w.org)
		w.must(err)
		checked := w.user
		_, err = w.service.OpenSession(t.Context(), tenants.Caller{}, snapshot, checked)
		wantProblem(t, err, "")
		w.inTenants(func(tx tenants.Tx) error {
			u := checked
			u.PasswordHash = "$argon2id$another"
			return tx.UpdateUser(u)
		})
		_, err = w.service.OpenSession(t.Context(), tenants.Caller{}, snapshot, checked)
		wantProblem(t, err, problem.Unauthenticated)
	})
}
