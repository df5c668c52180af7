package openapihttp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"causeway/internal/openapihttp"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// walker asks a site and holds each answer against the description.
type walker struct {
	t     *testing.T
	c     *sitetest.Client
	judge *judge
	token string
}

// ask sends body, a form (url.Values), JSON text or nothing, and wants status.
func (w *walker) ask(status int, method, path string, body any, header ...string) sitetest.Answer {
	w.t.Helper()
	h := http.Header{}
	if w.token != "" {
		h = sitetest.Bearer(w.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	text := ""
	switch body := body.(type) {
	case nil:
	case url.Values:
		text = body.Encode()
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	case string:
		text = body
	default:
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(b)
	}
	at, err := url.Parse(w.c.Site("west").API + path)
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.c.Do(w.t, method, at.String(), h, strings.NewReader(text)) // without a body too: none is one of no bytes
	if a.Status != status {
		w.t.Errorf("%s %s: status %d, want %d\n%s", method, path, a.Status, status, a.Body)
	}
	if err := w.judge.look(exchange{method: method, url: at, sent: []byte(text), status: a.Status, header: a.Header, body: a.Body}); err != nil {
		w.t.Error(err)
	}
	return a
}

func (w *walker) get(path string) sitetest.Answer { w.t.Helper(); return w.ask(200, "GET", path, nil) }

// first is a member of the first row of a list.
func (w *walker) first(path, member string) string {
	w.t.Helper()
	var page struct {
		Values, Results []map[string]any
	}
	if err := json.Unmarshal(w.get(path).Body, &page); err != nil {
		w.t.Fatal(err)
	}
	rows := append(page.Values, page.Results...)
	if len(rows) == 0 {
		w.t.Fatalf("%s is empty", path)
	}
	text, _ := rows[0][member].(string)
	return text
}

func (w *walker) as(token string) *walker { return &walker{w.t, w.c, w.judge, token} }

const (
	vcd = "/cloudapi/1.0.0"
	own = "/cloudapi/causeway/1.0.0"
	csp = "/csp/gateway/am/api"
)

// Every operation is asked for at a running site at least once, and answers, also
// refusals, with the status, media type and members that it is described with, and
// with no others.
func TestContract_EachOperationAnswersAsDescribed(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	j, err := newJudge()
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{t, p.Client, j, ""}
	provider, admin := w.as(w.c.Login(t, "west", "System")), w.as(w.c.Login(t, "west", "acme"))
	documents(w)
	sessions(w, provider)
	accounts(w, admin)
	people(admin)
	provided(provider)
	federation(provider, admin)
	servicesAndApps(w, provider, admin)
	audited(provider, admin)
	keys(provider) // last: what an old key signed is refused

	apis, err := openapihttp.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range apis {
		for key, o := range a.Operations {
			if !j.seen[a.Name+" "+o.ID] && !slices.Contains(elsewhere, key) {
				t.Errorf("%s: nobody has seen it succeed", key)
			}
		}
	}
}

// elsewhere are operations that other tests see succeed: each needs a world of its
// own, and answers with a schema that others here answer with.
var elsewhere = []string{
	"POST " + own + "/signingKeys/:kid/retire",                           // a key that signs cannot be
	"POST " + own + "/siteKeys/:fingerprint/retire",                      // nor a root key
	"POST " + own + "/siteAssociations/:site/replaceKey",                 // the other site has to have another
	"POST " + own + "/organizations/:id/associations/:remote/replaceKey", // likewise
	"DELETE " + own + "/siteAssociations/:site",
	"POST " + csp + "/orgs/:org/service-instances/:instance/service-accounts/:account/hook", // of a service with a hook
}

func documents(w *walker) {
	w.get("/openapi")
	for _, name := range []string{"causeway", "cloudapi", "csp", "oauth"} {
		w.get("/openapi/" + name + ".json")
		wholeDocument(w.t, w.c, "/openapi/"+name+".json")
	}
	for _, realm := range []string{"/oauth/provider", "/oauth/tenant/acme"} {
		w.get("/.well-known/oauth-authorization-server" + realm)
		w.get(realm + "/jwks")
		w.ask(200, "POST", realm+"/revoke", url.Values{"token": {"nothing"}})
		w.ask(400, "POST", realm+"/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"nothing"}})
	}
	w.get("/.well-known/causeway-instance-keys")
	w.get(csp + "/auth/keys")
	w.get(csp + "/auth/.well-known/openid-configuration")
	w.get(csp + "/.well-known/openid-configuration")
	w.ask(401, "GET", csp+"/userinfo", nil)
	w.ask(401, "GET", vcd+"/users", nil)
}

// basic is a login as its header.
func basic(user, org, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+"@"+org+":"+password))
}

func sessions(w, provider *walker) {
	site := w.c.Site("west")
	acme := site.Org("acme").Admin
	login := func() *walker {
		a := w.ask(200, "POST", vcd+"/sessions", nil, "Authorization", basic(acme.User, "acme", acme.Password))
		return w.as(a.Header.Get("X-VMWARE-VCLOUD-ACCESS-TOKEN"))
	}
	w.ask(200, "POST", vcd+"/sessions/provider", nil, "Authorization", basic(site.Admin.User, "System", site.Admin.Password))
	for _, path := range []string{"/sessions", "/sessions/provider", "/sessions/current"} {
		login().ask(204, "DELETE", vcd+path, nil)
	}
	one := login()
	id := one.get(vcd+"/sessions/current").String(w.t, "id")
	one.get(vcd + "/sessions")
	one.get(vcd + "/sessions/" + id)
	one.get(vcd + "/accessibleLocations")
	one.get(vcd + "/sessions/current/accessibleLocations")
	one.get(vcd + "/sessions/" + id + "/accessibleLocations")
	one.ask(204, "DELETE", vcd+"/sessions/"+id, nil)
}

// accounts registers machines of a tenant and the provider, and goes through their life.
func accounts(w, admin *walker) {
	const softwareID = "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"
	provider := w.as(w.c.Login(w.t, "west", "System"))
	for _, realm := range []struct {
		path, role string
		who        *walker
	}{{"/oauth/tenant/acme", "Inventory%20Operator", admin}, {"/oauth/provider", "System%20Administrator", provider}} {
		made := realm.who.ask(201, "POST", realm.path+"/register", map[string]string{
			"client_name": "walker", "software_id": softwareID, "scope": "urn:vcloud:role:" + realm.role,
		})
		client := made.String(w.t, "client_id")
		asked := w.ask(200, "POST", realm.path+"/device_authorization", url.Values{"client_id": {client}})
		code := map[string]string{"userCode": asked.String(w.t, "user_code")}
		realm.who.ask(303, "POST", vcd+"/deviceLookup", code)
		realm.who.ask(204, "POST", vcd+"/deviceLookup/grant", code)
		tokens := w.ask(200, "POST", realm.path+"/token", url.Values{
			"grant_type": {sitetest.DeviceGrant}, "client_id": {client}, "device_code": {asked.String(w.t, "device_code")},
		})
		realm.who.ask(200, "POST", realm.path+"/introspect", url.Values{"token": {tokens.String(w.t, "access_token")}})
		w.ask(200, "POST", realm.path+"/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.String(w.t, "refresh_token")}})
		if realm.who != admin {
			continue
		}
		id := vcd + "/serviceAccounts/urn:vcloud:serviceAccount:" + client
		admin.get(vcd + "/serviceAccounts")
		account := admin.get(id).JSON(w.t)
		admin.ask(200, "PUT", id, account)
		admin.ask(204, "POST", id+"/revoke", nil)
		asked = w.ask(200, "POST", realm.path+"/device_authorization", url.Values{"client_id": {client}})
		admin.ask(204, "POST", vcd+"/deviceLookup/deny", map[string]string{"userCode": asked.String(w.t, "user_code")})
		admin.ask(204, "POST", id+"/takeOwnership", nil)
		quotaOf(provider, id)
		admin.ask(204, "DELETE", id, nil)
	}
	token := admin.ask(201, "POST", vcd+"/tokens", map[string]string{"name": "laptop", "type": "REFRESH"}).String(w.t, "id")
	admin.get(vcd + "/tokens")
	admin.get(vcd + "/tokens/" + token)
	admin.ask(200, "PUT", vcd+"/tokens/"+token, map[string]string{"name": "desk"})
	admin.ask(204, "DELETE", vcd+"/tokens/"+token, nil)
}

// quotaOf gives what has an address a quota policy.
func quotaOf(provider *walker, address string) {
	provider.get(address + "/quotaPolicy")
	provider.ask(202, "PUT", address+"/quotaPolicy", map[string]any{"quotaPolicyReference": nil})
}

func people(admin *walker) {
	t := admin.t
	role := admin.ask(201, "POST", vcd+"/roles", map[string]any{"name": "Walkers", "description": "walk"}).String(t, "id")
	admin.get(vcd + "/roles")
	admin.get(vcd + "/roles/" + role)
	admin.ask(200, "PUT", vcd+"/roles/"+role, map[string]any{"name": "Walkers", "description": "go"})
	right := admin.first(vcd+"/rights?filter="+url.QueryEscape("name==Catalog: View ACL"), "id")
	admin.get(vcd + "/rights/" + right)
	admin.get(vcd + "/rightsCategories/" + admin.first(vcd+"/rightsCategories", "id"))
	rights := map[string]any{"values": []any{map[string]string{"id": right}}}
	admin.get(vcd + "/roles/" + role + "/rights")
	admin.ask(200, "POST", vcd+"/roles/"+role+"/rights", rights)
	admin.ask(200, "PUT", vcd+"/roles/"+role+"/rights", rights)
	user := admin.ask(201, "POST", vcd+"/users", map[string]any{
		"username": "ada", "password": "a long password of hers", "providerType": "LOCAL", "roleEntityRefs": []any{map[string]string{"id": role}},
	}).JSON(t)
	id := vcd + "/users/" + user["id"].(string)
	admin.get(vcd + "/users")
	admin.get(id)
	delete(user, "password")
	admin.ask(200, "PUT", id, user)
	ada := admin.as(admin.as("").ask(200, "POST", vcd+"/sessions", nil, "Authorization", basic("ada", "acme", "a long password of hers")).Header.Get("X-VMWARE-VCLOUD-ACCESS-TOKEN"))
	ada.ask(204, "POST", id+"/changePassword", map[string]string{"currentPassword": "a long password of hers", "newPassword": "another long password"})
	quotaOf(admin.as(admin.c.Login(t, "west", "System")), id)
	admin.ask(204, "DELETE", id, nil)
	admin.ask(204, "DELETE", vcd+"/roles/"+role, nil)
	admin.ask(403, "GET", vcd+"/roles/"+role, nil)
	admin.get(vcd + "/auditTrail")
	admin.get(own + "/refusals")
	admin.get(own + "/refusals/" + admin.first(own+"/refusals", "requestId"))
}

// provided is what the provider alone does.
func provided(w *walker) {
	t := w.t
	org := w.ask(201, "POST", vcd+"/orgs", map[string]any{"name": "walkers", "displayName": "Walkers", "description": "", "isEnabled": true}).JSON(t)
	id, _ := org["id"].(string)
	w.get(vcd + "/orgs")
	w.get(vcd + "/orgs/" + id)
	right := w.first(vcd+"/rights?filter="+url.QueryEscape("name==Catalog: View ACL"), "id")
	for _, kind := range []string{"globalRoles", "rightsBundles"} {
		made := vcd + "/" + kind + "/" + w.ask(201, "POST", vcd+"/"+kind, map[string]any{"name": "Walk", "description": "", "publishAll": false}).String(t, "id")
		w.get(vcd + "/" + kind)
		w.get(made)
		w.ask(200, "PUT", made, map[string]any{"name": "Walk", "description": "far"})
		rights, orgs := map[string]any{"values": []any{map[string]string{"id": right}}}, map[string]any{"values": []any{map[string]string{"id": id}}}
		w.ask(200, "POST", made+"/rights", rights)
		w.ask(200, "PUT", made+"/rights", rights)
		w.get(made + "/rights")
		w.ask(204, "POST", made+"/tenants/publish", orgs)
		w.get(made + "/tenants")
		w.ask(200, "PUT", made+"/tenants", orgs)
		w.ask(204, "POST", made+"/tenants/unpublish", orgs)
		w.ask(204, "POST", made+"/tenants/publishAll", nil)
		w.ask(204, "POST", made+"/tenants/unpublishAll", nil)
		w.ask(204, "DELETE", made, nil)
	}
	policy := w.ask(201, "POST", vcd+"/quotaPolicies", map[string]any{
		"name": "few", "description": "", "quotaPoolDefinitions": []any{map[string]any{"quotaResourceName": "requests", "quotaResourceUnit": "PER_HOUR", "quota": 3000}},
	}).JSON(t)
	at := vcd + "/quotaPolicies/" + policy["id"].(string)
	w.get(vcd + "/quotaPolicies")
	w.get(at)
	w.ask(200, "PUT", at, policy)
	quotaOf(w, vcd+"/orgs/"+id)
	w.ask(204, "DELETE", at, nil)
	limits := own + "/organizations/" + id + "/limits"
	w.get(limits)
	w.ask(200, "PUT", limits, map[string]any{"limits": []any{}})
	w.ask(204, "DELETE", limits, nil)
	tokens := own + "/organizations/" + id + "/tokenPolicy"
	policy = w.get(tokens).JSON(t)
	w.ask(200, "PUT", tokens, policy)
	w.ask(200, "PUT", tokens, map[string]any{"retryWindowSeconds": 3600, "foreignWindowSeconds": nil, "maxRetries": nil, "maxAgeSeconds": nil})
	org["isEnabled"] = false
	receipt := w.ask(200, "PUT", vcd+"/orgs/"+id, org)
	w.get(own + "/receipts/" + receipt.Header.Get("X-Causeway-Receipt"))
	w.ask(204, "DELETE", vcd+"/orgs/"+id, nil)
}

func federation(provider, admin *walker) {
	t := admin.t
	provider.get(own + "/site")
	site := own + "/siteAssociations/" + provider.first(own+"/siteAssociations", "id")
	link := provider.get(site).JSON(t)
	provider.ask(200, "PUT", site, link)
	provider.get(own + "/orgAssociations")
	org := own + "/organizations/" + admin.c.Site("west").Org("acme").ID
	admin.get(org + "/associationData")
	one := org + "/associations/" + admin.first(org+"/associations", "locationId")
	held := admin.get(one).JSON(t)
	provider.ask(200, "PUT", one, held)
	admin.get(own + "/explainRoute?authContext=acme-labs")
	admin.ask(204, "DELETE", one, nil)
}

func audited(provider, admin *walker) {
	admin.get(own + "/auditTrail?pageSize=5")
	provider.get(own + "/auditTrail?pageSize=5&before=40")
	draft := map[string]any{"name": "collector", "url": "https://127.0.0.1:1/causeway", "enabled": false}
	hook := own + "/auditWebhooks/" + provider.ask(201, "POST", own+"/auditWebhooks", draft).String(provider.t, "id")
	provider.get(own + "/auditWebhooks")
	provider.get(hook)
	provider.ask(200, "PUT", hook, draft)
	provider.ask(200, "POST", hook+"/secret", nil)
	provider.ask(200, "POST", hook+"/test", nil)
	provider.get(hook + "/deadLetters")
	provider.ask(204, "POST", hook+"/redeliver", nil)
	provider.ask(204, "DELETE", hook, nil)
	admin.ask(403, "GET", own+"/auditWebhooks", nil)
}

func keys(w *walker) {
	w.get(own + "/signingKeys")
	w.ask(201, "POST", own+"/signingKeys/rotate", map[string]any{})
	w.get(own + "/siteKeys")
	w.ask(201, "POST", own+"/siteKeys/rotate", nil)
}
