package portal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"causeway/internal/dev"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/tenants"
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
	`&lt;img src=x onerror=pwned()&gt;<base href=//evil.example>`,
}

const (
	// quiet is an attack of the characters that names of people and organizations may
	// have.
	quiet = `' onfocus=pwned() autofocus x='`
	// plain is one of those that names of apps may have.
	plain = "javascript:pwned '&lt &apos`"
	// leads is an attack where an address is taken.
	leads = `javascript:pwned()//'"><svg/onload=pwned()>`
)

// hostile fills west with attacks: everything that an administrator, an app, a peer or
// a stranger can store, and that a page can show.
type hostile struct {
	*world
	t               *testing.T
	provider, admin string
	n               int
	codes           []string            // of device requests that wait for an answer
	explained       []string            // requests that were refused
	org, named      string              // an organization, its URN and its name
	role, policy    string              // a role and a quota policy of acme
	located         string              // the location of an associated organization
	stored          map[string][]string // what it is the name or the text of → the attacks
	shown           map[string]bool     // those that a page showed
}

// attack is the next attack, no longer than most. What differs in its number is not a
// part of another, and stands before other names.
func (h *hostile) attack(what string, most int) string {
	for range attacks {
		h.n++
		if a := fmt.Sprintf("!%d%s", h.n, attacks[h.n%len(attacks)]); len(a) <= most {
			return h.keep(what, a)
		}
	}
	h.t.Fatalf("no attack on %s has %d bytes", what, most)
	return ""
}

// name is an attack where little is allowed.
func (h *hostile) name(what string) string {
	h.n++
	return h.keep(what, fmt.Sprint("!", h.n, quiet))
}

func (h *hostile) keep(what, attack string) string {
	h.stored[what] = append(h.stored[what], attack)
	return attack
}

// sees notes which attacks a page shows.
func (h *hostile) sees(page string) (n int) {
	page = html.UnescapeString(page)
	for what, list := range h.stored {
		for _, a := range list {
			if strings.Contains(page, a) {
				h.shown[what] = true
				n++
				break
			}
		}
	}
	return n
}

// unseen are the things whose attacks no page showed: what is not shown proves nothing
// of how it would be.
func (h *hostile) unseen() (list []string) {
	for what := range h.stored {
		if !h.shown[what] {
			list = append(list, what)
		}
	}
	slices.Sort(list)
	return list
}

// make stores something. What is made must be: an attack that is refused proves
// nothing of the pages.
func (h *hostile) make(token, method, path string, body any) sitetest.Answer {
	h.t.Helper()
	a, err := h.Client.TrySend(method, "west", path, sitetest.Bearer(token, "Content-Type", "application/json"), body)
	if err != nil {
		h.t.Fatal(err)
	}
	if a.Status >= 300 {
		h.t.Fatalf("%s %s answers %d: %s\n%v", method, path, a.Status, a.Body, body)
	}
	return a
}

// refused is for what cannot be stored: no page has to show it.
func (h *hostile) refused(token, method, path string, body any) {
	h.t.Helper()
	a, err := h.Client.TrySend(method, "west", path, sitetest.Bearer(token, "Content-Type", "application/json"), body)
	if err != nil {
		h.t.Fatal(err)
	}
	if a.Status != http.StatusBadRequest {
		h.t.Errorf("%s %s answers %d to %v: no page was tried with it", method, path, a.Status, body)
	}
}

func seedHostile(t *testing.T, w *world) *hostile {
	t.Helper()
	h := &hostile{
		world: w, t: t, provider: w.Client.Login(t, "west", sitetest.System), admin: w.Client.Login(t, "west", "acme"),
		stored: map[string][]string{}, shown: map[string]bool{},
	}
	h.administrators()
	h.people()
	h.quotas()
	h.accounts()
	h.services()
	h.customRoles()
	h.peers()
	h.refusals()
	h.webhooks()
	h.edits()
	h.person()
	return h
}

const cloud = "/cloudapi/1.0.0"

