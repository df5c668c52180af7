package tenants_test

import (
	"reflect"
	"slices"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// everyChange is one call of each kind by which somebody in acme changes something.
func (p *people) everyChange(by tenants.Caller, victim tenants.User, policy tenants.QuotaPolicy) map[string]func() error {
	role := func() tenants.RoleText { return tenants.RoleText{Name: "role " + tenants.NewID()} }
	local := p.author
	return map[string]func() error{
		"CreateUser": func() error {
			_, err := p.service.CreateUser(p.ctx(), by, p.acme, tenants.User{Name: "new", Role: p.small}, password)
			return err
		},
		"UpdateUser":    func() error { return p.edit(by, victim, func(u *tenants.User) { u.FullName += "x" }) },
		"a password":    func() error { return p.setPassword(by, victim, "another password") },
		"DeleteUser":    func() error { return p.service.DeleteUser(p.ctx(), by, p.acme, victim.ID) },
		"TakeOwnership": func() error { return p.service.TakeOwnership(p.ctx(), by, p.acme, victim.ID) },
		"CreateRole": func() error {
			_, err := p.service.CreateRole(p.ctx(), by, p.acme, role())
			return err
		},
		"UpdateRole": func() error {
			_, err := p.service.UpdateRole(p.ctx(), by, p.acme, local, role())
			return err
		},
		"SetRoleRights": func() error {
			_, err := p.service.SetRoleRights(p.ctx(), by, p.acme, local, nil)
			return err
		},
		"AddRoleRights": func() error {
			_, err := p.service.AddRoleRights(p.ctx(), by, p.acme, local, []tenants.Right{tenants.RightTaskView})
			return err
		},
		"UpdateOrganization": func() error {
			return p.change(by, p.acme.ID, func(o *tenants.Organization) { o.Description += "x" })
		},
		"DeleteRole": func() error { return p.service.DeleteRole(p.ctx(), by, p.acme, local) },
		"CreateQuotaPolicy": func() error {
			_, err := p.service.CreateQuotaPolicy(p.ctx(), by, tenants.QuotaPolicy{Org: p.acme.ID, Name: tenants.NewID()})
			return err
		},
		"UpdateQuotaPolicy": func() error {
			changed := policy
			changed.Description = "x"
			_, err := p.service.UpdateQuotaPolicy(p.ctx(), by, changed)
			return err
		},
		"DeleteQuotaPolicy": func() error { return p.service.DeleteQuotaPolicy(p.ctx(), by, p.acme.ID, policy.ID) },
		"AssignQuota": func() error {
			h := tenants.QuotaHolder{Kind: tenants.HolderUser, ID: string(victim.ID), Name: victim.Name}
			_, err := p.service.AssignQuota(p.ctx(), by, p.acme.ID, h, policy.ID)
			return err
		},
	}
}

// A request that was let in when it began changes nothing once what let it in has
// ended: the gateway's look at the session is as old as the request's body is slow.
func TestChanges_R4_WhoNoLongerStands(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		for name, tt := range map[string]struct {
			happen func(*people, tenants.Caller, tenants.Tx) error
			want   problem.Code
		}{
			"logged out": {func(p *people, by tenants.Caller, tx tenants.Tx) error {
				return tx.EndUserSessions(p.acme.ID, tenants.UserID(by.Principal.ID), "", p.now)
			}, problem.Unauthenticated},
			"disabled": {func(p *people, by tenants.Caller, tx tenants.Tx) error {
				return p.rewrite(tx, by, func(u *tenants.User) { u.Enabled = false })
			}, problem.Unauthenticated},
			"deleted": {func(p *people, by tenants.Caller, tx tenants.Tx) error {
				return tx.DeleteUser(p.acme.ID, tenants.UserID(by.Principal.ID))
			}, problem.Unauthenticated},
			"in another role": {func(p *people, by tenants.Caller, tx tenants.Tx) error {
				return p.rewrite(tx, by, func(u *tenants.User) { u.Role = p.small })
			}, problem.Forbidden},
			"of a disabled organization": {func(p *people, _ tenants.Caller, tx tenants.Tx) error {
				o := p.acme.Organization
				o.Enabled = false
				return tx.UpdateOrganization(o)
			}, problem.Unauthenticated},
		} {
			t.Run(name, func(t *testing.T) {
				p := newPeople(t, storetest.New(t, kind))
				victim := p.hire("ada", p.small)
				policy, err := p.service.CreateQuotaPolicy(p.ctx(), p.boss, tenants.QuotaPolicy{Org: p.acme.ID, Name: "policy"})
				p.must(err)
				p.inTx(func(tx tenants.Tx) error { return tt.happen(p, p.boss, tx) })
				before := p.all()
				for what, do := range p.everyChange(p.boss, victim, policy) {
					if err := do(); !problem.Has(err, tt.want) {
						t.Errorf("%s: %v", what, err)
					}
				}
				if after := p.all(); !reflect.DeepEqual(before, after) {
					t.Errorf("%d rows of the journal, want %d", len(after), len(before))
				}
			})
		}
	})
}

