package tenants_test

import (
	"encoding/json"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

var siteRotation = tenants.Rotation{RetryWindow: 24 * time.Hour, GraceWindow: time.Minute, MaxRetries: 10}

// What is not set follows the site, what is set holds, zero included.
func TestTokenPolicy_VCD18_OverTheSite(t *testing.T) {
	aged := siteRotation
	aged.MaxAge = time.Hour
	for name, tt := range map[string]struct {
		own        tenants.TokenPolicy
		site, want tenants.Rotation
	}{
		"nothing set": {tenants.TokenPolicy{}, aged, aged},
		"strict":      {tenants.TokenPolicy{RetryWindow: tenants.Just(0)}, siteRotation, tenants.Rotation{GraceWindow: time.Minute, MaxRetries: 10}},
		"all set": {
			tenants.TokenPolicy{RetryWindow: tenants.Just(60), GraceWindow: tenants.Just(5), MaxRetries: tenants.Just(1), MaxAge: tenants.Just(0)},
			aged, tenants.Rotation{RetryWindow: time.Minute, GraceWindow: 5 * time.Second, MaxRetries: 1},
		},
	} {
		if got := tt.own.Over(tt.site); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
	if odd := (tenants.Rotation{RetryWindow: 1500 * time.Millisecond}); (tenants.TokenPolicy{}).Over(odd) != odd {
		t.Error("a site's window was rounded")
	}
}

func TestTokenPolicy_JSON(t *testing.T) {
	for text, want := range map[string]tenants.TokenPolicy{
		`{}`:                          {},
		`{"retryWindowSeconds":null}`: {},
		`{"retryWindowSeconds":0,"maxRetries":3}`: {RetryWindow: tenants.Just(0), MaxRetries: tenants.Just(3)},
	} {
		var got tenants.TokenPolicy
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		again, err := json.Marshal(got)
		var back tenants.TokenPolicy
		if err == nil {
			err = json.Unmarshal(again, &back)
		}
		if err != nil || back != got {
			t.Errorf("%s became %s: %v", text, again, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"maxRetries":"3"}`), new(tenants.TokenPolicy)); err == nil {
		t.Error("text was taken for a number")
	}
}

// rotate has the site's tokens rotate by r.
func (p *people) rotate(r tenants.Rotation) {
	p.service = tenants.New(tenants.Config{
		Store: p.db.Tenants(), Directory: p.orgs, Hasher: p.hasher, Rotation: r, Now: func() time.Time { return p.now },
	})
}

// A tenant guards its accounts at least as well as the site does; the provider
// decides within bounds. What is refused changes nothing.
func TestTokenPolicy_R7_WhoMayLoosen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		set := func(by tenants.Caller, own tenants.TokenPolicy) error {
			return p.change(by, p.acme.ID, func(o *tenants.Organization) { o.Settings.Tokens = own })
		}
		tighter := tenants.TokenPolicy{RetryWindow: tenants.Just(0), GraceWindow: tenants.Just(60), MaxRetries: tenants.Just(10), MaxAge: tenants.Just(3600)}
		p.must(set(p.boss, tighter))
		if got := p.snapshot(p.acme.ID).Settings.Tokens; got != tighter {
			t.Fatalf("kept %+v", got)
		}
		if d := p.recorded(journal.OrganizationUpdated)[0].Detail; d["retryWindowSeconds.old"] != "the site's" || d["retryWindowSeconds.new"] != "0" || d["maxAgeSeconds.new"] != "3600" {
			t.Errorf("recorded %v", d)
		}
		for name, looser := range map[string]tenants.TokenPolicy{
			"window":  {RetryWindow: tenants.Just(24*3600 + 1)},
			"grace":   {GraceWindow: tenants.Just(61)},
			"retries": {MaxRetries: tenants.Just(11)},
		} {
			if err := set(p.boss, looser); !problem.Has(err, problem.Forbidden) {
				t.Errorf("a looser %s by a tenant: %v", name, err)
			}
			if err := set(p.root, looser); err != nil {
				t.Errorf("a looser %s by the provider: %v", name, err)
			}
			p.must(set(p.root, tighter))
		}
		for name, wrong := range map[string]tenants.TokenPolicy{
			"negative": {RetryWindow: tenants.Just(-1)}, "a week and a second": {RetryWindow: tenants.Just(7*24*3600 + 1)},
			"grace": {GraceWindow: tenants.Just(301)}, "no retry": {MaxRetries: tenants.Just(0)}, "retries": {MaxRetries: tenants.Just(101)},
			"an age below an hour": {MaxAge: tenants.Just(3599)}, "an endless age": {MaxAge: tenants.Just(1 << 40)},
		} {
			if err := set(p.root, wrong); !problem.Has(err, problem.BadRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		got := p.snapshot(p.acme.ID).Settings.Tokens
		if got.ByProvider = [4]bool{}; got != tighter {
			t.Errorf("a refused policy was kept: %+v", got)
		}
	})
	aged := siteRotation
	aged.MaxAge = time.Hour
	p := newPeople(t, storetest.New(t, storetest.SQLite))
	p.rotate(aged)
	for age, want := range map[int]problem.Code{0: problem.Forbidden, 3601: problem.Forbidden, 3600: ""} {
		err := p.change(p.boss, p.acme.ID, func(o *tenants.Organization) { o.Settings.Tokens.MaxAge = tenants.Just(age) })
		if (want == "") != (err == nil) || want != "" && !problem.Has(err, want) {
			t.Errorf("a maximum age of %d s below a site's of an hour: %v", age, err)
		}
	}
}

// What the provider has set a tenant cannot lift, and what it has loosened a tenant
// can keep: only what is changed is judged.
func TestTokenPolicy_R7_WhatTheProviderSetStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		set := func(by tenants.Caller, change func(*tenants.TokenPolicy)) error {
			return p.change(by, p.acme.ID, func(o *tenants.Organization) { change(&o.Settings.Tokens) })
		}
		p.must(set(p.root, func(own *tenants.TokenPolicy) {
			own.MaxAge, own.RetryWindow = tenants.Just(86400), tenants.Just(7*24*3600)
		}))
		if got := p.snapshot(p.acme.ID).Settings.Tokens.SetByProvider(); len(got) != 2 {
			t.Fatalf("set by the provider are %q", got)
		}
		for name, change := range map[string]func(*tenants.TokenPolicy){
			"lifted":  func(own *tenants.TokenPolicy) { own.MaxAge = tenants.Optional{} },
			"no age":  func(own *tenants.TokenPolicy) { own.MaxAge = tenants.Just(0) },
			"older":   func(own *tenants.TokenPolicy) { own.MaxAge = tenants.Just(86401) },
			"all":     func(own *tenants.TokenPolicy) { *own = tenants.TokenPolicy{} },
			"own say": func(own *tenants.TokenPolicy) { own.ByProvider[3], own.MaxAge = false, tenants.Just(0) },
		} {
			if err := set(p.boss, change); !problem.Has(err, problem.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		p.must(set(p.boss, func(own *tenants.TokenPolicy) { own.MaxRetries = tenants.Just(2) })) // beside a window that is looser than the site's
		p.must(set(p.boss, func(own *tenants.TokenPolicy) { own.MaxAge = tenants.Just(3600) }))
		p.must(set(p.boss, func(own *tenants.TokenPolicy) { own.MaxRetries = tenants.Optional{} })) // its own it may lift
		wantProblem(t, set(p.boss, func(own *tenants.TokenPolicy) { own.MaxAge = tenants.Just(3601) }), problem.Forbidden)
		p.must(set(p.root, func(own *tenants.TokenPolicy) { *own = tenants.TokenPolicy{} }))
		if got := p.snapshot(p.acme.ID).Settings.Tokens; got != (tenants.TokenPolicy{}) {
			t.Errorf("left is %+v", got)
		}
	})
}
