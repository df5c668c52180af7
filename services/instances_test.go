package services_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/services"
	"causeway/tenants"
)

func TestInstances_WhatIsRefused(t *testing.T) {
	t.Parallel()
	f := newFleet(t, storetest.New(t, storetest.SQLite))
	for _, tt := range []struct {
		name   string
		change func(*services.Draft)
		want   string // of the refusal; empty: there is none
	}{
		{"nothing wrong", func(*services.Draft) {}, ""},
		{"no name", func(d *services.Draft) { d.Name = "" }, "name"},
		{"a name with control characters", func(d *services.Draft) { d.Name = "a\nb" }, "name"},
		{"another mode", func(d *services.Draft) { d.Mode = "other" }, "mode"},
		{"neither prefix nor host", func(d *services.Draft) { d.Prefix = "" }, "prefix or a host"},
		{"a host alone", func(d *services.Draft) { d.Prefix, d.Hosts = "", []string{"metrics.example.com"} }, ""},
		{"a deeper prefix", func(d *services.Draft) { d.Prefix = "/a/b.c/d" }, ""},
		{"a prefix without a slash", func(d *services.Draft) { d.Prefix = "a" }, "prefix"},
		{"the root", func(d *services.Draft) { d.Prefix = "/" }, "prefix"},
		{"a prefix with a slash behind", func(d *services.Draft) { d.Prefix = "/a/" }, "prefix"},
		{"an empty segment", func(d *services.Draft) { d.Prefix = "/a//b" }, "prefix"},
		{"a dot segment", func(d *services.Draft) { d.Prefix = "/a/../b" }, "prefix"},
		{"an encoded slash", func(d *services.Draft) { d.Prefix = "/a%2fb" }, "prefix"},
		{"a pattern", func(d *services.Draft) { d.Prefix = "/a/{id}" }, "prefix"},
		{"the gateway's own API", func(d *services.Draft) { d.Prefix = "/api" }, "gateway's own"},
		{"in other case", func(d *services.Draft) { d.Prefix = "/API/v2" }, "gateway's own"},
		{"below it", func(d *services.Draft) { d.Prefix = "/csp/gateway" }, "gateway's own"},
		{"what only begins like it", func(d *services.Draft) { d.Prefix = "/apis" }, ""},
		{"that of a configured service", func(d *services.Draft) { d.Prefix = "/sample/deeper" }, "gateway's own"},
		{"an upper-case host", func(d *services.Draft) { d.Hosts = []string{"Metrics.example.com"} }, "host"},
		{"a host with a port", func(d *services.Draft) { d.Hosts = []string{"metrics.example.com:443"} }, "host"},
		{"a wildcard", func(d *services.Draft) { d.Hosts = []string{"*.example.com"} }, "host"},
		{"an address for a host", func(d *services.Draft) { d.Hosts = []string{"192.0.2.1"} }, "host"},
		{"a host twice", func(d *services.Draft) { d.Hosts = []string{"a.example.com", "a.example.com"} }, "twice"},
		{"the gateway's host", func(d *services.Draft) { d.Hosts = []string{"cloud.example.com"} }, "gateway's own"},
		{"no upstream", func(d *services.Draft) { d.Upstreams = nil }, "upstreams"},
		{"an upstream twice", func(d *services.Draft) { d.Upstreams = []string{"https://a", "https://a"} }, "twice"},
		{"an upstream of another scheme", func(d *services.Draft) { d.Upstreams = []string{"ftp://a"} }, "https"},
		{"an upstream with a query", func(d *services.Draft) { d.Upstreams = []string{"https://a?b"} }, "nothing else"},
		{"an upstream with a fragment", func(d *services.Draft) { d.Upstreams = []string{"https://a#b"} }, "nothing else"},
		{"an upstream with a password", func(d *services.Draft) { d.Upstreams = []string{"https://u:p@a"} }, "nothing else"},
		{"an upstream without a host", func(d *services.Draft) { d.Upstreams = []string{"https:///a"} }, "nothing else"},
		{"an upstream below a path", func(d *services.Draft) { d.Upstreams = []string{"https://a/b"} }, ""},
		{"an upstream with dot segments", func(d *services.Draft) { d.Upstreams = []string{"https://a/../b"} }, "nothing else"},
		{"an upstream that is opaque", func(d *services.Draft) { d.Upstreams = []string{"https:a"} }, "nothing else"},
		{"a timeout that is none", func(d *services.Draft) { d.Timeout = time.Millisecond }, "timeout"},
		{"counts without a path", func(d *services.Draft) { d.Health.Healthy = 1 }, "needs a path"},
		{"a check", func(d *services.Draft) {
			d.Health = services.HealthCheck{Path: "/health?deep=1", Interval: time.Second}
		}, ""},
		{"a check elsewhere", func(d *services.Draft) { d.Health.Path = "//evil.example.com/" }, "must begin"},
		{"a check too often", func(d *services.Draft) { d.Health = services.HealthCheck{Path: "/h", Interval: time.Millisecond} }, "times"},
		{"a check with negative counts", func(d *services.Draft) { d.Health = services.HealthCheck{Path: "/h", Healthy: -1} }, "counts"},
		{"a hook", func(d *services.Draft) { d.HookURL = "https://a/hook" }, ""},
		{"a hook of another scheme", func(d *services.Draft) { d.HookURL = "gopher://a" }, "https"},
		{"a secret without a hook", func(d *services.Draft) { d.HookSecret = secret.Text(strings.Repeat("x", 40)) }, "needs a hook"},
		{"a short secret", func(d *services.Draft) { d.HookURL, d.HookSecret = "https://a", "short" }, "secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := draft("one")
			tt.change(&d)
			in, _, err := f.service.CreateInstance(t.Context(), tenants.Caller{}, f.a, f.kind.ID, d)
			if (err == nil) != (tt.want == "") || err != nil && (!problem.Has(err, problem.BadRequest) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err == nil {
				f.must(f.service.DeleteInstance(t.Context(), tenants.Caller{}, f.a, in.ID))
			}
		})
	}
}

