package apps_test

import (
	"fmt"
	"slices"
	"strings"
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

// customRole makes a custom role of permissions of the stage's service.
func (s *stage) customRole(o tenants.OrgID, name string, permissions ...services.Permission) {
	s.t.Helper()
	role := services.CustomRole{Org: o, Name: name, DisplayName: name, CreatedAt: s.now(), UpdatedAt: s.now()}
	for _, p := range permissions {
		role.Permissions = append(role.Permissions, services.ServicePermission{Definition: s.kind.ID, Permission: p})
	}
	s.inServices(func(tx services.Tx) error { return tx.CreateCustomRole(role) })
}

func TestRolesOfEveryKind_CSP_13_CSP_37(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.customRole(s.a, "Charts", "aoa:metrics")
		client := s.app()
		s.add(s.a, client)
		until := s.now().Add(time.Hour)
		short := s.on("aoa:alerts", s.two)
		short.ExpiresAt = until
		s.change(s.a, client, apps.RoleChange{Add: []services.Grant{org(services.OrgMember), s.on("aoa:proxies", ""), s.on("aoa:proxies", s.one), short, custom("Charts")}})
		if got := s.held(s.a, client).Grants; len(got) != 5 || !slices.Contains(got, short) {
			t.Errorf("it holds %v", got)
		}
		row := s.last(journal.RolesGranted)
		if row.Subject.Kind != journal.KindApp || row.Subject.ID != client || !strings.Contains(row.Detail["added"], "until 2026-11-22T10:00:00Z") {
			t.Errorf("journalled as %+v", row.Entry)
		}

		longer := short
		longer.ExpiresAt = time.Time{}
		s.change(s.a, client, apps.RoleChange{
			Remove: []services.Grant{s.on("aoa:proxies", ""), org(services.OrgMember), org(services.Developer)}, // the last it does not have
			Update: []services.Grant{longer},
		})
		if got := s.held(s.a, client).Grants; len(got) != 2 || !slices.Contains(got, longer) || !slices.Contains(got, custom("Charts")) {
			t.Errorf("then it holds %v: a role that is taken is taken on every instance", got)
		}

		head := s.head()
		s.change(s.a, client, apps.RoleChange{Add: []services.Grant{longer}})
		if s.head() != head {
			t.Error("what changes nothing is journalled")
		}
	})
}

// What is granted must be there, in this organization, and not be over yet; else
// nothing changes.
func TestNoRolesOfNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.customRole(s.b, "OfBeta", "aoa:metrics")
		client := s.app()
		s.add(s.a, client, org(services.OrgMember))
		past := org(services.Developer)
		past.ExpiresAt = s.now()
		nowhere, another := s.on("aoa:viewer", ""), s.on("aoa:viewer", s.one)
		nowhere.Definition = services.DefinitionID(tenants.NewID())
		another.Resource = tenants.NewID()
		onOrg, onCustom := org(services.Developer), custom("OfBeta")
		onOrg.Resource, onCustom.Resource = string(s.one), string(s.one)
		many := make([]services.Grant, 201)
		for i := range many {
			many[i] = custom(fmt.Sprintf("role-%d", i))
		}
		for name, c := range map[string]apps.RoleChange{
			"no organization role":      {Add: []services.Grant{org("org_king")}},
			"no service":                {Add: []services.Grant{nowhere}},
			"no role of the service":    {Add: []services.Grant{s.on("aoa:everything", "")}},
			"no instance":               {Add: []services.Grant{another}},
			"another's instance":        {Add: []services.Grant{s.on("aoa:viewer", s.other)}},
			"another service's":         {Add: []services.Grant{s.on("aoa:viewer", s.apart)}},
			"another's custom role":     {Add: []services.Grant{custom("OfBeta")}},
			"over":                      {Add: []services.Grant{past}},
			"organization role on one":  {Add: []services.Grant{onOrg}},
			"custom role on one":        {Add: []services.Grant{onCustom}},
			"not held":                  {Update: []services.Grant{org(services.Developer)}},
			"twice":                     {Add: []services.Grant{org(services.Developer), org(services.Developer)}},
			"both given and taken":      {Add: []services.Grant{org(services.Developer)}, Remove: []services.Grant{org(services.Developer)}},
			"takes what there is not":   {Remove: []services.Grant{org("org_king")}},
			"takes no custom role":      {Remove: []services.Grant{custom("nothing")}},
			"a name that cannot be":     {Add: []services.Grant{custom("a\x00b")}},
			"a resource that cannot be": {Remove: []services.Grant{s.on("aoa:viewer", "\xff")}},
			"too many":                  {Add: many},
			"good and bad":              {Add: []services.Grant{org(services.Developer)}, Remove: []services.Grant{org("org_king")}},
		} {
			t.Run(name, func(t *testing.T) {
				before := s.everything(client)
				_, err := s.apps.ChangeRoles(s.ctx(), s.owner(s.a), s.a, client, c)
				wantProblem(t, err, problem.BadRequest)
				fresh := s.app()
				if len(c.Remove)+len(c.Update) == 0 {
					_, err = s.apps.AddMembers(s.ctx(), s.owner(s.a), s.a, []string{fresh}, c.Add)
					wantProblem(t, err, problem.BadRequest)
					_, err = s.apps.AppRoles(s.ctx(), s.owner(s.a), s.a, fresh)
					wantProblem(t, err, problem.NotFound)
				}
				if after := s.everything(client); len(after.Held.Grants) != len(before.Held.Grants) {
					t.Errorf("then it holds %v", after.Held.Grants)
				}
			})
		}
	})
}

