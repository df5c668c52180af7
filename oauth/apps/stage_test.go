package apps_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

const homeSite = tenants.SiteID("11111111-1111-4111-8111-111111111111")

// roles are those of people on a stage, by the organization roles that they give.
var stageRoles = map[string][]tenants.Right{
	"owner":             {tenants.RightOrgOwner},
	"admin":             {tenants.RightOrgAdministrator},
	"member":            {tenants.RightOrgMember},
	"admin+developer":   {tenants.RightOrgAdministrator, tenants.RightOrgDeveloper},
	"member+developer":  {tenants.RightOrgMember, tenants.RightOrgDeveloper},
	"support+developer": {tenants.RightOrgSupportUser, tenants.RightOrgDeveloper},
	"developer":         {tenants.RightOrgDeveloper},
	"none":              {tenants.RightRoleView},
}

// stage is two organizations with people of every kind and instances of one service,
// at a time of its own.
type stage struct {
	t      testing.TB
	db     *store.DB
	mu     sync.Mutex
	t0     time.Time
	policy apps.Policy
	peers  apps.Peers
	apps   *apps.Service
	a, b   tenants.OrgID
	kind   services.Definition
	one    services.InstanceID // of a
	two    services.InstanceID // of a
	other  services.InstanceID // of b
	apart  services.InstanceID // of a, and of another service with the same roles
	people map[tenants.OrgID]map[string]tenants.Caller
	seq    int
}

func newStage(t testing.TB, db *store.DB, tweaks ...func(*stage)) *stage {
	t.Helper()
	s := &stage{t: t, db: db, t0: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), people: map[tenants.OrgID]map[string]tenants.Caller{}}
	for _, tweak := range tweaks {
		tweak(s)
	}
	s.must(tenants.NewProvisioner(db.Tenants(), nil, s.now).EnsureSystem(t.Context()))
	s.a, s.b = s.organization("Alpha"), s.organization("Beta")
	builtIn, err := services.BuiltIn()
	s.must(err)
	s.kind = builtIn[0]
	s.inServices(func(tx services.Tx) error { return tx.PutDefinition(s.kind) })
	s.one, s.two, s.other = s.instance(s.a, s.kind, "one"), s.instance(s.a, s.kind, "two"), s.instance(s.b, s.kind, "other")
	another := s.kind
	another.ID, another.Name, another.BuiltIn = services.DefinitionID(tenants.NewID()), "Another", false
	s.inServices(func(tx services.Tx) error { return tx.PutDefinition(another) })
	s.apart = s.instance(s.a, another, "apart")
	s.start()
	return s
}

// start is another cell, with the policy and the peers of now.
func (s *stage) start() {
	s.t.Helper()
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	s.must(err)
	orgs, err := tenants.NewDirectory(s.db.Tenants(), 100)
	s.must(err)
	s.apps, err = apps.New(apps.Config{
		Store: s.db.Apps(), Directory: orgs, Keys: keys, Peers: s.peers, Site: homeSite, Policy: s.policy, Now: s.now,
	})
	s.must(err)
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.t0
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t0 = s.t0.Add(d)
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) ctx() context.Context { return s.t.Context() }

func (s *stage) inServices(f func(services.Tx) error) {
	s.t.Helper()
	s.must(s.db.Services().InTx(s.ctx(), f))
}

func (s *stage) organization(name string) tenants.OrgID {
	s.t.Helper()
	org := tenants.OrgID(tenants.NewID())
	s.must(s.db.Tenants().InTx(s.ctx(), func(tx tenants.Tx) error {
		return tx.CreateOrganization(tenants.Organization{ID: org, Name: name, Enabled: true, CreatedAt: s.now()})
	}))
	s.people[org] = map[string]tenants.Caller{}
	for role, rights := range stageRoles {
		s.people[org][role] = s.person(org, role, rights...)
	}
	return org
}

// person is a new user with a role of the given rights.
func (s *stage) person(org tenants.OrgID, name string, rights ...tenants.Right) tenants.Caller {
	s.t.Helper()
	role := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: org, Name: name, Rights: rights}
	user := tenants.User{
		ID: tenants.UserID(tenants.NewID()), Org: org, Name: name, ProviderType: tenants.ProviderIntegrated, Role: role.ID,
		Enabled: true, PasswordHash: "$argon2id$…", CreatedAt: s.now(),
	}
	s.must(s.db.Tenants().InTx(s.ctx(), func(tx tenants.Tx) error {
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return tx.CreateUser(user)
	}))
	return callerOf(tenants.Principal{Kind: tenants.KindUser, ID: string(user.ID), Name: name, Org: org, Role: role.ID, RoleName: name})
}

func callerOf(p tenants.Principal) tenants.Caller {
	return tenants.Caller{Principal: p, Source: "192.0.2.1", Address: "192.0.2.1", RequestID: "request"}
}

func (s *stage) instance(org tenants.OrgID, of services.Definition, name string) services.InstanceID {
	s.t.Helper()
	in := services.ServiceInstance{
		ID: services.InstanceID(tenants.NewID()), Org: org, Definition: of.ID, Name: name, Mode: services.Onboarded,
		Prefix: "/" + name, Enabled: true, CreatedAt: s.now(), UpdatedAt: s.now(),
	}
	s.inServices(func(tx services.Tx) error { return tx.CreateInstance(in) })
	return in.ID
}

