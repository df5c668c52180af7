package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/tenants"
)

func TestApps_KeepEverythingAndAreReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		one := func(r apps.Reader) (apps.App, error) { return r.App(w.org, w.app.ID) }
		same(t, "as it was made", seen(t, db, one), w.app)
		same(t, "by its id alone", seen(t, db, func(r apps.Reader) (apps.App, error) { return r.AppByID(w.app.ID) }), w.app)
		second := w.newApp()
		second.DisplayName, second.Settings, second.Secret = "a first one", apps.Settings{}, apps.Secret{Digest: digest("x"), Version: 1}
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateApp(second) })
		ok(t, db.Apps().View(t.Context(), func(r apps.Reader) error {
			list, n, err := r.Apps(w.org, tenants.Query{Page: 1, PageSize: 10})
			same(t, "the list", list, []apps.App{second, w.app})
			same(t, "how many", n, 2)
			return err
		}))

		changed := second
		changed.ID, changed.CreatedAt, changed.CreatedBy, changed.UpdatedBy = w.app.ID, now.Add(-time.Hour), "somebody", "somebody"
		inApps(t, db, func(tx apps.Tx) error {
			if err := tx.LockApp(w.org, changed.ID); err != nil {
				return err
			}
			return tx.UpdateApp(changed)
		})
		changed.CreatedAt, changed.CreatedBy = w.app.CreatedAt, w.app.CreatedBy
		same(t, "changed", seen(t, db, one), changed)
		missing(t, db, "what cannot be an id", func(r apps.Reader) (apps.App, error) { return r.AppByID("a\x00b\xff") })
	})
}

func TestCreateApp_R1_IdsAreNeverGivenOutAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		again := other.newApp()
		again.ID = w.app.ID
		create := func(tx apps.Tx) error { return tx.CreateApp(again) }
		wantProblem(t, tryApps(t, db, create), problem.Conflict)
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteApp(w.org, w.app.ID) })
		missing(t, db, "the deleted app", func(r apps.Reader) (apps.App, error) { return r.AppByID(w.app.ID) })
		wantProblem(t, tryApps(t, db, create), problem.Conflict)

		last := w.newApp()
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateApp(last) })
		inTenants(t, db, func(tx tenants.Tx) error { return tx.DeleteOrganization(w.org, now) })
		missing(t, db, "the app of a deleted organization", func(r apps.Reader) (apps.App, error) { return r.AppByID(last.ID) })
		again.ID = last.ID
		wantProblem(t, tryApps(t, db, create), problem.Conflict)
	})
}

// What was refused takes no id.
func TestCreateApp_WithoutAnOrganizationTakesNoID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		a := w.newApp()
		a.Org = newID[tenants.OrgID]()
		wantProblem(t, tryApps(t, db, func(tx apps.Tx) error { return tx.CreateApp(a) }), problem.NotFound)
		a.Org = w.org
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateApp(a) })
	})
}

func TestNoteIssued_ManyAtOnceShareCommitsAndAllAreThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		const many = 200
		var wg sync.WaitGroup
		before := db.Statements()
		for i := range many {
			wg.Go(func() {
				err := db.Apps().NoteIssued(t.Context(), oauth.Event{
					At: now, Org: w.org, Account: oauth.ClientID(w.app.ID), Kind: "issued", Source: "192.0.2.1\x00", Detail: fmt.Sprintf("token\xff %d", i),
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		of := "org_id = '" + string(w.org) + "' AND account_id = '" + string(w.app.ID) + "' AND kind = 'issued' AND at = " + fmt.Sprint(now.UnixMicro())
		if n := count(t, db, "token_events", of+" AND detail LIKE 'token_ %'"); n != many {
			t.Errorf("%d events, want %d", n, many)
		}
		if n := db.Statements() - before; n >= many/2 {
			t.Errorf("%d statements for %d events", n, many)
		}
	})
}

func TestNoteIssued_ClosedDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, kind)})
		ok(t, err)
		ok(t, db.Close())
		wantProblem(t, db.Apps().NoteIssued(t.Context(), oauth.Event{At: now, Kind: "issued"}), problem.Unavailable)
	})
}
