package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

const queueDefinition = `name: Queues
prefix: queue
permissions: [{name: queue:read}]
roles:
  - name: queue:reader
    permissions: [queue:read]
routes:
  - {methods: [GET], path: /messages, permission: queue:read}
`

// TestDefinitions_R7: tenants see what services there are, and providers say it, in
// YAML or JSON; what ships with us nobody changes.
func TestDefinitions_R7(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		provider, tenant := w.c.Login(t, "east", sitetest.System), w.c.Login(t, "east", "acme")
		path := httpapi.OwnAPI + "/serviceDefinitions"
		send := func(token, method, path, media, body string) sitetest.Answer {
			t.Helper()
			return w.do(t, "east", method, path, sitetest.Bearer(token, "Content-Type", media), body)
		}
		made := send(provider, "POST", path, "application/yaml", queueDefinition).Want(t, 201)
		one := path + "/" + made.String(t, "id")
		if got := made.Header.Get("Location"); !strings.HasSuffix(got, one) {
			t.Errorf("it is at %q", got)
		}
		send(provider, "POST", path, "application/yaml", queueDefinition).Want(t, 400) // the name
		read := send(tenant, "GET", one, "", "").Want(t, 200)
		kept := w.witness(t, "east")
		for _, method := range []string{"PUT", "DELETE"} {
			send(tenant, method, one, "application/json", string(read.Body)).Want(t, 403)
			send(provider, method, path+"/"+operations, "application/json", strings.ReplaceAll(string(read.Body), bare(made.String(t, "id")), operations)).Want(t, 403)
		}
		send(tenant, "POST", path, "application/yaml", queueDefinition).Want(t, 403)
		for _, body := range []string{"", "null", "{}", "[]", queueDefinition + "more: 1", `{"name":"X"}`, "\x00", strings.Repeat("- ", 9000)} {
			wantRefusal(t, path, send(provider, "POST", path, "application/yaml", body), 400)
		}
		wantRefusal(t, path, send(provider, "POST", path, "text/html", queueDefinition), 400)
		kept.unchanged(t)

		changed := send(provider, "PUT", one, "application/json", strings.Replace(string(read.Body), `"description":""`, `"description":"more"`, 1)).Want(t, 200)
		if changed.String(t, "description") != "more" {
			t.Errorf("it became %s", changed.Body)
		}
		list := send(tenant, "GET", path+"?filter=builtIn==true;name==Operations*", "", "").Want(t, 200)
		if values, _ := list.JSON(t)["values"].([]any); len(values) != 1 {
			t.Errorf("the list is %.300s", list.Body)
		}
		send(provider, "DELETE", one, "", "").Want(t, 204)
		send(provider, "GET", one, "", "").Want(t, 403)
	})
}