// Only providers say where an instance is, and still not everywhere.
func TestInstances_R9_Addresses(t *testing.T) {
	t.Parallel()
	f := newFleet(t, storetest.New(t, storetest.SQLite))
	strict := services.New(services.Config{Store: f.db.Services(), Keys: f.keys, Now: f.now, Rules: services.AddressRules{
		Allow: func(_ context.Context, a netip.Addr) bool { return !a.IsLoopback() && !a.IsPrivate() },
	}})
	for url, ok := range map[string]bool{
		"https://192.0.2.7": true, "https://instance.example.com": true, "https://127.0.0.1": false, "https://[::1]:8443": false,
		"https://10.0.0.7": false, "http://192.0.2.7": false, "http://instance.example.com": false,
	} {
		for what, d := range map[string]services.Draft{
			"upstream": {InstanceSettings: services.InstanceSettings{Upstreams: []string{url}}},
			"hook":     {InstanceSettings: services.InstanceSettings{Upstreams: []string{"https://instance.example.com"}, HookURL: url}},
		} {
			d.Name, d.Mode, d.Prefix = "one", services.Onboarded, "/one"
			in, _, err := strict.CreateInstance(t.Context(), tenants.Caller{}, f.a, f.kind.ID, d)
			if (err == nil) != ok {
				t.Errorf("the %s %s: %v", what, url, err)
			}
			if err == nil {
				f.must(strict.DeleteInstance(t.Context(), tenants.Caller{}, f.a, in.ID))
			}
		}
	}
	// A name is judged by where it leads when it is called.
	conn, err := services.AddressRules{Allow: func(_ context.Context, a netip.Addr) bool { return !a.IsLoopback() }}.
		Dialer(time.Second).DialContext(t.Context(), "tcp", "localhost:1")
	if err == nil {
		conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), services.ErrAddress.Error()) {
		t.Errorf("localhost was dialed: %v", err)
	}
	if _, err := (services.AddressRules{}).Dialer(time.Second).DialContext(t.Context(), "tcp", "192.0.2.1:1"); err == nil {
		t.Error("no rule allows something")
	}
}

