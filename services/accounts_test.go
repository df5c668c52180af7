package services_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/services"
	"causeway/tenants"
)

func TestSettle_CSP_18_OneAccountForEachAppWithARole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		i1, i2 := f.instance(f.a, draft("one")), f.instance(f.a, draft("two"))
		app := f.app(f.a, f.everything())
		on1 := f.role("aoa:alerts")
		on1.Resource = string(i1.ID)

		_, err := f.service.CreateCustomRole(t.Context(), f.person(f.a, tenants.RightOrgOwner), f.a, services.CustomRole{
			Name: "any", DisplayName: "Any", Permissions: f.permissions("aoa:metrics"),
		})
		f.must(err)
		f.give(f.a, app, services.Grant{Kind: services.GrantOrganization, Role: "org_owner"}, services.Grant{Kind: services.GrantCustom, Role: "any"})
		f.wantLive(i1, 0, "organization and custom roles alone (CSP-21)")

		f.give(f.a, app, on1)
		f.wantLive(i1, 1, "a role on one")
		f.wantLive(i2, 0, "a role on one")
		first := f.live(i1)[0]
		if first.App != app || first.Name != "Deployer" || first.Manual() || first.Hook.State != services.HookNone {
			t.Errorf("the account is %+v", first)
		}
		f.give(f.a, app, f.role("aoa:viewer"), f.role("aoa:metrics"))
		f.give(f.a, app)
		f.wantLive(i1, 1, "more roles")
		f.wantLive(i2, 1, "a role on each")
		if f.live(i1)[0].ID != first.ID {
			t.Error("more roles made another account")
		}
		f.take(f.a, app, f.role("aoa:viewer"))
		f.wantLive(i2, 1, "one of two roles taken")
		f.take(f.a, app, f.role("aoa:metrics"))
		f.wantLive(i2, 0, "the last role taken")
		f.wantLive(i1, 1, "the last role on another taken")
		f.give(f.a, app, f.role("aoa:viewer"))
		if all := f.accounts(i2); len(all) != 2 || all[0].ID == all[1].ID {
			t.Errorf("given again, it has %+v", all)
		}
		if made, ended := f.recorded(journal.InstAccountCreated), f.recorded(journal.InstAccountEnded); made != 3 || ended != 1 {
			t.Errorf("the audit trail has %d that began and %d that ended", made, ended)
		}
	})
}

// What the owner of an app does not allow is no role (CSP-15).
func TestSettle_CSP_15_TheCeilingCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		in := f.instance(f.a, draft("one"))
		app := f.app(f.a, services.Ceiling{Services: []services.ServiceCeiling{{Definition: f.kind.ID, Roles: []services.ScopedRole{{Name: "aoa:alerts"}}}}})
		f.give(f.a, app, f.role("aoa:metrics"))
		f.wantLive(in, 0, "a role that the owner does not allow")
		f.give(f.a, app, f.role("aoa:alerts"))
		f.wantLive(in, 1, "a role that the owner allows")
	})
}

func TestInstances_CSP_18_AccountsFollowTheInstance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		app := f.app(f.a, f.everything())
		f.give(f.a, app, f.role("aoa:alerts"))
		in := f.instance(f.a, draft("one"))
		f.wantLive(in, 1, "an instance that comes after the role")

		update := func(d services.Draft) {
			t.Helper()
			changed, _, err := f.service.UpdateInstance(t.Context(), tenants.Caller{}, f.a, in.ID, d)
			f.must(err)
			in = changed
		}
		d := draft("one")
		d.Mode = services.Original
		update(d)
		f.wantLive(in, 0, "the instance is an original one (CSP-3)")
		update(draft("one"))
		f.wantLive(in, 1, "and onboarded again")

		f.must(f.service.DeleteInstance(t.Context(), tenants.Caller{}, f.a, in.ID))
		if n := f.recorded(journal.InstAccountEnded); n != 2 {
			t.Errorf("the audit trail has %d that ended", n)
		}
		_, err := f.service.Instance(t.Context(), f.a, in.ID)
		wants(t, err, problem.NotFound)
	})
}

