package apps_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// trial is an app, and what it ought to hold after what was done with it.
type trial struct {
	*stage
	rand    *rand.Rand
	client  string
	ceiling services.Ceiling
	members map[tenants.OrgID]map[services.Grant]time.Time // by grants without their end
	grants  []services.Grant                               // that there can be
}

// Whatever was done in whatever order: what an app is in an organization, and where
// it has accounts, is what it was given there and its owner allows, and no more.
func TestEffectiveRolesAreTheModels_CSP_15_CSP_18_CSP_21(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.customRole(s.a, "Charts", "aoa:metrics")
		s.customRole(s.b, "Charts", "aoa:metrics")
		for seed := range uint64(6) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { s.newTrial(seed).run(t, 40) })
		}
	})
}

func (s *stage) newTrial(seed uint64) *trial {
	tr := &trial{stage: s, rand: rand.New(rand.NewPCG(seed, 1)), members: map[tenants.OrgID]map[services.Grant]time.Time{}}
	for _, role := range []services.OrgRole{services.OrgOwner, services.OrgAdmin, services.OrgMember, services.Developer} {
		tr.grants = append(tr.grants, org(role))
	}
	for _, role := range []string{"aoa:viewer", "aoa:proxies", "aoa:superAdmin"} {
		for _, in := range []services.InstanceID{"", s.one, s.two, s.other} {
			tr.grants = append(tr.grants, s.on(role, in))
		}
	}
	tr.grants = append(tr.grants, custom("Charts"))
	tr.ceiling = tr.anyCeiling()
	tr.client = s.bounded(tr.ceiling)
	return tr
}

func (tr *trial) anyCeiling() services.Ceiling {
	c := services.Ceiling{AllOrg: tr.rand.IntN(4) == 0}
	for _, role := range []string{"org_owner", "org_admin", "org_member", "developer"} {
		if tr.rand.IntN(2) == 0 {
			c.Org = append(c.Org, role)
		}
	}
	for range tr.rand.IntN(3) {
		bound := services.ServiceCeiling{Definition: tr.kind.ID, All: tr.rand.IntN(5) == 0}
		for range tr.rand.IntN(3) {
			role := services.ScopedRole{Name: []string{"aoa:viewer", "aoa:proxies", "aoa:superAdmin"}[tr.rand.IntN(3)]}
			if tr.rand.IntN(2) == 0 {
				role.Resource = string([]services.InstanceID{tr.one, tr.two, tr.other}[tr.rand.IntN(3)])
			}
			bound.Roles = append(bound.Roles, role)
		}
		c.Services = append(c.Services, bound)
	}
	return c
}

// some are different grants, as far as the organization has their instance.
func (tr *trial) some(o tenants.OrgID) (list []services.Grant) {
	for _, i := range tr.rand.Perm(len(tr.grants))[:1+tr.rand.IntN(3)] {
		g := tr.grants[i]
		if in := services.InstanceID(g.Resource); in != "" && (in == tr.other) != (o == tr.b) {
			continue
		}
		if tr.rand.IntN(3) == 0 {
			g.ExpiresAt = tr.now().Add(time.Duration(1+tr.rand.IntN(5)) * time.Minute)
		}
		list = append(list, g)
	}
	return list
}

func (tr *trial) run(t *testing.T, steps int) {
	for step := range steps {
		o := []tenants.OrgID{tr.a, tr.b}[tr.rand.IntN(2)]
		did := tr.step(t, o)
		for _, o := range []tenants.OrgID{tr.a, tr.b} {
			tr.agrees(t, o)
		}
		if t.Failed() {
			t.Fatalf("after step %d: %s", step, did)
		}
	}
}

