package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// marker is in the name of everything that a victim has.
const marker = "vxq7"

// victim is an organization with one of everything, and those who may touch it.
type victim struct {
	w                       *world
	name                    string
	ids                     map[string]string // by kind, bare
	admin, person, provider string            // tokens
	key                     string            // a public key of somebody else's, as JSON writes it
}

// owners are who may do something to what the victim has, one or the other.
func (v *victim) owners() []string { return []string{v.admin, v.person, v.provider} }

const longPassword = "a long password"

func (w *world) newVictim(t *testing.T, name string) *victim {
	t.Helper()
	v := &victim{w: w, name: name, ids: map[string]string{}, provider: w.c.Login(t, "east", sitetest.System)}
	org := w.do(t, "east", "POST", "/cloudapi/1.0.0/orgs", sitetest.Bearer(v.provider), fmt.Sprintf(`{"name":%q,"displayName":%q,"isEnabled":true}`, name, name))
	v.ids["org"] = bare(org.Want(t, 201).String(t, "id"))
	v.create(t, "role", "roles", `"name"`, "")
	v.create(t, "quotaPolicy", "quotaPolicies", `"name"`, "")
	v.create(t, "globalRole", "globalRoles", `"name"`, "")
	v.create(t, "rightsBundle", "rightsBundles", `"name"`, "")
	v.ids["right"] = v.first(t, "rights?filter=name==Site:%20View")
	v.ids["rightsCategory"] = v.first(t, "rightsCategories?filter=name==Sites")
	rest := fmt.Sprintf(`,"fullName":%q,"password":%q,"enabled":true,"roleEntityRefs":[{"id":%q}]`, name, longPassword, "urn:vcloud:role:"+v.first(t, "roles?filter=name==Organization%20Administrator"))
	v.create(t, "admin", "users", `"username"`, rest)
	v.create(t, "user", "users", `"username"`, rest)
	delete(v.ids, "admin")
	v.admin, _ = v.login(t, "admin")
	v.person, _ = v.login(t, "user")
	_, v.ids["session"] = v.login(t, "admin")
	v.ids["token"] = w.newAPIToken(t, "east", name, v.admin, marker+"-token")
	v.ids["serviceAccount"] = w.c.Register(t, "east", name, v.admin, marker+"-bot", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "vApp User")
	assigned := w.do(t, "east", "PUT", "/cloudapi/1.0.0/users/urn:vcloud:user:"+v.ids["user"]+"/quotaPolicy", sitetest.Bearer(v.admin, "Content-Type", "application/json"), "{}")
	location := assigned.Want(t, 202).Header.Get("Location")
	v.ids["task"] = location[strings.LastIndexByte(location, '/')+1:]
	v.associate(t)
	refused := w.do(t, "east", "GET", "/cloudapi/1.0.0/rightsBundles", sitetest.Bearer(v.admin), "").Want(t, 403)
	v.ids["refusal"] = refused.Header.Get(httpapi.HeaderRequestID)
	v.serve(t)
	v.employ(t)
	return v
}

// operations is the service definition that ships with us.
const operations = "7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90"

// serve has the victim have a service instance, with an account in it.
func (v *victim) serve(t *testing.T) {
	t.Helper()
	in := v.w.do(t, "east", "POST", httpapi.OwnAPI+"/serviceInstances", sitetest.Bearer(v.provider, "Content-Type", "application/json"),
		fmt.Sprintf(`{"orgId":%q,"name":"%s-instance","serviceDefinitionId":%q,"prefix":"/%s","upstreams":["https://%s.example.com"]}`, v.ids["org"], v.name, operations, v.name, v.name))
	v.ids["serviceInstance"] = bare(in.Want(t, 201).String(t, "id"))
	account := v.w.do(t, "east", "POST", "/csp/gateway/am/api/orgs/"+v.ids["org"]+"/service-instances/"+v.ids["serviceInstance"]+"/service-accounts",
		sitetest.Bearer(v.admin, "Content-Type", "application/json"), fmt.Sprintf(`{"id":"%s-hand"}`, v.name))
	v.ids["instanceAccount"] = account.Want(t, 201).String(t, "id")
}

