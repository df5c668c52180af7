package apps_test

import (
	"context"
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

func bound(c services.Ceiling) func(*apps.Change) error {
	return func(ch *apps.Change) error { ch.Ceiling = c; return nil }
}

// Another organization that adds an app keeps nobody from managing it who could before:
// what its owner does not allow is nothing, and what only ends something is never
// judged by it.
func TestOthersLockNobodyOut_R7_CSP_17(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		by := c.people[c.a]["admin+developer"]
		for name, tt := range map[string]struct {
			allows services.Ceiling
			want   problem.Code // for who would act as the app
		}{
			"not allowed by the owner": {services.Ceiling{Org: []string{"org_member"}}, ""},
			"allowed by the owner":     {services.Ceiling{AllOrg: true}, problem.Forbidden},
		} {
			t.Run(name, func(t *testing.T) {
				k := c.create(func(d *apps.Draft) { d.Ceiling = tt.allows })
				c.add(c.b, string(k.id), org(services.OrgOwner))
				for deed, err := range map[string]error{
					"rotate": c.apps.Rotate(t.Context(), by, c.a, k.id, secret.Text(tenants.NewID()), time.Hour),
					"rename": second(c.apps.Update(t.Context(), by, c.a, k.id, rename("Other"))),
				} {
					if tt.want == "" && err != nil || tt.want != "" && !problem.Has(err, tt.want) {
						t.Errorf("%s: %v, want %q", deed, err, tt.want)
					}
					if p := problem.As(err); p != nil && strings.Contains(p.Detail+p.Error(), string(c.b)) {
						t.Errorf("%s tells of another organization: %v", deed, p)
					}
				}
				for _, err := range []error{
					c.apps.EndRotation(t.Context(), by, c.a, k.id),
					second(c.apps.Regenerate(t.Context(), by, c.a, k.id)),
					second(c.apps.Update(t.Context(), by, c.a, k.id, bound(services.Ceiling{}))),
					c.apps.DeleteOne(t.Context(), by, c.a, k.id),
				} {
					c.must(err)
				}
			})
		}
	})
}

// Whoever widens bounds gives, by that, what was granted beyond them.
func TestWidenedBoundsAreRolesGiven_CSP_22_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		service := func(roles ...services.ScopedRole) services.Ceiling {
			return services.Ceiling{Services: []services.ServiceCeiling{{Definition: s.kind.ID, Roles: roles}}}
		}
		viewer := services.ScopedRole{Name: "aoa:viewer"}
		onTwo := services.ScopedRole{Name: "aoa:viewer", Resource: string(s.two)}
		over := s.on("aoa:viewer", "")
		over.ExpiresAt = s.now().Add(time.Minute)
		for name, tt := range map[string]struct {
			held             []services.Grant
			before, after    services.Ceiling
			developer, admin bool
		}{
			"a role that it holds":             {[]services.Grant{s.on("aoa:viewer", s.one)}, services.Ceiling{}, service(viewer), false, true},
			"all roles":                        {[]services.Grant{s.on("aoa:viewer", "")}, services.Ceiling{}, services.Ceiling{Services: []services.ServiceCeiling{{Definition: s.kind.ID, All: true}}}, false, true},
			"on one of all instances":          {[]services.Grant{s.on("aoa:viewer", "")}, services.Ceiling{}, service(onTwo), false, true},
			"on another instance":              {[]services.Grant{s.on("aoa:viewer", s.one)}, services.Ceiling{}, service(onTwo), true, true},
			"a role that it does not hold":     {[]services.Grant{s.on("aoa:proxies", "")}, services.Ceiling{}, service(viewer), true, true},
			"one that is over":                 {[]services.Grant{over}, services.Ceiling{}, service(viewer), true, true},
			"closer bounds":                    {[]services.Grant{s.on("aoa:viewer", "")}, service(viewer), service(onTwo), true, true},
			"the same bounds":                  {[]services.Grant{s.on("aoa:viewer", "")}, service(viewer), service(viewer), true, true},
			"an organization role it may give": {[]services.Grant{org(services.OrgMember)}, services.Ceiling{}, services.Ceiling{AllOrg: true}, true, true},
			"one that it may not":              {[]services.Grant{org(services.LogAuditor)}, services.Ceiling{}, services.Ceiling{Org: []string{"log_auditor"}}, false, true},
			"custom roles":                     {[]services.Grant{}, services.Ceiling{}, services.Ceiling{AllOrg: true}, true, true},
		} {
			for who, may := range map[string]bool{"member+developer": tt.developer, "admin+developer": tt.admin, "owner": true} {
				t.Run(name+" by "+who, func(t *testing.T) {
					client := s.bounded(tt.before)
					s.add(s.a, client, tt.held...)
					s.pass(time.Minute)
					defer s.pass(-time.Minute)
					_, err := s.apps.Update(t.Context(), s.people[s.a][who], s.a, apps.ID(client), bound(tt.after))
					judgedAs(t, "widened", err, may)
					if got := s.everything(client).App.Ceiling; !may && !got.Within(tt.before) {
						t.Errorf("and is wider: %+v", got)
					}
				})
			}
		}
	})
}

