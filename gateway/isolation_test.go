package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// marked reports what a body says of the victim.
func (v *victim) marked(body []byte) (found []string) {
	for _, id := range append(valuesOf(v.ids), marker) {
		if strings.Contains(string(body), id) {
			found = append(found, id)
		}
	}
	return found
}

func valuesOf(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	slices.Sort(all)
	return all
}

// foreigner is somebody of the same or another site who has no business with
// the victim.
type foreigner struct {
	name, site string
	header     http.Header
}

func (w *world) foreigners(t *testing.T) []foreigner {
	t.Helper()
	admin := w.c.Login(t, "east", "acme")
	bot := w.c.Register(t, "east", "acme", admin, "matrix-bot", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "Organization Administrator")
	machine, _ := w.c.ConnectAs(t, "east", "acme", admin, bot)
	far, _ := w.c.Account(t, "west", w.c.Login(t, "west", "acme"), "inventory-bot")
	crossing, _ := w.c.Connect(t, "west", "acme", far)
	here := bare(w.c.Site("east").Org("acme").ID) + "@" + bare(w.c.Site("east").ID)
	return []foreigner{
		{"another tenant's administrator", "east", sitetest.Bearer(admin)},
		{"another tenant's account", "east", sitetest.Bearer(machine)},
		{"another tenant's administrator in the victim's name", "east", sitetest.Bearer(admin, httpapi.HeaderAuthContext, marker+"-org")},
		{"an account of another site", "west", sitetest.Bearer(crossing, httpapi.HeaderAuthContext, here)},
	}
}

// posted are the bodies of POST routes that need one, by the end of their path.
var posted = []struct{ suffix, media, body string }{
	{"/introspect", "application/x-www-form-urlencoded", "token=x"},
	{"/register", "application/json", `{"client_name":"` + marker + `-new","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:vApp%20User"}`},
	{"/changePassword", "application/json", `{"currentPassword":"` + longPassword + `","newPassword":"another long password"}`},
	{"/replaceKey", "application/json", `{"publicKey":"$key"}`},
	{"/associations", "application/*+json", `{"siteId":"` + nobody + `","orgId":"` + nobody + `","orgName":"x","orgPublicKey":"$key"}`},
	{"/service-accounts", "application/json", `{"id":"` + marker + `-more"}`},
	{"/rights", "application/json", `{"values":[]}`},
	{"/publish", "application/json", `{"values":[]}`},
	{"/unpublish", "application/json", `{"values":[]}`},
	{"/publishAll", "application/json", `{}`},
	{"/unpublishAll", "application/json", `{}`},
	{"/users", "application/vnd.vmware.admin.user+xml", `<User xmlns="http://www.vmware.com/vcloud/v1.5" name="` + marker + `-more"><IsEnabled>true</IsEnabled>` +
		`<Role href="https://localhost/api/admin/role/$role"/><Password>` + longPassword + `</Password></User>`},
}

// written are the bodies of routes below /csp that need one, by method and the end
// of their path.
var written = []struct{ method, suffix, body string }{
	{"POST", "/oauth-apps", newApp(marker + "-more")},
	{"DELETE", "/oauth-apps", `{"clientIdsToDelete":["$app"]}`},
	{"PATCH", "/oauth-apps/:app", newApp(marker + "-renamed")},
	{"POST", "/secret", `{"newClientSecret":"0123456789abcdefghijklmnopqrstuvwxyz"}`},
	{"PUT", "/secret", `{}`},
	{"POST", "/clients", `{"ids":["$idleApp"]}`},
	{"DELETE", "/clients", `{"ids":["$app"]}`},
	{"PATCH", "/clients/:client/roles", `{"organizationRoles":{"rolesToAdd":["developer"]}}`},
	{"PATCH", "/users/:user/roles", `{"customRoles":{"rolesToAdd":["$customRole"]}}`},
	{"POST", "/search", `{}`},
	{"POST", "/custom-roles", `{"name":"` + marker + `-more","displayName":"` + marker + `-more"}`},
	{"PATCH", "/custom-roles/:role", `{"displayName":"` + marker + `-renamed"}`},
	{"PATCH", "/permissions", `{"permissionsToRemove":["external/` + operations + `/aoa:metrics"]}`},
}

