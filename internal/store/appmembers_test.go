package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

func members(t testing.TB, db *store.DB, org tenants.OrgID, q tenants.Query) (list []apps.Member, total int) {
	t.Helper()
	ok(t, db.Apps().View(t.Context(), func(r apps.Reader) (err error) {
		list, total, err = r.Members(org, q)
		return err
	}))
	return list, total
}

func TestMembers_CSP16_CSP17_ShowWhatTheyHoldAndWhoseTheyAre(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		shared, theirs := other.app, w.app
		shared.DisplayName = "a shared one"
		inApps(t, db, func(tx apps.Tx) error {
			return errors.Join(
				tx.UpdateApp(shared), tx.AddMember(w.org, foreign, 9, "boss", now), tx.AddMember(w.org, holderOf(shared.ID), 3, "owner", now.Add(time.Minute)),
				tx.PutGrant(w.org, holderOf(shared.ID), ofMember, "owner", now),
			)
		})
		list, total := members(t, db, w.org, tenants.Query{Page: 1, PageSize: 10})
		shared.Secret, theirs.Secret = apps.Secret{}, apps.Secret{}
		same(t, "the list", list, []apps.Member{
			{Held: w.held(t, w.org, foreign), App: apps.App{ID: apps.ID(foreign.ID)}, AddedAt: now, AddedBy: "boss"},
			{Held: w.held(t, w.org, holderOf(shared.ID)), App: shared, AddedAt: now.Add(time.Minute), AddedBy: "owner"},
			{Held: w.held(t, w.org, w.holder()), App: theirs, AddedAt: now, AddedBy: "boss"},
		})
		same(t, "how many", total, 3)
		list, total = members(t, db, w.org, tenants.Query{Where: "id = ?", Args: []any{string(shared.ID)}, SortBy: "id", Desc: true, Page: 1, PageSize: 1})
		if total != 1 || len(list) != 1 || list[0].Owner != other.org || len(list[0].Grants) != 1 {
			t.Errorf("by its id: %+v, %d", list, total)
		}
		of := seen(t, db, func(r apps.Reader) ([]tenants.OrgID, error) { return r.MemberOf(shared.ID) })
		want := []tenants.OrgID{w.org, other.org}
		if strings.Compare(string(w.org), string(other.org)) > 0 {
			want[0], want[1] = want[1], want[0]
		}
		same(t, "where it is a member", of, want)
		inApps(t, db, func(tx apps.Tx) error { // of a foreign app only its own site can say
			of, err := tx.MemberOf(apps.ID(foreign.ID))
			same(t, "where a foreign one is", len(of), 0)
			return err
		})
	})
}

func TestAddMember_CSP33_OnceAndOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newServed(t, db, "Own")
		inApps(t, db, func(tx apps.Tx) error { // and the transaction goes on
			wantProblem(t, tx.AddMember(w.org, w.holder(), 8, "boss", now), problem.Conflict)
			wantProblem(t, tx.AddMember(w.org, holderOf("no-such-app"), 8, "boss", now), problem.NotFound)
			wantProblem(t, tx.AddMember(w.org, w.person(), 8, "boss", now), problem.NotFound)
			wantProblem(t, tx.RemoveMember(w.org, w.person()), problem.NotFound)
			return tx.AddMember(w.org, foreign, 8, "boss", now)
		})
		same(t, "the epoch", w.held(t, w.org, w.holder()).Epoch, int64(7))
		nowhere := newID[tenants.OrgID]()
		wantProblem(t, tryApps(t, db, func(tx apps.Tx) error { return tx.AddMember(nowhere, w.holder(), 8, "boss", now) }), problem.NotFound)
	})
}

