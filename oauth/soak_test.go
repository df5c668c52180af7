package oauth_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// TestSoakConcurrentRefresh_R3_VCD18: however many show one token at once, at
// several cells and from several places, they get one successor and no error.
func TestSoakConcurrentRefresh_R3_VCD18(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		token := w.activate(a).RefreshToken
		org := w.snapshot()
		cells := []*oauth.Service{w.service, w.newService(db.OAuth())}
		for range rounds(2, 50) {
			var mu sync.Mutex
			successors := map[string]int{}
			sessions := map[string]bool{}
			together(200, func(i int) {
				got, err := cells[i%2].Refresh(w.ctx(), from(fmt.Sprint(i%5)), org, "", token)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("refresh: %v", err)
					return
				}
				successors[got.RefreshToken.Reveal()]++
				sessions[string(got.Session.ID)] = true
			})
			if len(successors) != 1 || len(sessions) != 200 {
				t.Fatalf("%d distinct successors and %d sessions of 200 refreshes", len(successors), len(sessions))
			}
			for s := range successors {
				if s == token.Reveal() {
					t.Fatal("the token is its own successor")
				}
				token = secret.Text(s)
			}
			w.clock.add(time.Second)
		}
		w.wantStatus(a, oauth.Active)
		w.mustRefresh(token)
		if n := len(w.recorded(journal.FamilyReplayed)); n != 0 {
			t.Errorf("%d alarms", n)
		}
	})
}

// An organization that lets no other address show a token again loses no account
// of an app whose processes refresh at once from one address.
func TestSoakConcurrentRefresh_R3_VCD18_NoForeignWindow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.setPolicy(tenants.TokenPolicy{GraceWindow: tenants.Just(0), MaxRetries: tenants.Just(1)})
		a := w.newAccount()
		token, org := w.activate(a).RefreshToken, w.snapshot()
		cells := []*oauth.Service{w.service, w.newService(db.OAuth())}
		var successors sync.Map
		together(rounds(50, 200), func(i int) {
			got, err := cells[i%2].Refresh(w.ctx(), from(here), org, "", token)
			if err != nil {
				t.Errorf("refresh: %v", err)
			}
			successors.Store(got.RefreshToken, true)
		})
		n := 0
		successors.Range(func(any, any) bool { n++; return true })
		if alarms := w.recorded(journal.FamilyReplayed); n != 1 || len(alarms) != 0 {
			t.Errorf("%d successors and %d alarms", n, len(alarms))
		}
		w.wantStatus(a, oauth.Active)
	})
}

// TestSoakRefreshRacingRevoke_R4_VCD91: whichever comes first, nothing lives
// after the end of the account's tokens was reported.
func TestSoakRefreshRacingRevoke_R4_VCD91(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		org := w.snapshot()
		for name, end := range map[string]func(oauth.ServiceAccount, secret.Text) error{
			"revoke": func(a oauth.ServiceAccount, _ secret.Text) error {
				return w.service.Revoke(w.ctx(), w.admin, w.org, a.ID)
			},
			"delete": func(a oauth.ServiceAccount, _ secret.Text) error {
				return w.service.Delete(w.ctx(), w.admin, w.org, a.ID)
			},
			"the app's own revocation": func(_ oauth.ServiceAccount, current secret.Text) error {
				_, err := w.service.RevokeToken(w.ctx(), from(here), w.org, "", current)
				return err
			},
		} {
			first := 0
			for i := range rounds(8, 400) {
				a := w.newAccount()
				spent := w.activate(a).RefreshToken
				current := w.mustRefresh(spent).RefreshToken
				var mu sync.Mutex
				var got []oauth.Tokens
				together(5, func(who int) {
					if who == 0 {
						time.Sleep(time.Duration(i%6) * 400 * time.Microsecond)
						if err := end(a, current); err != nil {
							t.Errorf("%s: %v", name, err)
						}
						return
					}
					token := current // one of them retries
					if who == 4 {
						token = spent
					}
					tokens, err := w.service.Refresh(w.ctx(), from(here), org, "", token)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						got = append(got, tokens)
					case !problem.Has(err, problem.InvalidGrant) && !problem.Has(err, problem.Replayed):
						t.Errorf("refresh against %s: %v", name, err)
					}
				})
				r.wantNothingLive(a)
				first += len(got)
				for _, tokens := range got {
					w.wantAlive(tokens.AccessToken, false)
					_, err := w.refresh(here, tokens.RefreshToken)
					wantProblem(t, err, problem.InvalidGrant)
				}
			}
			t.Logf("against %s %d refreshes were first", name, first)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock: a revocation must not take a second for that", n)
		}
	})
}

// TestSoakRefreshRacingDisable_R4: what is refreshed while the organization is being
// disabled lives neither then nor after it is enabled again; the token itself does.
func TestSoakRefreshRacingDisable_R4(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		tr := &trial{world: w}
		a := w.newAccount()
		token := w.activate(a).RefreshToken
		org := w.snapshot()
		for i := range rounds(4, 200) {
			var mu sync.Mutex
			var got []oauth.Tokens
			together(5, func(who int) {
				if who == 0 {
					time.Sleep(time.Duration(i%6) * 400 * time.Microsecond)
					if err := tr.setEnabled(false); err != nil {
						t.Error(err)
					}
					return
				}
				tokens, err := w.service.Refresh(w.ctx(), from(here), org, "", token)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, tokens)
				} else if !problem.Has(err, problem.InvalidGrant) && !problem.Has(err, problem.Unavailable) {
					t.Errorf("refresh against disable: %v", err)
				}
			})
			for _, enabled := range []bool{false, true} {
				w.must(tr.setEnabled(enabled))
				w.orgs.Flush()
				for _, tokens := range got {
					w.wantAlive(tokens.AccessToken, false)
				}
			}
			token = w.mustRefresh(token).RefreshToken
		}
		w.wantStatus(a, oauth.Active)
	})
}
