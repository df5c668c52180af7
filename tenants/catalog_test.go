package tenants_test

import (
	"os"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"causeway/tenants"
)

// category is what clients find by the identifier that a right names.
func category(id string) (tenants.Category, bool) {
	for _, c := range tenants.Categories() {
		if c.ID == id {
			return c, true
		}
	}
	return tenants.Category{}, false
}

// withImplied is s with what its rights list as implied.
func withImplied(s tenants.RightSet) tenants.RightSet {
	for _, r := range s.List() {
		info, _ := tenants.LookUpRight(r)
		s = s.Union(tenants.SetOf(info.Implies...))
	}
	return s
}

// Clients that add one level of implied rights must be done, and what tenants
// can have must never lead to what they cannot.
func TestCatalog_ImpliedRights(t *testing.T) {
	t.Parallel()
	for _, r := range tenants.Catalog() {
		direct := tenants.SetOf(append([]tenants.Right{r.Name}, r.Implies...)...)
		if direct.Len() != len(r.Implies)+1 {
			t.Errorf("%q implies itself, a right twice, or one that does not exist: %q", r.Name, r.Implies)
		}
		if all := withImplied(direct); all != direct {
			t.Errorf("%q implies %q too, and does not say so", r.Name, all.Minus(direct).List())
		}
		if beyond := direct.Minus(tenants.TenantRights()); !r.Provider && !beyond.Empty() {
			t.Errorf("%q is a tenant's and implies the provider's %q", r.Name, beyond.List())
		}
		if beyond := direct.Minus(tenants.MachineRights()); r.ForMachines() && !beyond.Empty() {
			t.Errorf("%q is a machine's and implies %q, which no machine has", r.Name, beyond.List())
		}
		if r.Kind == "VIEW" && slices.ContainsFunc(r.Implies, func(i tenants.Right) bool { return kindOf(i) == "MODIFY" }) {
			t.Errorf("who may see by %q may change by %q", r.Name, r.Implies)
		}
	}
}

func kindOf(name tenants.Right) string {
	info, _ := tenants.LookUpRight(name)
	return info.Kind
}

func TestCatalog_KnownImplications(t *testing.T) {
	t.Parallel()
	const media, edit, catalogs = "vApp Template / Media: View", "vApp Template / Media: Edit", viewCatalogs
	for name, tt := range map[string]struct{ of, want []tenants.Right }{
		"a client adds three, and has five": {
			[]tenants.Right{"Catalog: Add vApp from My Cloud", "Catalog: Edit Properties"}, []tenants.Right{media, edit, catalogs},
		},
		"accounts":            {[]tenants.Right{tenants.RightAccountsManage}, []tenants.Right{tenants.RightAccountsView}},
		"the limited view":    {[]tenants.Right{tenants.RightAccountsLimitedView}, nil},
		"users":               {[]tenants.Right{tenants.RightUserManage}, []tenants.Right{tenants.RightUserView}},
		"global roles":        {[]tenants.Right{tenants.RightGlobalRoleEdit}, []tenants.Right{tenants.RightGlobalRoleView}},
		"bundles":             {[]tenants.Right{tenants.RightBundleEdit}, []tenants.Right{tenants.RightBundleView}},
		"roles, as VCD's are": {[]tenants.Right{tenants.RightRoleManage}, nil},
	} {
		of := tenants.SetOf(tt.of...)
		if got := withImplied(of).Minus(of); got != tenants.SetOf(tt.want...) {
			t.Errorf("%s: %q imply %q, want %q", name, tt.of, got.List(), tt.want)
		}
	}
}

// TestLimitedView_VCD2: nothing else brings the limited view, and it brings
// nothing else.
func TestLimitedView_VCD2(t *testing.T) {
	t.Parallel()
	for _, r := range tenants.Catalog() {
		if slices.Contains(r.Implies, tenants.RightAccountsLimitedView) {
			t.Errorf("%q implies the limited view", r.Name)
		}
	}
	if info, ok := tenants.LookUpRight(tenants.RightAccountsLimitedView); !ok || len(info.Implies) != 0 || info.Provider || info.Kind != "VIEW" {
		t.Errorf("the limited view is %+v", info)
	}
}

// Terraform's provider refuses a role that lacks a right which one of its rights
// implies: configurations that VCD accepts must be complete here, too.
func TestCatalog_AcceptsRolesWrittenForVCD(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vcd-roles.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var roles []struct {
		Name   string          `yaml:"name"`
		Tenant bool            `yaml:"tenant"`
		Rights []tenants.Right `yaml:"rights"`
	}
	if err := yaml.UnmarshalWithOptions(text, &roles, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	for _, role := range roles {
		t.Run(role.Name, func(t *testing.T) {
			for _, right := range role.Rights {
				if _, ok := tenants.LookUpRight(right); !ok {
					t.Errorf("%q is not in the catalog", right)
				}
			}
			s := tenants.SetOf(role.Rights...)
			if lacks := withImplied(s).Minus(s); !lacks.Empty() {
				t.Errorf("it lacks %q", lacks.List())
			}
			if beyond := s.Minus(tenants.TenantRights()); role.Tenant && !beyond.Empty() {
				t.Errorf("%q cannot be published to tenants", beyond.List())
			}
		})
	}
}

// Clients keep identifiers in their state, across upgrades and sites.
func TestCatalog_Identifiers(t *testing.T) {
	t.Parallel()
	seen := map[string]tenants.Right{}
	for _, r := range tenants.Catalog() {
		if id, err := tenants.ParseUUID(r.ID()); err != nil || id != r.ID() || seen[id] != "" {
			t.Errorf("%q is %q, %v; %q is that already", r.Name, r.ID(), err, seen[r.ID()])
		}
		seen[r.ID()] = r.Name
		if found, ok := tenants.LookUpRightID(r.ID()); !ok || found.Name != r.Name || found.Index != r.Index {
			t.Errorf("%q is found by its identifier as %+v, %v", r.Name, found, ok)
		}
	}
	for _, id := range []string{"", "urn:vcloud:right:" + tenants.Catalog()[0].ID(), tenants.Categories()[0].ID} {
		if found, ok := tenants.LookUpRightID(id); ok || found.Name != "" {
			t.Errorf("%q is found as %+v", id, found)
		}
	}
	view, _ := tenants.LookUpRight(tenants.RightOrganizationView)
	if got := view.ID(); got != "c7384951-03b7-582b-a874-f529db8ef866" {
		t.Errorf("the identifier of %q is now %s", view.Name, got)
	}
	if got := view.CategoryID(); got != "99570e28-d885-5116-8821-544ca6d40259" {
		t.Errorf("the identifier of the category %q is now %s", view.Category, got)
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range tenants.Categories() {
		if found, ok := category(c.ID); !ok || found != c || seen[c.ID] || c.Name == "" {
			t.Errorf("%+v is found as %+v, %v", c, found, ok)
		}
		seen[c.ID] = true
	}
	for _, r := range tenants.Catalog() {
		if c, ok := category(r.CategoryID()); !ok || c.Name != r.Category {
			t.Errorf("the category of %q is %+v, %v", r.Name, c, ok)
		}
	}
}
