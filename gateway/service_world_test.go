package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

// echo is a kind of service: what it lets whom do is enough to tell the cases apart.
const echoDefinition = `{
	"name": "Echo", "description": "Says what it got.", "prefix": "echo",
	"permissions": [{"name": "echo:read", "displayName": "Read"}, {"name": "echo:write", "displayName": "Write"}],
	"roles": [
		{"name": "echo:read", "displayName": "Read", "permissions": ["echo:read"]},
		{"name": "echo:write", "displayName": "Write", "permissions": ["echo:write"]},
		{"name": "echo:admin", "displayName": "Admin", "all": true},
		{"name": "echo:viewer", "displayName": "Viewer"}
	],
	"routes": [
		{"methods": ["GET"], "path": "/inventory", "permission": "echo:read", "people": true},
		{"methods": ["GET"], "path": "/private/*", "permission": "echo:read"},
		{"methods": ["WEBSOCKET"], "path": "/socket", "permission": "echo:read"},
		{"methods": ["GET"], "path": "/events", "permission": "echo:read"},
		{"methods": ["POST", "PUT", "PATCH", "DELETE"], "path": "/private/*", "permission": "echo:write"}
	]
}`

// echo is an instance of acme at west, reached by a prefix and by a host, and an app
// that has roles in it.
type echo struct {
	c          *sitetest.Client
	t          testing.TB
	provider   string // access tokens
	admin      string
	org        string // acme's id, bare
	definition string
	instance   string // id, bare
	id, secret string // of the app
	token      string
}

const (
	echoHost   = "echo.example"
	echoPrefix = "/echo"
)

// openEcho is openEchoAt for an instance in this process.
func openEcho(t testing.TB, c *sitetest.Client, serve http.HandlerFunc, roles ...string) *echo {
	t.Helper()
	behind := httptest.NewServer(serve)
	t.Cleanup(behind.Close)
	return openEchoAt(t, c, behind.URL, roles...)
}

// openEchoAt makes it all by the API.
func openEchoAt(t testing.TB, c *sitetest.Client, behind string, roles ...string) *echo {
	t.Helper()
	e := &echo{c: c, t: t, provider: c.Login(t, "west", sitetest.System), admin: c.Login(t, "west", "acme")}
	acme := c.Site("west").Org("acme").ID
	e.org = bare(acme)
	header := sitetest.Bearer(e.provider, "Content-Type", "application/json")
	made := c.Do(t, http.MethodPost, c.Site("west").API+"/cloudapi/causeway/1.0.0/serviceDefinitions", header, strings.NewReader(echoDefinition))
	e.definition = made.Want(t, http.StatusCreated).String(t, "id")
	e.instance = bare(c.Post(t, "west", "/cloudapi/causeway/1.0.0/serviceInstances", sitetest.Bearer(e.provider), map[string]any{
		"orgId": acme, "serviceDefinitionId": e.definition, "name": "echo", "mode": "onboarded",
		"prefix": echoPrefix, "hosts": []string{echoHost}, "enabled": true, "upstreams": []string{behind},
	}).Want(t, http.StatusCreated).String(t, "id"))
	e.id, e.secret = e.newApp(roles...)
	if len(roles) > 0 {
		e.token = e.exchange(e.id, e.secret)
	}
	return e
}

func (e *echo) newApp(roles ...string) (id, secret string) {
	e.t.Helper()
	app := e.c.Post(e.t, "west", e.csp()+"/oauth-apps", sitetest.Bearer(e.admin), map[string]any{
		"displayName": "shipper", "description": "ships", "grantTypes": []string{"client_credentials"},
		"allowedScopes": map[string]any{"servicesScopes": []any{map[string]any{"serviceDefinitionId": e.definition, "allRoles": true}}},
	}).Want(e.t, http.StatusOK)
	id, secret = app.String(e.t, "clientId"), app.String(e.t, "clientSecret")
	held := []map[string]any{}
	for _, r := range roles {
		held = append(held, map[string]any{"name": r})
	}
	e.c.Post(e.t, "west", e.csp()+"/clients", sitetest.Bearer(e.admin), map[string]any{
		"ids": []string{id}, "serviceRoles": []any{map[string]any{"serviceDefinitionId": e.definition, "serviceRoles": held}},
	}).Want(e.t, http.StatusOK)
	return id, secret
}

func (e *echo) exchange(id, secret string) string {
	e.t.Helper()
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	r := http.Request{Header: h}
	r.SetBasicAuth(id, secret)
	form := url.Values{"grant_type": {"client_credentials"}}
	return e.c.Do(e.t, http.MethodPost, e.c.Site("west").API+"/csp/gateway/am/api/auth/authorize", h, strings.NewReader(form.Encode())).
		Want(e.t, http.StatusOK).String(e.t, "access_token")
}

func (e *echo) csp() string { return "/csp/gateway/am/api/orgs/" + e.org }
