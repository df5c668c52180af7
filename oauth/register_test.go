package oauth_test

import (
	"strings"
	"testing"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		taken := w.newAccount()
		elsewhere := w.neighbour().newAccount()
		for _, tt := range []struct {
			name   string
			change func(*oauth.Registration)
			want   problem.Code
		}{
			{"VCD-43 no name", func(r *oauth.Registration) { r.ClientName = "" }, problem.BadRequest},
			{"VCD-43 a name of spaces", func(r *oauth.Registration) { r.ClientName = "  " }, problem.BadRequest},
			{"VCD-43 space around the name", func(r *oauth.Registration) { r.ClientName = " app" }, problem.BadRequest},
			{"VCD-43 a control character in the name", func(r *oauth.Registration) { r.ClientName = "a\x00b" }, problem.BadRequest},
			{"VCD-43 a line break in the name", func(r *oauth.Registration) { r.ClientName = "a\nb" }, problem.BadRequest},
			{"VCD-43 a name that is not UTF-8", func(r *oauth.Registration) { r.ClientName = "a\xff" }, problem.BadRequest},
			{"VCD-43 the longest name", func(r *oauth.Registration) { r.ClientName = strings.Repeat("n", 128) }, ""},
			{"VCD-43 a longer name", func(r *oauth.Registration) { r.ClientName = strings.Repeat("n", 129) }, problem.BadRequest},
			{"VCD-43 a name in use", func(r *oauth.Registration) { r.ClientName = taken.Name }, problem.DuplicateName},
			{"VCD-43 a name in use elsewhere", func(r *oauth.Registration) { r.ClientName = elsewhere.Name }, ""},
			{"VCD-46 no software id", func(r *oauth.Registration) { r.SoftwareID = "" }, problem.BadRequest},
			{"VCD-46 not a UUID", func(r *oauth.Registration) { r.SoftwareID = "my-software" }, problem.BadRequest},
			{"VCD-46 a UUID in braces", func(r *oauth.Registration) { r.SoftwareID = "{bc2528fd-35c4-44e5-a55d-62e5c4bd9c99}" }, problem.BadRequest},
			{"VCD-46 a UUID without dashes", func(r *oauth.Registration) { r.SoftwareID = "bc2528fd35c444e5a55d62e5c4bd9c99" }, problem.BadRequest},
			{"VCD-46 a URN", func(r *oauth.Registration) { r.SoftwareID = "urn:uuid:bc2528fd-35c4-44e5-a55d-62e5c4bd9c99" }, problem.BadRequest},
			{"VCD-47 the id of another account's software", func(r *oauth.Registration) { r.SoftwareID = taken.SoftwareID }, ""},
			{"VCD-49 no version", func(r *oauth.Registration) { r.SoftwareVersion = "" }, ""},
			{"VCD-50 any version", func(r *oauth.Registration) { r.SoftwareVersion = "Frühling '26 (beta) <b>" }, ""},
			{"VCD-50 the longest version", func(r *oauth.Registration) { r.SoftwareVersion = strings.Repeat("1", 255) }, ""},
			{"VCD-50 a longer version", func(r *oauth.Registration) { r.SoftwareVersion = strings.Repeat("1", 256) }, problem.BadRequest},
			{"VCD-50 a version that is not UTF-8", func(r *oauth.Registration) { r.SoftwareVersion = "1\xff" }, problem.BadRequest},
			{"VCD-50 a version that not every database keeps", func(r *oauth.Registration) { r.SoftwareVersion = "1\x00" }, problem.BadRequest},
			{"VCD-53 no URI", func(r *oauth.Registration) { r.ClientURI = "" }, ""},
			{"VCD-54 http", func(r *oauth.Registration) { r.ClientURI = "http://vendor.example" }, ""},
			{"VCD-54 a relative URI", func(r *oauth.Registration) { r.ClientURI = "/vendor" }, problem.BadRequest},
			{"VCD-54 no scheme", func(r *oauth.Registration) { r.ClientURI = "vendor.example" }, problem.BadRequest},
			{"VCD-54 no host", func(r *oauth.Registration) { r.ClientURI = "https:///path" }, problem.BadRequest},
			{"VCD-54 a script", func(r *oauth.Registration) { r.ClientURI = "javascript:alert(1)//vendor.example" }, problem.BadRequest},
			{"VCD-54 a script with a host", func(r *oauth.Registration) { r.ClientURI = "javascript://vendor.example/%0aalert(1)" }, problem.BadRequest},
			{"VCD-54 another scheme", func(r *oauth.Registration) { r.ClientURI = "ftp://vendor.example/" }, problem.BadRequest},
			{"VCD-54 data", func(r *oauth.Registration) { r.ClientURI = "data:text/html,hello" }, problem.BadRequest},
			{"VCD-54 a line break", func(r *oauth.Registration) { r.ClientURI = "https://vendor.example/\n" }, problem.BadRequest},
			{"VCD-54 too long", func(r *oauth.Registration) { r.ClientURI = "https://vendor.example/" + strings.Repeat("a", 2048) }, problem.BadRequest},
			{"VCD-20 two roles", func(r *oauth.Registration) { r.Scope += " " + oauth.RoleScope(viewer) }, problem.InvalidScope},
			{"VCD-22 no role", func(r *oauth.Registration) { r.Scope = "" }, problem.InvalidScope},
			{"VCD-22 an unknown role", func(r *oauth.Registration) { r.Scope = oauth.RoleScope("Nobody") }, problem.InvalidScope},
			{"VCD-44 a role of the provider", func(r *oauth.Registration) { r.Scope = oauth.RoleScope(tenants.SystemAdministrator) }, problem.InvalidScope},
			{"VCD-44 a role in other case", func(r *oauth.Registration) { r.Scope = oauth.RoleScope("deployer") }, problem.InvalidScope},
		} {
			t.Run(tt.name, func(t *testing.T) {
				before := w.accounts(t)
				reg := registration()
				tt.change(&reg)
				a, err := w.service.Register(t.Context(), w.admin, w.snapshot(), reg)
				wantProblem(t, err, tt.want)
				if err != nil {
					if after := w.accounts(t); after != before {
						t.Errorf("%d accounts after a refusal, before %d", after, before)
					}
					return
				}
				if a.Name != reg.ClientName || a.SoftwareVersion != reg.SoftwareVersion || a.URI != reg.ClientURI || a.SoftwareID != reg.SoftwareID {
					t.Errorf("asked for %+v, got %+v", reg, a)
				}
			})
		}
	})
}

