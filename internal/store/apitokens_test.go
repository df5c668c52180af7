package store_test

import (
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

func TestAPITokens_FetchedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		byDigest := func(d oauth.Digest) (oauth.APIToken, error) {
			var a oauth.APIToken
			err := db.OAuth().View(t.Context(), func(r oauth.Reader) (err error) {
				a, err = r.APITokenByDigest(d)
				return err
			})
			return a, err
		}
		for _, d := range []oauth.Digest{nil, {}, digest("invented")} {
			_, err := byDigest(d)
			wantProblem(t, err, problem.NotFound) // what was not fetched cannot be shown
		}
		for i, want := range []bool{true, false, false} {
			inOAuth(t, db, func(tx oauth.Tx) error {
				did, err := tx.FetchAPIToken(w.token, digest("fetch", min(i, 1)))
				if did != want {
					t.Errorf("fetch %d: %v, want %v", i, did, want)
				}
				return err
			})
		}
		got, err := byDigest(digest("fetch", 0))
		ok(t, err)
		if got != w.token {
			t.Errorf("got %+v, want %+v", got, w.token)
		}
		_, err = byDigest(digest("fetch", 1))
		wantProblem(t, err, problem.NotFound)
	})
}

// A token goes with its owner, and its sessions end with it; a disabled owner
// opens none.
func TestAPITokens_R4_GoWithTheirOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		open := func() error {
			return db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateSession(w.newTokenSession()) })
		}
		enable := func(enabled bool) {
			inTenants(t, db, func(tx tenants.Tx) error {
				u, err := tx.User(w.org, w.user, now)
				if err != nil {
					return err
				}
				u.Enabled = enabled
				return tx.UpdateUser(u)
			})
		}
		const live = "kind = 'apiToken' AND ended_at = 0"
		ok(t, open())
		enable(false)
		wantProblem(t, open(), problem.NotFound)
		inTenants(t, db, func(tx tenants.Tx) error { return tx.EndUserSessions(w.org, w.user, "", now) })
		if n := count(t, db, "sessions", live); n != 0 {
			t.Errorf("%d sessions live on", n)
		}
		enable(true)

		other := w.newAPIToken("other")
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateAPIToken(other, 100) })
		ok(t, open())
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.DeleteAPIToken(other, now.Add(time.Second)) })
		if n := count(t, db, "sessions", live); n != 1 {
			t.Errorf("%d sessions live after another token was deleted", n)
		}
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.DeleteAPIToken(w.token, now.Add(time.Second)) })
		if n := count(t, db, "sessions", live); n != 0 {
			t.Errorf("%d sessions live on after their token", n)
		}
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateAPIToken(other, 100) })
		wantProblem(t, open(), problem.NotFound) // another token of the user opens nothing for this one

		john := newID[tenants.UserID]()
		inTenants(t, db, func(tx tenants.Tx) error {
			return tx.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: john, Org: w.org, Name: "john", Role: w.role, Enabled: true})
		})
		johns := w.newTokenSession()
		johns.Principal, johns.Family = string(john), string(other.ID)
		wantProblem(t, db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateSession(johns) }), problem.NotFound)
		inTenants(t, db, func(tx tenants.Tx) error { return tx.DeleteUser(w.org, w.user) })
		if n := count(t, db, "api_tokens", "1 = 1"); n != 0 {
			t.Errorf("%d tokens outlive their owner", n)
		}
	})
}

func TestAPITokens_NamesAreTheOwnersOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		create := func(a oauth.APIToken) error {
			return db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateAPIToken(a, 100) })
		}
		wantProblem(t, create(w.newAPIToken("ci")), problem.DuplicateName)
		ok(t, create(w.newAPIToken("CI")))
		theirs := w.newAPIToken("ci")
		theirs.Owner = newID[tenants.UserID]()
		wantProblem(t, create(theirs), problem.NotFound)
		inTenants(t, db, func(tx tenants.Tx) error {
			return tx.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: theirs.Owner, Org: w.org, Name: "john", Role: w.role, Enabled: true})
		})
		ok(t, create(theirs))
	})
}