// employ has the victim own two apps, one of which holds a custom role.
func (v *victim) employ(t *testing.T) {
	t.Helper()
	header := sitetest.Bearer(v.admin, "Content-Type", "application/json")
	org := "/orgs/" + v.ids["org"]
	v.ids["customRole"], v.ids["orgRole"] = marker+"-custom", "org_member"
	v.w.do(t, "east", "POST", "/csp/gateway/iam-roles-mgmt/api"+org+"/custom-roles", header,
		fmt.Sprintf(`{"name":%q,"displayName":"%s-custom","permissions":["external/%s/aoa:metrics"]}`, v.ids["customRole"], v.name, operations)).Want(t, 201)
	for _, kind := range []string{"app", "idleApp"} {
		made := v.w.do(t, "east", "POST", httpapi.CSPBase+org+"/oauth-apps", header, newApp(v.name+"-"+kind))
		v.ids[kind] = made.Want(t, 200).String(t, "clientId")
	}
	v.w.do(t, "east", "POST", httpapi.CSPBase+org+"/clients", header,
		fmt.Sprintf(`{"ids":[%q],"organizationRoles":[{"name":"org_member"}],"customRoles":[{"name":%q}]}`, v.ids["app"], v.ids["customRole"])).Want(t, 200)
}

// newApp is a request for an app.
func newApp(name string) string {
	return fmt.Sprintf(`{"displayName":%q,"description":%q,"grantTypes":["client_credentials"],"allowedScopes":{"generalScopes":[],
		"organizationScopes":{"allRoles":true,"roles":[]},"servicesScopes":[]}}`, name, name)
}

// associate has the victim hold an association with globex.
func (v *victim) associate(t *testing.T) {
	t.Helper()
	v.ids["association"] = bare(v.w.c.Site("east").Org("globex").ID)
	of := func(org string) string { return "/api/admin/org/" + org + "/associations" }
	data := v.w.do(t, "east", "GET", of(v.ids["association"])+"/localAssociationData", sitetest.Bearer(v.provider, "Accept", "application/*+json"), "").Want(t, 200)
	v.key = strings.ReplaceAll(data.String(t, "orgPublicKey"), "\n", `\n`)
	v.w.do(t, "east", "POST", of(v.ids["org"]), sitetest.Bearer(v.provider, "Content-Type", "application/*+json"), string(data.Body)).Want(t, 202)
}

// acting is the provider in the victim's organization.
func (v *victim) acting() http.Header {
	return sitetest.Bearer(v.provider, httpapi.HeaderTenantContext, v.ids["org"], "Content-Type", "application/json")
}

// create makes something called after its kind.
func (v *victim) create(t *testing.T, kind, collection, nameMember, rest string) {
	t.Helper()
	header := v.acting()
	if kind == "globalRole" || kind == "rightsBundle" { // of the provider, and published to nobody
		header = sitetest.Bearer(v.provider, "Content-Type", "application/json")
	}
	body := fmt.Sprintf(`{%s:"%s-%s"%s}`, nameMember, v.name, strings.ToLower(kind), rest)
	a := v.w.do(t, "east", "POST", "/cloudapi/1.0.0/"+collection, header, body)
	v.ids[kind] = bare(a.Want(t, 201).String(t, "id"))
}

// first is the only thing in a list, as the provider sees it: a role in the
// victim's organization, anything else at home.
func (v *victim) first(t *testing.T, list string) string {
	t.Helper()
	header := sitetest.Bearer(v.provider)
	if strings.HasPrefix(list, "roles") {
		header = v.acting()
	}
	values, _ := v.w.do(t, "east", "GET", "/cloudapi/1.0.0/"+list, header, "").Want(t, 200).JSON(t)["values"].([]any)
	if len(values) != 1 {
		t.Fatalf("%d in %s", len(values), list)
	}
	one, _ := values[0].(map[string]any)
	return bare(fmt.Sprint(one["id"]))
}

func (v *victim) login(t *testing.T, user string) (token, session string) {
	t.Helper()
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(v.name+"-"+user+"@"+v.name, longPassword)
	a := v.w.do(t, "east", "POST", "/cloudapi/1.0.0/sessions", r.Header, "").Want(t, 200)
	return a.Header.Get(httpapi.HeaderAccessToken), bare(a.String(t, "id"))
}