func (tr *trial) step(t *testing.T, o tenants.OrgID) string {
	t.Helper()
	held, member := tr.members[o]
	switch n := tr.rand.IntN(10); {
	case !member:
		roles := tr.some(o)
		tr.add(o, tr.client, roles...)
		tr.members[o] = map[services.Grant]time.Time{}
		give(tr.members[o], roles)
		return "added"
	case n == 0:
		if _, err := tr.apps.RemoveMembers(tr.ctx(), tr.owner(o), o, []string{tr.client}); err != nil {
			t.Fatal(err)
		}
		delete(tr.members, o)
		return "removed"
	case n == 1:
		tr.ceiling = tr.anyCeiling()
		if _, err := tr.apps.Update(tr.ctx(), tr.owner(tr.a), tr.a, apps.ID(tr.client), func(c *apps.Change) error {
			c.Ceiling = tr.ceiling
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return "bounded anew"
	case n < 5:
		c := apps.RoleChange{Remove: tr.some(o)}
		tr.change(o, tr.client, c)
		for _, g := range c.Remove {
			maps.DeleteFunc(held, func(k services.Grant, _ time.Time) bool {
				return k.Kind == g.Kind && k.Role == g.Role && (g.Resource == "" || g.Resource == k.Resource)
			})
		}
		return "taken"
	case n < 6:
		tr.pass(time.Minute)
		// An account ends with its role only when something changes: here it does.
		for o := range tr.members {
			tr.change(o, tr.client, apps.RoleChange{Add: tr.fresh(o)})
		}
		return "a minute passed"
	}
	c := apps.RoleChange{Add: tr.some(o)}
	tr.change(o, tr.client, c)
	give(held, c.Add)
	return "given"
}

// fresh is a grant that the app cannot have yet.
func (tr *trial) fresh(o tenants.OrgID) []services.Grant {
	g := org(services.LogAuditor)
	g.ExpiresAt = tr.now().Add(time.Duration(1+tr.rand.IntN(1000)) * time.Hour)
	give(tr.members[o], []services.Grant{g})
	return []services.Grant{g}
}

func give(held map[services.Grant]time.Time, roles []services.Grant) {
	for _, g := range roles {
		end := g.ExpiresAt
		g.ExpiresAt = time.Time{}
		held[g] = end
	}
}

// agrees compares what the app holds with the model, which reckons by itself.
func (tr *trial) agrees(t *testing.T, o tenants.OrgID) {
	t.Helper()
	model, member := tr.members[o]
	if !member {
		if got := tr.accounts(o, appHolder(tr.client)); len(got) > 0 {
			t.Errorf("it is no member, and has accounts in %v", got)
		}
		return
	}
	held := tr.held(o, tr.client)
	if len(held.Grants) != len(model) {
		t.Errorf("it holds %v, want %v", held.Grants, model)
	}
	var roles []services.OrgRole
	var wanted []services.InstanceID
	for g, end := range model {
		if !end.IsZero() && !tr.now().Before(end) {
			continue
		}
		switch g.Kind {
		case services.GrantOrganization:
			if tr.ceiling.AllOrg || slices.Contains(tr.ceiling.Org, g.Role) {
				roles = append(roles, services.OrgRole(g.Role))
			}
		case services.GrantService:
			wanted = append(wanted, tr.reached(o, g)...)
		}
	}
	got := held.OrgRoles(tr.now())
	slices.Sort(got)
	if slices.Sort(roles); !slices.Equal(got, roles) {
		t.Errorf("its organization roles are %v, want %v", got, roles)
	}
	slices.Sort(wanted)
	if in := tr.accounts(o, appHolder(tr.client)); !slices.Equal(in, slices.Compact(wanted)) {
		t.Errorf("it has accounts in %v, want %v", in, wanted)
	}
}

// reached are the instances where a role counts by the ceiling.
func (tr *trial) reached(o tenants.OrgID, g services.Grant) (in []services.InstanceID) {
	candidates := []services.InstanceID{tr.one, tr.two}
	if o == tr.b {
		candidates = []services.InstanceID{tr.other}
	}
	for _, i := range candidates {
		if g.Resource != "" && g.Resource != string(i) {
			continue
		}
		for _, bound := range tr.ceiling.Services {
			if bound.All || slices.Contains(bound.Roles, services.ScopedRole{Name: g.Role}) ||
				slices.Contains(bound.Roles, services.ScopedRole{Name: g.Role, Resource: string(i)}) {
				in = append(in, i)
			}
		}
	}
	return in
}