// Nobody gives or takes what is over them, nor touches who holds it.
func TestWhoAssignsWhat_CSP_22_R7(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.customRole(s.a, "Charts", "aoa:metrics")
		roles := map[string]services.Grant{
			"org_owner": org(services.OrgOwner), "org_admin": org(services.OrgAdmin), "org_member": org(services.OrgMember),
			"developer": org(services.Developer), "log_auditor": org(services.LogAuditor),
			"service": s.on("aoa:viewer", s.one), "custom": custom("Charts"),
		}
		low := []string{"developer", "org_member"}
		upToAdmin := []string{"custom", "developer", "log_auditor", "org_admin", "org_member", "service"}
		for who, allowed := range map[string][]string{
			"owner":            append([]string{"org_owner"}, upToAdmin...),
			"admin+developer":  upToAdmin,
			"member+developer": low, "support+developer": low,
		} {
			for name, g := range roles {
				t.Run(who+" gives "+name, func(t *testing.T) {
					may := slices.Contains(allowed, name)
					by := s.people[s.a][who]
					client, held := s.app(), s.app()
					_, err := s.apps.AddMembers(s.ctx(), by, s.a, []string{client}, []services.Grant{g})
					judgedAs(t, "added with it", err, may)
					if !may {
						s.add(s.a, client)
					}
					_, err = s.apps.ChangeRoles(s.ctx(), by, s.a, client, apps.RoleChange{Remove: []services.Grant{g}})
					judgedAs(t, "taken", err, may)
					_, err = s.apps.ChangeRoles(s.ctx(), by, s.a, client, apps.RoleChange{Add: []services.Grant{g}})
					judgedAs(t, "given", err, may)

					s.add(s.a, held, g) // by the owner
					touched := may || !strings.HasPrefix(name, "org_")
					_, err = s.apps.ChangeRoles(s.ctx(), by, s.a, held, apps.RoleChange{Add: []services.Grant{org(services.OrgMember)}})
					judgedAs(t, "who holds it is changed", err, touched)
					_, err = s.apps.RemoveMembers(s.ctx(), by, s.a, []string{held})
					judgedAs(t, "who holds it is removed", err, may)
				})
			}
		}
	})
}

func judgedAs(t *testing.T, what string, err error, allowed bool) {
	t.Helper()
	if allowed && err != nil || !allowed && !problem.Has(err, problem.Forbidden) {
		t.Errorf("%s: %v, want allowed %v", what, err, allowed)
	}
}

// What the app's owner does not allow today may be allowed tomorrow: who holds it is
// over others already.
func TestRolesBeyondBoundsCountForRank_R7(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		client := s.bounded(services.Ceiling{})
		s.add(s.a, client, org(services.OrgOwner))
		if row := s.last(journal.AppAdded); !strings.Contains(row.Detail["inactive"], "org_owner") {
			t.Errorf("audit does not say that the role does nothing: %v", row.Detail)
		}
		_, err := s.apps.RemoveMembers(s.ctx(), s.people[s.a]["admin+developer"], s.a, []string{client})
		wantProblem(t, err, problem.Forbidden)
	})
}

