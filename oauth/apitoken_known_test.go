package oauth_test

import (
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// A cell that has met an API token does not try to rotate it again, and believes
// nothing of it: whether it may be used is asked each time.
func TestAPIToken_R4_KnownTokenCostsLessAndIsAskedAbout(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, tokens := w.apiToken()
		account := w.activate(w.newAccount())
		cost := func() int64 {
			before := db.Statements()
			_, err := w.refresh(there, tokens.RefreshToken)
			w.must(err)
			return db.Statements() - before
		}
		if first, second := cost(), cost(); second >= first {
			t.Errorf("the first refresh took %d statements, the second %d", first, second)
		}
		w.mustRefresh(account.RefreshToken)
		w.editUser(func(u *tenants.User) { u.Enabled = false })
		_, err := w.refresh(there, tokens.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
		w.editUser(func(u *tenants.User) { u.Enabled = true })
		_, err = w.refresh(there, tokens.RefreshToken)
		w.must(err)
	})
}
