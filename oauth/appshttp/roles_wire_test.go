package appshttp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/oauth/appshttp"
	"causeway/services"
	"causeway/tenants"
)

// desk serves the endpoints to whoever is told, without tokens.
type desk struct {
	t      *testing.T
	db     *store.DB
	engine *gin.Engine
	orgs   *tenants.Directory
	kind   services.Definition
	a, b   tenants.OrgID
	by     tenants.Caller
	kept   *kept
}

func newDesk(t *testing.T, db *store.DB) *desk {
	t.Helper()
	d := &desk{t: t, db: db}
	d.must(tenants.NewProvisioner(db.Tenants(), nil, time.Now).EnsureSystem(t.Context()))
	d.a, d.b = d.organization("Alpha"), d.organization("Beta")
	builtIn, err := services.BuiltIn()
	d.must(err)
	d.kind = builtIn[0]
	d.must(db.Services().InTx(t.Context(), func(tx services.Tx) error { return tx.PutDefinition(d.kind) }))
	d.orgs, err = tenants.NewDirectory(db.Tenants(), 10)
	d.must(err)
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	d.must(err)
	managed, err := apps.New(apps.Config{Store: db.Apps(), Directory: d.orgs, Keys: keys, Now: time.Now})
	d.must(err)
	d.serve(&appshttp.Handler{Apps: managed, Orgs: d.orgs, Services: services.New(services.Config{Store: db.Services(), Now: time.Now})})
	d.by = d.person(d.a, tenants.RightOrgOwner)
	return d
}

func (d *desk) serve(h *appshttp.Handler) {
	gin.SetMode(gin.ReleaseMode)
	d.engine = gin.New()
	d.engine.Use(httpapi.Identify(nil))
	for _, rt := range h.Endpoints().Routes {
		d.engine.Handle(rt.Method, rt.Path, func(c *gin.Context) {
			org, err := d.orgs.Organization(c.Request.Context(), d.by.Principal.Org)
			d.must(err)
			if d.kept != nil {
				httpapi.KeepRefusals(c, d.kept)
			}
			if err := rt.Do(c, httpapi.Call{Caller: d.by, Org: org}); err != nil {
				httpapi.Fail(c, err)
			}
		})
	}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) organization(name string) tenants.OrgID {
	d.t.Helper()
	o := tenants.Organization{ID: tenants.OrgID(tenants.NewID()), Name: name, DisplayName: name + " Inc.", Enabled: true, CreatedAt: time.Now()}
	d.must(d.db.Tenants().InTx(d.t.Context(), func(tx tenants.Tx) error { return tx.CreateOrganization(o) }))
	return o.ID
}

func (d *desk) person(org tenants.OrgID, rights ...tenants.Right) tenants.Caller {
	d.t.Helper()
	role := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: org, Name: tenants.NewID(), Rights: rights}
	user := tenants.User{
		ID: tenants.UserID(tenants.NewID()), Org: org, Name: "u" + tenants.NewID()[:8], ProviderType: tenants.ProviderIntegrated,
		Role: role.ID, Enabled: true, PasswordHash: "$argon2id$…", CreatedAt: time.Now(),
	}
	d.must(d.db.Tenants().InTx(d.t.Context(), func(tx tenants.Tx) error {
		if err := tx.CreateRole(role); err != nil {
			return err
		}
		return tx.CreateUser(user)
	}))
	return tenants.Caller{Principal: tenants.Principal{Kind: tenants.KindUser, ID: string(user.ID), Name: user.Name, Org: org, Role: role.ID}}
}

// answer is what was answered, as JSON.
type answer map[string]any

func (a answer) text(path ...string) string { return fmt.Sprint(a.at(path...)) }

func (a answer) at(path ...string) any {
	var v any = map[string]any(a)
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			var i int
			if fmt.Sscan(step, &i); i >= len(in) {
				return nil
			}
			v = in[i]
		}
	}
	return v
}

