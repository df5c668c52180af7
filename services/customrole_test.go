package services_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/services"
	"causeway/tenants"
)

// guild is two organizations that make custom roles.
type guild struct {
	t       testing.TB
	db      *store.DB
	service *services.Service
	kind    services.Definition
	a, b    tenants.OrgID
}

func newGuild(t testing.TB, db *store.DB) *guild {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }
	g := &guild{t: t, db: db, a: tenants.OrgID(tenants.NewID()), b: tenants.OrgID(tenants.NewID())}
	g.service = services.New(services.Config{Store: db.Services(), Now: now})
	g.must(tenants.NewProvisioner(db.Tenants(), nil, now).EnsureSystem(t.Context()))
	for _, org := range []tenants.OrgID{g.a, g.b} {
		g.must(db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
			return tx.CreateOrganization(tenants.Organization{ID: org, Name: string(org), Enabled: true, CreatedAt: now()})
		}))
	}
	builtIn, err := services.BuiltIn()
	g.must(err)
	g.kind = builtIn[0]
	g.must(db.Services().InTx(t.Context(), func(tx services.Tx) error { return tx.PutDefinition(g.kind) }))
	return g
}

func (g *guild) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// person is a new user of org.
func (g *guild) person(org tenants.OrgID, rights ...tenants.Right) tenants.Caller {
	g.t.Helper()
	name := tenants.NewID()
	role := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: org, Name: name, Rights: rights}
	user := tenants.User{
		ID: tenants.UserID(tenants.NewID()), Org: org, Name: name, ProviderType: tenants.ProviderIntegrated, Role: role.ID, Enabled: true,
		PasswordHash: "$argon2id$…",
	}
	g.must(g.db.Tenants().InTx(g.t.Context(), func(tx tenants.Tx) error {
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return tx.CreateUser(user)
	}))
	return tenants.Caller{Principal: tenants.Principal{Kind: tenants.KindUser, ID: string(user.ID), Name: name, Org: org, Role: role.ID}}
}

func (g *guild) permissions(names ...services.Permission) (list []services.ServicePermission) {
	for _, n := range names {
		list = append(list, services.ServicePermission{Definition: g.kind.ID, Permission: n})
	}
	return list
}

func (g *guild) last() journal.Row {
	g.t.Helper()
	head, err := g.db.Journal().Head(g.t.Context())
	g.must(err)
	rows, err := g.db.Journal().After(g.t.Context(), head-1, 1)
	g.must(err)
	return rows[0]
}

func wants(t testing.TB, err error, want problem.Code) {
	t.Helper()
	if !problem.Has(err, want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCustomRoles_CSP_30(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g := newGuild(t, db)
		ctx, owner := t.Context(), g.person(g.a, tenants.RightOrgOwner)
		made, err := g.service.CreateCustomRole(ctx, owner, g.a, services.CustomRole{
			Name: "Charts", DisplayName: "Charts", Permissions: g.permissions("aoa:metrics", "aoa:dashboards", "aoa:metrics"),
		})
		g.must(err)
		if len(made.Permissions) != 2 || made.CreatedBy != owner.Principal.Name {
			t.Errorf("made %+v", made)
		}
		_, err = g.service.CreateCustomRole(ctx, owner, g.a, services.CustomRole{Name: "Charts", DisplayName: "Another"})
		wants(t, err, problem.DuplicateName)

		name := "All charts"
		_, err = g.service.DescribeCustomRole(ctx, owner, g.a, "Charts", &name, nil)
		g.must(err)
		absent, err := g.service.ChangeCustomPermissions(ctx, owner, g.a, "Charts", g.permissions("aoa:alerts", "aoa:metrics"), g.permissions("aoa:dashboards", "aoa:events"))
		g.must(err)
		if !slices.Equal(absent, g.permissions("aoa:events")) {
			t.Errorf("absent: %v", absent)
		}
		read, err := g.service.CustomRole(ctx, owner, g.a, "Charts")
		g.must(err)
		if read.DisplayName != name || !slices.Equal(read.Permissions, g.permissions("aoa:metrics", "aoa:alerts")) {
			t.Errorf("then it is %+v", read)
		}
		if row := g.last(); row.Action != journal.CustomRoleUpdated || row.Subject.ID != "Charts" || row.Org != string(g.a) ||
			!strings.Contains(row.Detail["permissions.new"], "aoa:alerts") {
			t.Errorf("journalled as %+v", row.Entry)
		}

		_, err = g.service.CustomRole(ctx, g.person(g.b, tenants.RightOrgOwner), g.b, "Charts")
		wants(t, err, problem.NotFound)
		g.must(g.service.DeleteCustomRole(ctx, owner, g.a, "Charts"))
		wants(t, g.service.DeleteCustomRole(ctx, owner, g.a, "Charts"), problem.NotFound)
		if list, err := g.service.CustomRoles(ctx, owner, g.a); err != nil || len(list) != 0 {
			t.Errorf("left: %v, %v", list, err)
		}
	})
}