// An app that manages apps lifts no bounds of its own, and becomes no other app that
// has more than it may give.
func TestAppsDoNotRaiseThemselves_R7_CSP_22(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		low := services.Ceiling{Org: []string{"org_member", "developer"}, Services: []services.ServiceCeiling{{Definition: s.kind.ID, Roles: []services.ScopedRole{{Name: "aoa:viewer", Resource: string(s.one)}}}}}
		client := s.bounded(low)
		s.add(s.a, client, org(services.OrgMember), org(services.Developer), s.on("aoa:viewer", ""))
		self := s.appCaller(s.a, client)
		for name, wider := range map[string]func(*services.Ceiling){
			"organization roles": func(c *services.Ceiling) { c.AllOrg = true },
			"a role more":        func(c *services.Ceiling) { c.Org = append(slices.Clone(c.Org), "log_auditor") },
			"all of a service":   func(c *services.Ceiling) { c.Services = []services.ServiceCeiling{{Definition: s.kind.ID, All: true}} },
			"another role": func(c *services.Ceiling) {
				c.Services = []services.ServiceCeiling{{Definition: s.kind.ID, Roles: []services.ScopedRole{{Name: "aoa:proxies"}}}}
			},
			"on every instance": func(c *services.Ceiling) {
				c.Services = []services.ServiceCeiling{{Definition: s.kind.ID, Roles: []services.ScopedRole{{Name: "aoa:viewer"}}}}
			},
			"a general scope": func(c *services.Ceiling) { c.General = []string{"openid"} },
		} {
			c := low
			wider(&c)
			if _, err := s.apps.Update(t.Context(), self, s.a, apps.ID(client), bound(c)); !problem.Has(err, problem.Forbidden) {
				t.Errorf("its own bounds, %s: %v", name, err)
			}
		}
		s.must(second(s.apps.Update(t.Context(), self, s.a, apps.ID(client), rename("Me"))))
		s.must(second(s.apps.Regenerate(t.Context(), self, s.a, apps.ID(client))))
		s.must(second(s.apps.Update(t.Context(), self, s.a, apps.ID(client), bound(services.Ceiling{Org: low.Org}))))

		strong, weak := s.app(), s.app()
		s.add(s.a, strong, s.on("aoa:superAdmin", ""))
		s.add(s.a, weak, org(services.OrgMember))
		for _, err := range []error{
			second(s.apps.Regenerate(t.Context(), self, s.a, apps.ID(strong))),
			s.apps.Rotate(t.Context(), self, s.a, apps.ID(strong), secret.Text(tenants.NewID()), time.Hour),
		} {
			wantProblem(t, err, problem.Forbidden)
		}
		s.must(second(s.apps.Regenerate(t.Context(), self, s.a, apps.ID(weak))))
		person := s.people[s.a]["member+developer"]
		s.must(second(s.apps.Regenerate(t.Context(), person, s.a, apps.ID(strong)))) // by design, see docs/apps.md
	})
}

// Who is over the caller keeps what was given; and apps give nothing to people.
func TestWhoChangesRolesOfUsers_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		app := s.app()
		s.add(s.a, app, org(services.OrgOwner))
		people := s.people[s.a]
		change := func(by tenants.Caller, of string) error {
			for _, c := range []apps.RoleChange{{Add: []services.Grant{s.on("aoa:viewer", "")}}, {Remove: []services.Grant{s.on("aoa:viewer", "")}}} {
				if _, err := s.apps.ChangeUserRoles(t.Context(), by, s.a, tenants.UserID(people[of].Principal.ID), c); err != nil {
					return err
				}
			}
			return nil
		}
		judgedAs(t, "an Administrator, an Owner's", change(people["admin"], "owner"), false)
		judgedAs(t, "an Administrator, another's", change(people["admin"], "admin+developer"), true)
		judgedAs(t, "an Administrator, a Member's", change(people["admin"], "none"), true)
		judgedAs(t, "an Owner, an Owner's", change(people["owner"], "owner"), true)
		judgedAs(t, "an app, a Member's", change(s.appCaller(s.a, app), "member"), false)
	})
}

