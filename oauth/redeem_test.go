package oauth_test

import (
	"strings"
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

func TestRedeem_VCD6_VCD83_VCD84_VCD87(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		tokens := w.activate(a)
		if !isRefreshToken(tokens.RefreshToken) {
			t.Errorf("the refresh token has %d characters or not letters and digits alone", len(tokens.RefreshToken))
		}
		if tokens.ExpiresIn != 30*24*time.Hour {
			t.Errorf("the access token lives for %v", tokens.ExpiresIn)
		}
		who, err := w.cell().Authenticate(w.ctx(), tokens.AccessToken.Reveal()) // usable at once
		w.must(err)
		want := tenants.Principal{
			Kind: tenants.KindServiceAccount, ID: string(a.ID), Name: a.Name, SoftwareID: a.SoftwareID,
			Org: w.org, OrgName: w.snapshot().Name, Role: w.roles[deployer], RoleName: deployer,
			Session: tokens.Session.ID, Home: tenants.LocationID{Org: w.org, Site: site},
		}
		if who != want {
			t.Errorf("the token's holder is %+v, want %+v", who, want)
		}
		if n := len(w.recorded(journal.AccountActivated)); n != 1 {
			t.Errorf("the activation was recorded %d times", n)
		}
	})
}

func isRefreshToken(token secret.Text) bool {
	return len(token) == 32 && !strings.ContainsFunc(token.Reveal(), func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// The tokens are for who holds the device code and for the account it was given
// to; nobody else's try takes anything from them.
func TestRedeem_VCD11_OnlyTheHolderOfTheDeviceCode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		d := w.startDevice(w.newAccount())
		d.decide(granted)
		for name, try := range map[string]struct {
			org    *tenants.Snapshot
			client oauth.ClientID
			code   string
		}{
			"another client":       {w.snapshot(), w.newAccount().ID, d.DeviceCode},
			"no client":            {w.snapshot(), "", d.DeviceCode},
			"another organization": {n.snapshot(), d.account.ID, d.DeviceCode},
			"the user code":        {w.snapshot(), d.account.ID, d.UserCode},
			"an invented code":     {w.snapshot(), d.account.ID, secret.URLSafe(32)},
			"no code":              {w.snapshot(), d.account.ID, ""},
			"the code in disguise": {w.snapshot(), d.account.ID, " " + d.DeviceCode},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.service.RedeemDevice(w.ctx(), from(here), try.org, try.client, try.code)
				wantProblem(t, err, problem.InvalidGrant)
			})
		}
		_, err := d.poll(0)
		wantProblem(t, err, "")
	})
}

// An account has one token: fetching a new one ends what the old one gave.
func TestRedeem_VCD83_ReplacesWhatTheAccountHad(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		first := w.activate(a)
		other := w.activate(w.newAccount())
		two, three := w.startDevice(a), w.startDevice(a)
		two.decide(granted)
		three.decide(granted)
		w.wantAlive(first.AccessToken, true) // until it is fetched

		second, err := two.poll(0)
		w.must(err)
		w.wantAlive(first.AccessToken, false)
		_, err = w.refresh(here, first.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
		_, err = three.poll(0)
		wantProblem(t, err, problem.InvalidGrant)
		w.wantAlive(second.AccessToken, true)
		w.mustRefresh(second.RefreshToken)
		w.wantAlive(other.AccessToken, true) // another account's
		w.mustRefresh(other.RefreshToken)
	})
}

// What was true at the grant is asked again when the tokens are fetched.
func TestRedeem_R2_StateIsCheckedAgain(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for name, between := range map[string]func(w *world, a oauth.ServiceAccount) *tenants.Snapshot{
			"R4 the account was deleted": func(w *world, a oauth.ServiceAccount) *tenants.Snapshot {
				w.must(w.service.Delete(w.ctx(), w.admin, w.org, a.ID))
				return w.snapshot()
			},
			"R4 deleted, and the name given anew": func(w *world, a oauth.ServiceAccount) *tenants.Snapshot {
				w.must(w.service.Delete(w.ctx(), w.admin, w.org, a.ID))
				reg := registration()
				reg.ClientName = a.Name
				_, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
				w.must(err)
				return w.snapshot()
			},
			"R4 VCD-90 the account was revoked": func(w *world, a oauth.ServiceAccount) *tenants.Snapshot {
				w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
				return w.snapshot()
			},
			"R4 the organization was switched off": func(w *world, a oauth.ServiceAccount) *tenants.Snapshot {
				return w.disabled()
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				d := w.startDevice(w.newAccount())
				d.decide(granted)
				org := between(w, d.account)
				_, err := w.service.RedeemDevice(w.ctx(), from(here), org, d.account.ID, d.DeviceCode)
				wantProblem(t, err, problem.InvalidGrant)
				r.in(t).wantNothingLive(d.account)
			})
		}
	})
}

