package oauth_test

import (
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// setPolicy gives the organization a token policy of its own.
func (w *world) setPolicy(p tenants.TokenPolicy) {
	w.t.Helper()
	w.inTenants(func(tx tenants.Tx) error {
		o, err := tx.Organization(w.org)
		if err != nil {
			return err
		}
		o.Settings.Tokens = p
		return tx.UpdateOrganization(o)
	})
	w.orgs.Flush()
}

// What an organization says of its tokens holds there, and nowhere else.
func TestRotation_R3_PolicyOfTheOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, tt := range map[string]struct {
			own    tenants.TokenPolicy
			after  time.Duration
			source string
		}{
			"strict":         {tenants.TokenPolicy{RetryWindow: tenants.Just(0)}, 0, here},
			"short window":   {tenants.TokenPolicy{RetryWindow: tenants.Just(30)}, 30 * time.Second, here},
			"no foreign one": {tenants.TokenPolicy{GraceWindow: tenants.Just(0)}, 0, there},
			"one retry":      {tenants.TokenPolicy{GraceWindow: tenants.Just(0), MaxRetries: tenants.Just(1)}, 0, here},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				other := w.neighbour()
				w.setPolicy(tt.own)
				if tt.own.MaxRetries.Or(0) == 1 {
					spent := w.activate(w.newAccount())
					w.mustRefresh(spent.RefreshToken)
					w.clock.add(minute) // before, they do not count
					w.mustRefresh(spent.RefreshToken)
					_, err := w.refresh(tt.source, spent.RefreshToken)
					wantProblem(t, err, problem.Replayed)
					return
				}
				for _, at := range []struct {
					w    *world
					want problem.Code
				}{{w, problem.Replayed}, {other, ""}} {
					spent := at.w.activate(at.w.newAccount())
					at.w.mustRefresh(spent.RefreshToken)
					w.clock.add(tt.after)
					_, err := at.w.refresh(tt.source, spent.RefreshToken)
					wantProblem(t, err, at.want)
				}
			})
		}
	})
}

// A family ends at its maximum age, with its sessions, and the account is as
// after a revocation: the whole procedure repeats (VCD-94).
func TestRotation_R3_MaximumAge(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, func(p *oauth.Policy) { p.MaxAge = 10 * day })
		other := w.neighbour()
		other.setPolicy(tenants.TokenPolicy{MaxAge: tenants.Just(0)})
		a, b := w.newAccount(), other.newAccount()
		first, theirs := w.activate(a), other.activate(b)
		if first.ExpiresIn != 10*day || theirs.ExpiresIn != 30*day {
			t.Errorf("access tokens live %v and %v", first.ExpiresIn, theirs.ExpiresIn)
		}
		w.clock.add(10*day - time.Second)
		second := w.mustRefresh(first.RefreshToken)
		if second.ExpiresIn != time.Second {
			t.Errorf("the last access token lives %v", second.ExpiresIn)
		}
		w.wantAlive(second.AccessToken, true)
		w.clock.add(time.Second)
		w.wantAlive(second.AccessToken, false)
		_, err := w.refresh(here, second.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
		w.wantStatus(a, oauth.Created)
		if n := len(w.recorded(journal.FamilyExpired)); n != 1 {
			t.Errorf("%d ends of families are recorded", n)
		}
		if n := len(w.recorded(journal.FamilyReplayed)); n != 0 {
			t.Error("age was taken for a replay")
		}
		_, err = w.refresh(here, second.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
		if n := len(w.recorded(journal.FamilyExpired)); n != 1 {
			t.Errorf("the end was recorded %d times", n)
		}
		other.mustRefresh(theirs.RefreshToken)
		w.mustRefresh(w.activate(a).RefreshToken)
	})
}

// A wrong organization does not end what has grown old either.
func TestRotation_R3_MaximumAgeIsTheOwnersToMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t), func(p *oauth.Policy) { p.MaxAge = time.Hour })
	other := w.neighbour()
	a := w.newAccount()
	tokens := w.activate(a)
	w.clock.add(2 * time.Hour)
	_, err := other.refresh(there, tokens.RefreshToken)
	wantProblem(t, err, problem.InvalidGrant)
	w.wantStatus(a, oauth.Active)
}