// administrators are called attacks, too: whatever is done from now on is done by them.
func (h *hostile) administrators() {
	for _, a := range []struct {
		token             *string
		portal            *portalOf
		org, role, logins string
	}{
		{&h.provider, &h.Provider, sitetest.System, "System Administrator", "/sessions/provider"},
		{&h.admin, &h.Acme, "acme", "Organization Administrator", "/sessions"},
	} {
		role, _ := h.roleOf(h.t, *a.token, a.role)
		name := h.name("name of a user")
		h.make(*a.token, http.MethodPost, cloud+"/users", map[string]any{
			"username": name, "password": "a long password", "enabled": true, "roleEntityRefs": []any{map[string]string{"id": "urn:vcloud:role:" + role}},
		})
		a.portal.Admin = dev.Login{User: name, Password: "a long password"}
		head := http.Request{Header: http.Header{}}
		head.SetBasicAuth(name+"@"+a.org, "a long password")
		*a.token = h.Client.Do(h.t, http.MethodPost, h.West.API+cloud+a.logins, head.Header, nil).Want(h.t, http.StatusOK).Header.Get("X-VMWARE-VCLOUD-ACCESS-TOKEN")
	}
}

func (h *hostile) people() {
	user := func(name, role string) map[string]any {
		return map[string]any{
			"username": name, "fullName": h.attack("full name of a user", 128), "description": h.attack("description of a user", 128),
			"email": h.attack("email of a user", 100), "phone": "!" + quiet, "givenName": "!" + quiet,
			"password": "a long password", "enabled": true, "roleEntityRefs": []any{map[string]string{"id": role}},
		}
	}
	for _, token := range []string{h.admin, h.provider} {
		for range attacks {
			role := h.make(token, http.MethodPost, cloud+"/roles", map[string]string{
				"name": h.attack("name of a role", 128), "description": h.attack("description of a role", 256),
			}).String(h.t, "id")
			h.make(token, http.MethodPost, cloud+"/users", user(h.name("name of a user"), role))
			if token == h.admin {
				h.role = strings.TrimPrefix(role, "urn:vcloud:role:")
			}
		}
	}
	for kind, what := range map[string]string{"/globalRoles": "a global role", "/rightsBundles": "a rights bundle"} {
		for range attacks {
			h.make(h.provider, http.MethodPost, cloud+kind, map[string]any{"name": h.attack("name of "+what, 128), "description": h.attack("description of "+what, 256)})
		}
	}
	h.named = h.name("name of an organization")
	h.org = h.make(h.provider, http.MethodPost, cloud+"/orgs", map[string]any{
		"name": h.named, "displayName": h.attack("full name of an organization", 128),
		"description": h.attack("description of an organization", 256), "isEnabled": true,
	}).String(h.t, "id")
	for _, kind := range []string{"/globalRoles", "/rightsBundles"} {
		id := h.make(h.provider, http.MethodPost, cloud+kind, map[string]any{"name": h.attack("name of what is published", 128)}).String(h.t, "id")
		h.make(h.provider, http.MethodPost, cloud+kind+"/"+id+"/tenants/publish", map[string]any{"values": []any{map[string]string{"id": h.org}}})
	}
	h.refused(h.admin, http.MethodPost, cloud+"/users", map[string]any{"username": "<b>", "password": "a long password"})
	h.refused(h.provider, http.MethodPost, cloud+"/orgs", map[string]any{"name": `"><b>`, "displayName": "x"})
}

func (h *hostile) quotas() {
	for range 2 {
		policy := h.make(h.admin, http.MethodPost, cloud+"/quotaPolicies", map[string]any{
			"name": h.name("name of a quota policy"), "description": h.attack("description of a quota policy", 256),
			"quotaPoolDefinitions": []any{map[string]any{
				"quotaResourceName": h.attack("resource of a quota", 60), "quotaResourceUnit": h.attack("unit of a quota", 60), "quota": 7,
				"qualifiers": []string{h.attack("qualifier of a quota", 60)},
			}},
		}).String(h.t, "id")
		h.make(h.provider, http.MethodPut, cloud+"/orgs/"+h.West.Org("acme").ID+"/quotaPolicy", map[string]any{"quotaPolicyReference": map[string]string{"id": policy}})
		h.policy = strings.TrimPrefix(policy, "urn:vcloud:quotaPolicy:")
	}
	h.refused(h.admin, http.MethodPost, cloud+"/quotaPolicies", map[string]any{"name": "<b>"})
}

