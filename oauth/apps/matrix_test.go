package apps_test

import (
	"reflect"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// deed is something that only who manages apps does, with an app of alpha that is a
// member there.
type deed struct {
	name string
	do   func(s *stage, by tenants.Caller, client string) error
}

var deeds = []deed{
	{"create", func(s *stage, by tenants.Caller, _ string) error {
		_, _, err := s.apps.Create(s.ctx(), by, s.a, draft(services.Ceiling{}))
		return err
	}},
	{"read", func(s *stage, by tenants.Caller, client string) error {
		_, err := s.apps.Get(s.ctx(), by, s.a, apps.ID(client))
		return err
	}},
	{"list", func(s *stage, by tenants.Caller, _ string) error {
		_, _, err := s.apps.List(s.ctx(), by, s.a, tenants.Query{Page: 1, PageSize: 10})
		return err
	}},
	{"patch", func(s *stage, by tenants.Caller, client string) error {
		_, err := s.apps.Update(s.ctx(), by, s.a, apps.ID(client), func(c *apps.Change) error {
			c.Description = "changed"
			return nil
		})
		return err
	}},
	{"secret", func(s *stage, by tenants.Caller, client string) error {
		_, err := s.apps.Regenerate(s.ctx(), by, s.a, apps.ID(client))
		return err
	}},
	{"delete", func(s *stage, by tenants.Caller, client string) error {
		return s.apps.DeleteOne(s.ctx(), by, s.a, apps.ID(client))
	}},
	{"add", func(s *stage, by tenants.Caller, _ string) error {
		_, err := s.apps.AddMembers(s.ctx(), by, s.a, []string{s.app()}, []services.Grant{org(services.OrgMember)})
		return err
	}},
	{"remove", func(s *stage, by tenants.Caller, client string) error {
		_, err := s.apps.RemoveMembers(s.ctx(), by, s.a, []string{client})
		return err
	}},
	{"roles", func(s *stage, by tenants.Caller, client string) error {
		_, err := s.apps.ChangeRoles(s.ctx(), by, s.a, client, apps.RoleChange{Add: []services.Grant{org(services.OrgMember)}})
		return err
	}},
	{"members", func(s *stage, by tenants.Caller, _ string) error {
		_, _, err := s.apps.Members(s.ctx(), by, s.a, tenants.Query{Page: 1, PageSize: 10})
		return err
	}},
	{"roles read", func(s *stage, by tenants.Caller, client string) error {
		_, err := s.apps.AppRoles(s.ctx(), by, s.a, client)
		return err
	}},
	{"search", func(s *stage, by tenants.Caller, _ string) error {
		_, _, err := s.apps.SearchMembers(s.ctx(), by, s.a, apps.Search{}, tenants.Query{Page: 1, PageSize: 10})
		return err
	}},
}

// asker is a caller, and what is answered: nothing to who manages apps.
type asker struct {
	name   string
	by     tenants.Caller
	answer problem.Code
}

// askers are callers of every kind.
func (s *stage) askers() []asker {
	owner := tenants.RightOrgOwner
	all := []asker{
		{"owner", s.people[s.a]["owner"], ""},
		{"admin", s.people[s.a]["admin"], problem.Forbidden},
		{"member", s.people[s.a]["member"], problem.Forbidden},
		{"admin+developer", s.people[s.a]["admin+developer"], ""},
		{"member+developer", s.people[s.a]["member+developer"], ""},
		{"support user+developer", s.people[s.a]["support+developer"], ""},
		{"developer and nothing else", s.people[s.a]["developer"], problem.Forbidden},
		{"no organization role", s.people[s.a]["none"], problem.Forbidden},
		{"owner of another organization", s.people[s.b]["owner"], problem.NotFound},
		{"developer of another organization", s.people[s.b]["member+developer"], problem.NotFound},
		{"provider who is owner", s.person(tenants.SystemOrgID, "provider", owner), ""},
		{"provider who is not", s.person(tenants.SystemOrgID, "operator", tenants.RightOrganizationView), problem.Forbidden},
		{"service account of an owner's role", s.account(s.a, owner, tenants.RightOrgDeveloper, tenants.RightOrgMember), problem.Forbidden},
	}
	token := s.people[s.a]["owner"]
	token.Principal.Kind = tenants.KindAPIToken
	all = append(all, asker{"API token of an owner", token, problem.Forbidden})
	for name, tt := range map[string]struct {
		roles  []services.Grant
		answer problem.Code
	}{
		"app that is owner":            {[]services.Grant{org(services.OrgOwner)}, ""},
		"app that is admin":            {[]services.Grant{org(services.OrgAdmin)}, problem.Forbidden},
		"app that is admin+developer":  {[]services.Grant{org(services.OrgAdmin), org(services.Developer)}, ""},
		"app that is member+developer": {[]services.Grant{org(services.OrgMember), org(services.Developer)}, ""},
		"app that is developer alone":  {[]services.Grant{org(services.Developer)}, problem.Forbidden},
		"app with a service role":      {[]services.Grant{s.on("aoa:superAdmin", "")}, problem.Forbidden},
		"app without roles":            {nil, problem.Forbidden},
	} {
		client := s.app()
		s.add(s.a, client, tt.roles...)
		all = append(all, asker{name, s.appCaller(s.a, client), tt.answer})
	}
	return append(all, s.oddApps()...)
}

// oddApps are apps whose roles count for nothing here.
func (s *stage) oddApps() []asker {
	bounded := s.bounded(services.Ceiling{Org: []string{string(services.OrgMember)}})
	s.add(s.a, bounded, org(services.OrgOwner), org(services.Developer))
	elsewhere := s.app()
	s.add(s.b, elsewhere, org(services.OrgOwner))
	removed := s.app()
	s.add(s.a, removed, org(services.OrgOwner))
	gone := s.appCaller(s.a, removed)
	if _, err := s.apps.RemoveMembers(s.ctx(), s.owner(s.a), s.a, []string{removed}); err != nil {
		s.t.Fatal(err)
	}
	system := s.app()
	s.add(s.a, system, org(services.OrgOwner))
	provider := s.person(tenants.SystemOrgID, "who adds", tenants.RightOrgOwner)
	if _, err := s.apps.AddMembers(s.ctx(), provider, tenants.SystemOrgID, []string{system}, []services.Grant{org(services.OrgOwner)}); err != nil {
		s.t.Fatal(err)
	}
	return []asker{
		{"app that is owner beyond its bounds", s.appCaller(s.a, bounded), problem.Forbidden},
		{"app that is owner of another organization", s.appCaller(s.b, elsewhere), problem.NotFound},
		{"app that was removed", gone, ""}, // told apart below
		{"app with the provider's token", s.appCaller(tenants.SystemOrgID, system), problem.NotFound},
	}
}

// changesNothing are the deeds that only look.
var changesNothing = map[string]bool{"read": true, "list": true, "members": true, "roles read": true, "search": true}

// Exactly Organization Owners, and Developers who have another organization role,
// manage apps: people and apps, never other machines, nor anybody of elsewhere.
func TestWhoManagesApps_CSP_22(t *testing.T) {
	for name, admins := range map[string]bool{"by default": false, "where administrators do": true} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				s := newStage(t, db, func(s *stage) { s.policy.AdminsManage = admins })
				for _, who := range s.askers() {
					want := who.answer
					if admins && (who.name == "admin" || who.name == "app that is admin") {
						want = ""
					}
					t.Run(who.name, func(t *testing.T) { s.judged(t, who, want) })
				}
			})
		})
	}
}

