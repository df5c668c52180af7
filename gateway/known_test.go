package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// TestLogin_R13_KnownAddressDuringAFlood: strangers on many networks who fail as
// somebody shut them out of new places only. Who is known may also change the
// password they guess at.
func TestLogin_R13_KnownAddressDuringAFlood(t *testing.T) {
	few := func(n int) config.Budget { return config.Budget{Tokens: n, Per: time.Hour} }
	w := start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) {
		c.Limits.Login = config.LoginLimits{AccountAtSource: few(3), Source: few(3), Network: few(6), Account: few(12)}
	}))
	public, admin := w.Site("west").Public(), w.c.Site("west").Org("acme").Admin
	send := func(from string, r *http.Request) *httptest.ResponseRecorder {
		t.Helper()
		r.RemoteAddr = from + ":4711"
		r.Header.Set("Accept", "application/json;version="+httpapi.Version)
		answer := httptest.NewRecorder()
		public.ServeHTTP(answer, r)
		return answer
	}
	login := func(from, password string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest("POST", "/cloudapi/1.0.0/sessions", nil)
		r.SetBasicAuth(admin.User+"@acme", password)
		return send(from, r)
	}
	const home, away = "192.0.2.1", "198.51.100.1"
	if a := login(home, admin.Password); a.Code != http.StatusOK {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := login(away, "wrong"); a.Code != http.StatusUnauthorized { // which makes nobody known
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	refused := 0
	for i := range 20 {
		if a := login(fmt.Sprintf("203.0.%d.1", i), "wrong"); a.Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 20-11 {
		t.Errorf("%d of 20 networks were refused", refused)
	}
	if a := login(away, admin.Password); a.Code != http.StatusTooManyRequests || a.Header().Get("Retry-After") == "" {
		t.Errorf("from a new place: %d %s", a.Code, a.Body)
	}
	a := login(home, admin.Password)
	if a.Code != http.StatusOK {
		t.Fatalf("the owner is locked out at home: %d %s", a.Code, a.Body)
	}
	token := a.Header().Get(httpapi.HeaderAccessToken)
	change := func(from string) int {
		t.Helper()
		session := w.do(t, "west", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), "").Want(t, 200).JSON(t)
		id := fmt.Sprint(session["user"].(map[string]any)["id"])
		body := fmt.Sprintf(`{"currentPassword":%q,"newPassword":"another long password"}`, admin.Password)
		r := httptest.NewRequest("POST", "/cloudapi/1.0.0/users/"+id+"/changePassword", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		return send(from, r).Code
	}
	if status := change(away); status != http.StatusTooManyRequests {
		t.Errorf("from a new place the password changes: %d", status)
	}
	if status := change(home); status != http.StatusNoContent {
		t.Errorf("the owner cannot change the password at home: %d", status)
	}
	for i, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		if a := login(home, "another long password"); a.Code != want {
			t.Errorf("login %d at home: %d, want %d", i, a.Code, want)
		}
	}
}

// TestLogin_R6_NotAtAnothersDoor: the right password does not help there.
func TestLogin_R6_NotAtAnothersDoor(t *testing.T) {
	w := start(t, storetest.SQLite)
	login := func(org string, admin dev.Login, path string, want int) {
		t.Helper()
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(admin.User+"@"+org, admin.Password)
		w.do(t, "west", "POST", path, r.Header, "").Want(t, want)
	}
	const tenants, provider = "/cloudapi/1.0.0/sessions", "/cloudapi/1.0.0/sessions/provider"
	tenant, root := w.c.Site("west").Org("acme").Admin, w.c.Site("west").Admin
	login("acme", tenant, provider, http.StatusUnauthorized)
	login(sitetest.System, root, tenants, http.StatusUnauthorized)
	login("acme", tenant, tenants, http.StatusOK)
	login(sitetest.System, root, provider, http.StatusOK)
}
