package sitetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Operations is the definition of Operations for Applications, the same at every site.
const Operations = "7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90"

// CSP is where clients of VMware Cloud services find what they ask for.
const CSP = "/csp/gateway/am/api"

// Manager manages the server-to-server apps of an organization, with the token of
// its administrator or another.
type Manager struct {
	*Client
	Site, Org string // names
	ID        string // of the organization, bare
	Token     string
}

// Manager logs in the administrator of an organization.
func (c *Client) Manager(t testing.TB, site, org string) *Manager {
	t.Helper()
	id := c.Site(site).Org(org).ID
	return &Manager{c, site, org, id[strings.LastIndexByte(id, ':')+1:], c.Login(t, site, org)}
}

// Ask calls a path below the organization.
func (m *Manager) Ask(t testing.TB, method, path string, body any) Answer {
	t.Helper()
	return m.As(t, m.Token, method, path, body)
}

// As is Ask by somebody else.
func (m *Manager) As(t testing.TB, token, method, path string, body any) Answer {
	t.Helper()
	return m.send(t, method, m.Site, CSP+"/orgs/"+m.ID+path, Bearer(token), body)
}

// Custom calls a path below the organization's custom roles.
func (m *Manager) Custom(t testing.TB, method, path string, body any) Answer {
	t.Helper()
	return m.send(t, method, m.Site, "/csp/gateway/iam-roles-mgmt/api/orgs/"+m.ID+"/custom-roles"+path, Bearer(m.Token), body)
}

// NewCustomRole makes a custom role of permissions of Operations for Applications.
func (m *Manager) NewCustomRole(t testing.TB, name string, permissions ...string) {
	t.Helper()
	for i, p := range permissions {
		permissions[i] = "external/" + Operations + "/" + p
	}
	m.Custom(t, http.MethodPost, "", map[string]any{"name": name, "displayName": name, "permissions": permissions}).Want(t, http.StatusCreated)
}

// App is a server-to-server app and its secret.
type App struct{ ID, Secret string }

// AppRequest is what makes an app that may be given every role. pairs are members
// beside, or instead.
func AppRequest(pairs ...any) map[string]any {
	q := map[string]any{
		"displayName": "shipper", "description": "ships", "grantTypes": []string{"client_credentials"},
		"allowedScopes": map[string]any{
			"organizationScopes": map[string]any{"allRoles": true},
			"servicesScopes":     []any{map[string]any{"serviceDefinitionId": Operations, "allRoles": true}},
		},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q[pairs[i].(string)] = pairs[i+1]
	}
	return q
}

// NewApp makes an app, which nobody has added yet.
func (m *Manager) NewApp(t testing.TB, pairs ...any) App {
	t.Helper()
	a := m.Ask(t, http.MethodPost, "/oauth-apps", AppRequest(pairs...)).Want(t, http.StatusOK)
	return App{a.String(t, "clientId"), a.String(t, "clientSecret")}
}

// Addition is what adds an app with roles: aoa:metrics, aoa:metrics@instance,
// organization roles, and custom roles as custom:name.
func Addition(client string, roles ...string) map[string]any {
	org, custom, service := split(roles)
	return map[string]any{
		"ids": []string{client}, "organizationRoles": org, "customRoles": custom,
		"serviceRoles": []any{map[string]any{"serviceDefinitionId": Operations, "serviceRoles": service}},
	}
}

// Change is what changes roles, written as in [Addition]. how is rolesToAdd,
// rolesToRemove or rolesToUpdate.
func Change(how string, roles ...string) map[string]any {
	org, custom, service := split(roles)
	return map[string]any{
		"organizationRoles": map[string]any{how: org}, "customRoles": map[string]any{how: custom},
		"serviceRoles": []any{map[string]any{"serviceDefinitionId": Operations, how: service}},
	}
}

func split(roles []string) (org, custom, service []map[string]any) {
	org, custom, service = []map[string]any{}, []map[string]any{}, []map[string]any{}
	for _, r := range roles {
		name, instance, bound := strings.Cut(r, "@")
		switch prefix, rest, _ := strings.Cut(r, ":"); {
		case prefix == "custom":
			custom = append(custom, map[string]any{"name": rest})
		case prefix != "aoa":
			org = append(org, map[string]any{"name": r})
		case bound:
			service = append(service, map[string]any{"name": name, "resource": instance})
		default:
			service = append(service, map[string]any{"name": name})
		}
	}
	return org, custom, service
}

// Add adds an app to the organization.
func (m *Manager) Add(t testing.TB, client string, roles ...string) {
	t.Helper()
	m.Ask(t, http.MethodPost, "/clients", Addition(client, roles...)).Want(t, http.StatusOK)
}

// Remove takes an app out of the organization.
func (m *Manager) Remove(t testing.TB, client string) {
	t.Helper()
	a := m.Ask(t, http.MethodDelete, "/clients", map[string]any{"ids": []string{client}}).Want(t, http.StatusOK)
	if !strings.Contains(string(a.Body), `"failed":[]`) {
		t.Fatalf("%s stays: %s", client, a.Body)
	}
}

// ChangeRoles changes what an app holds in the organization.
func (m *Manager) ChangeRoles(t testing.TB, client, how string, roles ...string) {
	t.Helper()
	m.Ask(t, http.MethodPatch, "/clients/"+client+"/roles", Change(how, roles...)).Want(t, http.StatusOK)
}

// AppWith is an app of the organization that was added to it, and its token there.
func (m *Manager) AppWith(t testing.TB, roles ...string) (App, string) {
	t.Helper()
	app := m.NewApp(t)
	m.Add(t, app.ID, roles...)
	return app, m.TokenOf(t, app)
}

// TokenOf exchanges an app's credentials for a token for the organization.
func (m *Manager) TokenOf(t testing.TB, app App) string {
	t.Helper()
	return m.Exchange(t, m.Site, app, "orgId", m.ID).Want(t, http.StatusOK).String(t, "access_token")
}

// Basic is the header that carries an app's credentials, raw.
func Basic(app App) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(app.ID, app.Secret)
	return r.Header
}

// Exchange asks for a token for an app. pairs go into the form.
func (c *Client) Exchange(t testing.TB, site string, app App, pairs ...string) Answer {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	h := Basic(app)
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.Do(t, http.MethodPost, c.Site(site).API+CSP+"/auth/authorize", h, strings.NewReader(form.Encode()))
}

// Claims are what an access token says, whoever signed it.
func Claims(t testing.TB, token string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal(segment(t, token, 1), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// WantCSPError wants a refusal that every client of the platform's can read.
func WantCSPError(t testing.TB, a Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Errorf("status %d, want %d\n%s", a.Status, status, a.Body)
		return
	}
	body := a.JSON(t)
	message, _ := body["message"].(string)
	_, isText := body["error"].(string)
	if message == "" || !isText || body["statusCode"] != float64(status) || body["moduleCode"] != float64(540) {
		t.Errorf("no error of the platform's: %s", a.Body)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a refusal may be cached: %q", got)
	}
}
