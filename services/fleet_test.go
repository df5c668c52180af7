package services_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// fleet is a guild with instances and apps.
type fleet struct {
	*guild
	service *services.Service
	keys    *secret.Keys
	mu      sync.Mutex
	at      time.Time
}

func newFleet(t testing.TB, db *store.DB) *fleet {
	t.Helper()
	keys, err := secret.NewKeys(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{guild: newGuild(t, db), keys: keys, at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	f.service = services.New(services.Config{
		Store: db.Services(), Keys: keys, Now: f.now, Rules: anywhere,
		Reserved: services.Reserved{Hosts: []string{"cloud.example.com"}, Prefixes: []string{"/sample"}},
	})
	return f
}

var anywhere = services.AddressRules{PlainHTTP: true, Allow: func(context.Context, netip.Addr) bool { return true }}

func (f *fleet) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fleet) later(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

// draft is an instance that nothing is wrong with.
func draft(name string) services.Draft {
	return services.Draft{
		Name: name, Mode: services.Onboarded, Prefix: "/" + name, Enabled: true,
		InstanceSettings: services.InstanceSettings{Upstreams: []string{"https://" + name + ".example.com"}},
	}
}

func (f *fleet) instance(org tenants.OrgID, d services.Draft) services.ServiceInstance {
	f.t.Helper()
	in, _, err := f.service.CreateInstance(f.t.Context(), tenants.Caller{}, org, f.kind.ID, d)
	f.must(err)
	return in
}

// app is an app of org that org added.
func (f *fleet) app(org tenants.OrgID, ceiling services.Ceiling) services.Holder {
	f.t.Helper()
	id := apps.ID("app-" + tenants.NewID())
	h := services.Holder{Kind: tenants.KindApp, ID: string(id)}
	f.must(f.db.Apps().InTx(f.t.Context(), func(tx apps.Tx) error {
		if err := tx.CreateApp(apps.App{
			ID: id, Org: org, DisplayName: "Deployer", Settings: apps.Settings{Ceiling: ceiling},
			Secret: apps.Secret{Digest: []byte("digest"), Version: 1}, CreatedAt: f.now(), UpdatedAt: f.now(),
		}); err != nil {
			return err
		}
		return tx.AddMember(org, h, f.now().UnixMicro(), "test", f.now())
	}))
	return h
}

// everything is a ceiling that bounds nothing.
func (f *fleet) everything() services.Ceiling {
	return services.Ceiling{AllOrg: true, Services: []services.ServiceCeiling{{Definition: f.kind.ID, All: true}}}
}

func (f *fleet) role(name string) services.Grant {
	return services.Grant{Kind: services.GrantService, Definition: f.kind.ID, Role: name}
}

// give grants as the management of apps does.
func (f *fleet) give(org tenants.OrgID, h services.Holder, grants ...services.Grant) {
	f.t.Helper()
	f.must(f.tryGive(org, h, grants...))
}

func (f *fleet) tryGive(org tenants.OrgID, h services.Holder, grants ...services.Grant) error {
	now := f.now()
	return f.db.Services().InTx(f.t.Context(), func(tx services.Tx) error {
		if err := tx.LockHolder(org, h); err != nil {
			return err
		}
		for _, g := range grants {
			if err := tx.PutGrant(org, h, g, "test", now); err != nil {
				return err
			}
		}
		return services.Settle(tx, org, h, tenants.Caller{}, now)
	})
}

func (f *fleet) take(org tenants.OrgID, h services.Holder, grants ...services.Grant) {
	f.t.Helper()
	f.must(f.db.Services().InTx(f.t.Context(), func(tx services.Tx) error {
		if err := tx.LockHolder(org, h); err != nil {
			return err
		}
		for _, g := range grants {
			if _, err := tx.DropGrant(org, h, g); err != nil {
				return err
			}
		}
		return services.Settle(tx, org, h, tenants.Caller{}, f.now())
	}))
}

// accounts are all of an instance, also ended ones.
func (f *fleet) accounts(in services.ServiceInstance) (list []services.InstanceAccount) {
	f.t.Helper()
	f.must(f.db.Services().View(f.t.Context(), func(r services.Reader) (err error) {
		list, _, err = r.InstanceAccounts(in.Org, in.ID, tenants.Query{SortBy: "created_at", Page: 1, PageSize: 100})
		return err
	}))
	return list
}

// live are those of apps that live.
func (f *fleet) live(in services.ServiceInstance) (list []services.InstanceAccount) {
	f.t.Helper()
	for _, a := range f.accounts(in) {
		if a.EndedAt.IsZero() {
			list = append(list, a)
		}
	}
	return list
}

func (f *fleet) wantLive(in services.ServiceInstance, want int, when string) {
	f.t.Helper()
	if got := f.live(in); len(got) != want {
		f.t.Errorf("%s: %d accounts live in %s, want %d: %+v", when, len(got), in.Name, want, got)
	}
}

// recorded counts rows of the journal with an action.
func (f *fleet) recorded(action journal.Action) (n int) {
	f.t.Helper()
	rows, err := f.db.Journal().After(f.t.Context(), 0, 10_000)
	f.must(err)
	for _, r := range rows {
		if r.Action == action {
			n++
		}
	}
	return n
}
