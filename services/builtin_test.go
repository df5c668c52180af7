package services

import (
	"slices"
	"testing"
)

// operations is the definition of Operations for Applications.
func operations(t testing.TB) Definition {
	t.Helper()
	list, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(d Definition) bool { return d.Prefix == "aoa" })
	if i < 0 {
		t.Fatal("there is no such definition")
	}
	return list[i]
}

// Sites name a definition by its id, and organizations of several sites mean the same.
func TestBuiltIn_CSP_8_SixteenPermissionsAndTheirRoles(t *testing.T) {
	t.Parallel()
	d := operations(t)
	if d.ID != "7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90" || !d.BuiltIn || d.Version < 1 {
		t.Errorf("it is %s, version %d", d.ID, d.Version)
	}
	if len(d.Permissions) != 16 || len(d.Roles) != 18 {
		t.Errorf("%d permissions and %d roles", len(d.Permissions), len(d.Roles))
	}
	c := Compile(d)
	for _, p := range d.Permissions {
		if got := c.list(c.roles[string(p.Name)]); !slices.Equal(got, []Permission{p.Name}) {
			t.Errorf("the role %s has %v", p.Name, got)
		}
	}
	if got := c.roles["aoa:superAdmin"].size(); got != 16 {
		t.Errorf("Super Admin has %d permissions", got)
	}
	if got := c.roles["aoa:viewer"].size(); got != 0 {
		t.Errorf("Viewer has %d permissions", got)
	}
}