// departing is a store at whose organizations an app is still listed that it left.
type departing struct {
	apps.Store
	from tenants.OrgID
}

func (d departing) InTx(ctx context.Context, f func(apps.Tx) error) error {
	return d.Store.InTx(ctx, func(tx apps.Tx) error { return f(left{tx, d.from}) })
}

type left struct {
	apps.Tx
	from tenants.OrgID
}

func (l left) MemberOf(id apps.ID) ([]tenants.OrgID, error) {
	orgs, err := l.Tx.MemberOf(id)
	return append([]tenants.OrgID{l.from}, orgs...), err
}

// An organization that removes the app just then does not stop its owner.
func TestUpdate_R4_RemovedMeanwhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		client := s.app()
		s.add(s.a, client, s.on("aoa:viewer", ""))
		orgs, err := tenants.NewDirectory(db.Tenants(), 10)
		s.must(err)
		keys, err := secret.NewKeys(make([]byte, 32))
		s.must(err)
		service, err := apps.New(apps.Config{Store: departing{db.Apps(), s.b}, Directory: orgs, Keys: keys, Site: homeSite, Now: s.now})
		s.must(err)
		_, err = service.Update(t.Context(), s.owner(s.a), s.a, apps.ID(client), bound(services.Ceiling{}))
		s.must(err)
		if in := s.accounts(s.a, appHolder(client)); len(in) != 0 {
			t.Errorf("accounts are left in %v", in)
		}
	})
}

// Bounds that name a service which is gone can be changed; a service that is made with
// its id is another, in which nobody holds anything.
func TestServiceThatIsGone_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		d := s.kind
		d.ID, d.Name, d.BuiltIn = services.DefinitionID(tenants.NewID()), "Gone", false
		s.inServices(func(tx services.Tx) error { return tx.PutDefinition(d) })
		g := services.Grant{Kind: services.GrantService, Definition: d.ID, Role: "aoa:superAdmin"}
		client := s.bounded(services.Ceiling{Services: []services.ServiceCeiling{{Definition: d.ID, All: true, Roles: []services.ScopedRole{{Name: "aoa:viewer"}}}}})
		s.add(s.a, client, g, org(services.OrgMember), s.on("aoa:superAdmin", ""))
		user := tenants.UserID(s.people[s.b]["member"].Principal.ID)
		s.must(second(s.apps.ChangeUserRoles(t.Context(), s.owner(s.b), s.b, user, apps.RoleChange{Add: []services.Grant{g}})))

		s.inServices(func(tx services.Tx) error { return tx.DeleteDefinition(d.ID) })
		s.must(second(s.apps.Update(t.Context(), s.owner(s.a), s.a, apps.ID(client), func(c *apps.Change) error { c.Ceiling.AllOrg = true; return nil })))
		_, err := s.apps.Update(t.Context(), s.owner(s.a), s.a, apps.ID(client), func(c *apps.Change) error {
			c.Ceiling.Services = append(c.Ceiling.Services, services.ServiceCeiling{Definition: services.DefinitionID(tenants.NewID())})
			return nil
		})
		wantProblem(t, err, problem.BadRequest)
		s.inServices(func(tx services.Tx) error { return tx.PutDefinition(d) })
		if got := s.held(s.a, client).Grants; len(got) != 2 || slices.Contains(got, g) {
			t.Errorf("the app holds %v", got)
		}
		held, _, err := s.apps.UserRoles(t.Context(), s.owner(s.b), s.b, user)
		if s.must(err); len(held.Grants) != 0 {
			t.Errorf("the user holds %v", held.Grants)
		}
	})
}

// With its owner an app leaves the others, and their trails say so.
func TestOwnerGone_IsJournalled_CSP_39(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		client := s.app()
		s.add(s.a, client)
		s.add(s.b, client, s.on("aoa:viewer", ""))
		before := s.head()
		s.must(s.db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return tx.DeleteOrganization(s.a, s.now()) }))
		rows := s.since(before)
		if len(rows) != 1 || rows[0].Org != string(s.b) || rows[0].Action != journal.AppRemoved || rows[0].Subject.ID != client {
			t.Errorf("journalled %+v", rows)
		}
	})
}
