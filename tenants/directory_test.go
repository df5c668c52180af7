package tenants_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// follow keeps the directory as a running site does; what InTx reports as done
// the directory has heard of.
func (w *world) follow(d *tenants.Directory) {
	w.t.Helper()
	tail, err := journal.New(journal.TailConfig{
		Source: w.db.Journal(), Followers: []journal.Follower{d}, Interval: 5 * time.Millisecond, Stale: time.Minute,
	})
	w.must(err)
	tail.Start()
	w.t.Cleanup(tail.Stop)
	w.must(tail.WaitFor(w.ctx(), 0))
	w.db.Follow(tail)
	w.t.Cleanup(func() { w.db.Follow(nil) })
}

// user is a principal of org with a role.
func user(org tenants.OrgID, role tenants.Role) tenants.Principal {
	return tenants.Principal{Kind: tenants.KindUser, ID: "u", Org: org, Role: role.ID, RoleName: role.Name}
}

func TestDirectory_R4_FollowsTheJournal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d := w.directory()
		w.follow(d)
		org := w.newOrg("Acme")
		role, err := w.CreateRole(w.ctx(), administrator(), org, "Deployer", []tenants.Right{viewCatalogs})
		w.must(err)
		may := func(r tenants.Role, right tenants.Right) error {
			return d.Require(w.ctx(), user(org, r), org, right)
		}
		wantProblem(t, may(role, viewCatalogs), "")
		wantProblem(t, may(role, tenants.RightRoleView), problem.Forbidden)

		set := func(rights ...tenants.Right) { // as an administrator would, at any cell
			w.inTx(func(tx tenants.Tx) error {
				if err := tx.SetRoleRights(org, role.ID, rights); err != nil {
					return err
				}
				return tx.Record(journal.Entry{
					At: w.now, Org: string(org), Actor: journal.System, Action: journal.RoleUpdated,
					Subject: journal.Subject{Kind: journal.KindRole, ID: string(role.ID)},
				})
			})
		}
		set(tenants.RightRoleView)
		wantProblem(t, may(role, viewCatalogs), problem.Forbidden) // the next request
		wantProblem(t, may(role, tenants.RightRoleView), "")
		set()
		wantProblem(t, may(role, tenants.RightRoleView), problem.Forbidden)

		fresh, err := w.CreateRole(w.ctx(), administrator(), org, "Fresh", []tenants.Right{viewCatalogs})
		w.must(err)
		wantProblem(t, may(fresh, viewCatalogs), "")
	})
}

// What is known costs nothing, and is forgotten only for a reason.
func TestDirectory_RemembersWhatItRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d := w.directory()
		w.follow(d)
		org, other := w.newOrg("Acme"), w.newOrg("Other")
		cost := func(read func() (*tenants.Snapshot, error)) int64 {
			t.Helper()
			before := db.Statements()
			s, err := read()
			w.must(err)
			if s.ID != org {
				t.Errorf("%s was found", s.Name)
			}
			return db.Statements() - before
		}
		byName := func(name string) func() (*tenants.Snapshot, error) {
			return func() (*tenants.Snapshot, error) { return d.ByName(w.ctx(), name) }
		}
		byID := func() (*tenants.Snapshot, error) { return d.Organization(w.ctx(), org) }
		if cost(byName("Acme")) == 0 {
			t.Error("nothing was read")
		}
		if n := cost(byID) + cost(byName("Acme")) + cost(byName("aCME")); n != 0 {
			t.Errorf("what was known cost %d statements", n)
		}
		_, err := w.CreateRole(w.ctx(), administrator(), other, "Role", nil)
		w.must(err)
		if n := cost(byID) + cost(byName("Acme")); n != 0 {
			t.Errorf("another organization's new role cost %d statements", n)
		}
		d.Flush()
		if cost(byID) == 0 || cost(byName("Acme")) == 0 {
			t.Error("something was left after everything was forgotten")
		}
	})
}

func TestDirectory_ByName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d := w.directory()
		w.follow(d)
		_, err := d.ByName(w.ctx(), "Acme")
		wantProblem(t, err, problem.NotFound)
		_, err = d.Organization(w.ctx(), tenants.OrgID(tenants.NewID()))
		wantProblem(t, err, problem.NotFound)
		org := w.newOrg("Acme") // it was absent until now
		for _, name := range []string{"Acme", "ACME", "acme"} {
			s, err := d.ByName(w.ctx(), name)
			wantProblem(t, err, "")
			if err == nil && s.ID != org {
				t.Errorf("%s is %s", name, s.ID)
			}
		}
	})
}