// ask sends a request below an organization's path and wants a status.
func (d *desk) ask(method, path, body string, want int) answer {
	d.t.Helper()
	if !strings.HasPrefix(path, "/csp") {
		path = httpapi.CSPBase + "/orgs/" + string(d.a) + path
	}
	w := httptest.NewRecorder()
	d.engine.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	a := answer{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	if w.Code != want {
		d.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, want)
	}
	if want >= 400 && (a.text("moduleCode") != "540" || a.text("statusCode") != fmt.Sprint(want) || a.at("message") == "") {
		d.t.Errorf("%s %s: the error is %s", method, path, w.Body)
	}
	return a
}

func (d *desk) app() string {
	d.t.Helper()
	return d.ask("POST", "/oauth-apps", `{"displayName":"Probe","description":"of all","grantTypes":["client_credentials"],"allowedScopes":{"generalScopes":[],
		"organizationScopes":{"allRoles":true,"roles":[]},"servicesScopes":[{"serviceDefinitionId":"`+string(d.kind.ID)+`","allRoles":true,"roles":[]}]}}`, 200).text("clientId")
}

func TestClients_CSP_13_CSP_33_CSP_38(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		client, definition := d.app(), string(d.kind.ID)
		roles := `"organizationRoles":[{"name":"org_member"}],"serviceRoles":[{"serviceDefinitionId":"` + definition + `","serviceRoles":[{"name":"aoa:viewer","expiresAt":4102444800}]}]`
		a := d.ask("POST", "/clients", `{"ids":["`+client+`"],`+roles+`}`, 200)
		if fmt.Sprint(a) != "map[failures:[]]" {
			t.Errorf("added: %v", a)
		}
		d.ask("POST", "/clients", `{"ids":["`+client+`"],`+roles+`}`, 400)
		d.ask("POST", "/clients", `{"ids":["unknown-app"],`+roles+`}`, 404)
		d.ask("POST", "/clients", `{"ids":["`+client+`"],"organizationRoles":["org_king"]}`, 400)
		other := d.app()
		if a := d.ask("POST", "/clients", `{"ids":["`+client+`","`+other+`"]}`, 200); a.text("failures", "0", "id") != client || a.text("failures", "0", "message") == "" {
			t.Errorf("added one of two: %v", a)
		}

		list := d.ask("GET", "/clients?pageStart=1&pageLimit=1", "", 200)
		if list.text("totalResults") != "2" || !strings.Contains(list.text("nextLink"), "pageStart=2") || list.at("prevLink") != nil {
			t.Errorf("the page is %v", list)
		}
		found := d.ask("POST", "/oauth-apps/search?filterResults=true", `{"rolesSearchTerm":{"serviceRoles":["aoa:viewer"]}}`, 200)
		if found.text("totalResults") != "1" || found.text("results", "0", "id") != client || len(found.at("results", "0", "organizationRoles").([]any)) != 0 {
			t.Errorf("found %v", found)
		}
		d.ask("POST", "/oauth-apps/search", `{"searchType":"maybe"}`, 400)
		d.ask("POST", "/oauth-apps/search?filterResults=maybe", `{}`, 400)

		d.by = d.person(d.b, tenants.RightOrgMember, tenants.RightOrgDeveloper)
		inBeta := "/csp/gateway/am/api/orgs/" + string(d.b)
		d.ask("POST", inBeta+"/clients", `{"ids":["`+client+`"],"organizationRoleNames":["org_member"]}`, 200)
		shown := d.ask("GET", inBeta+"/clients", "", 200)
		if shown.text("results", "0", "sourceOrg", "orgId") != string(d.a) || shown.text("results", "0", "sourceOrg", "displayName") != "Alpha Inc." ||
			shown.text("results", "0", "displayName") != "Probe" || shown.text("results", "0", "description") != "of all" || shown.text("results", "0", "isHidden") != "false" {
			t.Errorf("in beta it is %v", shown)
		}
		d.ask("GET", "/clients", "", 404) // alpha's

		if a := d.ask("DELETE", inBeta+"/clients", `{"ids":["`+client+`","unknown-app"]}`, 200); fmt.Sprint(a) != "map[failed:[unknown-app] succeeded:["+client+"]]" {
			t.Errorf("removed: %v", a)
		}
		d.ask("DELETE", inBeta+"/clients", `{}`, 400)
	})
}

