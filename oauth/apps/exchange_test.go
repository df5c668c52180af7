package apps_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// To be made gives an app nothing; to be added does, and only there.
func TestExchange_CSP_1_14_16_33(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		for _, org := range []string{"", string(c.a), string(c.b)} {
			_, err := c.exchange(k, org)
			wantProblem(t, err, problem.AccessDenied)
		}
		c.add(c.a, string(k.id), org(services.OrgMember), c.on("aoa:proxies", ""))
		c.add(c.b, string(k.id), org(services.OrgMember))
		for _, tt := range []struct {
			named string
			want  tenants.OrgID
		}{{"", c.a}, {string(c.a), c.a}, {strings.ToUpper(string(c.b)), c.b}} {
			issued, err := c.exchange(k, tt.named)
			c.must(err)
			who, err := c.tokens.Authenticate(t.Context(), issued.Access.Reveal())
			c.must(err)
			if issued.Org != tt.want || who.Org != tt.want || who.Kind != tenants.KindApp || who.ID != string(k.id) || who.Name != "App" {
				t.Errorf("for %q: %+v, %+v", tt.named, issued.Org, who)
			}
		}
	})
}

// Where the app is not, what is not there and what is switched off answer alike.
func TestExchange_R6_OrganizationsLookAlike(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		off := c.organization("Off")
		c.add(off, string(k.id), org(services.OrgMember))
		c.enable(off, false)
		var told []string
		for _, named := range []string{string(c.b), tenants.NewID(), "no organization", string(tenants.SystemOrgID), string(off), string(c.a)} {
			_, err := c.exchange(k, named)
			wantProblem(t, err, problem.AccessDenied)
			told = append(told, problem.From(err).Detail)
		}
		if len(slices.Compact(told)) != 1 {
			t.Errorf("the answers differ: %q", told)
		}
	})
}

// enable switches an organization on or off, as a provider does.
func (c *cell) enable(org tenants.OrgID, on bool) {
	c.t.Helper()
	c.must(c.db.Tenants().InTx(c.ctx(), func(tx tenants.Tx) error {
		o, err := tx.Organization(org)
		if err != nil {
			return err
		}
		o.Enabled = on
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: c.now(), Org: string(org), Actor: journal.System, Action: journal.OrganizationUpdated,
			Subject: journal.Subject{Kind: journal.KindOrganization, ID: string(org)},
		})
	}))
}

// With its owner an app stops everywhere, and comes back with it.
func TestExchange_R4_OwnerDisabled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.b, string(k.id), org(services.OrgMember))
		token := c.token(k, c.b)
		c.wantAlive(token, true)
		c.enable(c.a, false)
		c.wantAlive(token, false)
		_, err := c.exchange(k, string(c.b))
		wantProblem(t, err, problem.InvalidClient)
		c.enable(c.a, true)
		c.wantAlive(token, true)
		c.token(k, c.b)
	})
}

// Unknown apps, wrong secrets and clients that cannot be answer alike; both readings
// of what a client sends are tried.
func TestIdentify_R1(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create(func(d *apps.Draft) { d.Secret = secret.Text(strings.Repeat("aB3-_.~x", 5)) })
		c.add(c.a, string(k.id), org(services.OrgMember))
		gone := c.create()
		c.must(c.apps.DeleteOne(t.Context(), c.owner(c.a), c.a, gone.id))
		var told []string
		for _, tried := range [][]apps.Credentials{
			nil,
			{{}},
			{{ID: "nobody", Secret: k.secret}},
			{{ID: "no client at all!", Secret: k.secret}},
			{{ID: string(k.id), Secret: k.secret + "x"}},
			{{ID: string(k.id)}},
			{{ID: strings.ToUpper(string(k.id)), Secret: k.secret}},
			{{ID: string(gone.id), Secret: gone.secret}},
			{{ID: string(gone.id), Secret: k.secret}},
		} {
			_, _, err := c.apps.Identify(t.Context(), tried)
			wantProblem(t, err, problem.InvalidClient)
			told = append(told, problem.From(err).Detail)
		}
		if len(slices.Compact(told)) != 1 {
			t.Errorf("the answers differ: %q", told)
		}
		_, err := c.apps.Exchange(t.Context(), callerOf(tenants.Principal{}), apps.Exchange{
			Client: []apps.Credentials{{ID: "raw", Secret: "raw"}, {ID: string(k.id), Secret: k.secret}},
		})
		c.must(err)
		c.stale = true
		_, err = c.exchange(k, "")
		wantProblem(t, err, problem.Unavailable)
	})
}

func TestExchange_R1_GrantMustBeAllowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create(func(d *apps.Draft) { d.GrantTypes = []string{"authorization_code"} })
		c.add(c.a, string(k.id), org(services.OrgMember))
		_, err := c.exchange(k, "")
		wantProblem(t, err, problem.UnauthorizedClient)
	})
}

// A token lives for as long as the app says or the client asks for, whichever is
// shorter, and ends by itself.
func TestExchange_R5_Lifetime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create(func(d *apps.Draft) { d.AccessTTL = 5 * time.Minute })
		c.add(c.a, string(k.id), org(services.OrgMember))
		for asked, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, 2 * time.Minute: 2 * time.Minute, time.Hour: 5 * time.Minute, time.Second: time.Minute} {
			issued, err := c.apps.Exchange(t.Context(), callerOf(tenants.Principal{}), apps.Exchange{
				Client: []apps.Credentials{{ID: string(k.id), Secret: k.secret}}, Life: asked,
			})
			c.must(err)
			if issued.ExpiresIn != want {
				t.Errorf("asked for %s: %s, want %s", asked, issued.ExpiresIn, want)
			}
		}
		token := c.token(k, c.a)
		c.pass(5*time.Minute - time.Second)
		c.wantAlive(token, true)
		c.pass(2 * time.Second)
		c.wantAlive(token, false)
	})
}

