package tenants_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

func TestUsers_AreKeptAsGiven(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		given := tenants.User{
			ID: "not-mine-to-say", Org: tenants.SystemOrgID, Name: "Ada", FullName: "Ada <Lovelace>", Description: "first\nof all", Email: "ada@example.com",
			Role: p.author, Enabled: true, Locked: true, PasswordHash: "neither", Quota: "nor",
			Profile: tenants.Profile{
				GivenName: "Ada", FamilyName: "Lovelace", Telephone: "+44", IM: "ada", GroupRole: true, InheritGroupRoles: true,
				StoredVMQuota: 3, DeployedVMQuota: math.MaxInt32,
			},
		}
		created, err := p.service.CreateUser(p.ctx(), p.boss, p.acme, given, password)
		p.must(err)
		want := given
		want.ID, want.Org, want.Name, want.Locked, want.Quota, want.CreatedAt = created.ID, p.acme.ID, "ada", false, "", p.now
		want.ProviderType, want.Profile.NameInSource, want.PasswordHash = tenants.ProviderIntegrated, "ada", created.PasswordHash
		if got := p.read(created); got != created || got != want {
			t.Errorf("created %+v\nread %+v\nwant %+v", created, got, want)
		}
		if _, err := tenants.ParseUUID(string(created.ID)); err != nil || created.PasswordHash == "neither" {
			t.Errorf("the client chose the id %q or the hash", created.ID)
		}
		_, err = p.logins().Check(p.ctx(), p.acme, "ADA", password, here)
		wantProblem(t, err, "")

		changed, err := p.service.UpdateUser(p.ctx(), p.boss, p.acme, created.ID, tenants.UserEdit{Change: func(u *tenants.User) {
			*u = tenants.User{Name: "ADA", FullName: "Countess", Role: u.Role, Enabled: true, ProviderType: u.ProviderType}
		}})
		p.must(err)
		want.FullName, want.Description, want.Email, want.Profile = "Countess", "", "", tenants.Profile{NameInSource: "ada"}
		if got := p.read(created); got != changed || got != want {
			t.Errorf("updated %+v\nread %+v\nwant %+v", changed, got, want)
		}
	})
}

func TestUsers_R7_EveryChangeIsJournaled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		before := len(p.all())
		p.must(p.edit(p.boss, u, func(u *tenants.User) { u.Email, u.Role, u.Enabled = "ada@example.com", p.small, false }))
		p.must(p.setPassword(p.boss, u, "another password"))
		p.must(p.edit(p.boss, u, func(u *tenants.User) { u.Email = "ada@example.com" })) // which it is already
		p.must(p.service.TakeOwnership(p.ctx(), p.boss, p.acme, u.ID))
		p.must(p.service.DeleteUser(p.ctx(), p.boss, p.acme, u.ID))

		type line struct {
			action journal.Action
			detail map[string]string
		}
		var got []line
		for _, row := range p.all()[before:] {
			got = append(got, line{row.Action, row.Detail})
			if row.Subject != (journal.Subject{Kind: journal.KindUser, ID: string(u.ID), Name: "ada"}) || row.Org != string(p.acme.ID) ||
				row.Actor != p.boss.Actor() || row.Source != here.Source || row.RequestID != "a-request" {
				t.Errorf("%+v", row)
			}
			if text := fmt.Sprint(row); strings.Contains(text, "another password") || strings.Contains(text, "argon2id") {
				t.Errorf("the journal holds a password: %s", text)
			}
		}
		want := []line{
			{journal.UserUpdated, map[string]string{
				"email.old": "", "email.new": "ada@example.com", "enabled.old": "true", "enabled.new": "false", "role.old": "Author", "role.new": "Clerk",
				"roleId.old": string(p.author), "roleId.new": string(p.small),
			}},
			{journal.UserPasswordChanged, nil},
			{journal.UserTakenOver, nil},
			{journal.UserDeleted, map[string]string{"role": "Clerk"}},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
		_, err := p.service.User(p.ctx(), p.acme.ID, u.ID)
		wantProblem(t, err, problem.NotFound)
	})
}