// TestInstances_R7_R12: providers make instances; their tenants see them, but not
// where they are, and nobody sees a hook's secret twice.
func TestInstances_R7_R12(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		provider, tenant, other := w.c.Login(t, "east", sitetest.System), w.c.Login(t, "east", "acme"), w.c.Login(t, "east", "globex")
		path, acme := httpapi.OwnAPI+"/serviceInstances", w.c.Site("east").Org("acme").ID
		body := fmt.Sprintf(`{"orgId":%q,"serviceDefinitionId":%q,"name":"metrics","prefix":"/metrics-of-acme","hosts":["metrics.example.com"],
			"upstreams":["http://127.0.0.1:1"],"hookUrl":"http://127.0.0.1:1/hook"}`, acme, operations)
		made := w.do(t, "east", "POST", path, sitetest.Bearer(provider, "Content-Type", "application/json"), body).Want(t, 201)
		one := path + "/" + made.String(t, "id")
		if made.String(t, "hookSecret") == "" || made.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("made %s", made.Body)
		}
		read := w.do(t, "east", "GET", one, sitetest.Bearer(provider), "").Want(t, 200)
		if strings.Contains(string(read.Body), "hookSecret") || !strings.Contains(string(read.Body), "127.0.0.1") {
			t.Errorf("the provider reads %s", read.Body)
		}
		for _, q := range []string{one, path, path + "?filter=mode==onboarded;name==metrics", path + "?sortDesc=name"} {
			seen := w.do(t, "east", "GET", q, sitetest.Bearer(tenant), "").Want(t, 200)
			if !strings.Contains(string(seen.Body), "metrics.example.com") || strings.Contains(string(seen.Body), "127.0.0.1") || strings.Contains(string(seen.Body), "hook") {
				t.Errorf("%s shows the tenant %s", q, seen.Body)
			}
		}
		if list := w.do(t, "east", "GET", path, sitetest.Bearer(other), "").Want(t, 200); strings.Contains(string(list.Body), "metrics") {
			t.Errorf("another tenant sees %s", list.Body)
		}
		if list := w.do(t, "east", "GET", path+"?filter=orgId=="+url.QueryEscape(acme), sitetest.Bearer(provider), "").Want(t, 200); list.JSON(t)["resultTotal"] != float64(1) {
			t.Errorf("the provider's list is %s", list.Body)
		}
		kept := w.witness(t, "east")
		for _, token := range []string{tenant, other} {
			for method, at := range map[string]string{"POST": path, "PUT": one, "DELETE": one} {
				w.do(t, "east", method, at, sitetest.Bearer(token, "Content-Type", "application/json"), body).Want(t, 403)
			}
		}
		for _, wrong := range []string{
			``, `null`, `[]`, `{}`, `{"name":1}`, strings.Replace(body, `"name"`, `"nome"`, 1), strings.Replace(body, "/metrics-of-acme", "/api/x", 1),
			strings.Replace(body, "metrics.example.com", "127.0.0.1", 1), strings.Replace(body, operations, nobody, 1), body, // the last is taken
			strings.Replace(body, `"hosts"`, `"timeoutMilliseconds":9223372036854775807,"hosts"`, 1),
		} {
			wantRefusal(t, path, w.do(t, "east", "POST", path, sitetest.Bearer(provider, "Content-Type", "application/json"), wrong), 400)
		}
		kept.unchanged(t)
		again := w.do(t, "east", "PUT", one, sitetest.Bearer(provider, "Content-Type", "application/json"), string(read.Body)).Want(t, 200)
		if got, want := without(t, again, "updatedAt", "upstreamHealth"), without(t, read, "updatedAt", "upstreamHealth"); got != want {
			t.Errorf("what was read and sent back became %s, want %s", got, want)
		}
		w.do(t, "east", "DELETE", one, sitetest.Bearer(provider), "").Want(t, 204)
	})
}

// without is an answer less some members.
func without(t *testing.T, a sitetest.Answer, names ...string) string {
	t.Helper()
	members := a.JSON(t)
	for _, n := range names {
		delete(members, n)
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestServiceInstance_R1: an instance is told of its own organization and of no other,
// also for those who act in many.
func TestServiceInstance_R1_OfItsOwnOrganization(t *testing.T) {
	w := start(t, storetest.SQLite)
	var got reached
	behind := httptest.NewServer(http.HandlerFunc(got.serve))
	defer behind.Close()
	c := w.c
	provider := c.Login(t, "west", sitetest.System)
	header := sitetest.Bearer(provider, "Content-Type", "application/json")
	def := c.Do(t, http.MethodPost, c.Site("west").API+"/cloudapi/causeway/1.0.0/serviceDefinitions", header, strings.NewReader(echoDefinition)).
		Want(t, http.StatusCreated).String(t, "id")
	made := c.Post(t, "west", "/cloudapi/causeway/1.0.0/serviceInstances", sitetest.Bearer(provider), map[string]any{
		"serviceDefinitionId": def, "name": "sys", "mode": "onboarded", "prefix": "/sys", "enabled": true, "upstreams": []string{behind.URL},
	}).Want(t, http.StatusCreated)
	me := c.Get(t, "west", "/csp/gateway/am/api/loggedin/user", sitetest.Bearer(provider)).Want(t, http.StatusOK)
	system := bare(made.String(t, "orgId"))
	c.Do(t, http.MethodPatch, c.Site("west").API+"/csp/gateway/am/api/orgs/"+system+"/users/"+me.String(t, "userId")+"/roles", header,
		strings.NewReader(`{"serviceRoles":[{"serviceDefinitionId":"`+def+`","rolesToAdd":[{"name":"echo:read"}]}]}`)).Want(t, http.StatusOK)
	ask := func(more ...string) sitetest.Answer {
		got.last.Store(nil)
		return c.Do(t, http.MethodGet, c.Site("west").API+"/sys/private/x", sitetest.Bearer(provider, more...), nil)
	}
	ask(httpapi.HeaderTenantContext, bare(c.Site("west").Org("acme").ID)).Want(t, http.StatusForbidden)
	if r := got.last.Load(); r != nil {
		t.Errorf("in another organization it is told %v", r.Header)
	}
	ask().Want(t, http.StatusOK)
	if r := got.last.Load(); r == nil || r.Header.Get("X-Causeway-Org") != system {
		t.Error("it is not told of its own organization")
	}
}