func TestInstances_AreTheirOrganizations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		ctx := t.Context()
		in := f.instance(f.a, draft("one"))
		d := draft("one") // the prefix is taken, at the whole site
		_, _, err := f.service.CreateInstance(ctx, tenants.Caller{}, f.b, f.kind.ID, d)
		wants(t, err, problem.DuplicateName)
		_, err = f.service.Instance(ctx, f.b, in.ID)
		wants(t, err, problem.NotFound)
		_, _, err = f.service.UpdateInstance(ctx, tenants.Caller{}, f.b, in.ID, draft("two"))
		wants(t, err, problem.NotFound)
		wants(t, f.service.DeleteInstance(ctx, tenants.Caller{}, f.b, in.ID), problem.NotFound)
		_, _, err = f.service.CreateInstance(ctx, tenants.Caller{}, f.a, "no such", draft("two"))
		wants(t, err, problem.BadRequest)
		_, _, err = f.service.CreateInstance(ctx, tenants.Caller{}, tenants.OrgID(tenants.NewID()), f.kind.ID, draft("two"))
		wants(t, err, problem.NotFound)
		if n := f.recorded(journal.InstanceCreated); n != 1 {
			t.Errorf("%d instances were recorded", n)
		}
	})
}

// The secret of a hook is shown once if it was made here, and is nowhere else in clear.
func TestInstances_R12_HookSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		d := draft("one")
		d.HookURL = "https://one.example.com/hook"
		in, made, err := f.service.CreateInstance(t.Context(), tenants.Caller{}, f.a, f.kind.ID, d)
		f.must(err)
		if len(made.Reveal()) < 32 || strings.Contains(string(in.HookSecret), made.Reveal()) {
			t.Errorf("a secret of %d bytes was made", len(made.Reveal()))
		}
		same, again, err := f.service.UpdateInstance(t.Context(), tenants.Caller{}, f.a, in.ID, d)
		f.must(err)
		if again != "" || !slices.Equal(same.HookSecret, in.HookSecret) {
			t.Error("a change of something else replaced the secret")
		}
		d.HookSecret = secret.Text(strings.Repeat("given", 8))
		given, again, err := f.service.UpdateInstance(t.Context(), tenants.Caller{}, f.a, in.ID, d)
		f.must(err)
		if again != "" || slices.Equal(given.HookSecret, in.HookSecret) || strings.Contains(f.last().Detail["hookSecret"], "given") {
			t.Errorf("given: %v", f.last().Detail)
		}
		d.HookURL, d.HookSecret = "", ""
		none, _, err := f.service.UpdateInstance(t.Context(), tenants.Caller{}, f.a, in.ID, d)
		f.must(err)
		if len(none.HookSecret) != 0 {
			t.Error("without a hook there is a secret")
		}
	})
}

// What ships with us is kept once, replaced by what is newer, and nobody changes it.
func TestDefinitions_BuiltIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		ctx := t.Context()
		put := func(version int) {
			t.Helper()
			d := f.kind
			d.Version = version
			f.must(db.Services().InTx(ctx, func(tx services.Tx) error { return tx.PutDefinition(d) }))
			f.must(f.service.PutBuiltIn(ctx))
		}
		for kept, want := range map[int]int{f.kind.Version - 1: f.kind.Version, f.kind.Version: f.kind.Version, f.kind.Version + 1: f.kind.Version + 1} {
			put(kept)
			if d, err := f.service.Definition(ctx, f.kind.ID); err != nil || d.Version != want || !d.BuiltIn {
				t.Errorf("beside version %d there is %d, %v", kept, d.Version, err)
			}
		}
		if n := f.recorded(journal.DefinitionPut); n != 1 {
			t.Errorf("it was put %d times", n)
		}
		_, err := f.service.ReplaceDefinition(ctx, tenants.Caller{}, f.kind)
		wants(t, err, problem.Forbidden)
		wants(t, f.service.DeleteDefinition(ctx, tenants.Caller{}, f.kind.ID), problem.Forbidden)
		_, err = f.service.CreateDefinition(ctx, tenants.Caller{}, f.kind)
		wants(t, err, problem.DuplicateName)
		other := f.kind
		other.ID = ""
		_, err = f.service.CreateDefinition(ctx, tenants.Caller{}, other) // its name
		wants(t, err, problem.DuplicateName)
		other.Name = "Another"
		made, err := f.service.CreateDefinition(ctx, tenants.Caller{}, other)
		f.must(err)
		if made.BuiltIn {
			t.Error("what a provider makes is built in")
		}
		_, err = f.service.ReplaceDefinition(ctx, tenants.Caller{}, services.Definition{ID: services.DefinitionID(tenants.NewID()), Name: "X", Prefix: "x", Roles: made.Roles[:0]})
		wants(t, err, problem.BadRequest)
		made.ID = services.DefinitionID(tenants.NewID())
		_, err = f.service.ReplaceDefinition(ctx, tenants.Caller{}, made)
		wants(t, err, problem.NotFound)
	})
}