// rewrite changes the caller's own row without anybody being told.
func (p *people) rewrite(tx tenants.Tx, by tenants.Caller, change func(*tenants.User)) error {
	u, err := tx.User(by.Principal.Org, tenants.UserID(by.Principal.ID), p.now)
	if err != nil {
		return err
	}
	change(&u)
	return tx.UpdateUser(u)
}

// Every change works for who stands: what the test above refuses is refused for
// its reason.
func TestChanges_R4_WhoStands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		victim := p.hire("ada", p.small)
		policy, err := p.service.CreateQuotaPolicy(p.ctx(), p.boss, tenants.QuotaPolicy{Org: p.acme.ID, Name: "policy"})
		p.must(err)
		changes := p.everyChange(p.boss, victim, policy)
		last := []string{"DeleteUser", "DeleteQuotaPolicy", "DeleteRole"} // of what the others change
		for what, do := range changes {
			if !slices.Contains(last, what) {
				wantDone(t, what, do)
			}
		}
		for _, what := range last {
			wantDone(t, what, changes[what])
		}
	})
}

func wantDone(t *testing.T, what string, do func() error) {
	t.Helper()
	if err := do(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// A service account stands while it is there, and so does its session; whom a peer
// vouches for has none here.
func TestStands_R4_Machines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		a := oauth.ServiceAccount{ID: oauth.ClientID(tenants.NewID()), Org: p.acme.ID, Name: "bot", SoftwareID: tenants.NewID(), Role: p.author, CreatedAt: p.now}
		p.must(db.OAuth().InTx(p.ctx(), func(tx oauth.Tx) error { return tx.CreateServiceAccount(a) }))
		bot := tenants.Principal{Kind: tenants.KindServiceAccount, ID: string(a.ID), Org: p.acme.ID, Role: p.small} // as its session began
		stands := func(who tenants.Principal, want problem.Code) {
			t.Helper()
			wantProblem(t, db.Tenants().View(p.ctx(), func(r tenants.Reader) error { return tenants.Stands(r, who, p.now) }), want)
		}
		stands(bot, "")
		over := bot
		over.Session = tenants.SessionID(tenants.NewID())
		stands(over, problem.Unauthenticated)
		over.Session = p.boss.Principal.Session
		stands(over, "")
		stands(tenants.Principal{}, problem.Forbidden)
		script := p.boss.Principal
		script.Kind = tenants.KindAPIToken
		stands(script, "")
		p.must(db.OAuth().InTx(p.ctx(), func(tx oauth.Tx) error { return tx.DeleteServiceAccount(p.acme.ID, a.ID, p.now) }))
		stands(bot, problem.Forbidden)
		p.must(p.service.DeleteUser(p.ctx(), p.root, p.acme, tenants.UserID(script.ID)))
		stands(script, problem.Unauthenticated)
		script.Session = ""
		stands(script, problem.Forbidden)
	})
}
