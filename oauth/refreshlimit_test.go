package oauth_test

import (
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// TestRefreshLimit_R1_R13 refuses every refresh that is counted. What is no good
// token is not counted, so strangers use up nobody's; a refusal writes nothing, and
// afterwards the token works as if it had not been. A replay is found out however
// often its account refreshes.
func TestRefreshLimit_R1_R13(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for _, tt := range []struct {
			name  string
			show  func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot)
			count int
			want  problem.Code
		}{
			{"the current token", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				return current, w.snapshot()
			}, 1, problem.TooManyRequests},
			{"a retry", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				w.mustRefresh(current)
				return current, w.snapshot()
			}, 1, problem.TooManyRequests},
			{"a user's token", func(w *world, _ secret.Text) (secret.Text, *tenants.Snapshot) {
				_, tokens := w.apiToken()
				return tokens.RefreshToken, w.snapshot()
			}, 1, problem.TooManyRequests},
			{"a replay", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				w.mustRefresh(w.mustRefresh(current).RefreshToken)
				return current, w.snapshot()
			}, 0, problem.Replayed},
			{"nobody's token", func(w *world, _ secret.Text) (secret.Text, *tenants.Snapshot) {
				return "00000000000000000000000000000000", w.snapshot()
			}, 0, problem.InvalidGrant},
			{"at another organization", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				return current, w.neighbour().snapshot()
			}, 0, problem.InvalidGrant},
			{"of a disabled organization", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				return current, w.disabled()
			}, 0, problem.InvalidGrant},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				first := w.activate(w.newAccount())
				token, org := tt.show(w, first.RefreshToken)
				counted := 0
				strict := w.newServiceWith(func(c *oauth.Config) {
					c.CountRefresh = func(tenants.OrgID, oauth.ClientID) error {
						counted++
						return problem.New(problem.TooManyRequests, "Too many.").After(time.Second)
					}
				})
				before := r.in(t).all()
				_, err := strict.Refresh(w.ctx(), from(here), org, "", token)
				if wantProblem(t, err, tt.want); counted != tt.count {
					t.Errorf("counted %d times, want %d", counted, tt.count)
				}
				if tt.count == 0 {
					return
				}
				if after := r.in(t).all(); after != before {
					t.Errorf("a refused refresh wrote: %s\nbefore:\n%s", after, before)
				}
				w.mustRefresh(token)
			})
		}
	})
}

// However many turns a refresh takes, it counts once, by the account it belongs to.
func TestRefreshLimit_R13_CountsTheAccount(t *testing.T) {
	w := newWorld(t, newDB(t))
	a := w.newAccount()
	first := w.activate(a)
	var counted []oauth.ClientID
	counting := w.newServiceWith(func(c *oauth.Config) {
		c.CountRefresh = func(org tenants.OrgID, id oauth.ClientID) error {
			if counted = append(counted, id); org != a.Org {
				t.Errorf("counted in %s", org)
			}
			return nil
		}
	})
	if _, err := counting.Refresh(w.ctx(), from(here), w.snapshot(), "", first.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if len(counted) != 1 || counted[0] != a.ID {
		t.Errorf("counted %v, want once %s", counted, a.ID)
	}
}
