package tenants_test

import (
	"reflect"
	"testing"

	"causeway/tenants"
)

const (
	viewCatalogs = tenants.Right("Catalog: View Private and Shared Catalogs")
	manageSites  = tenants.Right("Site: Manage")
	viewSites    = tenants.Right("Site: View")
)

// everything is what the default bundle publishes.
var everything = tenants.TenantRights().List()

func system() tenants.Organization {
	return tenants.Organization{ID: tenants.SystemOrgID, Name: tenants.SystemOrgName, Enabled: true}
}

func tenant() tenants.Organization {
	return tenants.Organization{ID: "5f6c1c3e-0000-4000-8000-000000000001", Name: "Acme", Enabled: true}
}

func TestCompile_R7(t *testing.T) {
	t.Parallel()
	role := tenants.Role{ID: "r", Name: "Role", Rights: []tenants.Right{viewCatalogs, viewSites, manageSites, "Unknown: Right"}}
	type verdict struct{ human, machine bool }
	for _, tt := range []struct {
		name string
		org  tenants.Organization
		role tenants.RoleID
		want map[tenants.Right]verdict
	}{
		{"a tenant has nothing of the provider's", tenant(), "r", map[tenants.Right]verdict{
			viewCatalogs: {true, true}, viewSites: {}, manageSites: {}, "Unknown: Right": {}, tenants.RightRoleView: {},
		}},
		{"the provider has", system(), "r", map[tenants.Right]verdict{
			viewCatalogs: {true, true}, viewSites: {true, true}, manageSites: {true, false}, "Unknown: Right": {}, tenants.RightRoleView: {},
		}},
		{"a role that the organization does not know", system(), "other", map[tenants.Right]verdict{viewCatalogs: {}, viewSites: {}}},
		{"no role", system(), "", map[tenants.Right]verdict{viewCatalogs: {}, viewSites: {}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tenants.Compile(tt.org, []tenants.Role{role}, everything)
			for right, want := range tt.want {
				got := verdict{s.Allows(tt.role, tenants.KindUser, right), s.Allows(tt.role, tenants.KindServiceAccount, right)}
				if got != want {
					t.Errorf("%q: %+v, want %+v", right, got, want)
				}
			}
		})
	}
}

// The roles of one compilation do not mix.
func TestCompile_RolesAreApart(t *testing.T) {
	t.Parallel()
	s := tenants.Compile(tenant(), []tenants.Role{
		{ID: "a", Name: "A", Rights: []tenants.Right{viewCatalogs}}, {ID: "b", Name: "B", Rights: []tenants.Right{tenants.RightRoleView}},
	}, everything)
	if s.Allows("a", tenants.KindUser, tenants.RightRoleView) || s.Allows("b", tenants.KindUser, viewCatalogs) {
		t.Error("a role has another's right")
	}
	if name, ok := s.RoleName("b"); name != "B" || !ok {
		t.Errorf("role b is called %q, %v", name, ok)
	}
	if name, ok := s.RoleName("c"); name != "" || ok {
		t.Errorf("a role that is not there is called %q", name)
	}
}

func TestMachineRights_InTheOrderOfTheCatalog(t *testing.T) {
	t.Parallel()
	s := tenants.Compile(tenant(), []tenants.Role{{ID: "r", Rights: []tenants.Right{
		viewCatalogs, tenants.RightAccountsManage, manageSites, tenants.RightRoleView, tenants.RightOrganizationView,
	}}}, everything)
	want := []tenants.Right{tenants.RightOrganizationView, tenants.RightRoleView, viewCatalogs}
	if got := s.MachineRights("r"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.MachineRights("none"); got != nil {
		t.Errorf("an unknown role gives %q", got)
	}
}
