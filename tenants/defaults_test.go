package tenants_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/tenants"
)

// The counts are pinned: a right added to the catalog must not slip into a role
// by way of a pattern.
func TestDefaultGlobalRoles(t *testing.T) {
	t.Parallel()
	want := map[string]int{
		"Organization Administrator": tenants.TenantRights().Len(), "Catalog Author": 52, "vApp Author": 40,
		"vApp User": 27, "Console Access Only": 8, "Defer to Identity Provider": 0,
	}
	ids := map[tenants.PublicationID]bool{}
	for _, p := range tenants.DefaultGlobalRoles() {
		n, ok := want[p.Name]
		if !ok || n != len(p.Rights) {
			t.Errorf("%q has %d rights, want %d", p.Name, len(p.Rights), n)
		}
		delete(want, p.Name)
		wantPublished(t, p, tenants.GlobalRole)
		if ids[p.ID] {
			t.Errorf("the identifier of %q is another's", p.Name)
		}
		ids[p.ID] = true
	}
	if len(want) != 0 {
		t.Errorf("these are missing: %v", want)
	}
}

func TestDefaultRightsBundles(t *testing.T) {
	t.Parallel()
	bundles := tenants.DefaultRightsBundles()
	if len(bundles) != 1 || bundles[0].Name != "Default Rights Bundle" || tenants.SetOf(bundles[0].Rights...) != tenants.TenantRights() {
		t.Fatalf("the default bundles are %+v", bundles)
	}
	wantPublished(t, bundles[0], tenants.RightsBundle)
}

func wantPublished(t *testing.T, p tenants.Publication, kind tenants.PublicationKind) {
	t.Helper()
	if p.Kind != kind || !p.PublishAll || p.ReadOnly || p.Description == "" || p.BundleKey == "" {
		t.Errorf("%+v is not published to all as a %s", p, kind)
	}
	if id, err := tenants.ParseUUID(string(p.ID)); err != nil || id != string(p.ID) {
		t.Errorf("the identifier of %q is %q: %v", p.Name, p.ID, err)
	}
	s := tenants.SetOf(p.Rights...)
	if s.Len() != len(p.Rights) {
		t.Errorf("%q has unknown rights, or some twice", p.Name)
	}
	if beyond := s.Minus(tenants.TenantRights()); !beyond.Empty() {
		t.Errorf("%q has the provider's %q", p.Name, beyond.List())
	}
	if lacks := withImplied(s).Minus(s); !lacks.Empty() {
		t.Errorf("%q lacks %q, which its rights imply", p.Name, lacks.List())
	}
}

// A right that is misspelt, or that only the provider has, would be left out in
// silence.
func TestDefaults_EveryLineNamesARight(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("defaults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^      - "(.+)"$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) < 100 {
		t.Fatalf("%d lines were found: is the file laid out otherwise now?", len(lines))
	}
	for _, line := range lines {
		if !slices.ContainsFunc(tenants.TenantRights().List(), func(r tenants.Right) bool { return covers(line[1], string(r)) }) {
			t.Errorf("%q is no right of tenants", line[1])
		}
	}
}

// covers is path.Match where a slash is a character like any other.
func covers(pattern, name string) bool {
	slashless := func(s string) string { return strings.ReplaceAll(s, "/", "|") }
	ok, err := path.Match(slashless(pattern), slashless(name))
	return ok && err == nil
}

// Each role holds all of the next, down to the one that can only look.
func TestDefaultGlobalRoles_EachHoldsTheNext(t *testing.T) {
	t.Parallel()
	byName := map[string]tenants.RightSet{}
	for _, p := range tenants.DefaultGlobalRoles() {
		byName[p.Name] = tenants.SetOf(p.Rights...)
	}
	order := []string{"Organization Administrator", "Catalog Author", "vApp Author", "vApp User", "Console Access Only", "Defer to Identity Provider"}
	for i, name := range order[1:] {
		if beyond := byName[name].Minus(byName[order[i]]); !beyond.Empty() {
			t.Errorf("%s has %q and %s has not", name, beyond.List(), order[i])
		}
	}
	never := tenants.SetOf(tenants.RightUserManage, tenants.RightRoleManage, tenants.RightAccountsManage, tenants.RightTokenManageAll,
		tenants.RightOrganizationEdit, tenants.RightOrgAssociationsManage, tenants.RightQuotaManage, tenants.RightSessionManage, tenants.RightAdministratorControl)
	for _, name := range order[1:] {
		if has := byName[name].Intersect(never); !has.Empty() {
			t.Errorf("%s has the administrator's %q", name, has.List())
		}
	}
}
