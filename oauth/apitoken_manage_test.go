package oauth_test

import (
	"sync/atomic"
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// A user has so many tokens and no more, however many are created at once; one
// that is deleted makes room.
func TestAPIToken_R13_Capped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, func(p *oauth.Policy) { p.APITokensPerUser = 3 })
		_, by := w.loggedIn()
		var made atomic.Pointer[oauth.APIToken]
		var created, refused atomic.Int32
		together(8, func(int) {
			token, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), tenants.NewID())
			switch {
			case err == nil:
				created.Add(1)
				made.Store(&token)
			case problem.Has(err, problem.Conflict):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
		if created.Load() != 3 || refused.Load() != 5 {
			t.Fatalf("%d were created, %d refused", created.Load(), refused.Load())
		}
		if n := len(w.recorded(journal.APITokenCreated)); n != 3 {
			t.Errorf("%d are recorded", n)
		}
		w.must(w.service.DeleteToken(w.ctx(), by, w.org, w.mine(), made.Load().ID))
		_, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "one more")
		w.must(err)
	})
}

func TestAPIToken_Rename(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		token, tokens := w.apiToken()
		other, _ := w.apiToken()
		_, by := w.loggedIn()
		rename := func(whose oauth.Whose, name string) error {
			_, err := w.service.RenameToken(w.ctx(), by, w.org, whose, token.ID, name)
			return err
		}
		wantProblem(t, rename(w.mine(), ""), problem.BadRequest)
		wantProblem(t, rename(w.mine(), other.Name), problem.DuplicateName)
		wantProblem(t, rename(oauth.Whose{Owner: "somebody"}, "theirs"), problem.NotFound)
		if n := len(w.recorded(journal.APITokenUpdated)); n != 0 {
			t.Fatalf("%d changes are recorded of none", n)
		}
		w.must(rename(w.mine(), "nightly"))
		w.must(rename(w.mine(), "nightly")) // nothing to do
		got, err := w.service.Token(w.ctx(), w.org, w.mine(), token.ID)
		w.must(err)
		rows := w.recorded(journal.APITokenUpdated)
		if got.Name != "nightly" || len(rows) != 1 || rows[0].Detail["name.old"] != token.Name || rows[0].Detail["name.new"] != "nightly" {
			t.Errorf("%q, recorded %+v", got.Name, rows)
		}
		w.mustRefresh(tokens.RefreshToken) // the secret is the same
		w.wantAlive(tokens.AccessToken, true)
	})
}
