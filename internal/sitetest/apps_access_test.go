package sitetest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/internal/httpapi"
)

// Calls of Operations for Applications, each as a method and a path of the instance.
const (
	toDashboards = "POST /api/v2/dashboard"
	toAlerts     = "POST /api/v2/alert"
	toQuery      = "GET /api/v2/chart/api?q=ts(cpu)&s=0"
	toProxies    = "GET /api/v2/proxy"
)

// byDefault are the tasks that every user may do without a permission (CSP-5).
var byDefault = []string{
	"GET /api/v2/dashboard", "GET /api/v2/dashboard/one", "POST /api/v2/search/dashboard", "POST /api/v2/dashboard/one/favorite",
	"POST /api/v2/dashboard/one/unfavorite", "GET /api/v2/alert", "GET /api/v2/alert/one", "POST /api/v2/search/alert",
	"GET /api/v2/metric", "GET /api/v2/metric/one", toQuery, "GET /api/v2/chart/metric/detail", "GET /api/v2/source", "GET /api/v2/source/one",
	"POST /api/v2/search/source", "GET /api/v2/event", "GET /api/v2/event/one", "GET /api/v2/maintenancewindow",
	"GET /api/v2/notificant", "GET /api/v2/webhook", "GET /api/v2/savedsearch", "GET /api/v2/message",
}

// acme is an organization at west with an instance and who manages its apps.
type acme struct {
	*Manager
	in *Instance
}

func newAcme(t *testing.T, p *Pair) *acme {
	t.Helper()
	return &acme{p.Client.Manager(t, "west", "acme"), p.Client.NewInstance(t, "west", "acme", "observability", "onboarded")}
}

// may wants calls to reach the instance.
func (a *acme) may(t *testing.T, token string, calls ...string) {
	t.Helper()
	a.mayIn(t, a.in, token, calls...)
}

func (a *acme) mayIn(t *testing.T, in *Instance, token string, calls ...string) {
	t.Helper()
	for _, call := range calls {
		in.Taken()
		if got := a.Call(t, in, call, token); got.Status != http.StatusAccepted || len(in.Taken()) != 1 {
			t.Errorf("%s is %d and reaches the instance %d times, want 202 and once\n%s", call, got.Status, len(in.Taken()), got.Body)
		}
	}
}

// mayNot wants calls to be refused, and the instance to see none.
func (a *acme) mayNot(t *testing.T, token string, calls ...string) {
	t.Helper()
	a.refused(t, a.in, token, http.StatusForbidden, calls...)
}

func (a *acme) refused(t *testing.T, in *Instance, token string, status int, calls ...string) (last Answer) {
	t.Helper()
	in.Taken()
	for _, call := range calls {
		last = a.Call(t, in, call, token)
		WantCSPError(t, last, status)
		if got := in.Taken(); len(got) != 0 {
			t.Errorf("%s reached the instance", call)
		}
	}
	return last
}

// What an app may do in an instance, by what it holds.
func TestAppsAccess(t *testing.T) {
	Each(t, func(t *testing.T, p *Pair) {
		a := newAcme(t, p)
		t.Run("CSP-1 CSP-14 CSP-33 nothing before it is added with a role", a.nothingBefore)
		t.Run("CSP-3 an original instance refuses apps and says what it takes", a.original)
		t.Run("CSP-4 objects are managed by the role for them", a.objects)
		t.Run("CSP-5 what users may do by default an app may not", a.defaults)
		t.Run("CSP-9 queries need Metrics", a.queries)
		t.Run("CSP-10 the instance's own refusal is passed on and told apart", a.ownRefusal)
		t.Run("CSP-13 each kind of role is given, shown and in the token", a.kinds)
		t.Run("CSP-26 a role for one instance is for no other", a.oneInstance)
		t.Run("CSP-28 Proxies alone", a.proxiesAlone)
		t.Run("CSP-29 a custom role sleeps without a service role", a.sleeping)
		t.Run("CSP-31 a custom role counts where there is a service role", a.customEverywhere)
		t.Run("CSP-37 less at once, more at once too, and claims with the next token", a.changes)
		t.Run("CSP-18 CSP-21 one account for an app with service roles, none for others", a.accounts)
	})
}

