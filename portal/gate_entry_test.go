package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
)

// cookieName is what the browser's session is kept in.
const cookieName = "__Host-causeway"

// send asks for a page as a browser does: with the cookie of a session, if any, and
// for a form with its origin. pairs are more of the head.
func (w *world) send(t testing.TB, method, address, session string, form url.Values, pairs ...string) sitetest.Answer {
	t.Helper()
	h := http.Header{}
	if session != "" {
		h.Set("Cookie", cookieName+"="+session)
	}
	if method != http.MethodGet && method != http.MethodHead {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		h.Set("Origin", w.West.API)
		h.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if h.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			h.Del(pairs[i])
		}
	}
	return w.Client.Do(t, method, address, h, strings.NewReader(form.Encode()))
}

// sign logs in at a portal and gives the answer.
func (w *world) sign(t testing.TB, portal, name, password string, pairs ...string) sitetest.Answer {
	t.Helper()
	form := url.Values{"name": {name}, "password": {password}}
	return w.send(t, http.MethodPost, portal+"/login", "", form, pairs...)
}

// cookieOf is the session cookie that an answer sets.
func cookieOf(t testing.TB, a sitetest.Answer) *http.Cookie {
	t.Helper()
	res := http.Response{Header: a.Header}
	for _, c := range res.Cookies() {
		if c.Name == cookieName {
			return c
		}
	}
	t.Fatalf("status %d, and no session\n%s", a.Status, a.Body)
	return nil
}

// session logs in a portal's administrator.
func (w *world) session(t testing.TB, p portalOf) string {
	t.Helper()
	return cookieOf(t, w.sign(t, p.URL, p.Admin.User, p.Admin.Password).Want(t, http.StatusSeeOther)).Value
}

// TestCookie: what keeps a session is for this host alone, over TLS, and neither for
// scripts nor for forms of other sites.
func TestCookie_S(t *testing.T) {
	w := start(t)
	in := cookieOf(t, w.sign(t, w.Acme.URL, w.Acme.Admin.User, w.Acme.Admin.Password))
	if !in.Secure || !in.HttpOnly || in.SameSite != http.SameSiteLaxMode || in.Path != "/" || in.Domain != "" || in.MaxAge != 0 || !in.Expires.IsZero() {
		t.Errorf("the cookie is %s", in)
	}
	out := cookieOf(t, w.send(t, http.MethodPost, w.Acme.URL+"/logout", in.Value, nil).Want(t, http.StatusSeeOther))
	if out.Value != "" || out.MaxAge >= 0 {
		t.Errorf("the end of the session sets %s", out)
	}
	w.send(t, http.MethodGet, w.Acme.URL, in.Value, nil).Want(t, http.StatusSeeOther) // it is over at the site too
	again := w.session(t, w.Acme)
	two := w.send(t, http.MethodGet, w.Acme.URL, "", nil, "Cookie", cookieName+"="+again+"; "+cookieName+"=x")
	if two.Status != http.StatusSeeOther {
		t.Errorf("with two cookies of the name the page answers %d", two.Status)
	}
}

// TestRefusedLogin: a login that fails says the same, whatever is wrong with it, and
// is in the audit trail of the organization.
func TestRefusedLogin_S(t *testing.T) {
	w := start(t)
	want := ""
	for _, tt := range []struct{ what, portal, name, password string }{
		{"a wrong password", "/tenant/acme", w.Acme.Admin.User, "not the one"},
		{"a wrong name", "/tenant/acme", "nobody", w.Acme.Admin.Password},
		{"no such organization", "/tenant/nowhere", w.Acme.Admin.User, w.Acme.Admin.Password},
		{"the provider's person in a tenant's portal", "/tenant/acme", w.West.Admin.User, w.West.Admin.Password},
		{"the provider's organization as a tenant", "/tenant/System", w.West.Admin.User, w.West.Admin.Password},
		{"a tenant's person in the provider's portal", "/provider", w.Acme.Admin.User, w.Acme.Admin.Password},
		{"a longer name than there is", "/tenant/acme", strings.Repeat("a", 5000), "not the one"},
		{"a longer password than there is", "/tenant/acme", w.Acme.Admin.User, strings.Repeat("a", 5000)},
		{"a name with a line end", "/tenant/acme", w.Acme.Admin.User + "\n", "not the one\n"},
		{"no name", "/tenant/acme", "", ""},
		{"SQL", "/tenant/acme", "' OR 1=1 --", "' OR 1=1 --"},
	} {
		a := w.sign(t, w.West.API+tt.portal, tt.name, tt.password)
		if a.Status != http.StatusUnauthorized || a.Header.Get("Set-Cookie") != "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, cookie %q", tt.what, a.Status, a.Header.Get("Set-Cookie"))
		}
		got := alert(a)
		if want == "" {
			want = got
		}
		if got != want || got == "" {
			t.Errorf("%s is refused with %q, the first was with %q", tt.what, got, want)
		}
		if tt.password != "" && strings.Contains(string(a.Body), tt.password) {
			t.Errorf("%s: the page repeats the password", tt.what)
		}
	}
	w.wantRefusal(t, w.sign(t, w.Acme.URL, w.Acme.Admin.User, "not the one"), "acme", "unauthenticated")
}

var fault = regexp.MustCompile(`(?s)<div class="fault" role="alert"[^>]*>.*?<p>(.*?)</p>`)

// alert is what a form says went wrong.
func alert(a sitetest.Answer) string {
	if m := fault.FindSubmatch(a.Body); m != nil {
		return string(m[1])
	}
	return ""
}

