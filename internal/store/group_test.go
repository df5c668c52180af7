package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// batch rotates together and then asks alone for those of whom nothing was found
// out, as the store does.
func batch(t *testing.T, db *store.DB, rs ...oauth.Rotation) (rotated []bool) {
	t.Helper()
	verdicts, err := db.Batch(t.Context(), rs...)
	ok(t, err)
	for i, v := range verdicts {
		ok(t, v.Err)
		if v.Alone {
			_, did, err := db.OAuth().Rotate(t.Context(), rs[i])
			ok(t, err)
			v.Rotated = did
		}
		rotated = append(rotated, v.Rotated)
	}
	return rotated
}

// Those in one batch with others get the verdict that they would get alone.
func TestRotate_R3_TogetherAsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		good, also, revoked, disabled := newTenant(t, db, "Good"), newTenant(t, db, "Also"), newTenant(t, db, "Revoked"), newTenant(t, db, "Disabled")
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.RevokeFamilies(revoked.org, revoked.account, now) })
		inTenants(t, db, func(tx tenants.Tx) error {
			o, err := tx.Organization(disabled.org)
			o.Enabled = false
			return errors.Join(err, tx.UpdateOrganization(o))
		})
		unknown, wrongClient, wrongOrg := good.rotation(1), good.rotation(1), good.rotation(1)
		unknown.From, wrongClient.Client, wrongOrg.Org = digest("unknown"), also.account, also.org
		again, next := good.rotation(1), good.rotation(2) // other sessions
		sessions, used, events := count(t, db, "sessions", "1 = 1"), count(t, db, "used_tokens", "1 = 1"), count(t, db, "token_events", "1 = 1")

		rs := []oauth.Rotation{
			unknown, wrongClient, wrongOrg, revoked.rotation(1), disabled.rotation(1), good.rotation(0),
			good.rotation(1), again, also.rotation(1), also.rotation(1),
		}
		want := fmt.Sprint([]bool{false, false, false, false, false, false, true, false, true, false})
		got := batch(t, db, rs...)
		// Which of two with the same token is first does not matter.
		if got[6] != got[7] && got[7] {
			got[6], got[7] = got[7], got[6]
		}
		if got[8] != got[9] && got[9] {
			got[8], got[9] = got[9], got[8]
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%v, want %v", got, want)
		}
		if got := batch(t, db, next, again); !got[0] || got[1] {
			t.Errorf("the next token and the spent one: %v", got)
		}
		for table, n := range map[string]int{"sessions": sessions + 3, "used_tokens": used + 3, "token_events": events + 3} {
			if got := count(t, db, table, "1 = 1"); got != n {
				t.Errorf("%d rows in %s, want %d", got, table, n)
			}
		}
		if p := good.presented(t, good.rotation(1).From); p.Generation != 3 || p.Shown != 1 {
			t.Errorf("the family is found as %+v", p)
		}
	})
}

// One that cannot be written changes nothing of the others, nor half of itself.
func TestRotate_R3_ABatchIsAllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one, two := newTenant(t, db, "One"), newTenant(t, db, "Two")
		spoilt := two.rotation(1)
		spoilt.Session = two.session.ID // exists
		before := dump(t, db)
		verdicts, err := db.Batch(t.Context(), one.rotation(1), spoilt)
		ok(t, err)
		if db.OnPostgres() {
			if dump(t, db) != before || !verdicts[0].Alone || !verdicts[1].Alone {
				t.Errorf("a batch that fails leaves something, or leaves nobody to ask alone: %+v", verdicts)
			}
			return
		}
		if !verdicts[0].Rotated || verdicts[1].Err == nil || two.presented(t, spoilt.From).Generation != 1 {
			t.Errorf("%+v", verdicts)
		}
	})
}

