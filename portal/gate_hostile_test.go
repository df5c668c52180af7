package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

// attacks are what somebody stores who hopes that a page shows it as it is. Each
// runs, if it does, pwned().
var attacks = []string{
	`"><img src=x onerror=pwned()>`,
	`'><svg onload=pwned()>`,
	`</script><script>pwned()</script>`,
	`</textarea></title><img src=x onerror=pwned()>`,
	`{{.}}` + "`${pwned()}`" + `"onfocus=pwned() autofocus x="`,
	`<svg/onload=pwned()>`,
}

// quiet is an attack of the characters that names of people and roles may have.
const quiet = `' onfocus=pwned() autofocus x='`

// hostile fills west with attacks: everything that an administrator, an app or a
// stranger can store, and that a page can show.
type hostile struct {
	*world
	t               *testing.T
	provider, admin string
	n               int
}

// attack is the next attack, no longer than most.
func (h *hostile) attack(most int) string {
	for range attacks {
		h.n++
		if a := fmt.Sprintf("%d%s", h.n, attacks[h.n%len(attacks)]); len(a) <= most {
			return a
		}
	}
	return fmt.Sprintf(`%d<b>"'`, h.n)
}

// name is an attack where little is allowed.
func (h *hostile) name() string {
	h.n++
	return fmt.Sprint(h.n, quiet)
}

// make stores something. What is made must be: an attack that is refused proves
// nothing of the pages.
func (h *hostile) make(token, method, path string, body any) sitetest.Answer {
	h.t.Helper()
	a, err := h.Client.TrySend(method, "west", path, sitetest.Bearer(token), body)
	if err != nil {
		h.t.Fatal(err)
	}
	if a.Status >= 300 {
		h.t.Fatalf("%s %s answers %d: %s\n%v", method, path, a.Status, a.Body, body)
	}
	return a
}

func seedHostile(t *testing.T, w *world) *hostile {
	t.Helper()
	h := &hostile{world: w, t: t, provider: w.Client.Login(t, "west", sitetest.System), admin: w.Client.Login(t, "west", "acme")}
	h.people()
	h.accounts()
	h.services()
	h.refusals()
	h.webhooks()
	return h
}

const cloud = "/cloudapi/1.0.0"

func (h *hostile) people() {
	for _, token := range []string{h.admin, h.provider} {
		for range attacks {
			role := h.make(token, http.MethodPost, cloud+"/roles", map[string]string{"name": h.name(), "description": h.attack(256)}).String(h.t, "id")
			h.make(token, http.MethodPost, cloud+"/users", map[string]any{
				"username": h.name(), "fullName": h.attack(128), "description": h.attack(128), "email": h.attack(100), "phone": h.attack(60), "givenName": h.attack(60),
				"password": "a long password", "enabled": true, "roleEntityRefs": []any{map[string]string{"id": role}},
			})
		}
	}
	for _, kind := range []string{"/globalRoles", "/rightsBundles"} {
		for range attacks {
			h.make(h.provider, http.MethodPost, cloud+kind, map[string]any{"name": h.name(), "description": h.attack(256)})
		}
	}
	h.make(h.provider, http.MethodPost, cloud+"/orgs", map[string]any{"name": "hostile", "displayName": h.attack(128), "description": h.attack(256), "isEnabled": true})
}

func (h *hostile) accounts() {
	for range attacks {
		h.make(h.admin, http.MethodPost, sitetest.Realm("acme")+"/register", map[string]string{"client_name": h.attack(64)})
		id := h.make(h.admin, http.MethodPost, sitetest.Realm("acme")+"/register", map[string]string{
			"client_name": h.attack(128), "software_id": "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "software_version": h.attack(60),
			"client_uri": `https://app.example/?'"><svg/onload=pwned()>`, "scope": "urn:vcloud:role:" + url.PathEscape("vApp User"),
		}).String(h.t, "client_id")
		asked := h.Client.Do(h.t, http.MethodPost, h.West.API+sitetest.Realm("acme")+"/device_authorization",
			http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {h.attack(200)}}, strings.NewReader("client_id="+id)).Want(h.t, http.StatusOK)
		if h.n%2 == 0 {
			h.Client.Decide(h.t, "west", h.admin, "/grant", asked.String(h.t, "user_code")).Want(h.t, http.StatusNoContent)
		}
	}
	bot, _ := h.Client.Account(h.t, "west", h.admin, "inventory-bot")
	h.Client.Connect(h.t, "west", "acme", bot)
}

func (h *hostile) services() {
	m := h.Client.Manager(h.t, "west", "acme")
	for range attacks {
		h.n++
		app := m.NewApp(h.t, "displayName", fmt.Sprintf("app %d ' & `", h.n), "description", h.attack(200))
		m.Add(h.t, app.ID, "org_member", "aoa:metrics")
	}
	m.NewCustomRole(h.t, "custom", "aoa:metrics")
	for i := range attacks {
		name := fmt.Sprintf("kind%d", i)
		definition := h.make(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/serviceDefinitions", map[string]any{
			"name": h.attack(60), "description": h.attack(200), "prefix": name,
			"permissions": []any{map[string]string{"name": name + ":read", "displayName": h.attack(60), "description": h.attack(100)}},
			"roles":       []any{map[string]any{"name": name + ":read", "displayName": h.attack(60), "description": h.attack(100), "permissions": []string{name + ":read"}}},
			"routes":      []any{map[string]any{"methods": []string{"GET"}, "path": "/inventory", "permission": name + ":read"}},
		}).String(h.t, "id")
		h.make(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/serviceInstances", map[string]any{
			"orgId": h.West.Org("acme").ID, "serviceDefinitionId": definition, "name": h.attack(60), "mode": "onboarded",
			"prefix": "/" + name, "enabled": true, "upstreams": []string{"http://127.0.0.1:9/"},
		})
	}
}

func (h *hostile) webhooks() {
	for range attacks {
		h.make(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/auditWebhooks", map[string]any{
			"name": h.attack(100), "url": `https://127.0.0.1:1/?'"><svg/onload=pwned()>`, "orgId": h.West.Org("acme").ID, "enabled": false,
		})
	}
}

// refusals are what strangers leave in the audit trail.
func (h *hostile) refusals() {
	for _, a := range attacks {
		head := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {a}, "X-Forwarded-For": {a}}
		for _, path := range []string{sitetest.Realm("acme") + "/device_authorization", sitetest.Realm("acme") + "/token"} {
			h.Client.Do(h.t, http.MethodPost, h.West.API+path, head, strings.NewReader(url.Values{"client_id": {a}, "grant_type": {a}, "refresh_token": {a}}.Encode()))
		}
		h.sign(h.t, h.Acme.URL, a, a, "User-Agent", a)
		h.Client.Get(h.t, "west", "/api/org", sitetest.Bearer(h.admin, "X-VMWARE-VCLOUD-AUTH-CONTEXT", a[:min(len(a), 24)]))
		h.Client.Get(h.t, "west", cloud+"/rightsBundles?x="+url.QueryEscape(a), sitetest.Bearer(h.admin))
		h.send(h.t, http.MethodGet, h.West.API+"/tenant/"+url.PathEscape(a)+"/login", "", nil)
	}
}