// wantRefusal finds an answer in an organization's audit trail, as the API shows it
// to the provider.
func (w *world) wantRefusal(t testing.TB, a sitetest.Answer, org, code string) {
	t.Helper()
	provider := w.Client.Login(t, "west", sitetest.System)
	id := a.Header.Get("X-VMWARE-VCLOUD-REQUEST-ID")
	sitetest.Eventually(t, 5*time.Second, "refusal "+id+" is kept", func() bool {
		kept := w.Client.Get(t, "west", "/cloudapi/causeway/1.0.0/refusals/"+id, sitetest.Bearer(provider))
		if kept.Status != http.StatusOK {
			return false
		}
		in, _ := kept.JSON(t)["organization"].(map[string]any)
		if kept.String(t, "code") != code || in["name"] != org {
			t.Errorf("kept is %s", kept.Body)
		}
		return true
	})
}

// TestLimitedLogin: a login that must wait is a page that says so.
func TestLimitedLogin_S(t *testing.T) {
	w := start(t, sitetest.Adjust(func(c *config.Config) {
		c.Limits.Login.AccountAtSource = config.Budget{Tokens: 2, Per: time.Hour}
	}))
	for range 2 {
		w.sign(t, w.Acme.URL, w.Acme.Admin.User, "not the one").Want(t, http.StatusUnauthorized)
	}
	a := w.sign(t, w.Acme.URL, w.Acme.Admin.User, w.Acme.Admin.Password).Want(t, http.StatusTooManyRequests)
	if !strings.Contains(alert(a), "too many tries") || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("the page says %q", alert(a))
	}
	w.session(t, w.Provider)
}

// machines are tokens that open the API and no page.
func (w *world) machines(t *testing.T) map[string]string {
	t.Helper()
	c := w.Client
	admin := c.Login(t, "west", "acme")
	bot, _ := c.Account(t, "west", admin, "inventory-bot")
	access, refresh := c.Connect(t, "west", "acme", bot)
	id := c.Post(t, "west", sitetest.Realm("acme")+"/register", sitetest.Bearer(admin), map[string]string{"client_name": "script"}).Want(t, 201).String(t, "client_id")
	own := c.Form(t, "west", "acme", "token", "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", id, "assertion", admin).Want(t, 200)
	_, app := c.Manager(t, "west", "acme").AppWith(t, "org_member")
	return map[string]string{
		"a service account": access, "its refresh token": refresh, "an app": app,
		"an API token": own.String(t, "refresh_token"), "what an API token gives": own.String(t, "access_token"),
		"another site's person": c.Login(t, "east", "acme"), "another site's provider": c.Login(t, "east", sitetest.System),
		"garbage": "garbage", "an unsigned token": "eyJhbGciOiJub25lIn0.e30.", "nothing": "",
	}
}

// TestNobody: pages are for people who logged in with a browser. A machine's token in
// the cookie is nobody's, and a token in a header opens nothing at all.
func TestNobody_VCD5_S(t *testing.T) {
	w := start(t)
	person := w.session(t, w.Acme)
	pages := []string{w.Acme.URL, w.Provider.URL}
	for name, token := range w.machines(t) {
		for _, page := range pages {
			a := w.send(t, http.MethodGet, page, token, nil)
			if to := a.Header.Get("Location"); a.Status != http.StatusSeeOther || !strings.HasPrefix(to, strings.TrimPrefix(page, w.West.API)+"/login?to=") {
				t.Errorf("%s opens %s: %d, %s", name, page, a.Status, to)
			}
		}
	}
	for name, header := range map[string][]string{
		"a bearer token": {"Authorization", "Bearer " + person}, "a token for VCD": {"X-Vcloud-Authorization", person},
		"another cookie": {"Cookie", "causeway=" + person}, "a password": {"Authorization", "Basic " + basic(w.Acme.Admin, "acme")},
	} {
		if a := w.send(t, http.MethodGet, w.Acme.URL, "", nil, header...); a.Status != http.StatusSeeOther {
			t.Errorf("%s opens a page: %d", name, a.Status)
		}
	}
}

func basic(l dev.Login, org string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(l.User+"@"+org, l.Password)
	_, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return value
}

// TestEndedSession: who asks for a page comes back to it by the login; what a form
// would have changed is not changed, and the page says so.
func TestEndedSession_S(t *testing.T) {
	w := start(t)
	ended := w.session(t, w.Acme)
	w.send(t, http.MethodPost, w.Acme.URL+"/logout", ended, nil).Want(t, http.StatusSeeOther)
	for what, session := range map[string]string{"an ended session": ended, "no session": ""} {
		const at = "/tenant/acme/?q=a%20b" // the start page, with its slash
		a := w.send(t, http.MethodGet, w.West.API+at, session, nil).Want(t, http.StatusSeeOther)
		if got, want := a.Header.Get("Location"), "/tenant/acme/login?to="+url.QueryEscape(at); got != want {
			t.Errorf("%s leads to %s, want %s", what, got, want)
		}
		back := w.send(t, http.MethodPost, w.Acme.URL+"/login", "", url.Values{"name": {w.Acme.Admin.User}, "password": {w.Acme.Admin.Password}, "to": {at}})
		if got := back.Header.Get("Location"); back.Status != http.StatusSeeOther || got != at {
			t.Errorf("the login leads to %d %s", back.Status, got)
		}
		post := w.send(t, http.MethodPost, w.Acme.URL+"/logout", session, nil).Want(t, http.StatusUnauthorized)
		if text := string(post.Body); !strings.Contains(text, "Nothing was changed") || !strings.Contains(text, "/tenant/acme/login") {
			t.Errorf("%s: a form is answered with\n%s", what, text)
		}
	}
}
