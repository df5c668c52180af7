package portal_test

import (
	"context"
	"database/sql"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/portal"
)

// page is a page of the portal, or where one of its forms is sent.
type page struct {
	method, path string
	open         bool // to anybody who is logged in
}

// pages are all that the portal serves to whoever is logged in: a new one comes under
// the tests of these files by itself.
func pages(t testing.TB) (all []page) {
	t.Helper()
	p, err := portal.New(portal.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Endpoints().Pages {
		all = append(all, page{e.Method, e.Path, slices.Contains(e.Rights, httpapi.AnySession)})
		if len(e.Rights) == 0 {
			t.Errorf("%s %s names no rights", e.Method, e.Path)
		}
	}
	return all
}

var parameter = regexp.MustCompile(`[:*]\w+`)

// at is the page's address at a site; what it is about is not there.
func (p page) at(site, org string) string {
	path := strings.Replace(p.path, ":org", org, 1)
	return site + parameter.ReplaceAllString(path, "3f2c1d00-7a5e-4c0b-9a41-6d2f8e9b0c17")
}

func (p page) tenants() bool { return strings.HasPrefix(p.path, "/tenant/") }

// changes are the pages that forms are sent to.
func changes(t testing.TB) []page {
	t.Helper()
	return slices.DeleteFunc(pages(t), func(p page) bool { return p.method == http.MethodGet })
}

// journal lists what has been changed at west.
func (w *world) journal(t testing.TB) (all []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Folder, "west", "causeway.db")+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), "SELECT action FROM journal ORDER BY seq")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var action string
		if err := rows.Scan(&action); err != nil {
			t.Fatal(err)
		}
		all = append(all, action)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// unchanged fails the test where something was changed since before.
func (w *world) unchanged(t testing.TB, before []string) {
	t.Helper()
	// An organization gets its key when somebody first asks for what holds the public
	// half: nobody notices whether it was there before.
	after := slices.DeleteFunc(w.journal(t)[len(before):], func(action string) bool { return action == string(journal.KeyCreated) })
	if len(after) > 0 {
		t.Errorf("changes were made: %q", after)
	}
}

// TestForeignForms: what a page of another site sends in a person's name changes
// nothing, at every address that forms are sent to.
func TestForeignForms_S(t *testing.T) {
	w := start(t)
	sessions := map[bool]string{true: w.session(t, w.Acme), false: w.session(t, w.Provider)}
	before := w.journal(t)
	forms := changes(t)
	if len(forms) < 3 {
		t.Fatalf("only %d pages take forms", len(forms))
	}
	for _, head := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "same-site", "Origin", "https://localhost:1"},
		{"Sec-Fetch-Site", "cross-site", "Origin", ""},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
		{"Sec-Fetch-Site", "", "Origin", strings.Replace(w.West.API, "https:", "http:", 1) + ".evil.example"},
		{"Sec-Fetch-Site", "", "Origin", ""},
		{"Sec-Fetch-Site", "", "Origin", "", "Referer", w.West.API},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Content-Type", "text/plain"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "X-HTTP-Method-Override", "GET"},
	} {
		for _, p := range forms {
			a := w.send(t, p.method, p.at(w.West.API, "acme"), sessions[p.tenants()], nil, head...)
			if a.Status != http.StatusForbidden || !strings.Contains(string(a.Body), "was not sent from a page of this site") {
				t.Errorf("%s %s with %q answers %d", p.method, p.path, head, a.Status)
			}
		}
		for _, p := range []portalOf{w.Acme, w.Provider} { // nobody is logged in as somebody else either
			if a := w.sign(t, p.URL, p.Admin.User, p.Admin.Password, head...); a.Status != http.StatusForbidden || a.Header.Get("Set-Cookie") != "" {
				t.Errorf("a login with %q answers %d", head, a.Status)
			}
		}
	}
	w.unchanged(t, before)
	for _, p := range []portalOf{w.Acme, w.Provider} {
		w.send(t, http.MethodGet, p.URL, sessions[p == w.Acme], nil).Want(t, http.StatusOK)
	}
}

// TestLooking: to follow a link changes nothing.
func TestLooking_S(t *testing.T) {
	w := start(t)
	sessions := map[bool]string{true: w.session(t, w.Acme), false: w.session(t, w.Provider)}
	before := w.journal(t)
	for _, p := range pages(t) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := w.send(t, method, p.at(w.West.API, "acme"), sessions[p.tenants()], nil, "Sec-Fetch-Site", "cross-site")
			if a.Status >= http.StatusInternalServerError {
				t.Errorf("%s %s answers %d\n%s", method, p.path, a.Status, a.Body)
			}
			if method == http.MethodGet && p.method == method && a.Header.Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s may load anything", method, p.path)
			}
		}
	}
	w.unchanged(t, before)
}

// TestEveryPageAsksForItsRight: whoever holds no right opens nothing but their own
// pages, and another organization's look as if there were none.
func TestEveryPageAsksForItsRight_S(t *testing.T) {
	w := start(t)
	east := w.File.Site("east")
	stranger := cookieOf(t, w.sign(t, east.API+"/tenant/acme", east.Org("acme").Admin.User, east.Org("acme").Admin.Password, "Origin", east.API)).Value
	nobody := w.without(t)
	for _, p := range pages(t) {
		ask := func(site, org, session string) sitetest.Answer {
			return w.send(t, p.method, p.at(site, org), session, nil, "Sec-Fetch-Site", "same-origin", "Origin", site)
		}
		other, none := ask(east.API, "globex", stranger), ask(east.API, "nowhere", stranger)
		if other.Status != http.StatusForbidden || none.Status != other.Status {
			t.Errorf("%s %s answers %d for another organization, and %d for one that is not there", p.method, p.path, other.Status, none.Status)
		}
		if !p.tenants() || p.open {
			continue
		}
		if a := ask(w.West.API, "acme", nobody); a.Status != http.StatusForbidden {
			t.Errorf("%s %s answers %d to somebody without a right", p.method, p.path, a.Status)
		}
	}
}

// without is the session of somebody in acme whose role holds no right.
func (w *world) without(t testing.TB) string {
	t.Helper()
	admin := sitetest.Bearer(w.Client.Login(t, "west", "acme"))
	role := w.Client.Post(t, "west", "/cloudapi/1.0.0/roles", admin, map[string]string{"name": "nothing"}).Want(t, http.StatusCreated).String(t, "id")
	w.Client.Post(t, "west", "/cloudapi/1.0.0/users", admin, map[string]any{
		"username": "nobody", "password": "a long password", "enabled": true, "roleEntityRefs": []any{map[string]string{"id": role}},
	}).Want(t, http.StatusCreated)
	return cookieOf(t, w.sign(t, w.Acme.URL, "nobody", "a long password")).Value
}