func TestRolesOfClients_CSP_37(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		client := d.app()
		path := "/clients/" + client + "/roles"
		d.ask("PATCH", path, `{}`, 404)
		d.ask("POST", "/clients", `{"ids":["`+client+`"]}`, 200)
		got := d.ask("PATCH", path, `{"organizationRoles":{"rolesToAdd":[{"name":"org_member"}]},
			"serviceRoles":[{"serviceDefinitionId":"`+string(d.kind.ID)+`","rolesToAdd":[{"name":"aoa:viewer"},{"name":"aoa:proxies","expiresAt":4102444800}]}]}`, 200)
		if got.text("organizationRoles", "0", "displayName") != "Organization Member" || got.text("serviceRoles", "0", "serviceRoleNames") != "[aoa:proxies aoa:viewer]" ||
			got.text("serviceRoles", "0", "serviceRoles", "0", "expiresAt") != "4.1024448e+09" || got.at("serviceRoles", "0", "serviceRoles", "1", "expiresAt") != nil {
			t.Errorf("it holds %v", got)
		}
		if again := d.ask("GET", path, "", 200); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Errorf("it is read as %v", again)
		}
		d.ask("PATCH", path, `{"serviceRoles":[{"serviceDefinitionId":"`+string(d.kind.ID)+`","rolesToRemove":["aoa:viewer","aoa:proxies"]}]}`, 200)
		if got := d.ask("GET", path, "", 200); fmt.Sprint(got.at("serviceRoles")) != "[]" {
			t.Errorf("then it holds %v", got)
		}
		d.ask("PATCH", path, `{"organizationRoles":{"rolesToAdd":[{"name":"org_member","expiresAt":1}]}}`, 400)
		d.by = d.person(d.a, tenants.RightOrgMember, tenants.RightOrgDeveloper)
		d.ask("PATCH", path, `{"serviceRoles":[{"serviceDefinitionId":"`+string(d.kind.ID)+`","rolesToAdd":["aoa:viewer"]}]}`, 403)
		d.by = d.person(d.a, tenants.RightOrgAdministrator)
		d.ask("GET", path, "", 403)
	})
}

func TestRolesOfUsersAndTheirCatalogue_CSP_23(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		owner, member := d.by, d.person(d.a, tenants.RightOrgMember)
		path := "/users/" + member.Principal.ID + "/roles"
		viewer := `{"serviceRoles":[{"serviceDefinitionId":"` + string(d.kind.ID) + `","rolesToAdd":["aoa:viewer"]}]}`
		d.ask("PATCH", path, viewer, 200)
		if got := d.ask("GET", path, "", 200); got.text("username") != member.Principal.Name || got.text("organizationRoles", "0", "name") != "org_member" ||
			got.text("serviceRoles", "0", "serviceRoleNames") != "[aoa:viewer]" {
			t.Errorf("it holds %v", got)
		}
		if a := d.ask("PATCH", path, `{"organizationRoles":{"rolesToAdd":["org_owner"]}}`, 400); !strings.Contains(a.text("message"), "the user's role") {
			t.Errorf("an organization role: %v", a)
		}
		d.ask("GET", "/users/nobody/roles", "", 404)
		d.ask("GET", "/users/"+tenants.NewID()+"/roles", "", 404)
		d.ask("PATCH", "/users/"+tenants.NewID()+"/roles", viewer, 404)
		d.by = member
		d.ask("PATCH", path, viewer, 403)

		catalogue := d.ask("GET", "/roles", "", 200)
		for i, r := range services.OrgRoles() {
			row := fmt.Sprint(i)
			if catalogue.text("results", row, "name") != string(r.Name) || catalogue.text("results", row, "description") != r.Description || r.Description == "" {
				t.Errorf("the catalogue has no %s: %v", r.Name, catalogue)
			}
			d.ask("GET", catalogue.text("refLinks", row), "", 200)
		}
		d.ask("GET", "/roles/org_king", "", 404)
		d.by = d.person(d.b, tenants.RightOrgOwner)
		d.ask("GET", "/roles", "", 404)
		d.by = owner
	})
}