// request is what the owner would send: what a GET shows goes back by PUT.
func (w *world) request(t *testing.T, e endpoint, path string, v *victim) (header http.Header, body string) {
	t.Helper()
	header = http.Header{"Content-Type": {e.media()}}
	for _, b := range written {
		if b.method == e.method && strings.HasPrefix(e.path, "/csp/") && strings.HasSuffix(e.path, b.suffix) {
			return header, strings.NewReplacer("$app", v.ids["app"], "$idleApp", v.ids["idleApp"], "$customRole", v.ids["customRole"]).Replace(b.body)
		}
	}
	switch e.method {
	case http.MethodPut:
		owners := v.owners()
		if strings.Contains(e.path, "/serviceInstances/") { // tenants see less of it
			owners = []string{v.provider}
		}
		for _, token := range owners {
			if a := w.do(t, "east", "GET", path, sitetest.Bearer(token), ""); a.Status == http.StatusOK {
				header.Set("Content-Type", a.Header.Get("Content-Type"))
				return header, string(a.Body)
			}
		}
		t.Fatalf("%s cannot be read before it is written", path)
	case http.MethodPost:
		for _, p := range posted {
			if strings.HasSuffix(e.path, p.suffix) {
				header.Set("Content-Type", p.media)
				return header, strings.NewReplacer("$role", v.ids["role"], "$key", v.key).Replace(p.body)
			}
		}
	}
	return header, ""
}

// ofTenants says that the route names something of one organization.
func (e endpoint) ofTenants(v *victim) bool {
	for _, m := range parameter.FindAllStringSubmatch(e.path, -1) {
		of, _ := kind(m)
		if _, ok := v.ids[of]; m[2] != "org" && !ok {
			return false
		}
	}
	return strings.Contains(e.path, "/:") && !e.open()
}

// TestTenantIsolation_R6 asks every route for what belongs to another tenant, as
// every kind of foreigner: the answer is the one about what does not exist,
// nothing changes and nothing is said. Then the owners ask the same, so that the
// refusals had no other reason.
func TestTenantIsolation_R6(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.newVictim(t, marker+"-org")
		foreigners := w.foreigners(t)
		kept := w.witness(t, "east")
		var routes []endpoint
		for _, e := range endpoints() {
			if e.ofTenants(v) {
				routes = append(routes, e)
			}
		}
		if len(routes) < 40 {
			t.Fatalf("%d routes name something of a tenant: that is not the table", len(routes))
		}
		for _, e := range routes {
			t.Run(strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				path := e.fill(t, v.name, v.ids)
				header, body := w.request(t, e, path, v)
				for _, f := range foreigners {
					w.foreignLooksAbsent(t, e, f, v, header, body)
				}
			})
		}
		kept.unchanged(t)
		t.Run("lists", func(t *testing.T) { w.listsAreSilent(t, foreigners, v) })
		t.Run("time", func(t *testing.T) { w.timeIsSilent(t, routes, foreigners[0], v) })
		for i, e := range routes {
			t.Run("owner."+strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				v := v
				if e.destroys() { // then there is one victim for each
					v = w.newVictim(t, fmt.Sprintf("%s-%d", marker, i))
				}
				w.ownerMay(t, e, v)
			})
		}
	})
}

func (w *world) foreignLooksAbsent(t *testing.T, e endpoint, f foreigner, v *victim, header http.Header, body string) {
	t.Helper()
	asked := f.header.Clone()
	for k, values := range header {
		asked[k] = values
	}
	theirs := w.do(t, f.site, e.method, e.fill(t, v.name, v.ids), asked, body)
	none := w.do(t, f.site, e.method, e.fill(t, "nowhere", unknownIDs), asked, body)
	wantRefusal(t, e.path, theirs)
	if theirs.Status != none.Status || masked(theirs) != masked(none) {
		t.Errorf("%s: theirs %d %s\nabsent %d %s", f.name, theirs.Status, theirs.Body, none.Status, none.Body)
	}
	for name := range theirs.Header {
		if name != "Date" && name != "Content-Length" && len(none.Header[name]) == 0 {
			t.Errorf("%s: only what is there has the header %s", f.name, name)
		}
	}
	if found := v.marked(theirs.Body); len(found) > 0 {
		t.Errorf("%s is told %q", f.name, found)
	}
}