func (w *world) accounts(t *testing.T) int {
	t.Helper()
	_, n, err := w.service.Accounts(t.Context(), w.org, tenants.Query{Page: 1, PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRegister_VCD26_VCD48_KeepsWhatWasGiven(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		reg := registration()
		a, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
		w.must(err)
		want := oauth.ServiceAccount{
			ID: a.ID, Org: w.org, Name: reg.ClientName, SoftwareID: "BC2528FD-35C4-44E5-A55D-62E5C4BD9C99", // byte for byte
			SoftwareVersion: "1.0", URI: "https://vendor.example/app", Role: w.roles[deployer], CreatedAt: w.clock.now(), Status: oauth.Created,
		}
		if a != want {
			t.Errorf("registered %+v, want %+v", a, want)
		}
		if got := w.account(a); got != want {
			t.Errorf("stored %+v, want %+v", got, want)
		}
		if _, err := tenants.ParseUUID(string(a.ID)); err != nil || strings.ToLower(string(a.ID)) != string(a.ID) {
			t.Errorf("the client id %q is not a lower-case UUID", a.ID)
		}
		rows := w.recorded(journal.AccountCreated)
		if len(rows) != 1 || rows[0].Actor != w.admin.Actor() || rows[0].Subject.ID != string(a.ID) {
			t.Errorf("recorded as %+v", rows)
		}
	})
}

// A role's name may hold what a URN must encode.
func TestRegister_VCD23_RoleNames(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, name := range []string{"two words", "100%", "a%20b", "a/b", "who?", "#1", "für 管理"} {
			role := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: w.org, Name: name, Rights: []tenants.Right{viewCatalogs}}
			w.inTenants(func(tx tenants.Tx) error { return tx.CreateRole(role) })
			w.orgs.Flush()
			reg := registration()
			reg.Scope = oauth.RoleScope(name)
			a, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
			wantProblem(t, err, "")
			if a.Role != role.ID {
				t.Errorf("%q: the account got another role", name)
			}
		}
	})
}

// A role of one organization means nothing in another, whoever asks.
func TestRegister_VCD44_R6_RolesOfTheOrganizationAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		n.inTenants(func(tx tenants.Tx) error {
			return tx.CreateRole(tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: n.org, Name: "Neighbour", Rights: []tenants.Right{viewCatalogs}})
		})
		reg := registration()
		reg.Scope = oauth.RoleScope("Neighbour")
		_, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), reg)
		wantProblem(t, err, problem.InvalidScope)

		a := w.newAccount()
		_, err = w.service.Update(w.ctx(), w.admin, w.snapshot(), a.ID, oauth.Edit{Role: n.roles[deployer], SoftwareID: a.SoftwareID})
		wantProblem(t, err, problem.BadRequest)
		if got := w.account(a); got.Role != a.Role {
			t.Error("the account got a role of another organization")
		}
	})
}

func TestRegister_R7_NobodyGivesWhatTheyLack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		weak := w.weak()
		for role, want := range map[string]problem.Code{
			viewer:                            "",
			deployer:                          problem.Forbidden,
			tenants.OrganizationAdministrator: problem.Forbidden,
		} {
			reg := registration()
			reg.Scope = oauth.RoleScope(role)
			_, err := w.service.Register(w.ctx(), weak, w.snapshot(), reg)
			wantProblem(t, err, want)
		}
		if n := w.accounts(t); n != 1 {
			t.Errorf("%d accounts, want 1", n)
		}
	})
}

// A caller's organization may not have learnt yet of a role that another cell
// made or extended; its rights count all the same.
func TestRegister_R7_JudgesTheRoleAsItIsNow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		weak, before := w.weak(), w.snapshot()
		w.inTenants(func(tx tenants.Tx) error {
			return tx.CreateRole(tenants.Role{
				ID: tenants.RoleID(tenants.NewID()), Org: w.org, Name: "Made just now", Rights: []tenants.Right{addToCatalog},
			})
		})
		reg := registration()
		reg.Scope = oauth.RoleScope("Made just now")
		_, err := w.service.Register(w.ctx(), weak, before, reg)
		wantProblem(t, err, problem.Forbidden)

		w.setRights(viewer, viewCatalogs, addToCatalog)
		reg.Scope = oauth.RoleScope(viewer)
		_, err = w.service.Register(w.ctx(), weak, before, reg)
		wantProblem(t, err, problem.Forbidden)
	})
}

// Rights that no machine ever has need not be the caller's: the account would
// not have them.
func TestRegister_R7_RightsThatMachinesNeverHave(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.setRights(viewer, viewCatalogs, tenants.RightRoleManage)
		w.orgs.Flush()
		reg := registration()
		reg.Scope = oauth.RoleScope(viewer)
		_, err := w.service.Register(w.ctx(), w.weak(), w.snapshot(), reg)
		wantProblem(t, err, "")
	})
}