func TestDefinitions_CSP_18_ARoleThatGoesEndsAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		own, err := f.service.CreateDefinition(t.Context(), tenants.Caller{}, services.Definition{
			Name: "Queues", Prefix: "q", Roles: []services.ServiceRole{{Name: "q:read"}, {Name: "q:write"}},
		})
		f.must(err)
		f.kind = own
		in := f.instance(f.a, draft("one"))
		app, other := f.app(f.a, f.everything()), f.app(f.a, f.everything())
		f.give(f.a, app, f.role("q:read"))
		f.give(f.a, other, f.role("q:write"))
		f.wantLive(in, 2, "both")

		less := own
		less.Roles = own.Roles[:1]
		_, err = f.service.ReplaceDefinition(t.Context(), tenants.Caller{}, less)
		f.must(err)
		if live := f.live(in); len(live) != 1 || live[0].App != app {
			t.Errorf("without the role write: %+v", live)
		}
		_, err = f.service.ReplaceDefinition(t.Context(), tenants.Caller{}, own)
		f.must(err)
		f.wantLive(in, 2, "with it again")
		wants(t, f.service.DeleteDefinition(t.Context(), tenants.Caller{}, own.ID), problem.Conflict)
		f.must(f.service.DeleteInstance(t.Context(), tenants.Caller{}, f.a, in.ID))
		f.must(f.service.DeleteDefinition(t.Context(), tenants.Caller{}, own.ID))
		_, err = f.service.Definition(t.Context(), own.ID)
		wants(t, err, problem.NotFound)
	})
}

// A role that ends by itself takes its account along, a little later.
func TestReconcile_CSP_18_RolesThatEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		in := f.instance(f.a, draft("one"))
		app, other := f.app(f.a, f.everything()), f.app(f.a, f.everything())
		g := f.role("aoa:alerts")
		g.ExpiresAt = f.now().Add(time.Hour)
		f.give(f.a, app, g)
		f.give(f.a, other, f.role("aoa:alerts"))
		owner := f.person(f.a, tenants.RightOrgOwner)
		_, err := f.service.CreateAccount(t.Context(), owner, f.a, in.ID, "hand")
		f.must(err)
		for _, tt := range []struct {
			after         time.Duration
			settled, live int
		}{{0, 0, 3}, {time.Hour, 1, 2}, {time.Hour, 0, 2}} {
			f.later(tt.after)
			n, err := f.service.Reconcile(t.Context())
			f.must(err)
			if n != tt.settled {
				t.Errorf("after %s it settled %d instances, want %d", tt.after, n, tt.settled)
			}
			f.wantLive(in, tt.live, "after "+tt.after.String())
		}
	})
}

// An instance that is made while a role on each instance is given: whichever comes
// first, there is an account.
func TestSettle_CSP_18_MeetsANewInstance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		for round := range 12 {
			app := f.app(f.a, f.everything())
			var both sync.WaitGroup
			var in services.ServiceInstance
			var given, made error
			both.Go(func() { given = f.tryGive(f.a, app, f.role("aoa:alerts")) })
			both.Go(func() {
				in, _, made = f.service.CreateInstance(t.Context(), tenants.Caller{}, f.a, f.kind.ID, draft("n"+string(rune('a'+round))))
			})
			both.Wait()
			f.must(errors.Join(given, made))
			found := 0
			for _, a := range f.live(in) {
				if a.App == app {
					found++
				}
			}
			if found != 1 {
				t.Fatalf("round %d: the app has %d accounts in the instance", round, found)
			}
		}
	})
}

// The other way round: the grants of an app are seen when the instance was held first.
func TestSettle_CSP_18_WaitsForANewInstance(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t, storetest.Postgres)
	db := storetest.Open(t, url)
	f := newFleet(t, db)
	app := f.app(f.a, f.everything())
	in := services.ServiceInstance{
		ID: services.InstanceID(tenants.NewID()), Org: f.a, Definition: f.kind.ID, Name: "one", Mode: services.Onboarded, Prefix: "/one",
		CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	var giving sync.WaitGroup
	var given error
	f.must(db.Services().InTx(t.Context(), func(tx services.Tx) error {
		if err := tx.LockOrganization(f.a); err != nil {
			return err
		}
		held, err := tx.HeldOn(f.a, f.kind.ID, in.ID)
		if err != nil || len(held) != 0 {
			return errors.Join(err, errors.New("somebody holds a role"))
		}
		giving.Go(func() { given = f.tryGive(f.a, app, f.role("aoa:alerts")) })
		waitUntilWaiting(t, url)
		return tx.CreateInstance(in)
	}))
	giving.Wait()
	f.must(given)
	f.wantLive(in, 1, "the role was given while the instance was made")
}