func TestCustomRolesOfNothing_CSP_30(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g := newGuild(t, db)
		ctx, owner := t.Context(), g.person(g.a, tenants.RightOrgOwner)
		good := services.CustomRole{Name: "Charts", DisplayName: "Charts", Permissions: g.permissions("aoa:metrics")}
		var everything []services.ServicePermission
		for range 101 {
			everything = append(everything, g.permissions("aoa:metrics")...)
		}
		for name, spoil := range map[string]func(*services.CustomRole){
			"a short name":             func(r *services.CustomRole) { r.Name = "a" },
			"a long name":              func(r *services.CustomRole) { r.Name = strings.Repeat("a", 31) },
			"a name with a space":      func(r *services.CustomRole) { r.Name = "a b" },
			"a name with a line break": func(r *services.CustomRole) { r.Name = "ab\n" },
			"no display name":          func(r *services.CustomRole) { r.DisplayName = "" },
			"a long display name":      func(r *services.CustomRole) { r.DisplayName = strings.Repeat("ä", 101) },
			"a display name of bytes":  func(r *services.CustomRole) { r.DisplayName = "a\xff" },
			"a long description":       func(r *services.CustomRole) { r.Description = strings.Repeat("ä", 257) },
			"a NUL":                    func(r *services.CustomRole) { r.Description = "a\x00" },
			"too many permissions":     func(r *services.CustomRole) { r.Permissions = everything },
			"an unknown permission":    func(r *services.CustomRole) { r.Permissions = g.permissions("aoa:metrics", "aoa:everything") },
			"a role as a permission":   func(r *services.CustomRole) { r.Permissions = g.permissions("aoa:superAdmin") },
			"an unknown service": func(r *services.CustomRole) {
				r.Permissions = []services.ServicePermission{{Definition: services.DefinitionID(tenants.NewID()), Permission: "aoa:metrics"}}
			},
		} {
			t.Run(name, func(t *testing.T) {
				role := good
				spoil(&role)
				_, err := g.service.CreateCustomRole(ctx, owner, g.a, role)
				wants(t, err, problem.BadRequest)
			})
		}
		_, err := g.service.CreateCustomRole(ctx, owner, g.a, good)
		g.must(err)
		long := strings.Repeat("a", 101)
		_, err = g.service.DescribeCustomRole(ctx, owner, g.a, "Charts", &long, nil)
		wants(t, err, problem.BadRequest)
		for name, tt := range map[string][2][]services.ServicePermission{
			"an unknown permission":   {g.permissions("aoa:everything"), nil},
			"both added and removed":  {g.permissions("aoa:alerts"), g.permissions("aoa:alerts")},
			"too many to add":         {everything, nil},
			"too many to take":        {nil, everything},
			"one good and one wanted": {g.permissions("aoa:alerts", "aoa:nothing"), g.permissions("aoa:metrics")},
		} {
			_, err := g.service.ChangeCustomPermissions(ctx, owner, g.a, "Charts", tt[0], tt[1])
			if !problem.Has(err, problem.BadRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		read, err := g.service.CustomRole(ctx, owner, g.a, "Charts")
		if err != nil || !slices.Equal(read.Permissions, good.Permissions) || read.DisplayName != good.DisplayName {
			t.Errorf("then it is %+v, %v", read, err)
		}
	})
}

