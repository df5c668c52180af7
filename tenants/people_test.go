package tenants_test

import (
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// logins checks passwords at the world's time, each time as a cell that started
// anew.
func (w *world) logins() *tenants.Logins {
	return tenants.NewLogins(w.db.Tenants(), w.hasher, func() time.Time { return w.now })
}

// people is a site with an organization and those who manage its users.
type people struct {
	*world
	orgs    *tenants.Directory
	service *tenants.Service
	acme    *tenants.Snapshot
	root    tenants.Caller // administers the provider
	boss    tenants.Caller // administers acme
	clerk   tenants.Caller // manages acme's users, and may do nothing else
	author  tenants.RoleID // a role in acme that allows something else
	small   tenants.RoleID // the clerk's role
}

func newPeople(t testing.TB, db *store.DB) *people {
	t.Helper()
	w := newWorld(t, db)
	w.must(w.EnsureSystem(w.ctx()))
	p := &people{world: w, orgs: w.directory()}
	w.follow(p.orgs)
	p.rotate(siteRotation)
	org := w.newOrg("Acme")
	small, err := w.CreateRole(w.ctx(), administrator(), org, "Clerk", []tenants.Right{tenants.RightUserManage})
	w.must(err)
	author, err := w.CreateRole(w.ctx(), administrator(), org, "Author", []tenants.Right{viewCatalogs})
	w.must(err)
	p.small, p.author = small.ID, author.ID
	p.root = p.person(tenants.SystemOrgID, "root", tenants.SystemAdministrator)
	p.boss = p.person(org, "boss", tenants.OrganizationAdministrator)
	p.clerk = p.person(org, "clerk", "Clerk")
	p.acme = p.snapshot(org)
	return p
}

func (p *people) snapshot(org tenants.OrgID) *tenants.Snapshot {
	p.t.Helper()
	s, err := p.orgs.Organization(p.ctx(), org)
	p.must(err)
	return s
}

// person makes a user and a caller out of it, with a session.
func (p *people) person(org tenants.OrgID, name, role string) tenants.Caller {
	p.t.Helper()
	u, err := p.CreateUser(p.ctx(), administrator(), org, name, role, password)
	p.must(err)
	return p.caller(u)
}

func (p *people) caller(u tenants.User) tenants.Caller {
	p.t.Helper()
	return tenants.Caller{Source: here.Source, Address: here.Source, RequestID: "a-request", Principal: tenants.Principal{
		Kind: tenants.KindUser, ID: string(u.ID), Name: u.Name, Org: u.Org, Role: u.Role, Session: p.session(u),
	}}
}

// session opens a session of u as a login does.
func (p *people) session(u tenants.User) tenants.SessionID {
	p.t.Helper()
	s := p.newSession(u)
	p.must(p.open(s))
	return s.ID
}

func (p *people) newSession(u tenants.User) oauth.Session {
	return oauth.Session{
		ID: tenants.SessionID(tenants.NewID()), Org: u.Org, Kind: tenants.KindUser, Principal: string(u.ID), Name: u.Name, Role: u.Role,
		CreatedAt: p.now, LastUsed: p.now, ExpiresAt: p.now.Add(time.Hour),
	}
}

func (p *people) open(s oauth.Session) error {
	return p.db.OAuth().InTx(p.ctx(), func(tx oauth.Tx) error { return tx.CreateSession(s) })
}

func (p *people) live(id tenants.SessionID) bool {
	p.t.Helper()
	var s oauth.Session
	p.must(p.db.OAuth().View(p.ctx(), func(r oauth.Reader) (err error) {
		s, err = r.Session(id)
		return err
	}))
	return s.EndedAt.IsZero()
}

// hire makes a user of acme as its administrator does.
func (p *people) hire(name string, role tenants.RoleID) tenants.User {
	p.t.Helper()
	u, err := p.service.CreateUser(p.ctx(), p.boss, p.acme, tenants.User{Name: name, Role: role, Enabled: true}, password)
	p.must(err)
	return u
}

func (p *people) roleID(org tenants.OrgID, name string) tenants.RoleID {
	p.t.Helper()
	var role tenants.Role
	p.must(p.db.Tenants().View(p.ctx(), func(r tenants.Reader) (err error) {
		role, err = r.RoleByName(org, name)
		return err
	}))
	return role.ID
}

func (p *people) read(u tenants.User) tenants.User {
	p.t.Helper()
	got, err := p.service.User(p.ctx(), u.Org, u.ID)
	p.must(err)
	return got
}

func (p *people) edit(by tenants.Caller, u tenants.User, change func(*tenants.User)) error {
	p.t.Helper()
	_, err := p.service.UpdateUser(p.ctx(), by, p.snapshot(u.Org), u.ID, tenants.UserEdit{Change: change})
	return err
}

func (p *people) setPassword(by tenants.Caller, u tenants.User, to secret.Text) error {
	_, err := p.service.UpdateUser(p.ctx(), by, p.snapshot(u.Org), u.ID, tenants.UserEdit{Password: to})
	return err
}

// all is the whole journal.
func (p *people) all() []journal.Row {
	p.t.Helper()
	rows, err := p.db.Journal().After(p.ctx(), 0, 1000)
	p.must(err)
	return rows
}

func disable(u *tenants.User) { u.Enabled = false }
