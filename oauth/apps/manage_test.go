package apps_test

import (
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

func TestCreate_CSP_25_Refuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		before := c.head()
		for name, spoil := range map[string]func(*apps.Draft){
			"id too short":           func(d *apps.Draft) { d.ID = "abcd" },
			"id too long":            func(d *apps.Draft) { d.ID = strings.Repeat("a", 257) },
			"id of other characters": func(d *apps.Draft) { d.ID = "abc.def" },
			"no name":                func(d *apps.Draft) { d.DisplayName = "" },
			"name of other letters":  func(d *apps.Draft) { d.DisplayName = "a<b>" },
			"name with a line":       func(d *apps.Draft) { d.DisplayName = "a\nb" },
			"space around the name":  func(d *apps.Draft) { d.DisplayName = " a" },
			"name too long":          func(d *apps.Draft) { d.DisplayName = strings.Repeat("a", 256) },
			"description too long":   func(d *apps.Draft) { d.Description = strings.Repeat("a", 1025) },
			"control characters":     func(d *apps.Draft) { d.Description = "a\x00" },
			"no grant":               func(d *apps.Draft) { d.GrantTypes = nil },
			"unknown grant":          func(d *apps.Draft) { d.GrantTypes = []string{"password"} },
			"short life":             func(d *apps.Draft) { d.AccessTTL = 59 * time.Second },
			"long life":              func(d *apps.Draft) { d.AccessTTL = 300*time.Minute + time.Second },
			"short secret":           func(d *apps.Draft) { d.Secret = secret.Text(strings.Repeat("a", 31)) },
			"secret of others":       func(d *apps.Draft) { d.Secret = secret.Text(strings.Repeat("a", 31) + "+") },
			"unknown organization":   func(d *apps.Draft) { d.Ceiling.Org = []string{"org_king"} },
			"unknown service":        func(d *apps.Draft) { d.Ceiling.Services[0].Definition = services.DefinitionID(tenants.NewID()) },
			"unknown service role":   func(d *apps.Draft) { d.Ceiling.Services[0].Roles = []services.ScopedRole{{Name: "aoa:king"}} },
			"resource that is none": func(d *apps.Draft) {
				d.Ceiling.Services[0].Roles = []services.ScopedRole{{Name: "aoa:viewer", Resource: "x"}}
			},
			"too many scopes":         func(d *apps.Draft) { d.Ceiling.Org = slices.Repeat([]string{"org_member"}, 501) },
			"too much of others":      func(d *apps.Draft) { d.Echo = map[string]any{"redirectUris": strings.Repeat("x", 9000)} },
			"overlap out of bounds":   func(d *apps.Draft) { d.RotationOverlap = 31 * 24 * time.Hour },
			"refresh life below zero": func(d *apps.Draft) { d.RefreshTTL = -time.Second },
		} {
			d := draft(c.everything())
			spoil(&d)
			_, _, err := c.apps.Create(t.Context(), c.owner(c.a), c.a, d)
			if !problem.Has(err, problem.BadRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if c.head() != before {
			t.Error("something was changed")
		}
		d := draft(c.everything())
		d.ID, d.DisplayName, d.Secret = "my_app-1", "Größe `x': 日本-_.@&", secret.Text(strings.Repeat("aA0-_.~", 6))
		a, s, err := c.apps.Create(t.Context(), c.owner(c.a), c.a, d)
		c.must(err)
		if a.ID != "my_app-1" || s != d.Secret || a.AccessTTL != apps.DefaultTTL || a.Org != c.a || a.CreatedBy != "owner" {
			t.Errorf("made %+v", a)
		}
	})
}

// Ids that others have or had answer alike, for ever.
func TestCreate_R6_TakenIDsLookAlike(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		own, gone := c.create(), c.create()
		c.must(c.apps.DeleteOne(t.Context(), c.owner(c.a), c.a, gone.id))
		var told []string
		for _, org := range []tenants.OrgID{c.a, c.b} {
			for _, id := range []apps.ID{own.id, gone.id} {
				d := draft(services.Ceiling{})
				d.ID = string(id)
				_, _, err := c.apps.Create(t.Context(), c.owner(org), org, d)
				wantProblem(t, err, problem.Conflict)
				told = append(told, problem.From(err).Detail)
			}
		}
		if len(slices.Compact(told)) != 1 {
			t.Errorf("the answers differ: %q", told)
		}
	})
}