// Owners and Administrators make custom roles, Members see them; nobody else does,
// and no machine that acts for a person.
func TestWhoMakesCustomRoles_CSP_30_R7(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g := newGuild(t, db)
		ctx := t.Context()
		token := g.person(g.a, tenants.RightOrgOwner, tenants.RightOrgMember)
		token.Principal.Kind = tenants.KindAPIToken
		for name, tt := range map[string]struct {
			by          tenants.Caller
			sees, makes problem.Code // empty: may
		}{
			"owner":                     {g.person(g.a, tenants.RightOrgOwner), "", ""},
			"administrator":             {g.person(g.a, tenants.RightOrgAdministrator), "", ""},
			"member":                    {g.person(g.a, tenants.RightOrgMember), "", problem.Forbidden},
			"member and developer":      {g.person(g.a, tenants.RightOrgMember, tenants.RightOrgDeveloper), "", problem.Forbidden},
			"developer":                 {g.person(g.a, tenants.RightOrgDeveloper), problem.Forbidden, problem.Forbidden},
			"API token of an owner":     {token, "", problem.Forbidden}, // it is a member
			"owner of another":          {g.person(g.b, tenants.RightOrgOwner), problem.NotFound, problem.NotFound},
			"provider who is owner":     {g.person(tenants.SystemOrgID, tenants.RightOrgOwner), "", ""},
			"provider who is not":       {g.person(tenants.SystemOrgID, tenants.RightRoleView), problem.Forbidden, problem.Forbidden},
			"app that was never added":  {tenants.Caller{Principal: tenants.Principal{Kind: tenants.KindApp, ID: "some-app", Org: g.a, Session: "x"}}, problem.NotFound, problem.Unauthenticated},
			"nobody with the same name": {tenants.Caller{Principal: tenants.Principal{Kind: tenants.KindUser, ID: tenants.NewID(), Org: g.a}}, problem.NotFound, problem.Forbidden},
		} {
			t.Run(name, func(t *testing.T) {
				g.t = t
				role := services.CustomRole{Name: "r" + tenants.NewID()[:8], DisplayName: "Role", Permissions: g.permissions("aoa:metrics")}
				_, err := g.service.CustomRoles(ctx, tt.by, g.a)
				expect(t, "sees all", err, tt.sees)
				_, err = g.service.CreateCustomRole(ctx, tt.by, g.a, role)
				expect(t, "creates", err, tt.makes)
				if tt.makes != "" {
					_, err := g.service.CreateCustomRole(ctx, g.person(g.a, tenants.RightOrgOwner), g.a, role)
					g.must(err)
				}
				_, err = g.service.CustomRole(ctx, tt.by, g.a, role.Name)
				expect(t, "sees", err, tt.sees)
				text := "Other"
				_, err = g.service.DescribeCustomRole(ctx, tt.by, g.a, role.Name, &text, &text)
				expect(t, "describes", err, tt.makes)
				_, err = g.service.ChangeCustomPermissions(ctx, tt.by, g.a, role.Name, g.permissions("aoa:alerts"), nil)
				expect(t, "changes", err, tt.makes)
				expect(t, "deletes", g.service.DeleteCustomRole(ctx, tt.by, g.a, role.Name), tt.makes)
				_, err = g.service.CustomRole(ctx, g.person(g.a, tenants.RightOrgOwner), g.a, role.Name)
				if there := err == nil; there == (tt.makes == "") {
					t.Errorf("afterwards: %v", err)
				}
			})
		}
	})
}

func expect(t *testing.T, what string, err error, want problem.Code) {
	t.Helper()
	if want == "" && err != nil || want != "" && !problem.Has(err, want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func FuzzParseServicePermission(f *testing.F) {
	for _, s := range []string{
		"external/7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90/aoa:metrics", "external//", "external/x/y", "csp:org_owner", "", "EXTERNAL/",
		"external/7C3AD6F2-52A5-4D4E-9A43-1C6E3B0F5A90/aoa:metrics", "external/7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90/*/aoa:metrics",
		"external/7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90/a\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := services.ParseServicePermission(text)
		if err != nil {
			wants(t, err, problem.BadRequest)
			return
		}
		again, err := services.ParseServicePermission(p.String())
		if err != nil || again != p || !strings.EqualFold(p.String(), text) || strings.Count(text, "/") != 2 {
			t.Errorf("%q is read as %v and again as %v, %v", text, p, again, err)
		}
	})
}

// An app changes no custom role that it holds: its owner's bounds do not count for
// those.
func TestAppsChangeNoRoleOfTheirs_R7(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		ctx, owner := t.Context(), f.person(f.a, tenants.RightOrgOwner)
		for _, name := range []string{"Own", "Others"} {
			_, err := f.service.CreateCustomRole(ctx, owner, f.a, services.CustomRole{Name: name, DisplayName: name, Permissions: f.permissions("aoa:proxies")})
			f.must(err)
		}
		h := f.app(f.a, f.everything())
		f.give(f.a, h, services.Grant{Kind: services.GrantOrganization, Role: string(services.OrgAdmin)}, services.Grant{Kind: services.GrantCustom, Role: "Own"})
		app := tenants.Caller{Principal: tenants.Principal{Kind: tenants.KindApp, ID: h.ID, Org: f.a, Epoch: f.now().UnixMicro()}}
		more := f.permissions("aoa:admin")
		for name, want := range map[string]problem.Code{"Own": problem.Forbidden, "Others": ""} {
			_, err := f.service.ChangeCustomPermissions(ctx, app, f.a, name, more, nil)
			_, describe := f.service.DescribeCustomRole(ctx, app, f.a, name, &name, &name)
			for _, err := range []error{err, describe, f.service.DeleteCustomRole(ctx, app, f.a, name)} {
				if want == "" && err != nil || want != "" && !problem.Has(err, want) {
					t.Errorf("%s: %v, want %q", name, err, want)
				}
			}
		}
		if r, err := f.service.CustomRole(ctx, owner, f.a, "Own"); err != nil || !slices.Equal(r.Permissions, f.permissions("aoa:proxies")) {
			t.Errorf("then it is %+v, %v", r, err)
		}
	})
}