// Asking again costs the same whether or not there is such an organization, and
// guesses push out no organization that is there.
func TestDirectory_R6_AbsenceIsRememberedApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		d, err := tenants.NewDirectory(db.Tenants(), 2)
		w.must(err)
		w.follow(d)
		org := w.newOrg("Acme")
		cost := func(name string) int64 {
			t.Helper()
			before := db.Statements()
			s, err := d.ByName(w.ctx(), name)
			if there := strings.EqualFold(name, "Acme"); there != (err == nil) || there && s.ID != org {
				t.Errorf("%s: %v, %v", name, s, err)
			}
			return db.Statements() - before
		}
		for _, name := range []string{"Acme", "nowhere"} {
			if cost(name) == 0 {
				t.Errorf("%s was known before it was asked for", name)
			}
			if n := cost(name) + cost(strings.ToUpper(name)); n != 0 {
				t.Errorf("%s costs %d statements each time", name, n)
			}
		}
		for i := range 20 {
			cost(fmt.Sprint("guess", i))
		}
		if n := cost("Acme"); n != 0 {
			t.Errorf("guesses pushed out what is there: %d statements", n)
		}
		if cost("nowhere") == 0 {
			t.Error("every guess is remembered")
		}
		if n := cost(strings.Repeat("x", 4096)) + cost("\xff"); n != 0 {
			t.Errorf("names that cannot be cost %d statements", n)
		}
	})
}

func TestRequire_R6_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.must(w.EnsureSystem(w.ctx()))
		org, other := w.newOrg("Acme"), w.newOrg("Other")
		off := tenants.Organization{ID: tenants.OrgID(tenants.NewID()), Name: "Off", CreatedAt: w.now}
		w.inTx(func(tx tenants.Tx) error { return tx.CreateOrganization(off) })
		role := func(org tenants.OrgID, rights ...tenants.Right) tenants.Role {
			if org == off.ID {
				r := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: org, Name: "Role", Rights: rights}
				w.inTx(func(tx tenants.Tx) error { return tx.CreateRole(r) })
				return r
			}
			r, err := w.CreateRole(w.ctx(), administrator(), org, "Role", rights)
			w.must(err)
			return r
		}
		manage := tenants.RightAccountsManage
		mine, theirs, providers, offs := role(org, viewCatalogs, manage), role(other, manage), role(tenants.SystemOrgID, viewCatalogs), role(off.ID, viewCatalogs)
		machine := user(org, mine)
		machine.Kind = tenants.KindServiceAccount
		d := w.directory()
		for _, tt := range []struct {
			name   string
			who    tenants.Principal
			org    tenants.OrgID
			rights []tenants.Right
			want   problem.Code
		}{
			{"a right of the role", user(org, mine), org, []tenants.Right{viewCatalogs}, ""},
			{"one of several", user(org, mine), org, []tenants.Right{tenants.RightRoleView, viewCatalogs}, ""},
			{"none of several", user(org, mine), org, []tenants.Right{tenants.RightRoleView, viewSites}, problem.Forbidden},
			{"no right named", user(org, mine), org, nil, problem.Forbidden},
			{"another organization", user(org, mine), other, []tenants.Right{viewCatalogs}, problem.Forbidden},
			{"another organization's role", user(org, theirs), org, []tenants.Right{manage}, problem.Forbidden},
			{"a tenant at the provider's", user(org, mine), tenants.SystemOrgID, []tenants.Right{viewCatalogs}, problem.Forbidden},
			{"a provider in a tenant, by its own role", user(tenants.SystemOrgID, providers), org, []tenants.Right{viewCatalogs}, ""},
			{"a provider in a tenant, with what its role lacks", user(tenants.SystemOrgID, providers), org, []tenants.Right{manage}, problem.Forbidden},
			{"a machine, a right of the role", machine, org, []tenants.Right{viewCatalogs}, ""},
			{"VCD-33 a machine, a right that machines never have", machine, org, []tenants.Right{manage}, problem.Forbidden},
			{"an organization that is switched off", user(off.ID, offs), off.ID, []tenants.Right{viewCatalogs}, problem.Unauthenticated},
		} {
			t.Run(tt.name, func(t *testing.T) {
				wantProblem(t, d.Require(t.Context(), tt.who, tt.org, tt.rights...), tt.want)
			})
		}
	})
}

func TestMayGive_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.must(w.EnsureSystem(w.ctx()))
		org := w.newOrg("Acme")
		role := func(in tenants.OrgID, name string, rights ...tenants.Right) tenants.Role {
			r, err := w.CreateRole(w.ctx(), administrator(), in, name, rights)
			w.must(err)
			return r
		}
		little := role(org, "little", viewCatalogs)
		much := role(org, "much", viewCatalogs, tenants.RightRoleView)
		// What machines never have is nobody's to give.
		manage := role(org, "manage", viewCatalogs, tenants.RightAccountsManage)
		provider := role(tenants.SystemOrgID, "little", viewCatalogs)
		for _, tt := range []struct {
			name string
			who  tenants.Principal
			give tenants.Role
			want problem.Code
		}{
			{"what they have", user(org, much), little, ""},
			{"the same", user(org, much), much, ""},
			{"more than they have", user(org, little), much, problem.Forbidden},
			{"what the account would not have", user(org, little), manage, ""},
			{"a provider, what they have", user(tenants.SystemOrgID, provider), little, ""},
			{"a provider, more than they have", user(tenants.SystemOrgID, provider), much, problem.Forbidden},
			{"somebody without a role", user(org, tenants.Role{}), little, problem.Forbidden},
		} {
			t.Run(tt.name, func(t *testing.T) {
				err := db.Tenants().View(t.Context(), func(r tenants.Reader) error {
					return tenants.MayGive(r, tt.who, tt.give, tenants.KindServiceAccount)
				})
				wantProblem(t, err, tt.want)
			})
		}
	})
}