func (a *acme) nothingBefore(t *testing.T) {
	app := a.NewApp(t)
	for _, pairs := range [][]string{nil, {"orgId", a.ID}} {
		WantCSPError(t, a.Exchange(t, "west", app, pairs...), http.StatusForbidden)
	}
	if list := a.Ask(t, "GET", "/clients", nil).Want(t, 200); strings.Contains(string(list.Body), app.ID) {
		t.Errorf("an app that nobody added is in the organization: %s", list.Body)
	}
	a.Add(t, app.ID) // with no role at all
	WantCSPError(t, a.Exchange(t, "west", app), http.StatusForbidden)
	a.Remove(t, app.ID)
	a.Add(t, app.ID, "aoa:dashboards")
	WantCSPError(t, a.Ask(t, "POST", "/clients", Addition(app.ID, "aoa:metrics")), http.StatusBadRequest) // twice
	a.may(t, a.TokenOf(t, app), toDashboards)
	a.mayNot(t, a.TokenOf(t, app), toQuery)
}

func (a *acme) original(t *testing.T) {
	in := a.NewInstance(t, "west", "acme", "classic", "original")
	_, token := a.AppWith(t, "aoa:superAdmin", "org_owner")
	got := a.refused(t, in, token, http.StatusForbidden, toDashboards)
	if path := "/orgs/" + a.ID + "/service-instances/" + in.ID + "/service-accounts"; !strings.Contains(got.String(t, "message"), path) {
		t.Errorf("the refusal does not name the way of service accounts: %s", got.Body)
	}
}

func (a *acme) objects(t *testing.T) {
	for role, path := range map[string]string{"aoa:dashboards": "/api/v2/dashboard", "aoa:alerts": "/api/v2/alert"} {
		_, token := a.AppWith(t, role)
		_, other := a.AppWith(t, "aoa:events")
		calls := []string{"POST " + path, "PUT " + path + "/one", "DELETE " + path + "/one", "GET " + path}
		a.may(t, token, calls...)
		a.mayNot(t, other, calls...)
	}
}

func (a *acme) defaults(t *testing.T) {
	_, token := a.AppWith(t, "aoa:viewer", "org_member")
	a.mayNot(t, token, byDefault...)
	user := a.Get(t, "west", CSP+"/loggedin/user", Bearer(a.Token)).Want(t, 200).String(t, "userId")
	a.mayNot(t, a.Token, byDefault...) // no role in the instance
	a.Ask(t, "PATCH", "/users/"+user+"/roles", Change("rolesToAdd", "aoa:viewer")).Want(t, 200)
	a.may(t, a.Token, byDefault...)
	a.mayNot(t, a.Token, toDashboards, toAlerts)
	apiToken := a.apiToken(t, "defaults")
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	got := a.Do(t, "POST", a.Client.Site("west").API+CSP+"/auth/api-tokens/authorize", form, strings.NewReader("api_token="+apiToken)).Want(t, 200)
	a.may(t, got.String(t, "access_token"), byDefault...)
	a.Ask(t, "PATCH", "/users/"+user+"/roles", Change("rolesToRemove", "aoa:viewer")).Want(t, 200)
	a.mayNot(t, got.String(t, "access_token"), byDefault...)
	for _, page := range []string{"/portal", "/provider", "/tenant/acme", "/api/org", "/cloudapi/1.0.0/orgs"} {
		if got := a.Get(t, "west", page, Bearer(token)); got.Status == 200 && strings.Contains(string(got.Body), "shipper") {
			t.Errorf("%s shows itself to an app", page)
		}
	}
}

// apiToken is a new API token of the organization's administrator.
func (m *Manager) apiToken(t *testing.T, name string) string {
	t.Helper()
	id := m.Post(t, m.Site, Realm(m.Org)+"/register", Bearer(m.Token), map[string]string{"client_name": name}).Want(t, 201).String(t, "client_id")
	made := m.Form(t, m.Site, m.Org, "token", "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", id, "assertion", m.Token)
	return made.Want(t, 200).String(t, "refresh_token")
}

func (a *acme) queries(t *testing.T) {
	a.NewCustomRole(t, "askers", "aoa:metrics")
	for roles, ok := range map[string]bool{
		"aoa:viewer": false, "aoa:metrics": true, "aoa:viewer custom:askers": true, "org_member custom:askers": false, "aoa:superAdmin": true,
	} {
		_, token := a.AppWith(t, strings.Fields(roles)...)
		if ok {
			a.may(t, token, toQuery)
		} else {
			a.mayNot(t, token, toQuery)
		}
	}
}