// What a token says is what the app holds, its owner allows and the time leaves, once
// each.
func TestExchange_CSP_13_15_29_Scopes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		def := "external/" + string(c.kind.ID) + "/"
		c.inServices(func(tx services.Tx) error {
			return tx.CreateCustomRole(services.CustomRole{
				Org: c.a, Name: "mine", DisplayName: "Mine", Permissions: []services.ServicePermission{{Definition: c.kind.ID, Permission: "aoa:metrics"}},
				CreatedAt: c.now(), UpdatedAt: c.now(),
			})
		})
		soon := c.on("aoa:alerts", "")
		soon.ExpiresAt = c.now().Add(time.Minute)
		bound := services.Ceiling{Org: []string{"org_member"}, Services: []services.ServiceCeiling{{Definition: c.kind.ID, Roles: []services.ScopedRole{
			{Name: "aoa:viewer"}, {Name: "aoa:alerts"}, {Name: "aoa:proxies", Resource: string(c.two)},
		}}}}
		for name, tt := range map[string]struct {
			ceiling services.Ceiling
			grants  []services.Grant
			want    []string // nil: no token
			later   []string // a minute later
		}{
			"everywhere":            {c.everything(), []services.Grant{c.on("aoa:proxies", "")}, []string{def + "*/aoa:proxies", def + "aoa:proxies"}, nil},
			"one instance":          {c.everything(), []services.Grant{c.on("aoa:proxies", c.one)}, []string{def + string(c.one) + "/aoa:proxies"}, nil},
			"organization role":     {c.everything(), []services.Grant{org(services.OrgAdmin)}, []string{"csp:org_admin"}, nil},
			"above the ceiling":     {bound, []services.Grant{org(services.OrgOwner), c.on("aoa:admin", "")}, nil, nil},
			"cut to one instance":   {bound, []services.Grant{c.on("aoa:proxies", "")}, []string{def + string(c.two) + "/aoa:proxies"}, nil},
			"not on that instance":  {bound, []services.Grant{c.on("aoa:proxies", c.one)}, nil, nil},
			"ends":                  {bound, []services.Grant{org(services.OrgMember), soon}, []string{"csp:org_member", def + "*/aoa:alerts", def + "aoa:alerts"}, []string{"csp:org_member"}},
			"custom alone is inert": {bound, []services.Grant{org(services.OrgMember), custom("mine")}, []string{"csp:org_member"}, nil},
			"custom beside viewer":  {bound, []services.Grant{c.on("aoa:viewer", ""), custom("mine")}, []string{def + "*/aoa:viewer", def + "aoa:metrics", def + "aoa:viewer"}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				k := c.create(func(d *apps.Draft) { d.Ceiling = tt.ceiling })
				c.add(c.a, string(k.id), tt.grants...)
				c.wantScopes(t, k, tt.want)
				if tt.later != nil {
					c.pass(time.Minute)
					c.wantScopes(t, k, tt.later)
				}
			})
		}
	})
}

func (c *cell) wantScopes(t *testing.T, k client, want []string) {
	t.Helper()
	issued, err := c.exchange(k, "")
	if want == nil {
		wantProblem(t, err, problem.AccessDenied)
		return
	}
	c.must(err)
	if got := slices.Sorted(slices.Values(issued.Scopes)); !slices.Equal(got, want) {
		t.Errorf("scopes %q, want %q", got, want)
	}
}

// An exchange of what is known reads nothing and writes one row; every change is known
// to the next one.
func TestExchange_R4_FromMemory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.a, string(k.id), org(services.OrgMember))
		c.token(k, c.a)
		before := db.Statements()
		for range 5 {
			c.token(k, "")
		}
		if n := db.Statements() - before; n > 5 {
			t.Errorf("5 exchanges cost %d statements", n)
		}
		// Guesses are remembered apart.
		for i := range 3 {
			_, _, err := c.apps.Identify(t.Context(), []apps.Credentials{{ID: fmt.Sprint("guess", i), Secret: "x"}})
			wantProblem(t, err, problem.InvalidClient)
		}
		before = db.Statements()
		for range 20 {
			_, _, _ = c.apps.Identify(t.Context(), []apps.Credentials{{ID: "guess1", Secret: "x"}, {ID: string(k.id), Secret: "x"}})
		}
		if n := db.Statements() - before; n > 2 {
			t.Errorf("guesses made 20 times cost %d statements", n)
		}
		fresh := c.create(func(d *apps.Draft) { d.ID = "guess1" })
		c.add(c.a, "guess1", org(services.OrgMember))
		c.token(fresh, c.a)
		c.change(c.a, string(k.id), apps.RoleChange{Add: []services.Grant{c.on("aoa:alerts", "")}})
		issued, err := c.exchange(k, "")
		c.must(err)
		if len(issued.Scopes) != 3 {
			t.Errorf("scopes after a new role: %q", issued.Scopes)
		}
	})
}
