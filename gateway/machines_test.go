package gateway_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

// machinesMay are the changes that a machine principal may make if its role says
// so: it ends its own sessions, and reports on work; and what changes nothing
// though it is a POST. A new route that changes something is forbidden to machines,
// or gets a line here.
var machinesMay = []string{
	"POST /oauth/provider/introspect", "POST /oauth/tenant/:org/introspect",
	"DELETE /cloudapi/1.0.0/sessions", "DELETE /cloudapi/1.0.0/sessions/provider", "DELETE /cloudapi/1.0.0/sessions/current",
	"DELETE /cloudapi/1.0.0/sessions/:id", "DELETE /api/session", "DELETE /api/sessions", "DELETE /api/login",
	"POST /api/task/:id/action/cancel",
}

// handlersRefuse are changes that everybody may make to what is their own: no
// right stands for that, and the handler tells people from machines.
var handlersRefuse = []string{"POST /cloudapi/1.0.0/users/:id/changePassword"}

// changes says that the route is for a change that machines must not make. Below
// /csp it is asked which organization roles somebody has, and apps may have some: the
// access matrix of apps (CSP-22) and the tests of accounts in instances say who may.
func (e endpoint) changes() bool {
	return e.method != http.MethodGet && !e.open() && !slices.Contains(machinesMay, e.String()) && !strings.HasPrefix(e.path, "/csp/")
}

// limitation is the requirement that forbids a route to machines.
func (e endpoint) limitation() string {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(e.path+"/", p) })
	}
	switch {
	case slices.Contains(e.rights, string(tenants.RightTokenManageAll)):
		return "VCD-36"
	case has("/tokens/"):
		return "VCD-35"
	case has("/register/"):
		return "VCD-32"
	case has("/serviceAccounts/", "/deviceLookup/"):
		return "VCD-33"
	case has("/users/", "/user/"):
		return "VCD-31"
	case has("/roles/", "/role/", "/globalRoles/", "/rightsBundles/", "/rights/", "/groups/", "/group/"):
		return "VCD-34"
	}
	return "VCD-30"
}

// The table that all the routes go by: no right that a change asks for is one
// that a machine can ever have, whatever its role says.
func TestMachines_VCD30_to_VCD36_NoRightForAChange(t *testing.T) {
	changing := 0
	for _, e := range endpoints() {
		if !e.changes() || slices.Contains(handlersRefuse, e.String()) {
			continue
		}
		changing++
		for _, r := range e.rights {
			if r == string(httpapi.AnySession) || tenants.MachineRights().Has(tenants.Right(r)) {
				t.Errorf("%s %s: a machine can have %q", e.limitation(), e, r)
			}
		}
	}
	if changing < 60 {
		t.Errorf("only %d routes change something: that is not the table", changing)
	}
	for _, r := range []tenants.Right{tenants.RightTokenManage, tenants.RightTokenManageAll, "Token: Manage", "Token: Manage All"} {
		if !tenants.AllRights().Has(r) || tenants.MachineRights().Has(r) {
			t.Errorf("VCD-35 VCD-36: a machine can have %q, or nobody", r)
		}
	}
	known := map[string]bool{}
	for _, e := range endpoints() {
		known[e.String()] = true
	}
	for _, e := range append(slices.Clone(machinesMay), handlersRefuse...) {
		if !known[e] {
			t.Errorf("%s is not served any more", e)
		}
	}
}

// machine is a service account with the mightiest role there is, and what it may
// try to change.
type machine struct {
	name, site, org string // org by the name that paths want
	header          http.Header
	ids             map[string]string
}

// machines are the provider's, a tenant's, one of another site whose counterpart
// in east has every right of a tenant, and a session of a user's API token.
func (w *world) machines(t *testing.T) []machine {
	t.Helper()
	const software = "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"
	connect := func(site, org, role string) (token, admin string) {
		t.Helper()
		admin = w.c.Login(t, site, org)
		id := w.c.Register(t, site, org, admin, "mighty", software, role)
		token, _ = w.c.ConnectAs(t, site, org, admin, id)
		return token, admin
	}
	system, provider := connect("east", sitetest.System, "System Administrator")
	local, admin := connect("east", "acme", "Organization Administrator")
	far, _ := connect("west", "acme", "Organization Administrator")
	acme := bare(w.c.Site("east").Org("acme").ID)
	person := w.victims(t, admin, acme)
	person["token"] = w.newAPIToken(t, "east", "acme", admin, "mighty")
	token := w.fetchAPIToken(t, "east", "acme", admin, person["token"]).String(t, "access_token")
	return []machine{
		{"by a user's token VCD-9 R7", "east", "acme", sitetest.Bearer(token), person},
		{"of the provider", "east", "acme", sitetest.Bearer(system), w.victims(t, provider, "urn:vcloud:org:"+string(tenants.SystemOrgID))},
		{"of the provider in a tenant", "east", "acme", sitetest.Bearer(system, httpapi.HeaderTenantContext, acme), w.victims(t, admin, acme)},
		{"of a tenant", "east", "acme", sitetest.Bearer(local), w.victims(t, admin, acme)},
		{"through a peer", "west", "acme", sitetest.Bearer(far, httpapi.HeaderTenantContext, acme), w.victims(t, admin, acme)},
	}
}