// waitUntilWaiting returns when a transaction waits for a row.
func waitUntilWaiting(t *testing.T, url string) {
	t.Helper()
	conn, err := sql.Open("pgx", url)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for waiting := 0; waiting == 0; {
		err := conn.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func TestManualAccounts_CSP_18_CSP_20(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		ctx, in, foreign := t.Context(), f.instance(f.a, draft("one")), f.instance(f.b, draft("two"))
		owner, member := f.person(f.a, tenants.RightOrgOwner), f.person(f.a, tenants.RightOrgMember)
		nobody, stranger := f.person(f.a), f.person(f.b, tenants.RightOrgOwner)
		app := f.app(f.a, f.everything())
		f.give(f.a, app, f.role("aoa:alerts"))

		made, err := f.service.CreateAccount(ctx, owner, f.a, in.ID, "SA::Night.Shift")
		f.must(err)
		if made.ID != "sa::night.shift" || !made.Manual() {
			t.Errorf("made %+v", made)
		}
		_, err = f.service.CreateAccount(ctx, owner, f.a, in.ID, "night.shift")
		wants(t, err, problem.DuplicateName)
		for _, name := range []string{"", "sa::", "a b", "a/b", "é", strings.Repeat("x", 101), "-x"} {
			_, err = f.service.CreateAccount(ctx, owner, f.a, in.ID, name)
			wants(t, err, problem.BadRequest)
		}
		list, total, err := f.service.Accounts(ctx, member, f.a, in.ID, tenants.Query{Page: 1, PageSize: 10})
		f.must(err)
		if total != 2 || len(list) != 2 || list[0].Kind()+list[1].Kind() != "appmanual" {
			t.Errorf("the subjects are %+v", list)
		}
		machine := owner // an API token of the owner's
		machine.Principal.Kind = tenants.KindAPIToken
		for _, tt := range []struct {
			who  tenants.Caller
			want problem.Code
		}{{machine, problem.Forbidden}, {member, problem.Forbidden}, {nobody, problem.Forbidden}, {stranger, problem.NotFound}} {
			_, err := f.service.CreateAccount(ctx, tt.who, f.a, in.ID, "another")
			wants(t, err, tt.want)
			wants(t, f.service.EndAccount(ctx, tt.who, f.a, in.ID, made.ID), tt.want)
		}
		_, _, err = f.service.Accounts(ctx, nobody, f.a, in.ID, tenants.Query{Page: 1, PageSize: 10})
		wants(t, err, problem.Forbidden)
		_, _, err = f.service.Accounts(ctx, stranger, f.a, in.ID, tenants.Query{Page: 1, PageSize: 10})
		wants(t, err, problem.NotFound)
		_, err = f.service.CreateAccount(ctx, owner, f.a, foreign.ID, "another")
		wants(t, err, problem.NotFound)

		wants(t, f.service.EndAccount(ctx, owner, f.a, in.ID, f.ofApp(in, app).ID), problem.Conflict)
		f.must(f.service.EndAccount(ctx, owner, f.a, in.ID, made.ID))
		wants(t, f.service.EndAccount(ctx, owner, f.a, in.ID, made.ID), problem.NotFound)
		_, err = f.service.Account(ctx, owner, f.a, in.ID, made.ID)
		wants(t, err, problem.NotFound)
		_, err = f.service.CreateAccount(ctx, owner, f.a, in.ID, "night.shift") // rules may still name it
		wants(t, err, problem.DuplicateName)
	})
}

func (f *fleet) ofApp(in services.ServiceInstance, app services.Holder) services.InstanceAccount {
	f.t.Helper()
	for _, a := range f.live(in) {
		if a.App == app {
			return a
		}
	}
	f.t.Fatal("the app has no account")
	return services.InstanceAccount{}
}
