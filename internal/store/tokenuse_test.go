package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// fetched gives the tenant's API token its refresh token and returns its use.
func (w *tenant) fetched(t testing.TB) oauth.TokenUse {
	t.Helper()
	token := digest("api token", w.token.ID)
	inOAuth(t, w.db, func(tx oauth.Tx) error {
		did, err := tx.FetchAPIToken(w.token, token)
		if err == nil && !did {
			err = errors.New("it was fetched before")
		}
		return err
	})
	return oauth.TokenUse{
		Org: w.org, Token: token, At: now.Add(time.Minute), Source: "192.0.2.9",
		Session: newID[tenants.SessionID](), Lifetime: time.Hour,
	}
}

// editOwner changes the token's owner.
func (w *tenant) editOwner(t testing.TB, change func(*tenants.User)) {
	t.Helper()
	inTenants(t, w.db, func(tx tenants.Tx) error {
		u, err := tx.User(w.org, w.user, now)
		change(&u)
		return errors.Join(err, tx.UpdateUser(u))
	})
}

func TestUseAPIToken_VCD18_VCD89_OpensASessionOfTheOwnerAsItIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		newTenant(t, db, "Other").fetched(t)
		u := w.fetched(t)
		inTenants(t, db, func(tx tenants.Tx) error { return tx.SetUserQuota(w.org, w.user, w.quota) })
		w.editOwner(t, func(u *tenants.User) { u.Name, u.Quota = "joan", w.quota })
		u.Client, u.Quota, u.Pin = w.token.ID, w.quota, "[pinned]"
		for i := range 3 { // it is not used up
			u.Session = newID[tenants.SessionID]()
			got, did, err := db.OAuth().UseAPIToken(t.Context(), u)
			want := oauth.Session{
				ID: u.Session, Org: w.org, Kind: tenants.KindAPIToken, Principal: string(w.user), Name: "joan", Role: w.role,
				Quota: "[pinned]", Family: string(w.token.ID), CreatedAt: u.At, ExpiresAt: u.At.Add(time.Hour), LastUsed: u.At,
			}
			if !did || err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("use %d: %v, %v, %+v, want %+v", i, did, err, got, want)
			}
			if stored := read(t, db, func(r oauth.Reader) (oauth.Session, error) { return r.Session(u.Session) }); !reflect.DeepEqual(stored, want) {
				t.Errorf("stored is %+v, want %+v", stored, want)
			}
		}
		if n := count(t, db, "token_events", "kind = 'refreshed' AND account_id = '"+string(w.token.ID)+"' AND source = '192.0.2.9'"); n != 3 {
			t.Errorf("%d events, want 3", n)
		}
	})
}

// A session ends with its token, and no token is used when it is over.
func TestUseAPIToken_R1_EndsWithTheToken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		w.token = w.newAPIToken("short")
		w.token.ExpiresAt = now.Add(90 * time.Minute)
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateAPIToken(w.token, 100) })
		u := w.fetched(t)
		for after, want := range map[time.Duration]time.Duration{
			0: time.Hour, 30 * time.Minute: 90 * time.Minute, 90*time.Minute - time.Microsecond: 90 * time.Minute, 90 * time.Minute: 0, time.Hour * 2: 0,
		} {
			u.At, u.Session = now.Add(after), newID[tenants.SessionID]()
			got, did, err := db.OAuth().UseAPIToken(t.Context(), u)
			if err != nil || did != (want != 0) || did && !got.ExpiresAt.Equal(now.Add(want)) {
				t.Errorf("used after %s: %v, %v, until %s", after, did, err, got.ExpiresAt)
			}
		}
	})
}

