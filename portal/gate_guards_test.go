package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

// guards are the head of every page, and what each is for.
var guards = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"X-Frame-Options":              "DENY", // for browsers that do not know frame-ancestors
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin", // identifiers in addresses are told nobody
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// TestGuards: whatever a page answers, its head guards it: pages, the login, refusals,
// redirects, downloads and what there is not.
func TestGuards_S(t *testing.T) {
	w := start(t)
	session := w.session(t, w.Acme)
	for what, a := range map[string]sitetest.Answer{
		"a page":     w.send(t, http.MethodGet, w.Acme.URL, session, nil).Want(t, http.StatusOK),
		"the login":  w.send(t, http.MethodGet, w.Acme.URL+"/login", "", nil).Want(t, http.StatusOK),
		"no session": w.send(t, http.MethodGet, w.Acme.URL, "", nil).Want(t, http.StatusSeeOther),
		"a refusal":  w.send(t, http.MethodGet, w.Provider.URL, session, nil).Want(t, http.StatusForbidden),
		"a form of others": w.send(t, http.MethodPost, w.Acme.URL+"/logout", session, nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").
			Want(t, http.StatusForbidden),
		"a wrong password": w.sign(t, w.Acme.URL, "nobody", "nothing").Want(t, http.StatusUnauthorized),
		"nothing there":    w.send(t, http.MethodGet, w.Acme.URL+"/nowhere", session, nil).Want(t, http.StatusNotFound),
		"a file":           w.send(t, http.MethodGet, w.Acme.URL+"/monitor/audit/export", session, nil).Want(t, http.StatusOK),
		"events":           w.send(t, http.MethodGet, w.Acme.URL+"/monitor/audit/export?format=cef", session, nil).Want(t, http.StatusOK),
	} {
		for name, want := range guards {
			if got := a.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s has %s %q", what, name, got)
			}
		}
	}
	page := string(w.send(t, http.MethodGet, w.Acme.URL, session, nil).Body)
	for _, m := range loaded.FindAllStringSubmatch(page, -1) {
		a := w.send(t, http.MethodGet, w.West.API+m[1], "", nil).Want(t, http.StatusOK)
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s has %v", m[1], a.Header)
		}
	}
}

// TestPolicyHolds: where somebody's markup got into a page after all, the browser runs
// nothing of it, loads nothing and sends no form elsewhere.
func TestPolicyHolds_S(t *testing.T) {
	w := start(t)
	elsewhere := w.attackers(t)["another site"]
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Expect("script-src", "img-src", "form-action", "style-src", "base-uri", "asked another host", "csp", "CSP", "answers 403")
	ran := map[string]bool{}
	tab.Eval(fmt.Sprintf(`(async () => {
		const into = document.querySelector("main"), elsewhere = %q
		const over = e => new Promise(done => ["load", "error"].forEach(kind => e.addEventListener(kind, () => done(kind === "load"))))
		const add = (tag, set) => { const e = Object.assign(document.createElement(tag), set); into.append(e); return over(e) }
		into.append(Object.assign(document.createElement("script"), {textContent: "window.inline = true"}))
		const script = await add("script", {src: elsewhere + "/x.js"}), image = await add("img", {src: elsewhere + "/x.png"})
		into.insertAdjacentHTML("beforeend", "<img id=broken src=x onerror='window.handler = true'><b id=styled style='display:none'></b><base href='" + elsewhere + "/'>" +
			"<form id=away method=post action='" + elsewhere + "/form'></form>")
		await over(document.getElementById("broken"))
		document.getElementById("away").submit()
		return {inline: !!window.inline, script, image, handler: !!window.handler,
			styled: getComputedStyle(document.getElementById("styled")).display === "none", base: !document.baseURI.startsWith(location.origin)}
	})()`, elsewhere), &ran)
	for what, is := range ran {
		if is {
			t.Errorf("%s: the page's policy let it happen", what)
		}
	}
	if tab.URL() != w.Acme.URL {
		t.Errorf("a form led to %s", tab.URL())
	}
}

// TestLoginLeadsNowhereElse: the login's two uses of where to go judge it alike.
func TestLoginLeadsNowhereElse_S(t *testing.T) {
	w := start(t)
	for _, to := range []string{"https://evil.example/tenant/acme/x", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/provider", "/tenant/globex"} {
		page := w.send(t, http.MethodGet, w.Acme.URL+"/login?to="+url.QueryEscape(to), "", nil).Want(t, http.StatusOK)
		if got := hiddenOf(page).Get("to"); got != "/tenant/acme" {
			t.Errorf("a link to %q makes a form for %q", to, got)
		}
		a := w.send(t, http.MethodPost, w.Acme.URL+"/login", "", url.Values{"name": {w.Acme.Admin.User}, "password": {w.Acme.Admin.Password}, "to": {to}})
		if got := a.Header.Get("Location"); a.Status != http.StatusSeeOther || got != "/tenant/acme" {
			t.Errorf("a form for %q leads to %d %q", to, a.Status, got)
		}
	}
}

// TestNotices: what was just done is said once, and no link makes a page say it.
func TestNotices_S(t *testing.T) {
	w := start(t)
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + "?did=userdeleted")
	tab.SeesNot("The user is deleted.")
	tab.Go(w.Acme.URL + "/administration/settings/general")
	tab.Fill("Description", "Acme's")
	tab.Press("Save")
	tab.Sees("The settings are saved.")
	if strings.Contains(tab.URL(), "?") {
		t.Errorf("the address is %s", tab.URL())
	}
	tab.Reload()
	tab.SeesNot("The settings are saved.")
	for _, made := range []string{"<b>x</b>", "../did", "login.title"} {
		tab.Cookie(w.Acme.URL, "__Host-causeway-did", made)
		if tab.Go(w.Acme.URL); tab.Text("main") == "" || strings.Contains(tab.Text("main"), "Log in") {
			t.Errorf("the notice %q is shown: %s", made, tab.Text("main"))
		}
	}
}

// TestSecondLogin: a login takes the place of the one before in the same browser, which
// ends; others go on.
func TestSecondLogin_R4(t *testing.T) {
	w := start(t)
	first, other := w.session(t, w.Acme), w.session(t, w.Acme)
	second := cookieOf(t, w.send(t, http.MethodPost, w.Provider.URL+"/login", first,
		url.Values{"name": {w.West.Admin.User}, "password": {w.West.Admin.Password}}).Want(t, http.StatusSeeOther)).Value
	w.send(t, http.MethodGet, w.Acme.URL, first, nil).Want(t, http.StatusSeeOther)
	w.send(t, http.MethodGet, w.Acme.URL, other, nil).Want(t, http.StatusOK)
	w.send(t, http.MethodGet, w.Provider.URL, second, nil).Want(t, http.StatusOK)

	// A refused one ends nothing.
	w.send(t, http.MethodPost, w.Acme.URL+"/login", other, url.Values{"name": {w.Acme.Admin.User}, "password": {"not the one"}}).Want(t, http.StatusUnauthorized)
	w.send(t, http.MethodGet, w.Acme.URL, other, nil).Want(t, http.StatusOK)
}
