package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// rounds is how often a race is run; `make soak` wants it long.
func rounds(short int) int {
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		return 100 * short
	}
	return short
}

func TestRotate_R3_OneSuccessorUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		var mu sync.Mutex
		var winner oauth.Rotation
		var opened oauth.Session
		rotated := parallel(t, 50, func(i int) (bool, error) {
			r := w.rotation(1)
			r.Source, r.At = fmt.Sprintf("198.51.100.%d", i), now.Add(time.Duration(i)*time.Second)
			session, did, err := db.OAuth().Rotate(t.Context(), r)
			if did {
				mu.Lock()
				winner, opened = r, session
				mu.Unlock()
			}
			return did, err
		})
		if rotated != 1 {
			t.Fatalf("%d of 50 rotated, want 1", rotated)
		}

		holder := read(t, db, func(r oauth.Reader) (oauth.ServiceAccount, error) { return r.ServiceAccount(w.org, w.account, now) })
		holder.Status = ""
		want := oauth.Presented{Family: w.family, Holder: holder, Shown: 1, UsedAt: winner.At, UsedFrom: winner.Source}
		want.Generation, want.Current = 2, winner.To
		if got := w.presented(t, winner.From); !reflect.DeepEqual(got, want) {
			t.Errorf("the used token is found as %+v, want %+v", got, want)
		}
		want.Shown, want.UsedAt, want.UsedFrom = 2, time.Time{}, ""
		if got := w.presented(t, winner.To); !reflect.DeepEqual(got, want) {
			t.Errorf("the current token is found as %+v, want %+v", got, want)
		}
		if got := w.presented(t, w.used); got.Shown != 0 || got.Generation != 2 {
			t.Errorf("the token before is found as %+v", got)
		}
		s := read(t, db, func(r oauth.Reader) (oauth.Session, error) { return r.Session(winner.Session) })
		if !reflect.DeepEqual(s, opened) {
			t.Errorf("the session is %+v, answered was %+v", s, opened)
		}
		for table, n := range map[string]int{"sessions": 2, "used_tokens": 2, "token_events": 2} {
			if got := count(t, db, table, "1 = 1"); got != n {
				t.Errorf("%d rows in %s, want %d: the losers left something", got, table, n)
			}
		}
		if n := count(t, db, "token_events", "kind = 'refreshed' AND account_id = '"+string(w.account)+"' AND source = '"+winner.Source+"'"); n != 1 {
			t.Errorf("%d events of the winner, want 1", n)
		}
	})
}

// A session is of the account as it is, and ends with the family.
func TestRotate_VCD89_SessionIsOfTheAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		newTenant(t, db, "Other")
		account := read(t, db, func(r oauth.Reader) (oauth.ServiceAccount, error) { return r.ServiceAccount(w.org, w.account, now) })
		account.SoftwareID = "another"
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.UpdateServiceAccount(account) })
		inTenants(t, db, func(tx tenants.Tx) error {
			return tx.SetAccountQuota(w.org, string(w.account), w.quota)
		})
		for g, tt := range []struct {
			maxAge, after, want time.Duration
		}{
			{0, 300 * 24 * time.Hour, 330 * 24 * time.Hour},
			{31 * 24 * time.Hour, 24 * time.Hour, 31 * 24 * time.Hour},
			{31*24*time.Hour + time.Microsecond, 24 * time.Hour, 31 * 24 * time.Hour},
			{31*24*time.Hour - time.Microsecond, 24 * time.Hour, 31*24*time.Hour - time.Microsecond},
			{time.Hour, time.Hour - time.Microsecond, time.Hour},
		} {
			r := w.rotation(g + 1)
			r.Client, r.Quota, r.Pin, r.MaxAge, r.At = w.account, w.quota, "[pinned]", tt.maxAge, now.Add(tt.after)
			got, did, err := db.OAuth().Rotate(t.Context(), r)
			if !did || err != nil {
				t.Fatal(g, did, err)
			}
			want := oauth.Session{
				ID: r.Session, Org: w.org, Kind: tenants.KindServiceAccount, Principal: string(w.account), Name: account.Name, SoftwareID: "another",
				Role: w.role, Quota: "[pinned]", Family: w.family.ID, CreatedAt: r.At, ExpiresAt: now.Add(tt.want), LastUsed: r.At,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if stored := read(t, db, func(rd oauth.Reader) (oauth.Session, error) { return rd.Session(want.ID) }); !reflect.DeepEqual(stored, want) {
				t.Errorf("stored is %+v, want %+v", stored, want)
			}
		}
	})
}