// victims are things that are there: a refusal is not about what is absent.
func (w *world) victims(t *testing.T, token, org string) map[string]string {
	t.Helper()
	ids := maps.Clone(unknownIDs)
	ids["org"] = bare(org)
	session := w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), "").Want(t, 200).JSON(t)
	ids["session"] = bare(fmt.Sprint(session["id"]))
	ids["user"] = bare(fmt.Sprint(session["user"].(map[string]any)["id"]))
	ids["role"] = bare(fmt.Sprint(session["roleRefs"].([]any)[0].(map[string]any)["id"]))
	ids["serviceAccount"], _ = w.c.Account(t, "east", token, "mighty")
	for kind, path := range map[string]string{"globalRole": "globalRoles", "rightsBundle": "rightsBundles"} {
		provider := w.c.Login(t, "east", sitetest.System)
		list := w.do(t, "east", "GET", "/cloudapi/1.0.0/"+path, sitetest.Bearer(provider), "").Want(t, 200).JSON(t)
		ids[kind] = bare(fmt.Sprint(list["values"].([]any)[0].(map[string]any)["id"]))
	}
	return ids
}

// path fills a route's path; a kind of id that the test does not know is nobody's.
func (m machine) path(e endpoint) string {
	return parameter.ReplaceAllStringFunc(e.path, func(s string) string {
		p := parameter.FindStringSubmatch(s)
		if p[2] == "org" {
			return p[1] + "/" + m.org
		}
		if id, ok := m.ids[kindOf[p[1]]]; ok {
			return p[1] + "/" + id
		}
		return p[1] + "/" + nobody
	})
}

// What machines get from every route that changes something, at home, in another
// tenant's organization and at another site: 403, for lack of the right, and
// nothing has changed.
func TestMachines_VCD30_to_VCD36(t *testing.T) {
	const software = "bc2528fd-35c4-44e5-a55d-62e5c4bd9c98"
	bodies := []string{
		`{"client_name":"x","software_id":"` + software + `","scope":"urn:vcloud:role:vApp%20User","userCode":"CCCC-CCCC","name":"x"}`,
		`{"client_name":"x"}`,
	}
	each(t, func(t *testing.T, w *world) {
		machines := w.machines(t)
		v := w.witness(t, "west", "east")
		for _, e := range endpoints() {
			if !e.changes() {
				continue
			}
			for _, m := range machines {
				t.Run(fmt.Sprintf("%s %s %s", e.limitation(), m.name, strings.ReplaceAll(e.String(), "/", ".")), func(t *testing.T) {
					for _, body := range bodies {
						m.header.Set("Content-Type", e.media())
						path := m.path(e)
						a := w.do(t, m.site, e.method, path, m.header, body)
						wantRefusal(t, path, a, http.StatusForbidden)
						if !strings.Contains(string(a.Body), "does not allow") && !slices.Contains(handlersRefuse, e.String()) {
							t.Errorf("refused for another reason: %s", a.Body)
						}
					}
				})
			}
		}
		v.unchanged(t)
		w.machinesLook(t, machines)
		w.machinesLack(t)
	})
}

// machinesLook reads what machines may see: the refusals were not about the
// account being unknown.
func (w *world) machinesLook(t *testing.T, machines []machine) {
	for _, m := range machines {
		lists := []string{"users", "roles", "serviceAccounts", "sessions"}
		if m.name == "of the provider" {
			lists = append(lists, "globalRoles", "rightsBundles")
		}
		for _, list := range lists {
			t.Run("VCD-34 looks at "+list+" "+m.name, func(t *testing.T) {
				w.do(t, m.site, "GET", "/cloudapi/1.0.0/"+list, m.header, "").Want(t, 200)
			})
		}
	}
}

// machinesLack reads what an administrator is told before saying yes to a machine
// with every right.
func (w *world) machinesLack(t *testing.T) {
	provider := w.c.Login(t, "east", sitetest.System)
	id, _ := w.c.Account(t, "east", provider, "mighty")
	code := w.c.Ask(t, "east", sitetest.System, id).Want(t, 200).String(t, "user_code")
	rights, _ := w.c.Decide(t, "east", provider, "", code).Want(t, http.StatusSeeOther).JSON(t)["rights"].([]any)
	if len(rights) < 50 {
		t.Errorf("%d rights: that is not every right", len(rights))
	}
	for id, lacking := range map[string][]any{
		"VCD-35": {"API Tokens: Manage", "Token: Manage"}, "VCD-36": {"API Tokens: Manage All", "Token: Manage All"},
		"VCD-31": {"Group / User: Manage"}, "VCD-33": {"Service Accounts: Manage"},
		"VCD-34": {"Role: Create, Edit, Delete, or Copy", "Global Role: Edit", "Rights Bundle: Edit"},
	} {
		t.Run(id+" lacks the right", func(t *testing.T) {
			for _, right := range lacking {
				if slices.Contains(rights, right) {
					t.Errorf("the account could use %q", right)
				}
			}
		})
	}
}