func (h *hostile) accounts() {
	for i := range attacks {
		h.make(h.admin, http.MethodPost, sitetest.Realm("acme")+"/register", map[string]string{"client_name": h.attack("name of an API token", 64)})
		uri := h.keep("address of a service account's software", fmt.Sprintf(`https://app.example/%d?'"><svg/onload=pwned()>`, i))
		id := h.make(h.admin, http.MethodPost, sitetest.Realm("acme")+"/register", map[string]string{
			"client_name": h.attack("name of a service account", 128), "software_id": "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99",
			"software_version": h.attack("version of a service account's software", 64),
			"client_uri":       uri, "scope": "urn:vcloud:role:" + url.PathEscape(h.stored["name of a role"][i]),
		}).String(h.t, "client_id")
		h.make(h.admin, http.MethodPut, sitetest.Accounts(id)+"/quotaPolicy", map[string]any{"quotaPolicyReference": map[string]string{"id": "urn:vcloud:quotaPolicy:" + h.policy}})
		asked := h.Client.Do(h.t, http.MethodPost, h.West.API+sitetest.Realm("acme")+"/device_authorization",
			http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {h.attack("user agent of a device request", 200)}},
			strings.NewReader("client_id="+id)).Want(h.t, http.StatusOK)
		if i%2 == 0 {
			h.Client.Decide(h.t, "west", h.admin, "/grant", asked.String(h.t, "user_code")).Want(h.t, http.StatusNoContent)
		} else {
			h.codes = append(h.codes, asked.String(h.t, "user_code"))
		}
	}
	h.refused(h.admin, http.MethodPost, sitetest.Realm("acme")+"/register", map[string]string{
		"client_name": "x", "software_id": "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "client_uri": leads, "scope": "urn:vcloud:role:" + url.PathEscape("vApp User"),
	})
	bot, _ := h.Client.Account(h.t, "west", h.admin, "inventory-bot")
	h.Client.Connect(h.t, "west", "acme", bot)
}

// manager is the administrator of acme who is called an attack.
func (h *hostile) manager() *sitetest.Manager {
	h.t.Helper()
	m := h.Client.Manager(h.t, "west", "acme")
	m.Token = h.admin
	return m
}

func (h *hostile) services() {
	m := h.manager()
	for range attacks {
		h.n++
		app := m.NewApp(h.t, "displayName", h.keep("name of an app", fmt.Sprint(plain, h.n)), "description", h.attack("description of an app", 200))
		m.Add(h.t, app.ID, "org_member", "aoa:metrics")
	}
	for i := range attacks {
		name := fmt.Sprintf("kind%d", i)
		definition := h.make(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/serviceDefinitions", map[string]any{
			"name": h.attack("name of a service", 60), "description": h.attack("description of a service", 200), "prefix": name,
			"permissions": []any{map[string]string{
				"name": name + ":read", "displayName": h.attack("name of a permission", 60), "description": h.attack("description of a permission", 100),
			}},
			"roles": []any{map[string]any{
				"name": name + ":read", "displayName": h.attack("name of a service role", 60), "description": h.attack("description of a service role", 100),
				"permissions": []string{name + ":read"},
			}},
			"routes": []any{map[string]any{"methods": []string{"GET"}, "path": "/inventory/'onfocus=pwned()x='", "permission": name + ":read"}},
		}).String(h.t, "id")
		h.make(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/serviceInstances", map[string]any{
			"orgId": []string{h.West.Org("acme").ID, h.org}[i%2], "serviceDefinitionId": definition, "name": h.attack("name of a service instance", 60), "mode": "onboarded",
			"prefix": "/" + name, "enabled": true, "upstreams": []string{"http://127.0.0.1:9/"},
		})
		if i > 0 {
			continue
		}
		// It gets every role of the service, which the audit trail warns of.
		scope := []any{map[string]any{"serviceDefinitionId": strings.TrimPrefix(definition, "urn:vcloud:serviceDefinition:"), "allRoles": true}}
		app := m.NewApp(h.t, "displayName", h.keep("name of an app", plain+"all"), "allowedScopes", map[string]any{"servicesScopes": scope})
		m.Ask(h.t, http.MethodPost, "/clients", map[string]any{"ids": []string{app.ID}, "serviceRoles": []any{map[string]any{
			"serviceDefinitionId": strings.TrimPrefix(definition, "urn:vcloud:serviceDefinition:"), "serviceRoles": []any{map[string]string{"name": name + ":read"}},
		}}}).Want(h.t, http.StatusOK)
	}
	h.refused(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/serviceDefinitions", map[string]any{
		"name": "x", "prefix": "x", "roles": []any{map[string]any{"name": "x:<b>"}},
	})
	m.Ask(h.t, http.MethodPost, "/oauth-apps", sitetest.AppRequest("displayName", "<b>")).Want(h.t, http.StatusBadRequest)
}