// What was added again holds nothing of before, and tokens of before are of another epoch.
func TestRemoveMember_R4_TakesItsGrantsAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		inApps(t, db, func(tx apps.Tx) error {
			return errors.Join(tx.AddMember(other.org, w.holder(), 5, "owner", now), tx.PutGrant(other.org, w.holder(), ofMember, "owner", now))
		})
		inApps(t, db, func(tx apps.Tx) error { return tx.RemoveMember(w.org, w.holder()) })
		missing(t, db, "what it held", func(r apps.Reader) (services.Held, error) { return r.Held(w.org, w.holder()) })
		inApps(t, db, func(tx apps.Tx) error { return tx.AddMember(w.org, w.holder(), 8, "boss", now) })
		again := w.held(t, w.org, w.holder())
		if again.Epoch != 8 || len(again.Grants) != 0 {
			t.Errorf("added again it has %+v", again)
		}
		same(t, "elsewhere", w.held(t, other.org, w.holder()).Grants, []services.Grant{ofMember})
		same(t, "the user's", w.held(t, w.org, w.person()).Grants, []services.Grant{w.ofService()})
	})
}

func TestDeleteApp_CSP39_TakesMembershipsAndGrantsOfEveryOrganizationAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newServed(t, db, "Own"), newServed(t, db, "Other")
		namesake := services.Holder{Kind: tenants.KindApp, Site: foreign.Site, ID: string(w.app.ID)}
		inApps(t, db, func(tx apps.Tx) error {
			return errors.Join(tx.AddMember(other.org, namesake, 2, "owner", now), tx.PutGrant(other.org, namesake, ofMember, "owner", now))
		})
		before := dump(t, db)
		a := w.newApp()
		inApps(t, db, func(tx apps.Tx) error { return tx.CreateApp(a) })
		for _, org := range []tenants.OrgID{w.org, other.org} {
			inApps(t, db, func(tx apps.Tx) error {
				return errors.Join(tx.AddMember(org, holderOf(a.ID), 5, "owner", now), tx.PutGrant(org, holderOf(a.ID), ofMember, "owner", now))
			})
		}
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteApp(w.org, a.ID) })
		exec(t, db, "DELETE FROM app_ids WHERE id = '"+string(a.ID)+"'")
		sameRows(t, strings.Split(dump(t, db), "\n"), strings.Split(before, "\n"))
		inApps(t, db, func(tx apps.Tx) error { return tx.DeleteApp(w.org, w.app.ID) })
		same(t, "an app of another site by the same id", w.held(t, other.org, namesake).Grants, []services.Grant{ofMember})
	})
}

// Apps of an organization that goes leave the others, whose instances are told;
// nothing else of theirs changes.
func TestDeleteOrganization_CSP39_ItsAppsLeaveTheOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		gone, other := newServed(t, db, "Gone"), newServed(t, db, "Other")
		quiet := other.newInstance("without a hook")
		quiet.HookSecret, quiet.HookURL = nil, ""
		namesake := services.Holder{Kind: tenants.KindApp, Site: foreign.Site, ID: string(gone.app.ID)}
		theirs := services.InstanceAccount{
			Org: other.org, ID: newID[string](), Instance: quiet.ID, App: namesake, CreatedAt: now, Hook: services.Hook{State: services.HookNone},
		}
		inApps(t, db, func(tx apps.Tx) error {
			return errors.Join(tx.CreateInstance(quiet), tx.AddMember(other.org, namesake, 2, "owner", now),
				tx.PutGrant(other.org, namesake, ofMember, "owner", now), tx.CreateAccount(theirs))
		})
		before := rowsBut(unjournalled(t, db), string(gone.org))
		told, untold := gone.account, gone.account
		told.Org, told.ID, told.Instance = other.org, newID[string](), other.instance.ID
		told.Hook = services.Hook{State: services.HookFailed, Key: "key", Attempts: 5, Error: "no"}
		untold.Org, untold.ID, untold.Instance, untold.Hook = other.org, newID[string](), quiet.ID, services.Hook{State: services.HookNone}
		ended := told
		ended.ID, ended.EndedAt = newID[string](), now.Add(-time.Hour)
		inApps(t, db, func(tx apps.Tx) error {
			return errors.Join(
				tx.AddMember(other.org, gone.holder(), 5, "owner", now), tx.PutGrant(other.org, gone.holder(), other.ofService(), "owner", now),
				tx.CreateAccount(told), tx.CreateAccount(untold), tx.CreateAccount(ended),
				tx.AddMember(gone.org, other.holder(), 5, "owner", now), tx.PutGrant(gone.org, other.holder(), ofMember, "owner", now),
			)
		})
		at := now.Add(time.Minute)
		inTenants(t, db, func(tx tenants.Tx) error { return tx.DeleteOrganization(gone.org, at) })
		missing(t, db, "what the app held", func(r apps.Reader) (services.Held, error) { return r.Held(other.org, gone.holder()) })
		var list []services.InstanceAccount
		for _, in := range []services.InstanceID{other.instance.ID, quiet.ID} {
			ok(t, db.Apps().View(t.Context(), func(r apps.Reader) error {
				some, _, err := r.InstanceAccounts(other.org, in, tenants.Query{Page: 1, PageSize: 10})
				list = append(list, some...)
				return err
			}))
		}
		told.EndedAt, told.Hook = at, services.Hook{State: services.HookPending, Key: told.ID + ".ended", Next: at}
		untold.EndedAt, untold.Hook = at, services.Hook{State: services.HookNone, Key: untold.ID + ".ended"}
		want := map[string]services.InstanceAccount{
			told.ID: told, untold.ID: untold, ended.ID: ended, other.account.ID: other.account, other.manual.ID: other.manual, theirs.ID: theirs,
		}
		for _, a := range list {
			same(t, "account "+a.Name, a, want[a.ID])
			delete(want, a.ID)
		}
		if len(want) != 0 {
			t.Errorf("missing %+v", want)
		}
		exec(t, db, "DELETE FROM instance_accounts WHERE site_id = '' AND app_id = '"+string(gone.app.ID)+"'")
		sameRows(t, rowsBut(unjournalled(t, db), string(gone.org)), before)
		head, err := db.Journal().Head(t.Context())
		ok(t, err)
		rows, err := db.Journal().After(t.Context(), head-1, 10)
		ok(t, err)
		if r := rows[0]; len(rows) != 1 || r.Org != string(other.org) || r.Action != journal.AppRemoved || r.Subject.Kind != journal.KindApp ||
			r.Subject.ID != string(gone.app.ID) || r.Actor != journal.System || r.Detail["owner"] != string(gone.org) {
			t.Errorf("the other organization is told %+v", rows)
		}
	})
}