// listsAreSilent reads every list, also with filters that ask for the victim.
func (w *world) listsAreSilent(t *testing.T, foreigners []foreigner, v *victim) {
	queries := []string{"", "?pageSize=128", "?filter=name==" + marker + "*", "?filter=id!=urn:vcloud:org:" + nobody, "?filter=org.id==" + v.ids["org"], "?sortAsc=name"}
	for _, kind := range []string{"organization", "task", "adminTask", "user", "adminUser", "role", "right", "orgVdc", "adminOrgVdc", "site", "siteAssociation", "orgAssociation"} {
		queries = append(queries, "?type="+kind, "?type="+kind+"&filter=name=="+marker+"*", "?type="+kind+"&filter=(name!=x,org==https%3A%2F%2Fx%2Fapi%2Forg%2F"+v.ids["org"]+")")
	}
	for _, e := range endpoints() {
		if e.method != http.MethodGet || strings.Contains(e.path, "/:") || e.open() {
			continue
		}
		for _, f := range foreigners {
			for _, q := range queries {
				if strings.Contains(q, "type=") != strings.HasSuffix(e.path, "/query") {
					continue
				}
				a := w.do(t, f.site, e.method, e.path+q, f.header, "")
				// What was asked for is said again in links and refusals; what is there is not.
				said := strings.ReplaceAll(string(a.Body), marker+"*", "")
				said = strings.ReplaceAll(said, marker+"%2A", "")
				said = strings.ReplaceAll(said, `"askedOrganization":"`+marker+`-org"`, "") // of a refusal of their own
				if found := v.marked([]byte(said)); len(found) > 0 && !slices.Equal(found, []string{v.ids["org"]}) || strings.Contains(said, marker) {
					t.Errorf("%s reads %q in GET %s%s\n%.600s", f.name, found, e.path, q, a.Body)
				}
				if a.Status >= 500 {
					t.Errorf("%s: GET %s%s is %d", f.name, e.path, q, a.Status)
				}
			}
		}
	}
}

// sameTime is how far the quickest answers for foreign and absent may lie apart.
const sameTime = 2 * time.Millisecond

// timeIsSilent compares how long the refusals take, in turns: the quickest of each,
// which a busy machine delays least. It gets three tries: what leaks by its time leaks
// each time.
func (w *world) timeIsSilent(t *testing.T, routes []endpoint, f foreigner, v *victim) {
	for _, e := range routes {
		if e.method != http.MethodGet {
			continue
		}
		var apart time.Duration
		for range 3 {
			var theirs, none []time.Duration
			for range 15 {
				theirs = append(theirs, w.timed(t, f, e.fill(t, v.name, v.ids)))
				none = append(none, w.timed(t, f, e.fill(t, "nowhere", unknownIDs)))
			}
			if apart = (slices.Min(theirs) - slices.Min(none)).Abs(); apart <= sameTime {
				break
			}
		}
		if apart > sameTime {
			t.Errorf("%s: foreign and absent are %s apart", e, apart)
		}
	}
}

func (w *world) timed(t *testing.T, f foreigner, path string) time.Duration {
	start := time.Now()
	w.do(t, f.site, http.MethodGet, path, f.header, "")
	return time.Since(start)
}

// destroys says that others of the owner's requests would find nothing after it.
func (e endpoint) destroys() bool {
	return e.method == http.MethodDelete || strings.HasSuffix(e.path, "/disable") || strings.HasSuffix(e.path, "/changePassword")
}

// ofOrganization says that the route names an organization itself.
func (e endpoint) ofOrganization() bool {
	return strings.HasSuffix(e.path, "/org/:id") || strings.HasSuffix(e.path, "/orgs/:id")
}

// ownerMay sends what the foreigners sent, as those who may.
func (w *world) ownerMay(t *testing.T, e endpoint, v *victim) {
	if e.method == http.MethodDelete && e.ofOrganization() { // only what is disabled is deleted
		w.do(t, "east", "POST", "/api/admin/org/"+v.ids["org"]+"/action/disable", sitetest.Bearer(v.provider), "").Want(t, 204)
	}
	path := e.fill(t, v.name, v.ids)
	header, body := w.request(t, e, path, v)
	var answers []string
	for _, token := range v.owners() {
		asked := sitetest.Bearer(token)
		for k, values := range header {
			asked[k] = values
		}
		a := w.do(t, "east", e.method, path, asked, body)
		if a.Status < 400 || a.Status == http.StatusConflict {
			return
		}
		answers = append(answers, fmt.Sprintf("%d %s", a.Status, a.Body))
	}
	t.Errorf("nobody may: %s", answers)
}
