package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// loginLegacy logs in an organization's administrator as old clients do.
func (w *world) loginLegacy(t *testing.T, site, org string) sitetest.Answer {
	t.Helper()
	admin := w.c.Site(site).Org(org).Admin
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(admin.User+"@"+org, admin.Password)
	a := w.do(t, site, "POST", "/api/sessions", r.Header, "").Want(t, 200)
	if a.Header.Get(httpapi.HeaderLegacyToken) == "" {
		t.Fatal("the login answered without an opaque token")
	}
	return a
}

// An opaque token acts at other sites as its session does: they see the session,
// never the token.
func TestLegacyToken_Crosses_R5(t *testing.T) {
	w := start(t, "sqlite")
	opaque := w.loginLegacy(t, "west", "acme").Header.Get(httpapi.HeaderLegacyToken)
	access := w.c.Login(t, "west", "acme")
	east := bare(w.c.Site("east").Org("acme").ID)
	header := func(h http.Header) http.Header {
		h.Set(httpapi.HeaderTenantContext, east)
		return h
	}
	byOpaque := w.do(t, "west", "GET", "/api/org", header(http.Header{httpapi.HeaderLegacyToken: {opaque}}), "")
	byAccess := w.do(t, "west", "GET", "/api/org", header(sitetest.Bearer(access)), "")
	if byOpaque.Status != byAccess.Status || masked(byOpaque) != masked(byAccess) {
		t.Errorf("by the opaque token %d %s\nby the access token %d %s", byOpaque.Status, byOpaque.Body, byAccess.Status, byAccess.Body)
	}
}

// A session stays at home. Where another site vouches, nobody pretends to know
// it, nobody ends it, and the account's sessions there are not the caller's.
func TestSessions_ThroughAPeer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		west := w.c.Login(t, "west", "acme")
		id, _ := w.c.Account(t, "west", west, "inventory-bot")
		access, _ := w.c.Connect(t, "west", "acme", id)
		east := w.c.Login(t, "east", "acme")
		twin, _ := w.c.Account(t, "east", east, "inventory-bot")
		theirs, _ := w.c.Connect(t, "east", "acme", twin)
		session := w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(theirs), "").Want(t, 200).String(t, "id")
		org := bare(w.c.Site("east").Org("acme").ID)
		crossing := func(method, path string) sitetest.Answer {
			return w.do(t, "west", method, path, sitetest.Bearer(access, httpapi.HeaderTenantContext, org), "")
		}
		current := crossing("GET", "/cloudapi/1.0.0/sessions/current").Want(t, 200).JSON(t)
		home := bare(w.c.Site("west").Org("acme").ID) + "@" + bare(w.c.Site("west").ID)
		if current["id"] != nil || current["site"] != nil || current["location"] != home {
			t.Errorf("the session is %v of %v at %v, want none here and %s", current["id"], current["site"], current["location"], home)
		}
		if doc := string(crossing("GET", "/api/session").Want(t, 200).Body); !strings.Contains(doc, `locationId="`+home+`"`) {
			t.Errorf("the session's location is another: %s", doc)
		}
		if list := crossing("GET", "/cloudapi/1.0.0/sessions").Want(t, 200).JSON(t); list["resultTotal"] != 0.0 {
			t.Errorf("it sees sessions of its twin: %v", list)
		}
		for _, e := range []endpoint{
			{method: "GET", path: "/cloudapi/1.0.0/sessions/" + session}, {method: "DELETE", path: "/cloudapi/1.0.0/sessions/" + session},
			{method: "DELETE", path: "/cloudapi/1.0.0/sessions/current"}, {method: "DELETE", path: "/api/session"},
		} {
			wantRefusal(t, e.path, crossing(e.method, e.path), http.StatusForbidden)
		}
		w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(theirs), "").Want(t, 200)
		w.do(t, "west", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(access), "").Want(t, 200)
	})
}

// Machines have to do with their own sessions alone, whatever their role says.
func TestSessions_VCD30_MachinesSeeTheirOwn(t *testing.T) {
	w := start(t, "sqlite")
	admin := w.c.Login(t, "east", "acme")
	current := func(token string) string {
		return w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), "").Want(t, 200).String(t, "id")
	}
	id := w.c.Register(t, "east", "acme", admin, "mighty", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", "Organization Administrator")
	first, refresh := w.c.ConnectAs(t, "east", "acme", admin, id)
	second := w.c.Refresh(t, "east", "acme", refresh).Want(t, 200).String(t, "access_token")
	const list = "/cloudapi/1.0.0/sessions"
	for _, path := range []string{list + "/" + current(admin), list + "/" + current(admin) + "/accessibleLocations"} {
		wantRefusal(t, path, w.do(t, "east", "GET", path, sitetest.Bearer(first), ""), http.StatusForbidden)
	}
	wantRefusal(t, list, w.do(t, "east", "DELETE", list+"/"+current(admin), sitetest.Bearer(first), ""), http.StatusForbidden)
	if got := w.do(t, "east", "GET", list, sitetest.Bearer(first), "").Want(t, 200).JSON(t); got["resultTotal"] != 2.0 {
		t.Errorf("it sees %v sessions, and has 2", got["resultTotal"])
	}
	w.do(t, "east", "GET", list+"/"+current(second)+"/accessibleLocations", sitetest.Bearer(first), "").Want(t, 200)
	w.do(t, "east", "DELETE", list+"/"+current(second), sitetest.Bearer(first), "").Want(t, 204)
	w.do(t, "east", "GET", list+"/current", sitetest.Bearer(second), "").Want(t, 401)
	current(admin)
}
