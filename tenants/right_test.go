package tenants_test

import (
	"slices"
	"strings"
	"testing"

	"causeway/tenants"
)

// asked is every right that routes of this gateway ask for.
var asked = []tenants.Right{
	tenants.RightAdministratorView, tenants.RightAdministratorControl, tenants.RightOrganizationView, tenants.RightOrganizationEdit,
	tenants.RightOrganizationCreate, tenants.RightOrgAssociationsView, tenants.RightOrgAssociationsManage, tenants.RightUserView,
	tenants.RightUserManage, tenants.RightRoleView, tenants.RightRoleManage, tenants.RightRightView, tenants.RightGlobalRoleView,
	tenants.RightGlobalRoleEdit, tenants.RightBundleView, tenants.RightBundleEdit, tenants.RightAccountsView,
	tenants.RightAccountsLimitedView, tenants.RightAccountsManage, tenants.RightTokenManage, tenants.RightTokenManageAll,
	tenants.RightSessionView, tenants.RightSessionManage, tenants.RightQuotaView, tenants.RightQuotaManage, tenants.RightAuditView,
	tenants.RightTaskView, tenants.RightTaskControl, tenants.RightSiteView, tenants.RightSiteManage,
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	all := tenants.Catalog()
	if len(all) < 150 || len(all) > len(tenants.RightSet{})*64 {
		t.Fatalf("the catalog holds %d rights, more or fewer than a set can", len(all))
	}
	seen := map[tenants.Right]bool{}
	for _, r := range all {
		if r.Name == "" || r.Category == "" || strings.TrimSpace(string(r.Name)) != string(r.Name) {
			t.Errorf("%+v has no name or no category", r)
		}
		if r.Description == "" || !strings.HasSuffix(r.Description, ".") {
			t.Errorf("%q is described as %q", r.Name, r.Description)
		}
		if r.Kind != "VIEW" && r.Kind != "MODIFY" {
			t.Errorf("%q is of kind %q", r.Name, r.Kind)
		}
		if seen[r.Name] {
			t.Errorf("%q is there twice", r.Name)
		}
		seen[r.Name] = true
		if found, ok := tenants.LookUpRight(r.Name); !ok || found.Name != r.Name || found.Kind != r.Kind {
			t.Errorf("%q is found as %+v, %v", r.Name, found, ok)
		}
	}
	for _, right := range asked {
		if !seen[right] {
			t.Errorf("routes ask for %q, which nobody can have", right)
		}
	}
	if _, ok := tenants.LookUpRight("Anything: At All"); ok {
		t.Error("an unknown right was found")
	}
}

// neverForMachines are the limits of third-party principals, by requirement.
var neverForMachines = map[string][]tenants.Right{
	"VCD-31 user management":           {"Group / User: Manage", "General: Administrator Control"},
	"VCD-32 creating API tokens":       {"API Tokens: Manage", "API Tokens: Manage All"},
	"VCD-33 managing service accounts": {"Service Accounts: Manage"},
	"VCD-34 view only":                 {"Group / User: Manage", "Role: Create, Edit, Delete, or Copy", "Global Role: Edit", "Rights Bundle: Edit"},
	"VCD-35 Token Manage":              {"API Tokens: Manage", "Token: Manage"},
	"VCD-36 Token Manage All":          {"API Tokens: Manage All", "Token: Manage All"},
	"R7 rights themselves":             {"Right: Manage", "Service Authorization: Manage"},
	"R7 organizations":                 {"Organization: Create or Delete", "Organization: Edit Properties", "Organization: Edit OAuth Settings"},
	"R7 associations":                  {"Organization Associations: Manage", "Organization: Edit Association Settings", "Site: Manage", "Multisite: System Operations"},
	"R7 quotas":                        {"Quota Policy: Manage", "Organization: Edit Quotas Policy"},
	"R7 sessions":                      {"Session: Manage"},
}

// TestMachines_VCD30_R7: whatever a machine's role says, in whatever
// organization.
func TestMachines_VCD30_R7(t *testing.T) {
	t.Parallel()
	everything := make([]tenants.Right, 0, len(tenants.Catalog()))
	for _, r := range tenants.Catalog() {
		everything = append(everything, r.Name)
	}
	for _, org := range []tenants.Organization{system(), tenant()} {
		t.Run(org.Name, func(t *testing.T) {
			for name, never := range neverForMachines {
				t.Run(name, func(t *testing.T) {
					for _, right := range never {
						info, ok := tenants.LookUpRight(right)
						if !ok {
							t.Fatalf("%q is not in the catalog, so its absence proves nothing", right)
						}
						alone := tenants.Role{ID: "alone", Name: "alone", Rights: []tenants.Right{right}}
						all := tenants.Role{ID: "all", Name: "all", Rights: everything}
						s := tenants.Compile(org, []tenants.Role{alone, all}, everything)
						for _, role := range []tenants.RoleID{"alone", "all"} {
							for _, kind := range []tenants.PrincipalKind{tenants.KindServiceAccount, "apiToken", ""} {
								if s.Allows(role, kind, right) {
									t.Errorf("a principal of kind %q has %q by role %s", kind, right, role)
								}
							}
							if slices.Contains(s.MachineRights(role), right) {
								t.Errorf("%q is shown as a machine's by role %s", right, role)
							}
							if published := org.System() || !info.Provider; s.Allows(role, tenants.KindUser, right) != published {
								t.Errorf("a person has %q by role %s: %v, want %v", right, role, !published, published)
							}
						}
					}
				})
			}
		})
	}
}

// What the five resources show, a machine may see.
func TestMachines_VCD34_MayView(t *testing.T) {
	t.Parallel()
	views := []tenants.Right{"Group / User: View", "Role: View", "Global Role: View", "Rights Bundle: View", "Service Accounts: View"}
	s := tenants.Compile(system(), []tenants.Role{{ID: "r", Rights: views}}, nil)
	for _, right := range views {
		if !s.Allows("r", tenants.KindServiceAccount, right) {
			t.Errorf("a machine may not %q", right)
		}
	}
}

// A right added later to one of these categories must not slip past the list
// above.
func TestMachines_VCD34_NeverModifyThese(t *testing.T) {
	t.Parallel()
	guarded := []string{"Group / User", "Role", "Service Accounts", "API Tokens", "Administrator", "Sites", "Organization", "Quota Policy", "Sessions"}
	checked := 0
	for _, r := range tenants.Catalog() {
		if r.Kind == "MODIFY" && slices.Contains(guarded, r.Category) {
			checked++
			if r.ForMachines() {
				t.Errorf("a machine could have %q", r.Name)
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d rights were checked: are the categories called otherwise now?", checked)
	}
}