func TestRedeem_VCD15_OnceUnderRaces(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		org := w.snapshot()
		for range rounds(5, 100) {
			d := w.startDevice(w.newAccount())
			d.decide(granted)
			delivered := deliveries(t, 12, func(int) (oauth.Tokens, error) {
				return w.service.RedeemDevice(w.ctx(), from(here), org, d.account.ID, d.DeviceCode)
			})
			if len(delivered) != 1 {
				t.Fatalf("the tokens were delivered %d times", len(delivered))
			}
			if families, sessions := r.live(d.account); families != 1 || sessions != 1 {
				t.Errorf("%d families and %d sessions are live", families, sessions)
			}
			w.mustRefresh(delivered[0].RefreshToken)
		}
	})
}

// Two granted requests of one account, fetched at once: one of them is the
// account's token in the end.
func TestRedeem_R3_TwoRequestsAtOnce(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		org := w.snapshot()
		for range rounds(3, 50) {
			a := w.newAccount()
			asked := []*device{w.startDevice(a), w.startDevice(a)}
			asked[0].decide(granted)
			asked[1].decide(granted)
			delivered := deliveries(t, 2, func(i int) (oauth.Tokens, error) {
				return w.service.RedeemDevice(w.ctx(), from(here), org, a.ID, asked[i].DeviceCode)
			})
			if len(delivered) != 1 {
				t.Fatalf("%d of two requests were fetched, want 1: the first closes the other", len(delivered))
			}
			if families, sessions := r.live(a); families != 1 || sessions != 1 {
				t.Errorf("%d families and %d sessions are live", families, sessions)
			}
			w.mustRefresh(delivered[0].RefreshToken)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock", n)
		}
	})
}

// deliveries runs n redemptions at once and returns the tokens they gave; the
// others must say invalid_grant.
func deliveries(t *testing.T, n int, redeem func(i int) (oauth.Tokens, error)) (delivered []oauth.Tokens) {
	t.Helper()
	var mu sync.Mutex
	together(n, func(i int) {
		tokens, err := redeem(i)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			delivered = append(delivered, tokens)
		} else {
			wantProblem(t, err, problem.InvalidGrant)
		}
	})
	return delivered
}

// Whoever is first, nothing of the account lives after a revocation or deletion
// that races with the redemption.
func TestRedeem_R4_RacingRevokeAndDelete(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		org := w.snapshot()
		for name, end := range map[string]func(oauth.ServiceAccount) error{
			"revoke": func(a oauth.ServiceAccount) error { return w.service.Revoke(w.ctx(), w.admin, w.org, a.ID) },
			"delete": func(a oauth.ServiceAccount) error { return w.service.Delete(w.ctx(), w.admin, w.org, a.ID) },
		} {
			won := 0
			for i := range rounds(6, 200) {
				d := w.startDevice(w.newAccount())
				d.decide(granted)
				var delivered []oauth.Tokens
				together(2, func(who int) {
					time.Sleep(time.Duration(i%3) * 300 * time.Microsecond * time.Duration(who))
					if who == 0 {
						if err := end(d.account); err != nil {
							t.Error(err)
						}
						return
					}
					delivered = deliveries(t, 1, func(int) (oauth.Tokens, error) {
						return w.service.RedeemDevice(w.ctx(), from(here), org, d.account.ID, d.DeviceCode)
					})
				})
				r.wantNothingLive(d.account)
				for _, tokens := range delivered {
					won++
					w.wantAlive(tokens.AccessToken, false)
					_, err := w.refresh(here, tokens.RefreshToken)
					wantProblem(t, err, problem.InvalidGrant)
				}
			}
			t.Logf("against %s the redemption was first in %d rounds", name, won)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock: a revocation must not take a second for that", n)
		}
	})
}