func TestCustomRolesOnTheWire_CSP_30(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		base := "/csp/gateway/iam-roles-mgmt/api/orgs/" + string(d.a) + "/custom-roles"
		permission := func(name string) string { return "external/" + string(d.kind.ID) + "/" + name }
		text := `{"name":"Charts","displayName":"Charts","permissions":["` + permission("aoa:metrics") + `"]}`
		made := d.ask("POST", base, text, 201)
		if made.text("createdBy") != d.by.Principal.Name || made.text("permissions") != "["+permission("aoa:metrics")+"]" {
			t.Errorf("made %v", made)
		}
		d.ask("POST", base, text, 409)
		for _, bad := range []string{
			`{"name":"c","displayName":"x"}`, `{"name":"Other"}`, `{"name":"Other","displayName":"x","description":""}`, `{"name":"Other","displayName":"x","permissions":[]}`,
			`{"name":"Other","displayName":"x","permissions":["` + permission("aoa:king") + `"]}`, `{"name":"Other","displayName":"x","permissions":["aoa:metrics"]}`, `[]`,
		} {
			d.ask("POST", base, bad, 400)
		}
		if got := d.ask("PATCH", base+"/Charts", `{"displayName":"All charts"}`, 200); got.text("displayName") != "All charts" {
			t.Errorf("described: %v", got)
		}
		got := d.ask("PATCH", base+"/Charts/permissions", `{"permissionsToAdd":["`+permission("aoa:alerts")+`"],"permissionsToRemove":["`+permission("aoa:events")+`"]}`, 200)
		if fmt.Sprint(got) != "map[failed:["+permission("aoa:events")+"] succeeded:["+permission("aoa:alerts")+"]]" {
			t.Errorf("changed: %v", got)
		}
		client := d.app()
		d.ask("POST", "/clients", `{"ids":["`+client+`"],"customRoles":[{"name":"Charts"}]}`, 200)

		d.by = d.person(d.a, tenants.RightOrgMember)
		if list := d.ask("GET", base, "", 200); list.text("results", "0", "name") != "Charts" || list.text("results", "0", "lastModifiedBy") == "" {
			t.Errorf("listed: %v", list)
		}
		d.ask("DELETE", base+"/Charts", "", 403)
		d.by = d.person(d.b, tenants.RightOrgOwner)
		d.ask("GET", base+"/Charts", "", 404)
		d.by = d.person(d.a, tenants.RightOrgAdministrator)
		d.ask("DELETE", base+"/Charts", "", http.StatusNoContent)
		d.ask("GET", base+"/Charts", "", 404)
		d.by = d.person(d.a, tenants.RightOrgOwner)
		if held := d.ask("GET", "/clients/"+client+"/roles", "", 200); held.text("customRoles") != "[]" {
			t.Errorf("who held the role holds %v", held)
		}
	})
}

// Every endpoint about an organization names it as another's would: absent.
func TestOtherOrganizationsLookAbsent_R6(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.by = d.person(d.b, tenants.RightOrgOwner)
		var seen []string
		for _, rt := range (&appshttp.Handler{}).Endpoints().Routes {
			if !strings.Contains(rt.Path, ":org/") {
				continue
			}
			for _, org := range []string{string(d.a), tenants.NewID(), "alpha"} {
				path := strings.Replace(rt.Path, ":org", org, 1)
				for _, p := range []string{":client", ":user", ":orgRole", ":role", ":app"} {
					path = strings.Replace(path, p, tenants.NewID(), 1)
				}
				a := d.ask(rt.Method, path, `{}`, 404)
				if answer := a.text("message"); !slices.Contains(seen, answer) {
					seen = append(seen, answer)
				}
			}
		}
		if len(seen) != 1 {
			t.Errorf("absent and forbidden are told apart: %q", seen)
		}
	})
}