// owner is who may do everything in an organization.
func (s *stage) owner(org tenants.OrgID) tenants.Caller { return s.people[org]["owner"] }

// app is a new app of a that allows everything.
func (s *stage) app() string {
	s.t.Helper()
	return s.bounded(services.Ceiling{AllOrg: true, Services: []services.ServiceCeiling{{Definition: s.kind.ID, All: true}}})
}

// bounded is a new app of a with a ceiling.
func (s *stage) bounded(c services.Ceiling) string {
	s.t.Helper()
	a, _, err := s.apps.Create(s.ctx(), s.owner(s.a), s.a, draft(c))
	s.must(err)
	return string(a.ID)
}

func draft(c services.Ceiling) apps.Draft {
	return apps.Draft{DisplayName: "App", Settings: apps.Settings{GrantTypes: []string{apps.GrantClientCredentials}, Ceiling: c}}
}

// add adds an app to an organization.
func (s *stage) add(org tenants.OrgID, client string, roles ...services.Grant) {
	s.t.Helper()
	failures, err := s.apps.AddMembers(s.ctx(), s.owner(org), org, []string{client}, roles)
	if err != nil || len(failures) > 0 {
		s.t.Fatalf("adding %s: %v, %v", client, failures, err)
	}
}

// change changes the roles of an app as the organization's owner.
func (s *stage) change(org tenants.OrgID, client string, c apps.RoleChange) {
	s.t.Helper()
	_, err := s.apps.ChangeRoles(s.ctx(), s.owner(org), org, client, c)
	s.must(err)
}

// appCaller is an app of this site with a token for org.
func (s *stage) appCaller(org tenants.OrgID, client string) tenants.Caller {
	s.t.Helper()
	held := s.held(org, client)
	return callerOf(tenants.Principal{Kind: tenants.KindApp, ID: client, Name: held.Name, Org: org, Epoch: held.Epoch, Session: tenants.SessionID(tenants.NewID())})
}

// account is a service account whose role has the given rights.
func (s *stage) account(org tenants.OrgID, rights ...tenants.Right) tenants.Caller {
	s.t.Helper()
	s.seq++
	role := s.person(org, "of account "+string(rune('a'+s.seq)), rights...).Principal.Role
	a := oauth.ServiceAccount{
		ID: oauth.ClientID(tenants.NewID()), Org: org, Name: "account " + string(rune('a'+s.seq)), SoftwareID: tenants.NewID(), Role: role, CreatedAt: s.now(),
	}
	s.must(s.db.OAuth().InTx(s.ctx(), func(tx oauth.Tx) error { return tx.CreateServiceAccount(a) }))
	return callerOf(tenants.Principal{Kind: tenants.KindServiceAccount, ID: string(a.ID), Name: a.Name, SoftwareID: a.SoftwareID, Org: org, Role: role})
}

func (s *stage) view(f func(apps.Reader) error) {
	s.t.Helper()
	s.must(s.db.Apps().View(s.ctx(), f))
}

func appHolder(client string) services.Holder {
	return services.Holder{Kind: tenants.KindApp, ID: client}
}

func (s *stage) held(org tenants.OrgID, client string) (held services.Held) {
	s.t.Helper()
	s.view(func(r apps.Reader) (err error) {
		held, err = r.Held(org, appHolder(client))
		return err
	})
	return held
}

// accounts are the instances in which an app has a live account.
func (s *stage) accounts(org tenants.OrgID, h services.Holder) []services.InstanceID {
	s.t.Helper()
	in := map[services.InstanceID]bool{}
	s.view(func(r apps.Reader) error {
		list, err := r.LiveAccounts(org, h)
		for _, a := range list {
			if in[a.Instance] {
				s.t.Errorf("two live accounts of %s in %s", h.ID, a.Instance)
			}
			in[a.Instance] = true
		}
		return err
	})
	return slices.Sorted(maps.Keys(in))
}

func (s *stage) head() int64 {
	s.t.Helper()
	head, err := s.db.Journal().Head(s.ctx())
	s.must(err)
	return head
}

// since are the rows of the journal that follow one.
func (s *stage) since(seq int64) (all []journal.Row) {
	s.t.Helper()
	for {
		rows, err := s.db.Journal().After(s.ctx(), seq+int64(len(all)), 500)
		s.must(err)
		if len(rows) == 0 {
			return all
		}
		all = append(all, rows...)
	}
}

// last is the last row of the journal with an action.
func (s *stage) last(action journal.Action) journal.Row {
	s.t.Helper()
	for _, row := range slices.Backward(s.since(0)) {
		if row.Action == action {
			return row
		}
	}
	s.t.Fatalf("nothing is journalled as %s", action)
	return journal.Row{}
}

func org(role services.OrgRole) services.Grant {
	return services.Grant{Kind: services.GrantOrganization, Role: string(role)}
}

func custom(name string) services.Grant {
	return services.Grant{Kind: services.GrantCustom, Role: name}
}

// on is a service role, in one instance or in each.
func (s *stage) on(role string, in services.InstanceID) services.Grant {
	return services.Grant{Kind: services.GrantService, Definition: s.kind.ID, Role: role, Resource: string(in)}
}

func wantProblem(t testing.TB, err error, want problem.Code) {
	t.Helper()
	if !problem.Has(err, want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