// Who merely has an app, and who has nothing to do with it, see nothing of it.
func TestOwnership_CSP_17(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.b, string(k.id), org(services.OrgMember))
		by := c.owner(c.b)
		for name, err := range map[string]error{
			"get":        second(c.apps.Get(t.Context(), by, c.b, k.id)),
			"update":     second(c.apps.Update(t.Context(), by, c.b, k.id, rename("Mine"))),
			"regenerate": second(c.apps.Regenerate(t.Context(), by, c.b, k.id)),
			"rotate":     c.apps.Rotate(t.Context(), by, c.b, k.id, anotherSecret, 0),
			"end":        c.apps.EndRotation(t.Context(), by, c.b, k.id),
			"delete":     c.apps.DeleteOne(t.Context(), by, c.b, k.id),
			"elsewhere":  second(c.apps.Get(t.Context(), by, c.a, k.id)),
		} {
			if !problem.Has(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		list, total, err := c.apps.List(t.Context(), by, c.b, tenants.Query{Page: 1, PageSize: 10})
		if err != nil || total != 0 || len(list) != 0 {
			t.Errorf("others see %d apps, %v", total, err)
		}
		_, failed, err := c.apps.Delete(t.Context(), by, c.b, []apps.ID{k.id})
		if err != nil || len(failed) != 1 {
			t.Errorf("deleted by others: %v, %v", failed, err)
		}
		c.wantAlive(c.token(k, c.b), true)
	})
}

func TestDelete_CSP_39(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k, other := c.create(), c.create()
		c.add(c.a, string(k.id), c.on("aoa:proxies", ""))
		c.add(c.b, string(k.id), c.on("aoa:proxies", ""))
		inA, inB := c.token(k, c.a), c.token(k, c.b)
		c.wantAlive(inA, true)
		before := c.head()
		succeeded, failed, err := c.apps.Delete(t.Context(), c.owner(c.a), c.a, []apps.ID{k.id, "nobody", k.id, other.id})
		c.must(err)
		if !slices.Equal(succeeded, []apps.ID{k.id, other.id}) || len(failed) != 1 || failed[0].ID != "nobody" || failed[0].Err.Code != problem.NotFound {
			t.Errorf("succeeded %q, failed %v", succeeded, failed)
		}
		c.wantAlive(inA, false)
		c.wantAlive(inB, false)
		_, err = c.exchange(k, "")
		wantProblem(t, err, problem.InvalidClient)
		for _, org := range []tenants.OrgID{c.a, c.b} {
			if left := c.accounts(org, appHolder(string(k.id))); len(left) != 0 {
				t.Errorf("accounts are left in %v", left)
			}
			told := slices.ContainsFunc(c.since(before), func(r journal.Row) bool {
				return r.Action == journal.AppDeleted && r.Org == string(org) && r.Subject == journal.Subject{Kind: journal.KindApp, ID: string(k.id), Name: "App"}
			})
			if !told {
				t.Errorf("organization %s is not told", org)
			}
		}
		for _, n := range []int{0, 16} {
			_, _, err := c.apps.Delete(t.Context(), c.owner(c.a), c.a, make([]apps.ID, n))
			wantProblem(t, err, problem.BadRequest)
		}
	})
}

// Closer bounds count at once, in every organization, also for its accounts.
func TestUpdate_R4_CloserBounds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.b, string(k.id), org(services.OrgMember), c.on("aoa:proxies", ""))
		if in := c.accounts(c.b, appHolder(string(k.id))); len(in) != 1 {
			t.Fatalf("accounts in %v", in)
		}
		a, err := c.apps.Update(t.Context(), c.owner(c.a), c.a, k.id, func(ch *apps.Change) error {
			ch.DisplayName, ch.Ceiling = "Closer", services.Ceiling{AllOrg: true}
			return nil
		})
		c.must(err)
		if a.DisplayName != "Closer" || a.UpdatedBy != "owner" {
			t.Errorf("updated to %+v", a)
		}
		if in := c.accounts(c.b, appHolder(string(k.id))); len(in) != 0 {
			t.Errorf("accounts are left in %v", in)
		}
		issued, err := c.exchange(k, string(c.b))
		c.must(err)
		if !slices.Equal(issued.Scopes, []string{"csp:org_member"}) {
			t.Errorf("scopes %q", issued.Scopes)
		}
		row := c.last(journal.AppUpdated)
		if row.Detail["displayName.new"] != "Closer" || row.Detail["allowedScopes.old"] == "" {
			t.Errorf("journalled %v", row.Detail)
		}
		before := c.head()
		_, err = c.apps.Update(t.Context(), c.owner(c.a), c.a, k.id, rename("Closer"))
		c.must(err)
		if c.head() != before {
			t.Error("no change was journalled")
		}
		_, err = c.apps.Update(t.Context(), c.owner(c.a), c.a, k.id, func(ch *apps.Change) error { ch.AccessTTL = time.Second; return nil })
		wantProblem(t, err, problem.BadRequest)
		_, err = c.apps.Update(t.Context(), c.owner(c.a), c.a, k.id, func(ch *apps.Change) error {
			ch.Ceiling.Services = []services.ServiceCeiling{{Definition: c.kind.ID, Roles: []services.ScopedRole{{Name: "aoa:king"}}}}
			return nil
		})
		wantProblem(t, err, problem.BadRequest)
	})
}
