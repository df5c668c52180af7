package apps_test

import (
	"context"
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

// A new app is nowhere, also not in the organization that made it; each organization
// adds it once, with roles of its own.
func TestAppsAreAdded_CSP_33_CSP_14_CSP_16(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		client := s.app()
		_, err := s.apps.AppRoles(s.ctx(), s.owner(s.a), s.a, client)
		wantProblem(t, err, problem.NotFound)

		s.add(s.a, client, org(services.OrgMember), s.on("aoa:proxies", s.one))
		s.add(s.b, client, s.on("aoa:viewer", ""))
		if got := s.held(s.a, client); len(got.Grants) != 2 || got.Owner != s.a {
			t.Errorf("alpha's roles are %+v", got)
		}
		if got := s.held(s.b, client); len(got.Grants) != 1 || got.Owner != s.a {
			t.Errorf("beta's roles are %+v", got)
		}
		if a, b := s.accounts(s.a, appHolder(client)), s.accounts(s.b, appHolder(client)); !slices.Equal(a, []services.InstanceID{s.one}) || !slices.Equal(b, []services.InstanceID{s.other}) {
			t.Errorf("the accounts are in %v and %v", a, b)
		}
		row := s.last(journal.AppAdded)
		if row.Org != string(s.b) || row.Subject.ID != client || !strings.Contains(row.Detail["added"], "aoa:viewer") {
			t.Errorf("journalled as %+v", row.Entry)
		}

		before := s.everything(client)
		_, err = s.apps.AddMembers(s.ctx(), s.owner(s.a), s.a, []string{client}, []services.Grant{org(services.OrgOwner)})
		wantProblem(t, err, problem.BadRequest)
		if after := s.everything(client); len(after.Held.Grants) != 2 || after.head != before.head {
			t.Error("adding twice changed something")
		}
	})
}

func TestAddSeveral_CSP_33(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		there, fresh := s.app(), s.app()
		s.add(s.a, there)
		add := func(ids ...string) ([]apps.Failure, error) {
			return s.apps.AddMembers(s.ctx(), s.owner(s.a), s.a, ids, []services.Grant{org(services.OrgMember)})
		}
		failures, err := add(there, "unknown-app", fresh, fresh, "no id at all")
		s.must(err)
		var failed []string
		for _, f := range failures {
			failed = append(failed, f.ID)
		}
		if !slices.Equal(failed, []string{there, "unknown-app", "no id at all"}) || len(s.held(s.a, fresh).Grants) != 1 {
			t.Errorf("failed: %v", failed)
		}
		_, err = add("unknown-app")
		wantProblem(t, err, problem.NotFound)
		_, err = add()
		wantProblem(t, err, problem.BadRequest)
		var many []string
		for i := range apps.MostAdded + 1 {
			many = append(many, fmt.Sprintf("app-%d", i))
		}
		_, err = add(many...)
		wantProblem(t, err, problem.BadRequest)
		_, err = add("\x00\xff@\x00")
		wantProblem(t, err, problem.NotFound)
	})
}

// Who is removed and added again is another member: what was given out before is
// worth nothing. Other organizations do not notice.
func TestRemovedAndAddedAgain_CSP_39(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		client := s.app()
		s.add(s.a, client, org(services.OrgOwner), s.on("aoa:viewer", ""))
		s.add(s.b, client, s.on("aoa:viewer", ""))
		old := s.appCaller(s.a, client)

		failures, err := s.apps.RemoveMembers(s.ctx(), s.owner(s.a), s.a, []string{client, "unknown-app", "\xff"})
		s.must(err)
		if len(failures) != 2 {
			t.Errorf("failed: %+v", failures)
		}
		if got := s.accounts(s.a, appHolder(client)); len(got) != 0 {
			t.Errorf("accounts live on in %v", got)
		}
		if got := s.accounts(s.b, appHolder(client)); len(got) != 1 || len(s.held(s.b, client).Grants) != 1 {
			t.Error("beta lost the app, too")
		}
		if row := s.last(journal.AppRemoved); row.Org != string(s.a) || row.Subject.ID != client {
			t.Errorf("journalled as %+v", row.Entry)
		}
		failures, err = s.apps.RemoveMembers(s.ctx(), s.owner(s.a), s.a, []string{client})
		if err != nil || len(failures) != 1 {
			t.Errorf("removed twice: %v, %v", failures, err)
		}

		s.pass(time.Second)
		s.add(s.a, client)
		if held := s.held(s.a, client); len(held.Grants) != 0 || held.Epoch <= old.Principal.Epoch {
			t.Errorf("added again it holds %+v", held)
		}
		s.change(s.a, client, apps.RoleChange{Add: []services.Grant{org(services.OrgOwner)}})
		_, _, err = s.apps.Create(s.ctx(), old, s.a, draft(services.Ceiling{}))
		wantProblem(t, err, problem.Unauthenticated)
	})
}

// sites are those that organizations are associated with, by name.
type sites map[tenants.OrgID]map[string]tenants.SiteID

