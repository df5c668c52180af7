package openapihttp_test

import (
	"encoding/base64"
	"net/url"
	"strings"

	"causeway/internal/sitetest"
)

const definition = `{"name":"Walks","description":"","prefix":"walk","permissions":[{"name":"walk:go","displayName":"Go"}],
	"roles":[{"name":"walk:walker","displayName":"Walker","permissions":["walk:go"]}],"routes":[{"methods":["GET"],"path":"/walks","permission":"walk:go"}]}`

// servicesAndApps makes a service, an instance, an app and an account, and removes them.
func servicesAndApps(w, provider, admin *walker) {
	t := w.t
	definitions, instances := own+"/serviceDefinitions", own+"/serviceInstances"
	kind := provider.ask(201, "POST", definitions, definition, "Content-Type", "application/json").String(t, "id")
	provider.get(definitions)
	provider.get(definitions + "/" + kind)
	provider.ask(200, "PUT", definitions+"/"+kind, definition, "Content-Type", "application/json")
	org := w.c.Site("west").Org("acme").ID
	made := provider.ask(201, "POST", instances, map[string]any{
		"orgId": org, "serviceDefinitionId": sitetest.Operations, "name": "walks", "mode": "onboarded", "prefix": "/walks", "upstreams": []string{"http://127.0.0.1:1"},
	}).JSON(t)
	instance, _ := made["id"].(string)
	provider.get(instances)
	provider.get(instances + "/" + instance)
	delete(made, "hookSecret")
	provider.ask(200, "PUT", instances+"/"+instance, made)

	bare := org[strings.LastIndexByte(org, ':')+1:]
	at := csp + "/orgs/" + bare
	app := apps(w, admin, at)
	inside(admin, at+"/service-instances")
	customRoles(admin, "/csp/gateway/iam-roles-mgmt/api/orgs/"+bare+"/custom-roles")
	admin.ask(200, "DELETE", at+"/clients", map[string]any{"ids": []string{app}})
	admin.ask(204, "DELETE", at+"/oauth-apps/"+app, nil)
	provider.ask(204, "DELETE", instances+"/"+instance, nil)
	provider.ask(204, "DELETE", definitions+"/"+kind, nil)
}

// apps makes an app that is in the organization, and what there is to do with it.
func apps(w, admin *walker, at string) (id string) {
	t := w.t
	admin.get(at)
	made := admin.ask(200, "POST", at+"/oauth-apps", sitetest.AppRequest())
	id = made.String(t, "clientId")
	admin.get(at + "/oauth-apps")
	one := at + "/oauth-apps/" + id
	admin.get(one)
	admin.ask(200, "PATCH", one, sitetest.AppRequest("description", "walks"))
	admin.ask(200, "PUT", one+"/secret", map[string]any{})
	const secret = "chosen-secret-0123456789-abcdefghij"
	admin.ask(200, "POST", one+"/secret", map[string]string{"newClientSecret": secret})
	admin.ask(200, "DELETE", one+"/secret", nil)
	admin.ask(200, "POST", at+"/clients", sitetest.Addition(id, "org_member"))
	admin.get(at + "/clients")
	admin.get(at + "/clients/" + id + "/roles")
	admin.ask(200, "PATCH", at+"/clients/"+id+"/roles", sitetest.Change("rolesToAdd", "aoa:viewer"))
	me := admin.get(csp+"/loggedin/user").String(t, "userId")
	admin.get(at + "/users/" + me + "/roles")
	admin.ask(200, "PATCH", at+"/users/"+me+"/roles", map[string]any{})
	admin.ask(200, "POST", at+"/oauth-apps/search", map[string]any{"rolesSearchTerm": map[string]any{"orgRoles": []any{map[string]string{"name": "org_member"}}}})
	admin.get(at + "/roles/" + admin.first(at+"/roles", "name"))
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	var token string
	for _, path := range []string{"/auth/authorize", "/auth/token"} {
		token = w.ask(200, "POST", csp+path, url.Values{"grant_type": {"client_credentials"}}, "Authorization", login).String(t, "access_token")
	}
	w.get(csp + "/auth/token-public-key?format=pem")
	w.ask(200, "POST", csp+"/auth/introspect", url.Values{"token": {token}}, "Authorization", login)
	second := admin.ask(200, "POST", at+"/oauth-apps", sitetest.AppRequest()).String(t, "clientId")
	admin.ask(200, "DELETE", at+"/oauth-apps", map[string]any{"clientIdsToDelete": []string{second}})
	person(w, admin)
	return id
}

// person is what a user's API token is for below /csp.
func person(w, admin *walker) {
	t := w.t
	client := admin.ask(201, "POST", "/oauth/tenant/acme/register", map[string]string{"client_name": "stick"}).String(t, "client_id")
	user := admin.token
	token := w.ask(200, "POST", "/oauth/tenant/acme/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "client_id": {client}, "assertion": {user},
	}).String(t, "refresh_token")
	w.ask(200, "POST", csp+"/auth/api-tokens/details", map[string]string{"tokenValue": token})
	one := w.as(w.ask(200, "POST", csp+"/auth/api-tokens/authorize", url.Values{"api_token": {token}}).String(t, "access_token"))
	one.get(csp + "/userinfo")
	one.get(csp + "/loggedin/user")
	one.get(csp + "/loggedin/user/orgs")
	one.get(csp + "/v2/loggedin/user/orgs")
	own := csp + "/loggedin/user/orgs/" + one.get(csp+"/loggedin/user").String(t, "orgId")
	for _, about := range []string{"/info", "/roles", "/service-roles", "/groups"} {
		one.get(own + about)
	}
	one.ask(200, "POST", csp+"/auth/logout", nil)
}

func inside(admin *walker, at string) {
	t := admin.t
	instance := at + "/" + admin.first(at, "id")
	admin.get(instance)
	account := admin.ask(201, "POST", instance+"/service-accounts", map[string]string{"id": "SA::Walker"}).String(t, "id")
	admin.get(instance + "/service-accounts")
	admin.get(instance + "/service-accounts/" + account)
	admin.get(instance + "/groups")
	admin.get(instance + "/groups/service-accounts")
	admin.get(instance + "/subjects")
	admin.ask(204, "DELETE", instance+"/service-accounts/"+account, nil)
}

func customRoles(admin *walker, at string) {
	permission := "external/" + sitetest.Operations + "/aoa:metrics"
	admin.ask(201, "POST", at, map[string]any{"name": "walks", "displayName": "Walks", "permissions": []string{permission}})
	admin.get(at)
	admin.get(at + "/walks")
	admin.ask(200, "PATCH", at+"/walks", map[string]any{"displayName": "Strolls"})
	admin.ask(200, "PATCH", at+"/walks/permissions", map[string]any{"permissionsToAdd": []string{}, "permissionsToRemove": []string{permission}})
	admin.ask(204, "DELETE", at+"/walks", nil)
}