func TestRotate_R3_RefusesAndChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, revoked := newTenant(t, db, "Own"), newTenant(t, db, "Revoked")
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.RevokeFamilies(revoked.org, revoked.account, now) })
		before := dump(t, db)
		unknown, wrongOrg, wrongClient, quota, old := w.rotation(1), w.rotation(1), w.rotation(1), w.rotation(1), w.rotation(1)
		unknown.From, wrongOrg.Org, wrongClient.Client, quota.Quota = digest("unknown"), revoked.org, revoked.account, w.quota
		old.At, old.MaxAge = now.Add(time.Hour), time.Hour
		for name, r := range map[string]oauth.Rotation{
			"a used token": w.rotation(0), "a token to come": w.rotation(2), "an unknown token": unknown,
			"at another organization": wrongOrg, "of another account": wrongClient, "under a quota it has not": quota,
			"as old as it gets": old, "a revoked family's token": revoked.rotation(1),
		} {
			if _, rotated, err := db.OAuth().Rotate(t.Context(), r); rotated || err != nil {
				t.Errorf("%s: %v, %v", name, rotated, err)
			}
		}
		if after := dump(t, db); after != before {
			t.Errorf("a refused rotation changed something:\n%s\nbefore:\n%s", after, before)
		}
	})
}

// A rotation that cannot be written spoils only itself, also among others.
func TestRotate_FailsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		org := newOrg(t, db, "Own")
		const n = 24
		tenantsOf := make([]*tenant, n)
		for i := range tenantsOf {
			tenantsOf[i] = org.newAccount(t, fmt.Sprint("app", i))
			tenantsOf[i].family = tenantsOf[i].newFamily()
			inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateFamily(tenantsOf[i].family) })
		}
		taken := tenantsOf[0].newSession()
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateSession(taken) })
		var wg sync.WaitGroup
		for i, w := range tenantsOf {
			wg.Go(func() {
				r := w.rotation(0)
				spoilt := i%8 == 3
				if spoilt {
					r.Session = taken.ID // exists
				}
				_, rotated, err := db.OAuth().Rotate(context.Background(), r)
				if rotated == spoilt || (err != nil) != spoilt {
					t.Errorf("rotation %d: %v, %v", i, rotated, err)
				}
				if g := w.presented(t, r.From).Generation; spoilt && g != 0 || !spoilt && g != 1 {
					t.Errorf("rotation %d: the family is at generation %d", i, g)
				}
			})
		}
		wg.Wait()
	})
}