func (a *acme) ownRefusal(t *testing.T) {
	const own = `{"status":{"result":"ERROR","message":"no access to this dashboard","code":403}}`
	a.in.Serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Own", "yes")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(own))
	})
	defer a.in.Serve(nil)
	_, token := a.AppWith(t, "aoa:dashboards")
	got := a.Call(t, a.in, "PUT /api/v2/dashboard/one", token).Want(t, http.StatusForbidden)
	if string(got.Body) != own || got.Header.Get("X-Own") != "yes" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("not the instance's own answer: %v %s", got.Header, got.Body)
	}
	ours := a.Call(t, a.in, toAlerts, token).Want(t, http.StatusForbidden)
	for answer, code := range map[*Answer]string{&got: "upstream", &ours: "forbidden"} {
		id := answer.Header.Get(httpapi.HeaderRequestID)
		kept := a.Get(t, "west", "/cloudapi/causeway/1.0.0/refusals/"+id, Bearer(a.Token)).Want(t, 200)
		if kept.String(t, "code") != code {
			t.Errorf("the audit trail says %s, want %s", kept.Body, code)
		}
	}
}

func (a *acme) kinds(t *testing.T) {
	a.NewCustomRole(t, "keepers", "aoa:alerts", "aoa:sources")
	app, token := a.AppWith(t, "org_member", "support_user", "aoa:metrics", "aoa:proxies@"+a.in.ID, "custom:keepers")
	perms, _ := Claims(t, token)["perms"].([]any)
	for _, want := range []string{
		"csp:org_member", "csp:support_user", "external/" + Operations + "/aoa:metrics", "external/" + Operations + "/" + a.in.ID + "/aoa:proxies",
		"external/" + Operations + "/aoa:alerts", "external/" + Operations + "/aoa:sources",
	} {
		if !slices.ContainsFunc(perms, func(p any) bool { return strings.HasSuffix(p.(string), want) || p == want }) {
			t.Errorf("the token does not say %s: %v", want, perms)
		}
	}
	member := a.member(t, app.ID)
	for _, want := range []string{`"name":"org_member"`, `"name":"support_user"`, `"name":"aoa:metrics"`, `"resource":"` + a.in.ID + `"`, `"name":"keepers"`} {
		if !strings.Contains(member, want) {
			t.Errorf("the list does not say %s: %s", want, member)
		}
	}
	a.may(t, token, toQuery, toProxies, toAlerts, "POST /api/v2/source/one/tag/x")
	a.mayNot(t, token, toDashboards)
}

// member is the line of an app in the list of the organization's.
func (m *Manager) member(t *testing.T, id string) string {
	t.Helper()
	list := string(m.Ask(t, "GET", "/clients?pageStart=1&pageLimit=200", nil).Want(t, 200).Body)
	_, after, ok := strings.Cut(list, `{"id":"`+id+`"`)
	if !ok {
		return ""
	}
	line, _, _ := strings.Cut(after, `{"id":"`)
	return line
}

func (a *acme) oneInstance(t *testing.T) {
	second := a.NewInstance(t, "west", "acme", "second", "onboarded")
	_, token := a.AppWith(t, "aoa:proxies@"+second.ID)
	a.mayIn(t, second, token, toProxies)
	a.mayNot(t, token, toProxies)
	_, both := a.AppWith(t, "aoa:proxies")
	a.mayIn(t, second, both, toProxies)
	a.may(t, both, toProxies)
}

func (a *acme) proxiesAlone(t *testing.T) {
	_, token := a.AppWith(t, "aoa:proxies")
	a.may(t, token, toProxies, "PUT /api/v2/proxy/one", "DELETE /api/v2/proxy/one", "GET /api/v2/cloudintegration", "POST /api/v2/cloudintegration",
		"PUT /api/v2/cloudintegration/one", "DELETE /api/v2/cloudintegration/one", "POST /api/v2/search/proxy")
	a.mayNot(t, token, toDashboards, toAlerts, toQuery, "GET /api/v2/dashboard", "POST /report?f=wavefront", "GET /api/v2/user", "GET /api/v2/nothing", "GET /")
}

func (a *acme) sleeping(t *testing.T) {
	a.NewCustomRole(t, "sleepers", "aoa:dashboards")
	// The custom role first, then the service role.
	app, token := a.AppWith(t, "org_member", "custom:sleepers")
	a.mayNot(t, token, toDashboards)
	a.ChangeRoles(t, app.ID, "rolesToAdd", "aoa:viewer")
	a.may(t, token, toDashboards)
	a.ChangeRoles(t, app.ID, "rolesToRemove", "aoa:viewer")
	a.mayNot(t, token, toDashboards)
	// The other order.
	app, token = a.AppWith(t, "org_member", "aoa:viewer")
	a.mayNot(t, token, toDashboards)
	a.ChangeRoles(t, app.ID, "rolesToAdd", "custom:sleepers")
	a.may(t, token, toDashboards)
	// Alone it is nothing, and a token says so.
	_, token = a.AppWith(t, "custom:sleepers")
	if perms := Claims(t, token)["perms"].([]any); len(perms) != 0 {
		t.Errorf("the token says %v", perms)
	}
	a.mayNot(t, token, toDashboards, "GET /api/v2/dashboard")
	trail := a.Get(t, "west", "/cloudapi/1.0.0/auditTrail?pageSize=128&sortDesc=timestamp", Bearer(a.Token)).Want(t, 200)
	if !strings.Contains(string(trail.Body), "inactive") {
		t.Error("the audit trail does not say that the role is inactive")
	}
}