func (s *stage) judged(t *testing.T, who asker, want problem.Code) {
	var client string // a new one after each deed that is done
	for _, d := range deeds {
		if client == "" || want == "" {
			client = s.app()
			s.add(s.a, client)
		}
		expect := want
		if who.name == "app that was removed" {
			expect = problem.NotFound // to look
			if !changesNothing[d.name] {
				expect = problem.Unauthenticated
			}
		}
		before := s.everything(client)
		err := d.do(s, who.by, client)
		if expect == "" {
			if err != nil {
				t.Errorf("%s is refused: %v", d.name, err)
			}
			continue
		}
		if !problem.Has(err, expect) {
			t.Errorf("%s: got %v, want %s", d.name, err, expect)
		}
		after := s.everything(client)
		for _, row := range s.since(before.head) {
			if row.Actor == who.by.Actor() {
				t.Errorf("%s is journalled: %s", d.name, row.Action)
			}
		}
		before.head = after.head // which also counts what the test itself did
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%s changed the app", d.name)
		}
	}
}

// everythingOf is an app with what it holds in alpha.
type everythingOf struct {
	App  apps.App
	Held services.Held
	head int64
}

func (s *stage) everything(client string) (e everythingOf) {
	s.t.Helper()
	s.view(func(r apps.Reader) (err error) {
		if e.App, err = r.AppByID(apps.ID(client)); err != nil {
			return err
		}
		e.Held, err = r.Held(s.a, appHolder(client))
		return err
	})
	e.head = s.head()
	return e
}