func TestUseAPIToken_R1_R6_RefusesAndChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other, disabled, off := newTenant(t, db, "Own"), newTenant(t, db, "Other"), newTenant(t, db, "Disabled"), newTenant(t, db, "Off")
		good, ofDisabled, ofOff := w.fetched(t), disabled.fetched(t), off.fetched(t)
		disabled.editOwner(t, func(u *tenants.User) { u.Enabled = false })
		inTenants(t, db, func(tx tenants.Tx) error {
			o, err := tx.Organization(off.org)
			o.Enabled = false
			return errors.Join(err, tx.UpdateOrganization(o))
		})
		unknown, none, wrongOrg, wrongClient, quota, family := good, good, good, good, good, good
		unknown.Token, none.Token, wrongOrg.Org, wrongClient.Client = digest("unknown"), oauth.Digest{}, other.org, other.token.ID
		quota.Quota, family.Token = w.quota, w.family.Current
		before := dump(t, db)
		var all sync.WaitGroup // some of them in one batch
		for name, u := range map[string]oauth.TokenUse{
			"an unknown token": unknown, "one that was not fetched": none, "at another organization": wrongOrg, "of another token": wrongClient,
			"under a quota that the owner has not": quota, "an account's token": family, "of a disabled owner": ofDisabled, "of a disabled organization": ofOff,
		} {
			all.Go(func() {
				if _, did, err := db.OAuth().UseAPIToken(context.Background(), u); did || err != nil {
					t.Errorf("%s: %v, %v", name, did, err)
				}
			})
		}
		all.Wait()
		if after := dump(t, db); after != before {
			t.Errorf("a refused use changed something:\n%s\nbefore:\n%s", after, before)
		}
		if _, did, err := db.OAuth().UseAPIToken(t.Context(), good); !did || err != nil {
			t.Errorf("the good one: %v, %v", did, err)
		}
	})
}

// One session each, however many ask at once; one that cannot be written opens
// nothing.
func TestUseAPIToken_ManyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		uses := []oauth.TokenUse{w.fetched(t), other.fetched(t)}
		owners := []*tenant{w, other}
		const n = 60
		did := parallel(t, n, func(i int) (bool, error) {
			u := uses[i%2]
			if u.Session = newID[tenants.SessionID](); i == 7 {
				u.Session = w.session.ID // exists
			}
			for {
				s, did, err := db.OAuth().UseAPIToken(t.Context(), u)
				switch {
				case i == 7:
					return did, err
				case did && (s.ID != u.Session || s.Org != owners[i%2].org || s.Principal != string(owners[i%2].user)):
					return false, fmt.Errorf("%+v", s)
				case did || err != nil:
					return did, err
				}
			}
		})
		if got := count(t, db, "sessions", "kind = 'apiToken'"); did != n-1 || got != n-1 {
			t.Errorf("%d were opened, %d are there, want %d", did, got, n-1)
		}
	})
}

// Whoever wins, no session of a token lives after what ends it.
func TestSoakUseAPIToken_R4_NothingSurvivesWhatEndsIt(t *testing.T) {
	t.Parallel()
	ends := map[string]func(w *tenant) error{
		"the token is deleted": func(w *tenant) error {
			return w.db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error { return tx.DeleteAPIToken(w.token, now) })
		},
		"the owner is disabled": func(w *tenant) error {
			return w.db.Tenants().InTx(context.Background(), func(tx tenants.Tx) error {
				if err := tx.LockUser(w.org, w.user); err != nil {
					return err
				}
				u, err := tx.User(w.org, w.user, now)
				u.Enabled = false
				return errors.Join(err, tx.UpdateUser(u), tx.EndUserSessions(w.org, w.user, "", now))
			})
		},
		"the organization is disabled": func(w *tenant) error {
			return w.db.Tenants().InTx(context.Background(), func(tx tenants.Tx) error {
				if err := tx.LockOrganization(w.org); err != nil {
					return err
				}
				o, err := tx.Organization(w.org)
				o.Enabled = false
				return errors.Join(err, tx.UpdateOrganization(o), tx.EndSessions(w.org, now))
			})
		},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, end := range ends {
			survived, won := 0, 0
			for i := range rounds(10) {
				w := newTenant(t, db, newID[string]())
				u := w.fetched(t)
				var wg sync.WaitGroup
				wg.Go(func() {
					time.Sleep(time.Duration(i%5) * 200 * time.Microsecond)
					if err := end(w); err != nil {
						t.Error(err)
					}
				})
				for range 4 {
					wg.Go(func() {
						u := u
						u.Session = newID[tenants.SessionID]()
						if _, _, err := db.OAuth().UseAPIToken(context.Background(), u); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				of := "kind = 'apiToken' AND principal = '" + string(w.user) + "'"
				survived += count(t, db, "sessions", of+" AND ended_at = 0")
				if count(t, db, "sessions", of) > 0 {
					won++
				}
			}
			if survived > 0 {
				t.Errorf("%s: %d sessions survived", name, survived)
			}
			t.Logf("%s: a use got in first in %d rounds", name, won)
		}
	})
}