// Whoever wins, nothing of the account lives after a revocation; the callers
// may put its steps in any order.
func TestSoakRotate_R4_NothingSurvivesARevokeThatRaces(t *testing.T) {
	t.Parallel()
	ends := map[string]func(tx oauth.Tx, w *tenant) error{
		"revoke": func(tx oauth.Tx, w *tenant) error {
			return tx.RevokeFamilies(w.org, w.account, now)
		},
		"end sessions, then revoke": func(tx oauth.Tx, w *tenant) error {
			if err := tx.EndSessionsOf(w.org, tenants.KindServiceAccount, string(w.account), now); err != nil {
				return err
			}
			return tx.RevokeFamilies(w.org, w.account, now)
		},
		"delete": func(tx oauth.Tx, w *tenant) error { return tx.DeleteServiceAccount(w.org, w.account, now) },
	}
	others := map[string]func(w *tenant) error{
		"rotate": func(w *tenant) error {
			_, _, err := w.db.OAuth().Rotate(context.Background(), w.rotation(1))
			return err
		},
		"retry": func(w *tenant) error {
			session := w.newSession()
			err := w.db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error {
				if again, err := tx.CountRetry(w.org, w.family.ID, w.used, true); err != nil || !again {
					return err
				}
				return tx.CreateSession(session)
			})
			return ignoreNotFound(err)
		},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		org := newOrg(t, db, "Own")
		for end, endIt := range ends {
			for other, otherIt := range others {
				var survived, won int
				for i := range rounds(10) {
					w := org.newAccount(t, newID[string]())
					w.family = w.newFamily()
					inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateFamily(w.family) })
					first := w.rotation(0)
					if _, did, err := db.OAuth().Rotate(t.Context(), first); !did || err != nil {
						t.Fatal(did, err)
					}
					w.used = first.From
					var wg sync.WaitGroup
					wg.Go(func() {
						time.Sleep(time.Duration(i%5) * 200 * time.Microsecond)
						if err := db.OAuth().InTx(context.Background(), func(tx oauth.Tx) error { return endIt(tx, w) }); err != nil {
							t.Error(err)
						}
					})
					for range 3 {
						wg.Go(func() {
							if err := otherIt(w); err != nil {
								t.Error(err)
							}
						})
					}
					wg.Wait()
					live := count(t, db, "token_families", "account_id = '"+string(w.account)+"' AND revoked_at = 0")
					orphans := count(t, db, "used_tokens", "family_id = '"+w.family.ID+"' AND NOT EXISTS (SELECT 1 FROM token_families f WHERE f.id = family_id)")
					survived += live + orphans + w.liveSessions(t)
					if count(t, db, "sessions", "principal = '"+string(w.account)+"'") > 1 {
						won++
					}
				}
				if survived > 0 {
					t.Errorf("%s against %s: %d families, their used tokens and sessions survived", other, end, survived)
				}
				t.Logf("%s against %s: it got in first in %d rounds", other, end, won)
			}
		}
	})
}

func TestCountRetry_R3(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		retry := func(used oauth.Digest) (again bool) {
			t.Helper()
			inOAuth(t, db, func(tx oauth.Tx) (err error) {
				again, err = tx.CountRetry(w.org, w.family.ID, used, true)
				return err
			})
			return again
		}
		for range 2 {
			if !retry(w.used) {
				t.Error("the last used token may be retried")
			}
		}
		if got := w.presented(t, w.used).Retries; got != 2 {
			t.Errorf("%d retries were counted, want 2", got)
		}
		if retry(w.rotation(1).From) || retry(digest("unknown")) {
			t.Error("the current or an unknown token was retried")
		}
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
			t.Fatal(did, err)
		}
		if retry(w.used) {
			t.Error("a token was retried whose successor has been presented")
		}
		if !retry(w.rotation(1).From) {
			t.Error("now the next one may be retried")
		}
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.RevokeFamilies(w.org, w.account, now) })
		if retry(w.rotation(1).From) {
			t.Error("a revoked family's token was retried")
		}
		if got := w.presented(t, w.used); !got.RevokedAt.Equal(now) {
			t.Errorf("a revoked family is found as %+v", got)
		}
	})
}

// The token of an organization that may not be used is refused without being
// spent: it works again when the organization does.
func TestRotate_R3_DisabledOrganizationSpendsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		enable := func(enabled bool) {
			inTenants(t, db, func(tx tenants.Tx) error {
				o, err := tx.Organization(w.org)
				o.Enabled = enabled
				return errors.Join(err, tx.UpdateOrganization(o))
			})
		}
		enable(false)
		before := dump(t, db)
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); did || err != nil {
			t.Errorf("%v, %v; want false", did, err)
		}
		if after := dump(t, db); after != before {
			t.Error("a refused rotation changes something")
		}
		enable(true)
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
			t.Errorf("%v, %v; want true", did, err)
		}
	})
}
