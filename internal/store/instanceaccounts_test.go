package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

func (w *served) accounts(t testing.TB) (list []services.InstanceAccount) {
	t.Helper()
	ok(t, w.db.Apps().View(t.Context(), func(r apps.Reader) (err error) {
		list, _, err = r.InstanceAccounts(w.org, w.instance.ID, tenants.Query{Page: 1, PageSize: 100, SortBy: "created_at"})
		return err
	}))
	return list
}

// ofApp is the app's account as it is now.
func (w *served) ofApp(t testing.TB) services.InstanceAccount {
	t.Helper()
	list := w.accounts(t)
	i := slices.IndexFunc(list, func(a services.InstanceAccount) bool { return a.ID == w.account.ID })
	if i < 0 {
		t.Fatal("the app has no account")
	}
	return list[i]
}

func TestAccounts_CSP18_OneLiveForEachAppAndInstance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		other := w.newInstance("second")
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateInstance(other) })
		live := func(r apps.Reader) ([]services.InstanceAccount, error) { return r.LiveAccounts(w.org, w.holder()) }
		same(t, "live", seen(t, db, live), []services.InstanceAccount{w.account})
		again, manual := w.account, w.manual
		again.ID, manual.ID = newID[string](), newID[string]()
		again.CreatedAt, manual.CreatedAt = now.Add(time.Hour), now.Add(time.Hour)
		create := func(a services.InstanceAccount) error {
			return tryApps(t, db, func(tx apps.Tx) error { return tx.CreateAccount(a) })
		}
		wantProblem(t, create(again), problem.DuplicateName)
		wantProblem(t, create(manual), problem.DuplicateName)
		abroad, there := again, manual
		abroad.ID, abroad.App = newID[string](), services.Holder{Kind: tenants.KindApp, Site: foreign.Site, ID: string(w.app.ID)}
		there.ID, there.Instance = newID[string](), other.ID
		ok(t, errors.Join(create(abroad), create(there)))

		at, hook := now.Add(time.Minute), services.Hook{State: services.HookPending, Key: "second", Next: now.Add(time.Hour)}
		for _, want := range []bool{true, false} { // it ends once
			inApps(t, db, func(tx apps.Tx) error {
				ended, err := tx.EndAccount(w.org, w.account.ID, at, hook)
				same(t, "ended", ended, want)
				at, hook = at.Add(time.Minute), services.Hook{}
				return err
			})
		}
		inApps(t, db, func(tx apps.Tx) error {
			return second(tx.EndAccount(w.org, w.manual.ID, now.Add(time.Minute), services.Hook{}))
		})
		if got := seen(t, db, live); len(got) != 0 {
			t.Errorf("live are %+v", got)
		}
		ok(t, errors.Join(create(again), create(manual)))
		w.account.EndedAt, w.manual.EndedAt = now.Add(time.Minute), now.Add(time.Minute)
		w.account.Hook = services.Hook{State: services.HookPending, Key: "second", Next: now.Add(time.Hour)}
		want := []services.InstanceAccount{w.account, w.manual, again, manual, abroad}
		got := w.accounts(t)
		for _, list := range [][]services.InstanceAccount{want, got} {
			slices.SortFunc(list, func(a, b services.InstanceAccount) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
		}
		same(t, "all, the ended ones, too", got, want)
	})
}

// drain takes everything that is due.
func drain(t testing.TB, db *store.DB, at, later time.Time, most int) (list []services.Delivery) {
	t.Helper()
	for {
		some, err := db.Hooks().DueHooks(t.Context(), at, later, most, nil)
		if err != nil || len(some) > most {
			t.Errorf("%d deliveries, %v", len(some), err)
		}
		if len(some) == 0 {
			return list
		}
		list = append(list, some...)
	}
}

func TestHooks_CSP18_WhatIsDueIsTakenAndSettledOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		hooks, later := db.Hooks(), now.Add(time.Minute)
		if list := drain(t, db, now.Add(-time.Microsecond), later, 10); len(list) != 0 {
			t.Errorf("before it is due: %+v", list)
		}
		none, err := hooks.DueHooks(t.Context(), now, later, 10, []services.InstanceID{"another", w.instance.ID})
		ok(t, err)
		same(t, "of other instances", len(none), 0)
		taken := w.account
		taken.Hook.Next = later
		same(t, "due", drain(t, db, now, later, 10), []services.Delivery{{InstanceAccount: taken, URL: w.instance.HookURL, Secret: w.instance.HookSecret}})
		same(t, "put off", w.ofApp(t), taken)
		if list := drain(t, db, later, later.Add(time.Minute), 10); len(list) != 1 {
			t.Errorf("when it is due again: %+v", list)
		}

		failing := services.Hook{State: services.HookPending, Attempts: 1, Next: later, Error: "no answer"}
		ok(t, hooks.SettleHook(t.Context(), w.org, w.account.ID, w.account.Hook.Key, failing))
		failing.Key = w.account.Hook.Key
		same(t, "it failed once", w.ofApp(t).Hook, failing)
		inApps(t, db, func(tx apps.Tx) error {
			return second(tx.EndAccount(w.org, w.account.ID, now, services.Hook{State: services.HookPending, Key: "ended", Next: now}))
		})
		settled := services.Hook{State: services.HookProvisioned, Attempts: 2}
		ok(t, hooks.SettleHook(t.Context(), w.org, w.account.ID, w.account.Hook.Key, settled)) // too late
		same(t, "changed meanwhile", w.ofApp(t).Hook, services.Hook{State: services.HookPending, Key: "ended", Next: now})
		ok(t, hooks.SettleHook(t.Context(), newID[tenants.OrgID](), w.account.ID, "ended", settled)) // not whose it is
		same(t, "due again", len(drain(t, db, now, later, 10)), 1)
		ok(t, hooks.SettleHook(t.Context(), w.org, w.account.ID, "ended", settled))
		settled.Key = "ended"
		same(t, "settled", w.ofApp(t).Hook, settled)
		same(t, "nothing is left", len(drain(t, db, later, later, 10)), 0)
	})
}

// Of many cells that ask at once each delivery is one's.
func TestHooks_CSP18_EachIsTakenByOneCell(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		url := storetest.URL(t, kind)
		db := storetest.Open(t, url)
		cells := []*store.DB{db, db}
		if kind == storetest.Postgres { // SQLite has one cell
			cells = append(cells, storetest.Open(t, url), storetest.Open(t, url))
		}
		w := newServed(t, db, "Own")
		const many = 100
		inApps(t, db, func(tx apps.Tx) error {
			for range many - 1 {
				a := w.account
				a.ID, a.App.ID = newID[string](), newID[string]()
				if err := tx.CreateAccount(a); err != nil {
					return err
				}
			}
			return nil
		})
		var mu sync.Mutex
		times := map[string]int{}
		var wg sync.WaitGroup
		for _, cell := range cells {
			wg.Go(func() {
				for _, d := range drain(t, cell, now, now.Add(time.Minute), 7) {
					mu.Lock()
					times[d.ID]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		// Whoever passed by what another held may have found nothing more.
		for _, d := range drain(t, db, now, now.Add(time.Minute), 7) {
			times[d.ID]++
		}
		if len(times) != many {
			t.Errorf("%d were taken, want %d", len(times), many)
		}
		for id, n := range times {
			if n != 1 {
				t.Errorf("%s was taken %d times", id, n)
			}
		}
	})
}