func TestEveryRoleOfAServiceIsWarnedOf_CSP_27(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		client := s.app()
		var all []services.Grant
		for _, r := range s.kind.Roles {
			all = append(all, s.on(r.Name, ""))
		}
		s.add(s.a, client, all[1:]...)
		if row := s.last(journal.AppAdded); row.Detail["warning"] != "" {
			t.Errorf("all but one: %q", row.Detail["warning"])
		}
		s.change(s.a, client, apps.RoleChange{Add: all})
		row := s.last(journal.RolesGranted)
		if !strings.Contains(row.Detail["warning"], s.kind.Name) || len(s.held(s.a, client).Grants) != len(all) {
			t.Errorf("all: %v", row.Detail)
		}
	})
}

// A custom role alone does nothing, whichever of the two comes first.
func TestCustomRoleNeedsAServiceRole_CSP_29(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.customRole(s.a, "Charts", "aoa:metrics")
		client := s.app()
		s.add(s.a, client, custom("Charts"))
		if row := s.last(journal.AppAdded); row.Detail["inactive"] != `["custom:Charts"]` {
			t.Errorf("alone: %v", row.Detail)
		}
		if got := s.accounts(s.a, appHolder(client)); len(got) != 0 {
			t.Errorf("it has accounts in %v", got)
		}
		s.change(s.a, client, apps.RoleChange{Add: []services.Grant{s.on("aoa:viewer", s.one)}})
		if row := s.last(journal.RolesGranted); row.Detail["inactive"] != "" {
			t.Errorf("beside a service role: %v", row.Detail)
		}
		s.change(s.a, client, apps.RoleChange{Remove: []services.Grant{s.on("aoa:viewer", s.one)}})
		if row := s.last(journal.RolesGranted); row.Detail["inactive"] != `["custom:Charts"]` {
			t.Errorf("alone again: %v", row.Detail)
		}
	})
}

// Users hold service and custom roles; their organization roles are their role's.
func TestRolesOfUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		user := tenants.UserID(s.people[s.a]["member+developer"].Principal.ID)
		viewer := apps.RoleChange{Add: []services.Grant{s.on("aoa:viewer", s.one)}}
		for who, may := range map[string]bool{"owner": true, "admin": true, "member": false, "member+developer": false, "none": false} {
			_, err := s.apps.ChangeUserRoles(s.ctx(), s.people[s.a][who], s.a, user, viewer)
			judgedAs(t, who, err, may)
		}
		row := s.last(journal.RolesGranted)
		if row.Subject != (journal.Subject{Kind: journal.KindUser, ID: string(user), Name: "member+developer"}) {
			t.Errorf("journalled as %+v", row.Entry)
		}
		_, err := s.apps.ChangeUserRoles(s.ctx(), s.owner(s.a), s.a, user, apps.RoleChange{Add: []services.Grant{org(services.OrgOwner)}})
		if !problem.Has(err, problem.BadRequest) || !strings.Contains(err.Error(), "the user's role") {
			t.Errorf("an organization role: %v", err)
		}
		_, err = s.apps.ChangeUserRoles(s.ctx(), s.owner(s.b), s.a, user, viewer)
		wantProblem(t, err, problem.NotFound)
		_, err = s.apps.ChangeUserRoles(s.ctx(), s.owner(s.b), s.b, user, viewer)
		wantProblem(t, err, problem.NotFound)

		for who, may := range map[string]bool{"owner": true, "admin": true, "member": true, "member+developer": true, "developer": false, "none": false} {
			held, roles, err := s.apps.UserRoles(s.ctx(), s.people[s.a][who], s.a, user)
			judgedAs(t, who+" reads", err, may)
			if may && (len(held.Grants) != 1 || !slices.Equal(roles, []services.OrgRole{services.OrgMember, services.Developer})) {
				t.Errorf("%s sees %v, %v", who, held.Grants, roles)
			}
		}
		own := s.people[s.a]["none"]
		_, _, err = s.apps.UserRoles(s.ctx(), own, s.a, tenants.UserID(own.Principal.ID))
		judgedAs(t, "one's own", err, true)
		_, _, err = s.apps.UserRoles(s.ctx(), s.owner(s.b), s.b, user)
		wantProblem(t, err, problem.NotFound)
	})
}