func (p sites) AssociatedSite(_ context.Context, org tenants.OrgID, site string) (tenants.SiteID, error) {
	for name, id := range p[org] {
		if site == name || site == string(id) {
			return id, nil
		}
	}
	return "", problem.Hidden()
}

// Apps of other sites are added only where the organizations are associated, and are
// others than the apps here with the same id.
func TestAppsOfOtherSites(t *testing.T) {
	west := tenants.SiteID(tenants.NewID())
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		add := func(o tenants.OrgID, client string) error {
			_, err := s.apps.AddMembers(s.ctx(), s.owner(o), o, []string{client}, []services.Grant{s.on("aoa:viewer", "")})
			return err
		}
		wantProblem(t, add(s.a, "some-app@west"), problem.NotFound) // no peers at all
		s.peers = sites{s.a: {"west": west}}
		s.start()
		wantProblem(t, add(s.b, "some-app@west"), problem.NotFound)
		wantProblem(t, add(s.a, "some-app@east"), problem.NotFound)
		wantProblem(t, add(s.a, "some-app"), problem.NotFound)
		wantProblem(t, add(s.a, "@west"), problem.NotFound)
		s.must(add(s.a, "some-app@west"))
		wantProblem(t, add(s.a, "some-app@"+string(west)), problem.BadRequest)
		foreign := services.Holder{Kind: tenants.KindApp, Site: west, ID: "some-app"}
		if got := s.accounts(s.a, foreign); !slices.Equal(got, slices.Sorted(slices.Values([]services.InstanceID{s.one, s.two}))) {
			t.Errorf("it has accounts in %v", got)
		}
		if row := s.last(journal.AppAdded); row.Subject.ID != "some-app" || row.Detail["site"] != string(west) {
			t.Errorf("journalled as %+v", row.Entry)
		}
		client := s.app()
		s.must(add(s.a, client+"@"+string(homeSite))) // this site has a name like others

		s.peers = nil // no longer associated: still to be taken out
		s.start()
		name := apps.ClientName(foreign)
		_, err := s.apps.ChangeRoles(s.ctx(), s.owner(s.a), s.a, name, apps.RoleChange{Remove: []services.Grant{s.on("aoa:viewer", "")}})
		s.must(err)
		failures, err := s.apps.RemoveMembers(s.ctx(), s.owner(s.a), s.a, []string{name})
		if err != nil || len(failures) > 0 {
			t.Errorf("removed: %v, %v", failures, err)
		}
	})
}

func TestSearchMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		apart := map[string]string{}
		for name, roles := range map[string][]services.Grant{
			"member":  {org(services.OrgMember)},
			"both":    {org(services.OrgMember), s.on("aoa:proxies", "")},
			"proxies": {s.on("aoa:proxies", s.one)},
			"over":    {{Kind: services.GrantOrganization, Role: "org_member", ExpiresAt: s.now().Add(time.Minute)}},
		} {
			apart[name] = s.app()
			s.add(s.a, apart[name], roles...)
		}
		s.pass(time.Hour)
		member := apps.RoleTerm{Kind: services.GrantOrganization, Role: "org_member"}
		proxies := apps.RoleTerm{Kind: services.GrantService, Role: "aoa:proxies"}
		elsewhere := proxies
		elsewhere.Definition = "another"
		for _, tt := range []struct {
			name   string
			search apps.Search
			want   []string
		}{
			{"everything", apps.Search{}, []string{"both", "member", "over", "proxies"}},
			{"one role", apps.Search{Roles: []apps.RoleTerm{member}}, []string{"both", "member"}},
			{"either", apps.Search{Roles: []apps.RoleTerm{member, proxies}}, []string{"both", "member", "proxies"}},
			{"both", apps.Search{Roles: []apps.RoleTerm{member, proxies}, All: true}, []string{"both"}},
			{"of another service", apps.Search{Roles: []apps.RoleTerm{elsewhere}}, nil},
			{"on an instance", apps.Search{Resource: string(s.one)}, []string{"proxies"}},
			{"on another", apps.Search{Resource: string(s.two)}, nil},
			{"by its beginning", apps.Search{ResourcePrefix: string(s.one)[:8], Roles: []apps.RoleTerm{proxies}}, []string{"proxies"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				var got []string
				for page := 1; ; page++ {
					list, total, err := s.apps.SearchMembers(s.ctx(), s.owner(s.a), s.a, tt.search, tenants.Query{Page: page, PageSize: 2})
					s.must(err)
					if total != len(tt.want) {
						t.Errorf("%d are counted, want %d", total, len(tt.want))
					}
					for _, m := range list {
						for name, id := range apart {
							if id == m.ID {
								got = append(got, name)
							}
						}
					}
					if len(list) == 0 {
						break
					}
				}
				if slices.Sort(got); !slices.Equal(got, tt.want) {
					t.Errorf("found %v, want %v", got, tt.want)
				}
			})
		}
	})
}