// A batch waits for nobody: not for a family that somebody holds, nor for an
// organization.
func TestRotate_R13_WhoIsHeldHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for table, where := range map[string]func(w *tenant) string{
		"token_families": func(w *tenant) string { return "id = '" + w.family.ID + "'" },
		"organizations":  func(w *tenant) string { return "id = '" + string(w.org) + "'" },
	} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			db := storetest.New(t, storetest.Postgres)
			held, free := newTenant(t, db, "Held"), newTenant(t, db, "Free")
			holder, err := db.SQL().BeginTx(t.Context(), nil)
			ok(t, err)
			defer func() { _ = holder.Rollback() }()
			_, err = holder.ExecContext(t.Context(), "SELECT 1 FROM "+table+" WHERE "+where(held)+" FOR UPDATE")
			ok(t, err)
			waits := make(chan error, 4)
			for range cap(waits) { // more than batches are under way
				go func() {
					_, _, err := db.OAuth().Rotate(context.Background(), held.rotation(1))
					waits <- err
				}()
			}
			held.waiting(t, 1, waits)
			for g := 1; g < 5; g++ {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				_, did, err := db.OAuth().Rotate(ctx, free.rotation(g))
				cancel()
				if !did || err != nil {
					t.Fatalf("generation %d of somebody else: %v, %v", g, did, err)
				}
			}
			ok(t, holder.Rollback())
			for range cap(waits) {
				ok(t, <-waits)
			}
			if g := held.presented(t, held.rotation(1).From).Generation; g != 2 {
				t.Errorf("who was held is at generation %d, want 2", g)
			}
		})
	}
}

// Who gives up while waiting has changed nothing, whatever becomes of the others.
func TestRotate_R3_GivenUpWhileItWaits(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, kind), MaxConns: 2}) // one that writes
		ok(t, err)
		t.Cleanup(func() { ok(t, db.Close()) })
		w, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		ctx, cancel := context.WithCancel(t.Context())
		gone, stays := make(chan error, 8), make(chan error, 1)
		ok(t, db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
			for range cap(gone) {
				go func() {
					_, _, err := db.OAuth().Rotate(ctx, w.rotation(1))
					gone <- err
				}()
			}
			go func() {
				_, _, err := db.OAuth().Rotate(context.Background(), other.rotation(1))
				stays <- err
			}()
			cancel()
			for range cap(gone) {
				wantProblem(t, <-gone, problem.Unavailable)
			}
			return nil
		}))
		ok(t, <-stays)
		if g := w.presented(t, w.rotation(1).From).Generation; g != 1 {
			t.Errorf("a rotation that was given up moved the family to generation %d", g)
		}
		if g := other.presented(t, other.rotation(1).From).Generation; g != 2 {
			t.Errorf("the other one is at generation %d, want 2", g)
		}
	})
}

// Tokens that are asked for at once are each told their own story.
func TestRefreshToken_R6_TogetherAsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one, two := newTenant(t, db, "One"), newTenant(t, db, "Two")
		shown := []oauth.Digest{one.used, two.family.Current, digest("unknown"), one.family.Current, two.used, two.family.Current}
		parallel(t, 8*len(shown), func(i int) (bool, error) {
			token := shown[i%len(shown)]
			got, err := db.OAuth().RefreshToken(t.Context(), token)
			if i%len(shown) == 2 {
				wantProblem(t, err, problem.NotFound)
				return true, nil
			}
			w := two
			if i%len(shown) == 0 || i%len(shown) == 3 {
				w = one
			}
			if want := w.presented(t, token); fmt.Sprint(got) != fmt.Sprint(want) || got.Org != w.org || got.Holder.ID != w.account {
				t.Errorf("%+v, want %+v", got, want)
			}
			return true, err
		})
	})
}

// Who lost an answer and shows the spent token again does not stand in a line with
// strangers who make tokens up.
func TestRefreshToken_R13_NobodyAsksAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		db.HoldLanes()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got, err := db.OAuth().RefreshToken(ctx, w.used)
		ok(t, err)
		if got.Holder.ID != w.account || got.UsedAt.IsZero() {
			t.Errorf("of a spent token is known %+v", got)
		}
		_, err = db.OAuth().RefreshToken(ctx, digest("unknown"))
		wantProblem(t, err, problem.NotFound)
	})
}
