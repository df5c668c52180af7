package appshttp

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/services"
)

const aoa = "7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90"

func bodyOf(text string) *http.Request {
	return httptest.NewRequest(http.MethodPost, "/csp", strings.NewReader(text))
}

func TestParseAddition_CSP_13(t *testing.T) {
	ids, got, err := parseAddition(bodyOf(`{"ids":["app-1"],
		"organizationRoles":[{"name":"org_member","resource":null,"expiresAt":1795348800}],"organizationRoleNames":["org_member","developer"],
		"serviceRoles":[{"serviceDefinitionId":"7C3AD6F2-52a5-4d4e-9a43-1c6e3b0f5a90","serviceRoles":[{"name":"aoa:proxies","resource":"one"},{"name":"aoa:viewer","resource":"*"}],
			"serviceRoleNames":["aoa:proxies","aoa:alerts"],"other":1}],
		"customRoles":[{"name":"Charts"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []services.Grant{
		{Kind: services.GrantOrganization, Role: "org_member", ExpiresAt: time.Unix(1795348800, 0).UTC()},
		{Kind: services.GrantOrganization, Role: "developer"},
		{Kind: services.GrantCustom, Role: "Charts"},
		{Kind: services.GrantService, Definition: aoa, Role: "aoa:proxies", Resource: "one"},
		{Kind: services.GrantService, Definition: aoa, Role: "aoa:viewer"},
		{Kind: services.GrantService, Definition: aoa, Role: "aoa:alerts"},
	}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(ids, []string{"app-1"}) {
		t.Errorf("read %v of %v\nwant %v", got, ids, want)
	}
}

func TestParseChanges_CSP_37(t *testing.T) {
	got, err := parseChanges(bodyOf(`{"organizationRoles":{"rolesToAdd":[{"name":"org_member"}],"rolesToRemove":["developer"]},
		"serviceRoles":[{"serviceDefinitionId":"` + aoa + `","rolesToUpdate":[{"name":"aoa:alerts","expiresAt":0}]}],
		"customRoles":{"rolesToAdd":null}}`))
	want := apps.RoleChange{
		Add:    []services.Grant{{Kind: services.GrantOrganization, Role: "org_member"}},
		Remove: []services.Grant{{Kind: services.GrantOrganization, Role: "developer"}},
		Update: []services.Grant{{Kind: services.GrantService, Definition: aoa, Role: "aoa:alerts"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
}

func TestParseRolesRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"milliseconds":           `{"organizationRoles":{"rolesToAdd":[{"name":"org_member","expiresAt":1795348800000}]}}`,
		"before 1970":            `{"organizationRoles":{"rolesToAdd":[{"name":"org_member","expiresAt":-1}]}}`,
		"a time as text":         `{"organizationRoles":{"rolesToAdd":[{"name":"org_member","expiresAt":"tomorrow"}]}}`,
		"no definition":          `{"serviceRoles":[{"rolesToAdd":["aoa:viewer"]}]}`,
		"a definition's name":    `{"serviceRoles":[{"serviceDefinitionId":"aoa","rolesToAdd":["aoa:viewer"]}]}`,
		"a list for a role":      `{"organizationRoles":{"rolesToAdd":[["org_member"]]}}`,
		"a number for a role":    `{"organizationRoles":{"rolesToAdd":[1]}}`,
		"a list":                 `[]`,
		"text":                   `org_member`,
		"a list for the changes": `{"organizationRoles":["org_member"]}`,
	} {
		if _, err := parseChanges(bodyOf(text)); !problem.Has(err, problem.BadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRoles(f *testing.F) {
	for _, s := range []string{
		`{"ids":["a"],"organizationRoles":[{"name":"org_member","expiresAt":9}],"serviceRoles":[{"serviceDefinitionId":"` + aoa + `","serviceRoleNames":["x"]}]}`,
		`{"organizationRoles":{"rolesToAdd":["org_member"],"rolesToRemove":[{}]},"customRoles":{"rolesToUpdate":[{"name":"","resource":"*"}]}}`,
		`{"rolesSearchTerm":{"orgRoles":["org_member",{"name":"x"}]},"searchType":"and","pageStart":2,"pageLimit":"7"}`,
		`{"name":"ab","displayName":"x","permissions":["external/` + aoa + `/aoa:metrics"],"description":"d"}`,
		`{"permissionsToAdd":[""],"permissionsToRemove":null}`, `null`, `{}`, `[]`, `"`, `{"ids":{"a":1}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, added, err := parseAddition(bodyOf(text))
		judgeRead(t, added, err)
		change, err := parseChanges(bodyOf(text))
		judgeRead(t, append(change.Add, change.Update...), err)
		search, q, _, err := parseSearch(bodyOf(text))
		judgeRead(t, nil, err)
		if err == nil && (len(search.Roles) > maxTerms || q.Page < 1 || q.PageSize < 1 || q.PageSize > mostFound) {
			t.Errorf("a search of %d roles, page %d of %d", len(search.Roles), q.Page, q.PageSize)
		}
		_, err = parseCustomRole(bodyOf(text))
		judgeRead(t, nil, err)
		_, _, err = parsePermissionChange(bodyOf(text))
		judgeRead(t, nil, err)
	})
}

// judgeRead fails unless a body was refused as the client's fault, or read as
// something that can be written again.
func judgeRead(t *testing.T, list []services.Grant, err error) {
	t.Helper()
	if err != nil {
		if !problem.Has(err, problem.BadRequest) {
			t.Errorf("%v is no fault of the client's", err)
		}
		return
	}
	for _, g := range list {
		if g.Resource == everywhere || g.ExpiresAt.Year() > 9999 || (g.Kind == services.GrantService) != (g.Definition != "") {
			t.Errorf("read %+v", g)
		}
	}
	newHeldBody(list)
}
