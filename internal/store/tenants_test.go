package store_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, other := newTenant(t, db, "Own"), newTenant(t, db, "Other")
		for _, c := range []struct {
			name string
			do   func(n tenants.Tx, o oauth.Tx) error
			want problem.Code // empty is success
		}{
			{"an organization's name in another case", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateOrganization(tenants.Organization{ID: newID[tenants.OrgID](), Name: "oWN"})
			}, problem.DuplicateName},
			{"an organization's id", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateOrganization(tenants.Organization{ID: w.org, Name: "New"})
			}, problem.DuplicateName},
			{"a user's name in the organization", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: newID[tenants.UserID](), Org: w.org, Name: "jane", Role: w.role})
			}, problem.DuplicateName},
			{"a user's name elsewhere", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: newID[tenants.UserID](), Org: other.org, Name: "jill", Role: other.role})
			}, ""},
			{"a user's name with capitals", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: newID[tenants.UserID](), Org: w.org, Name: "Jane", Role: w.role})
			}, problem.BadRequest},
			{"a role's name in the organization", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateRole(tenants.Role{ID: newID[tenants.RoleID](), Org: w.org, Name: "Deployer"})
			}, problem.DuplicateName},
			{"a role's name in another case", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateRole(tenants.Role{ID: newID[tenants.RoleID](), Org: w.org, Name: "deployer"})
			}, ""},
			{"an account's name in the organization", func(_ tenants.Tx, o oauth.Tx) error {
				return o.CreateServiceAccount(oauth.ServiceAccount{ID: newID[oauth.ClientID](), Org: w.org, Name: "app", Role: w.role})
			}, problem.DuplicateName},
			{"an account's id anywhere", func(_ tenants.Tx, o oauth.Tx) error {
				return o.CreateServiceAccount(oauth.ServiceAccount{ID: w.account, Org: other.org, Name: "free", Role: other.role})
			}, problem.DuplicateName},
			{"an account's name elsewhere", func(_ tenants.Tx, o oauth.Tx) error {
				return o.CreateServiceAccount(oauth.ServiceAccount{ID: newID[oauth.ClientID](), Org: other.org, Name: "third", Role: other.role})
			}, ""},
			{"a user code", func(_ tenants.Tx, o oauth.Tx) error {
				d := w.newDevice(oauth.DevicePending)
				d.UserCode = w.device.UserCode
				return o.CreateDevice(d)
			}, problem.DuplicateName},
			{"a user in an organization that is not", func(n tenants.Tx, _ oauth.Tx) error {
				return n.CreateRole(tenants.Role{ID: newID[tenants.RoleID](), Org: newID[tenants.OrgID](), Name: "Deployer"})
			}, problem.NotFound},
		} {
			err := db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return c.do(tx, tx.(oauth.Tx)) })
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%s: %v", c.name, err)
			case c.want != "" && !problem.Has(err, c.want):
				t.Errorf("%s: got %v, want %s", c.name, err, c.want)
			}
		}
	})
}

func TestReadsReturnWhatWasWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Öwn")
		view := func(f func(n tenants.Reader) error) {
			t.Helper()
			ok(t, db.Tenants().View(t.Context(), f))
		}
		view(func(r tenants.Reader) error {
			want := tenants.Organization{ID: w.org, Name: "Öwn", DisplayName: "Öwn Inc.", Enabled: true, CreatedAt: now}
			for _, get := range []func() (tenants.Organization, error){
				func() (tenants.Organization, error) { return r.Organization(w.org) },
				func() (tenants.Organization, error) { return r.OrganizationByName("öWN") },
			} {
				if got, err := get(); err != nil || got != want {
					t.Errorf("got %+v, %v, want %+v", got, err, want)
				}
			}
			return nil
		})
		view(func(r tenants.Reader) error {
			want := tenants.User{ProviderType: tenants.ProviderIntegrated, ID: w.user, Org: w.org, Name: "jane", FullName: "Jane", Role: w.role, Enabled: true, PasswordHash: "$argon2id$…", CreatedAt: now}
			for _, name := range []string{"jane", "JANE"} {
				if got, err := r.UserByName(w.org, name, now); err != nil || got != want {
					t.Errorf("got %+v, %v, want %+v", got, err, want)
				}
			}
			return nil
		})
		view(func(r tenants.Reader) error {
			want := tenants.Role{ID: w.role, Org: w.org, Name: "Deployer", Rights: []tenants.Right{"Organization: View", "Task: View"}}
			got, err := r.RoleByName(w.org, "Deployer")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
			_, err = r.RoleByName(w.org, "deployer")
			wantProblem(t, err, problem.NotFound)
			return nil
		})
		// What no database can store is not there.
		view(func(r tenants.Reader) error {
			for _, name := range []string{"nobody", "\x00", "\xff\xfe", "jane\x00"} {
				_, err := r.UserByName(w.org, name, now)
				wantProblem(t, err, problem.NotFound)
				_, err = r.OrganizationByName(name)
				wantProblem(t, err, problem.NotFound)
				_, err = r.RoleByName(w.org, name)
				wantProblem(t, err, problem.NotFound)
			}
			return nil
		})
	})
}

func TestOrganizationsListsSystemFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		inTenants(t, db, func(tx tenants.Tx) error {
			var errs []error
			for _, name := range []string{"beta", "Alpha", "_x"} {
				errs = append(errs, tx.CreateOrganization(tenants.Organization{ID: newID[tenants.OrgID](), Name: name}))
			}
			errs = append(errs, tx.CreateOrganization(tenants.Organization{ID: tenants.SystemOrgID, Name: tenants.SystemOrgName}))
			return errors.Join(errs...)
		})
		ok(t, db.Tenants().View(t.Context(), func(r tenants.Reader) error {
			all, err := r.Organizations()
			var names []string
			for _, o := range all {
				names = append(names, o.Name)
			}
			if want := []string{"System", "_x", "Alpha", "beta"}; !reflect.DeepEqual(names, want) {
				t.Errorf("got %v, want %v", names, want)
			}
			return err
		}))
	})
}

// Two replacements at once: the role ends with the rights of one of them.
func TestSoakSetRoleRights_R7_ReplacesUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newOrg(t, db, "Own")
		sets := [][]tenants.Right{{"a", "b", "b"}, {"c", "d"}, {"e", "f"}}
		for range rounds(10) {
			parallel(t, len(sets), func(i int) (bool, error) {
				return true, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
					return tx.SetRoleRights(w.org, w.role, sets[i])
				})
			})
			ok(t, db.Tenants().View(t.Context(), func(r tenants.Reader) error {
				role, err := r.Role(w.org, w.role)
				if got := role.Rights; !slices.Equal(got, sets[0][:2]) && !slices.Equal(got, sets[1]) && !slices.Equal(got, sets[2]) {
					t.Errorf("the role has the rights %v, which nobody gave it", got)
				}
				return err
			}))
		}
		inTenants(t, db, func(tx tenants.Tx) error { return tx.SetRoleRights(w.org, w.role, nil) })
		ok(t, db.Tenants().View(t.Context(), func(r tenants.Reader) error {
			role, err := r.Role(w.org, w.role)
			if len(role.Rights) != 0 {
				t.Errorf("the role has the rights %v, want none", role.Rights)
			}
			return err
		}))
	})
}

func TestFederationStore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		self := federation.Self{ID: newID[tenants.SiteID](), Name: "west", Root: []byte{0, 1}, CreatedAt: now}
		site := federation.SiteAssociation{
			Site: newID[tenants.SiteID](), Name: "east", RestEndpoint: "https://east/api", BaseUIEndpoint: "https://east",
			RestEndpointCertificate: "PEM", PublicKey: "KEY", Status: federation.Asymmetric, CreatedAt: now,
		}
		org := federation.OrgAssociation{
			Local: w.org, Remote: w.remote.Org, RemoteName: "Remote", Site: site.Site, PublicKey: "KEY2",
			Status: federation.StatusActive, MapUsers: true, CreatedAt: now,
		}
		ok(t, db.Federation().View(t.Context(), func(r federation.Reader) error {
			_, err := r.Self()
			wantProblem(t, err, problem.NotFound)
			_, err = r.SiteAssociation(site.Site)
			wantProblem(t, err, problem.NotFound)
			_, err = r.OrgKey(newID[tenants.OrgID]())
			wantProblem(t, err, problem.NotFound)
			return nil
		}))
		inFederation(t, db, func(tx federation.Tx) error {
			return errors.Join(tx.CreateSelf(self), tx.PutSiteAssociation(site), tx.PutOrgAssociation(org))
		})
		for _, again := range []func(federation.Tx) error{
			func(tx federation.Tx) error { return tx.CreateSelf(federation.Self{ID: "another", Root: []byte{2}}) },
			func(tx federation.Tx) error { return tx.CreateOrgKey(w.org, []byte("another")) },
		} {
			wantProblem(t, db.Federation().InTx(t.Context(), again), problem.Conflict)
		}
		site.Status, site.Name = federation.StatusActive, "east 2"
		inFederation(t, db, func(tx federation.Tx) error { return tx.PutSiteAssociation(site) })
		ok(t, db.Federation().View(t.Context(), func(r federation.Reader) error {
			if got, err := r.Self(); err != nil || !reflect.DeepEqual(got, self) {
				t.Errorf("Self: %+v, %v", got, err)
			}
			if got, err := r.SiteAssociations(); err != nil || !reflect.DeepEqual(got, []federation.SiteAssociation{site}) {
				t.Errorf("SiteAssociations: %+v, %v", got, err)
			}
			if got, err := r.OrgAssociation(w.org, tenants.LocationID{Org: w.remote.Org, Site: site.Site}); err != nil || got != org {
				t.Errorf("OrgAssociation: %+v, %v", got, err)
			}
			if got, err := r.OrgKey(w.org); err != nil || string(got) != "sealed" {
				t.Errorf("OrgKey: %q, %v", got, err)
			}
			return nil
		}))
	})
}