func (h *hostile) customRoles() {
	m := h.manager()
	for i := range attacks {
		m.Custom(h.t, http.MethodPost, "", map[string]any{
			"name": fmt.Sprintf("custom%d", i), "displayName": h.attack("name of a custom role", 100), "description": h.attack("description of a custom role", 200),
			"permissions": []string{"external/" + sitetest.Operations + "/aoa:metrics"},
		}).Want(h.t, http.StatusCreated)
	}
	app := m.NewApp(h.t, "displayName", h.keep("name of an app", plain))
	m.Add(h.t, app.ID, "custom:custom0", "custom:custom1")
	m.Custom(h.t, http.MethodPost, "", map[string]any{"name": "<b>", "displayName": "x"}).Want(h.t, http.StatusBadRequest)
}

// peers are associations whose data another site wrote: each is a site that the
// provider was told of, and an organization of it.
func (h *hostile) peers() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		h.t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	for i := range 3 {
		id, org := tenants.NewID(), tenants.NewID()
		h.located = org + "@" + id
		h.make(h.provider, http.MethodPost, "/api/site/associations", map[string]any{
			"siteId": id, "siteName": h.attack("name of a site", 128), "publicKey": text,
			"restEndpoint":   h.keep("API of a site", fmt.Sprintf("https://127.0.0.1:%d/'onfocus=pwned()/api", i+1)),
			"baseUiEndpoint": h.keep("portal of a site", fmt.Sprintf("https://127.0.0.1:%d/'onfocus=pwned()", i+1)),
		})
		h.make(h.admin, http.MethodPost, "/api/admin/org/"+strings.TrimPrefix(h.West.Org("acme").ID, "urn:vcloud:org:")+"/associations", map[string]any{
			"siteId": id, "orgId": org, "orgName": h.attack("name of an associated organization", 128), "orgPublicKey": text,
		})
	}
	h.refused(h.provider, http.MethodPost, "/api/site/associations", map[string]any{
		"siteId": tenants.NewID(), "publicKey": text, "restEndpoint": "javascript:pwned()//api",
	})
	// Its own name is on every page.
	h.make(h.provider, http.MethodPut, "/api/site/associations/localAssociationData", map[string]any{
		"siteId": h.Site("west").Self().ID, "siteName": h.attack("name of this site", 128),
	})
}

func (h *hostile) webhooks() {
	for i := range attacks {
		h.make(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/auditWebhooks", map[string]any{
			"name": h.attack("name of a webhook", 100), "orgId": h.org, "enabled": false,
			"url": h.keep("address of a webhook", fmt.Sprintf(`https://127.0.0.1:1/%d?'"><svg/onload=pwned()>`, i)),
		})
	}
	h.refused(h.provider, http.MethodPost, "/cloudapi/causeway/1.0.0/auditWebhooks", map[string]any{"name": "x", "url": leads})
}

// edits are changes whose old and new values the audit trail tells.
func (h *hostile) edits() {
	role := h.make(h.admin, http.MethodPost, cloud+"/roles", map[string]string{"name": h.attack("former name of a role", 128), "description": h.attack("former description of a role", 128)}).String(h.t, "id")
	h.make(h.admin, http.MethodPut, cloud+"/roles/"+role, map[string]string{"name": h.attack("name of a role", 128), "description": h.attack("description of a role", 128)})
}

// person is somebody who is called an attack, as is the role, who is refused.
func (h *hostile) person() {
	name := h.stored["name of a user"][2] // after the administrators
	session := h.session(h.t, portalOf{h.Acme.URL, dev.Login{User: name, Password: "a long password"}})
	for range 2 {
		a := h.send(h.t, http.MethodGet, h.Acme.URL+"/administration/access-control/users", session, nil).Want(h.t, http.StatusForbidden)
		h.explained = append(h.explained, a.Header.Get(httpapi.HeaderRequestID))
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
		h.sign(h.t, h.West.API+"/tenant/"+url.PathEscape(h.named), a, a)
		h.Client.Get(h.t, "west", "/api/org", sitetest.Bearer(h.admin, "X-VMWARE-VCLOUD-AUTH-CONTEXT", a[:min(len(a), 24)]))
		h.Client.Get(h.t, "west", cloud+"/rightsBundles?x="+url.QueryEscape(a), sitetest.Bearer(h.admin))
	}
}