func (a *acme) customEverywhere(t *testing.T) {
	a.NewCustomRole(t, "roamers", "aoa:dashboards")
	in := []*Instance{a.NewInstance(t, "west", "acme", "i1", "onboarded"), a.NewInstance(t, "west", "acme", "i2", "onboarded"), a.NewInstance(t, "west", "acme", "i3", "onboarded")}
	_, token := a.AppWith(t, "aoa:viewer@"+in[0].ID, "aoa:viewer@"+in[1].ID, "custom:roamers")
	a.mayIn(t, in[0], token, toDashboards)
	a.mayIn(t, in[1], token, toDashboards)
	a.refused(t, in[2], token, http.StatusForbidden, toDashboards)
}

func (a *acme) changes(t *testing.T) {
	app, token := a.AppWith(t, "aoa:dashboards", "aoa:viewer")
	a.may(t, token, toDashboards)
	a.ChangeRoles(t, app.ID, "rolesToRemove", "aoa:dashboards")
	a.mayNot(t, token, toDashboards)
	a.ChangeRoles(t, app.ID, "rolesToAdd", "aoa:alerts")
	a.may(t, token, toAlerts)
	says := func(token, role string) bool { return strings.Contains(string(segment(t, token, 1)), role) }
	if !says(token, "aoa:dashboards") || says(token, "aoa:alerts") {
		t.Error("what a token says changed without a new one")
	}
	if next := a.TokenOf(t, app); says(next, "aoa:dashboards") || !says(next, "aoa:alerts") {
		t.Errorf("the next token says %s", segment(t, next, 1))
	}
	a.ChangeRoles(t, app.ID, "rolesToRemove", "aoa:alerts", "aoa:viewer")
	a.mayNot(t, token, toAlerts)
	WantCSPError(t, a.Exchange(t, "west", app), http.StatusForbidden)
	// The owner's bounds count as what the organization gives does.
	app, token = a.AppWith(t, "aoa:dashboards")
	bounds := AppRequest("allowedScopes", map[string]any{"servicesScopes": []any{map[string]any{"serviceDefinitionId": Operations, "roles": []any{map[string]any{"name": "aoa:viewer"}}}}})
	a.Ask(t, "PATCH", "/oauth-apps/"+app.ID, bounds).Want(t, 200)
	a.mayNot(t, token, toDashboards)
}

func (a *acme) accounts(t *testing.T) {
	path := "/service-instances/" + a.in.ID + "/service-accounts?pageLimit=200"
	count := func(id string) int {
		return strings.Count(string(a.Ask(t, "GET", path, nil).Want(t, 200).Body), `"clientId":"`+id+`"`)
	}
	app := a.NewApp(t)
	a.Add(t, app.ID, "org_member")
	for _, step := range []struct {
		how, role string
		want      int
	}{
		{"rolesToAdd", "developer", 0}, {"rolesToAdd", "aoa:viewer", 1}, {"rolesToAdd", "aoa:metrics", 1},
		{"rolesToRemove", "aoa:viewer", 1}, {"rolesToRemove", "aoa:metrics", 0}, {"rolesToAdd", "aoa:alerts", 1},
	} {
		a.ChangeRoles(t, app.ID, step.how, step.role)
		if got := count(app.ID); got != step.want {
			t.Errorf("after %s %s there are %d accounts, want %d", step.how, step.role, got, step.want)
		}
	}
	a.Call(t, a.in, toAlerts, a.TokenOf(t, app)).Want(t, 202)
	got := a.in.Taken()
	if h := got[len(got)-1].Header; h.Get("X-Causeway-Principal") != "app:"+app.ID || h.Get("X-Causeway-Service-Account") == "" ||
		h.Get("X-Causeway-Groups") != "service-accounts" || h.Get("Authorization") != "" || h.Get("X-Causeway-Org") != a.ID {
		t.Errorf("the instance is told %v", h)
	}
}