// unjournalled is a dump without the journal.
func unjournalled(t testing.TB, db *store.DB) string {
	rows := slices.DeleteFunc(strings.Split(dump(t, db), "\n"), func(row string) bool { return strings.HasPrefix(row, "journal") })
	return strings.Join(rows, "\n")
}

// rowsBut are the rows of a dump that do not name an organization.
func rowsBut(dump, org string) (rows []string) {
	for row := range strings.SplitSeq(dump, "\n") {
		if !strings.Contains(row, "org_id="+org) && !strings.HasPrefix(row, "organizations: id="+org) {
			rows = append(rows, row)
		}
	}
	return rows
}

// sameRows tells of rows that are here and not there.
func sameRows(t testing.TB, got, want []string) {
	t.Helper()
	for _, row := range got {
		if !slices.Contains(want, row) {
			t.Errorf("new: %s", row)
		}
	}
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("gone: %s", row)
		}
	}
}

// An app that is added or granted to while its owner goes leaves nothing behind.
func TestDeleteOrganization_R4_NoMemberOutlivesItsApp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		other := newServed(t, db, "Other")
		added := 0
		for range 10 {
			gone := newOrg(t, db, "Gone")
			a := other.newApp()
			a.Org = gone.org
			inApps(t, db, func(tx apps.Tx) error { return tx.CreateApp(a) })
			var wg sync.WaitGroup
			var did error
			wg.Go(func() {
				did = db.Apps().InTx(t.Context(), func(tx apps.Tx) error {
					if err := tx.AddMember(other.org, holderOf(a.ID), 5, "owner", now); err != nil {
						return err
					}
					return tx.PutGrant(other.org, holderOf(a.ID), ofMember, "owner", now)
				})
			})
			wg.Go(func() {
				if err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return tx.DeleteOrganization(gone.org, now) }); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			if did == nil {
				added++
			} else if !isNotFound(did) {
				t.Error(did)
			}
			if n := count(t, db, "app_members", "app_id = '"+string(a.ID)+"'") + count(t, db, "role_grants", "holder_id = '"+string(a.ID)+"'"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		}
		t.Logf("added first in %d rounds", added)
	})
}