func TestUsers_BadInputChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		ada := p.hire("ada", p.author)
		before := p.all()
		good := tenants.User{Name: "eve", Role: p.author, Enabled: true}
		for _, tt := range []struct {
			name     string
			change   func(*tenants.User)
			password secret.Text
			want     problem.Code
		}{
			{"no name", func(u *tenants.User) { u.Name = "" }, password, problem.BadRequest},
			{"a long name", func(u *tenants.User) { u.Name = strings.Repeat("a", 129) }, password, problem.BadRequest},
			{"a name that folding makes long", func(u *tenants.User) { u.Name = strings.Repeat("Ⱥ", 64) }, password, problem.BadRequest},
			{"a name that is not UTF-8", func(u *tenants.User) { u.Name = "\xff" }, password, problem.BadRequest},
			{"a name that breaks lines", func(u *tenants.User) { u.Name = "e\nve" }, password, problem.BadRequest},
			{"a name that is taken", func(u *tenants.User) { u.Name = "ADA" }, password, problem.DuplicateName},
			{"no role", func(u *tenants.User) { u.Role = "" }, password, problem.BadRequest},
			{"a role of another organization", func(u *tenants.User) { u.Role = p.root.Principal.Role }, password, problem.BadRequest},
			{"an unknown provider", func(u *tenants.User) { u.ProviderType = "NIS" }, password, problem.BadRequest},
			{"a negative quota", func(u *tenants.User) { u.Profile.StoredVMQuota = -1 }, password, problem.BadRequest},
			{"a text that is no text", func(u *tenants.User) { u.Email = "a\x00b" }, password, problem.BadRequest},
			{"a text that is not UTF-8", func(u *tenants.User) { u.Profile.IM = "\xff" }, password, problem.BadRequest},
			{"a megabyte of text", func(u *tenants.User) { u.FullName = strings.Repeat("a", 1<<20) }, password, problem.BadRequest},
			{"no password", func(*tenants.User) {}, "", problem.BadRequest},
			{"a short password", func(*tenants.User) {}, "1234567", problem.BadRequest},
			{"a password too long", func(*tenants.User) {}, secret.Text(strings.Repeat("a", 1025)), problem.BadRequest},
			{"the name for a password", func(u *tenants.User) { u.Name = "evelynne" }, "EvelyNNE", problem.BadRequest},
			{"an imported user with a password", func(u *tenants.User) { u.ProviderType = tenants.ProviderSAML }, password, problem.BadRequest},
		} {
			u := good
			tt.change(&u)
			_, err := p.service.CreateUser(p.ctx(), p.boss, p.acme, u, tt.password)
			if !problem.Has(err, tt.want) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		for name, change := range map[string]func(*tenants.User){
			"another name":      func(u *tenants.User) { u.Name = "eve" },
			"an unknown role":   func(u *tenants.User) { u.Role = tenants.RoleID(tenants.NewID()) },
			"a negative quota":  func(u *tenants.User) { u.Profile.DeployedVMQuota = -1 },
			"a control":         func(u *tenants.User) { u.Description = "\x1b[2J" },
			"an odd provider":   func(u *tenants.User) { u.ProviderType = "local" },
			"another's own org": func(u *tenants.User) { u.Org = tenants.SystemOrgID; u.Role = p.root.Principal.Role },
		} {
			if err := p.edit(p.boss, ada, change); !problem.Has(err, problem.BadRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := p.read(ada); got != ada {
			t.Errorf("got %+v, want %+v", got, ada)
		}
		if after := p.all(); !reflect.DeepEqual(after, before) {
			t.Errorf("the journal has %d rows, before it had %d", len(after), len(before))
		}
	})
}

// Somebody else's user looks like none, to reads and to every change.
func TestUsers_R6_AnotherOrganizationsLookAbsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		foreign := p.person(p.newOrg("Other"), "eve", tenants.OrganizationAdministrator)
		for _, id := range []tenants.UserID{tenants.UserID(foreign.Principal.ID), tenants.UserID(tenants.NewID())} {
			_, err := p.service.User(p.ctx(), p.acme.ID, id)
			wantProblem(t, err, problem.NotFound)
			for name, edit := range map[string]tenants.UserEdit{
				"a change": {Change: disable}, "a password": {Password: "another password"}, "an unlock": {Unlock: true},
			} {
				if _, err := p.service.UpdateUser(p.ctx(), p.boss, p.acme, id, edit); !problem.Has(err, problem.NotFound) {
					t.Errorf("%s: %v", name, err)
				}
			}
			wantProblem(t, p.service.DeleteUser(p.ctx(), p.boss, p.acme, id), problem.NotFound)
			wantProblem(t, p.service.TakeOwnership(p.ctx(), p.boss, p.acme, id), problem.NotFound)
		}
		if !p.live(foreign.Principal.Session) {
			t.Error("the session of a foreign user ended")
		}
		list, total, err := p.service.Users(p.ctx(), p.acme.ID, tenants.Query{Page: 1, PageSize: 10})
		p.must(err)
		if len(list) != 2 || total != 2 { // boss and clerk
			t.Errorf("%d of %d users are listed", len(list), total)
		}
	})
}

// Two administrators who change different things of one user at once.
func TestUsers_ChangesAtOnceAddUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				err := p.edit(p.boss, u, func(u *tenants.User) { u.Profile.StoredVMQuota |= 1 << i; u.Description += "." })
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if got := p.read(u); got.Profile.StoredVMQuota != 255 || got.Description != "........" {
			t.Errorf("%+v", got)
		}
	})
}

func TestUsers_Imported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u, err := p.service.CreateUser(p.ctx(), p.boss, p.acme, tenants.User{
			Name: "sam", ProviderType: tenants.ProviderSAML, Role: p.author, Enabled: true, Profile: tenants.Profile{NameInSource: "Sam@Corp"},
		}, "")
		p.must(err)
		if got := p.read(u); got.Profile.NameInSource != "Sam@Corp" || got.PasswordHash != "" {
			t.Errorf("%+v", got)
		}
		for _, guess := range []secret.Text{"", password} {
			_, err = p.logins().Check(p.ctx(), p.acme, "sam", guess, here)
			wantProblem(t, err, problem.Unauthenticated)
		}
		wantProblem(t, p.setPassword(p.boss, u, password), problem.BadRequest)

		local := p.hire("ada", p.author)
		session := p.session(local)
		p.must(p.edit(p.boss, local, func(u *tenants.User) { u.ProviderType = tenants.ProviderLDAP }))
		if p.live(session) || p.read(local).PasswordHash != "" {
			t.Error("what the password opened outlives it")
		}
		back := func(u *tenants.User) { u.ProviderType = tenants.ProviderIntegrated }
		wantProblem(t, p.edit(p.boss, local, back), problem.BadRequest)
		_, err = p.service.UpdateUser(p.ctx(), p.boss, p.acme, local.ID, tenants.UserEdit{Change: back, Password: "another password"})
		wantProblem(t, err, "")
	})
}
