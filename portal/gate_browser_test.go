package portal_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/browsertest"
)

// evil serves pages from another host (or another port of the same host, which
// browsers take for the same site): /form sends a form, /frame frames a page, /fetch
// only is somewhere else.
func evil(t *testing.T, host string) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := html.EscapeString(r.URL.Query().Get("to"))
		switch r.URL.Path {
		case "/form":
			fmt.Fprintf(w, `<!doctype html><form method="post" action="%s"><input name="name" value="x"><button>Win</button></form>`, to)
		case "/frame":
			fmt.Fprintf(w, `<!doctype html><h1>You won</h1><iframe src="%s" width="600" height="400"></iframe>`, to)
		default:
			fmt.Fprint(w, `<!doctype html><title>elsewhere</title><h1>Elsewhere</h1>`)
		}
	}))
	s.StartTLS()
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return "https://" + host + ":" + u.Port()
}

// attackers are another site, and another port of the portal's own host.
func (w *world) attackers(t *testing.T) map[string]string {
	t.Helper()
	u, err := url.Parse(w.West.API)
	if err != nil {
		t.Fatal(err)
	}
	other := "127.0.0.1"
	if u.Hostname() == other {
		other = "localhost"
	}
	return map[string]string{"another site": evil(t, other), "another port": evil(t, u.Hostname())}
}

// TestForeignPages attacks somebody who is logged in, from pages of others that they
// look at in the same browser.
func TestForeignPages_S(t *testing.T) {
	w := start(t)
	forms := changes(t)
	for name, from := range w.attackers(t) {
		t.Run(name, func(t *testing.T) {
			tab := w.Acme.enter(t, browsertest.Look{})
			before := w.journal(t)
			tab.Expect("asked another host: "+w.West.API, "ERR_BLOCKED_BY_RESPONSE", "answers 403")
			for _, path := range []string{"/logout", "/login"} { // a form, as the attack is known best
				tab.Go(from + "/form?to=" + url.QueryEscape(w.Acme.URL+path))
				tab.Press("Win")
				if !strings.HasPrefix(tab.URL(), w.Acme.URL) || tab.Status() != http.StatusForbidden {
					t.Errorf("a form for %s leads to %s, %d", path, tab.URL(), tab.Status())
				}
			}
			tab.Go(from + "/")
			var all []string // and the same without leaving the page
			for _, p := range forms {
				all = append(all, p.at(w.West.API, "acme"))
			}
			list, _ := json.Marshal(all) // strings always are JSON
			tab.Eval(fmt.Sprintf(`Promise.allSettled(%s.map(to => fetch(to, {method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({name: "x"})})))`, list), nil)
			w.unchanged(t, before)
			tab.Go(w.Acme.URL)
			if tab.URL() != w.Acme.URL {
				t.Errorf("the session is over: %s", tab.URL())
			}
		})
	}
}

// TestFraming: no page of another site can show the portal in a frame and have it
// clicked.
func TestFraming_S(t *testing.T) {
	w := start(t)
	for name, from := range w.attackers(t) {
		for what, page := range map[string]string{"the start": w.Acme.URL, "the login": w.Acme.URL + "/login", "a refusal": w.Provider.URL} {
			t.Run(name+" frames "+what, func(t *testing.T) {
				tab := w.Acme.enter(t, browsertest.Look{})
				tab.Expect("frame-ancestors", "asked another host: "+w.West.API, "does not load", "X-Frame-Options")
				tab.Go(from + "/frame?to=" + url.QueryEscape(page))
				tab.Sees("You won")
			})
		}
	}
}
