package gateway_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// A request speaks for one session. Leftovers beside it do not count, a second
// valid token does.
func TestCredentials_R5(t *testing.T) {
	w := start(t, storetest.SQLite)
	one, two := w.c.Login(t, "west", "acme"), w.c.Login(t, "west", "acme")
	ended := w.c.Login(t, "west", "acme")
	w.do(t, "west", "DELETE", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(ended), "").Want(t, 204)
	foreign := w.c.Login(t, "east", "acme")
	login := w.loginLegacy(t, "west", "acme")
	both, opaque := login.Header.Get(httpapi.HeaderAccessToken), login.Header.Get(httpapi.HeaderLegacyToken)
	elsewhere := w.loginLegacy(t, "east", "acme").Header.Get(httpapi.HeaderLegacyToken)
	const sdk, legacy = httpapi.HeaderAccessToken, httpapi.HeaderLegacyToken
	for _, tt := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"one token in every header", http.Header{"Authorization": {"Bearer " + one}, sdk: {one, one}, legacy: {one}}, 200},
		{"two sessions, in two headers", http.Header{"Authorization": {"Bearer " + one}, sdk: {two}}, 400},
		{"two sessions, in the old header", http.Header{"Authorization": {"Bearer " + one}, legacy: {two}}, 400},
		{"two sessions, in one header", http.Header{sdk: {one, two}}, 400},
		{"two Authorization headers", http.Header{"Authorization": {"Bearer " + one, "Bearer " + two}}, 400},
		{"two sessions behind a stale one", http.Header{"Authorization": {"Bearer " + ended}, sdk: {one}, legacy: {two}}, 400},
		{"an ended session beside", http.Header{"Authorization": {"Bearer " + one}, sdk: {ended}}, 200},
		{"an ended session in front", http.Header{"Authorization": {"Bearer " + ended}, sdk: {one}}, 200},
		{"another site's beside", http.Header{"Authorization": {"Bearer " + one}, sdk: {foreign}}, 200},
		{"an organization's name beside", http.Header{"Authorization": {"Bearer " + one}, legacy: {"acme.example.com"}}, 200},
		{"an opaque token", http.Header{legacy: {opaque}}, 200},
		{"both tokens of one session", http.Header{"Authorization": {"Bearer " + both}, legacy: {opaque}}, 200},
		{"an opaque token of another session", http.Header{"Authorization": {"Bearer " + one}, legacy: {opaque}}, 400},
		{"another site's opaque token", http.Header{legacy: {elsewhere}}, 401},
		{"another site's opaque token beside", http.Header{"Authorization": {"Bearer " + one}, legacy: {elsewhere}}, 200},
		{"an opaque token as bearer", http.Header{"Authorization": {"Bearer " + opaque}}, 401},
		{"an opaque token as the SDK's", http.Header{sdk: {opaque}}, 401},
		{"an opaque token as bearer, beside a good one", http.Header{"Authorization": {"Bearer " + opaque}, sdk: {one}}, 200},
		{"an opaque token in an old header for two", http.Header{legacy: {opaque, both}}, 200},
		{"only stale ones", http.Header{"Authorization": {"Bearer " + ended}, sdk: {foreign}, legacy: {"x.y.z"}}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := w.do(t, "west", "GET", "/cloudapi/1.0.0/sessions/current", tt.header, "")
			if a.Status != tt.status {
				t.Errorf("status %d, want %d: %s", a.Status, tt.status, a.Body)
			}
		})
	}

	// An SDK that logs in again sends what it has left: Basic wins, whatever it is.
	org := w.c.Site("west").Org("acme")
	for name, stale := range map[string]string{"ended": ended, "valid": one, "garbage": "a.b.c", "foreign": foreign} {
		t.Run("login beside a token that is "+name, func(t *testing.T) {
			r, _ := http.NewRequest("POST", "/", nil)
			r.SetBasicAuth(org.Admin.User+"@acme", org.Admin.Password)
			r.Header.Set(sdk, stale)
			r.Header.Set(httpapi.HeaderTokenType, "Bearer")
			a := w.do(t, "west", "POST", "/cloudapi/1.0.0/sessions", r.Header, "").Want(t, 200)
			if fresh := a.Header.Get(sdk); fresh == "" || fresh == stale {
				t.Errorf("no new token: %q", fresh)
			}
		})
		t.Run("token endpoint beside a token that is "+name, func(t *testing.T) {
			header := sitetest.Bearer(stale, "Content-Type", "application/x-www-form-urlencoded")
			a := w.do(t, "west", "POST", "/oauth/tenant/acme/token", header, "grant_type=refresh_token&refresh_token=x").Want(t, 400)
			if got := a.String(t, "error"); got != "invalid_grant" {
				t.Errorf("error %s", got)
			}
		})
	}
}

// A session that is used all the time ends when its token does, also where the
// token is known.
func TestTokenExpiresInUse_R5(t *testing.T) {
	var ahead atomic.Int64
	w := start(t, storetest.SQLite,
		sitetest.Clock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }),
		sitetest.Adjust(func(c *config.Config) {
			c.Sessions.UserLifetime = 5 * time.Minute
			// Longer than all steps, or the site would forget what it knows.
			c.Journal.StaleAfter, c.Journal.Poll = 10*time.Minute, 20*time.Millisecond
		}))
	db := w.Site("west").DB()
	leap := func(to time.Duration) {
		ahead.Store(int64(to))
		// Until the journal was looked at twice: the first look may have begun before.
		for seen, end := db.BackgroundStatements(), time.Now().Add(10*time.Second); db.BackgroundStatements() < seen+2 && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	token, before := w.c.Login(t, "west", "acme"), int64(0)
	for age := time.Duration(0); age < 5*time.Minute; age += 30 * time.Second {
		leap(age)
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(token), "").Want(t, 200)
		if age == 0 {
			before = db.Statements()
		}
	}
	leap(5*time.Minute + time.Second)
	w.do(t, "west", "GET", "/api/org", sitetest.Bearer(token), "").Want(t, 401)
	if n := db.Statements() - before; n != 0 {
		t.Errorf("the token was not known all the time: %d statements", n)
	}
}

// A flood at the device endpoint is turned away there, and disturbs nobody else.
func TestDeviceFlood_VCD25(t *testing.T) {
	proxies := sitetest.Adjust(func(c *config.Config) {
		c.Public.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
	})
	each(t, func(t *testing.T, w *world) {
		c := w.c
		admin := c.Login(t, "west", "acme")
		id, _ := c.Account(t, "west", admin, "inventory-bot")
		access, refresh := c.Connect(t, "west", "acme", id)
		ask := func(source, client string) sitetest.Answer {
			return w.do(t, "west", "POST", "/oauth/tenant/acme/device_authorization", http.Header{
				"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {source},
			}, "client_id="+client)
		}
		var refused sitetest.Answer
		answered := 0
		for i := range 200 {
			// Unknown clients, so that no limit on one client explains the refusal.
			if refused = ask("192.0.2.1", fmt.Sprintf("00000000-0000-4000-8000-%012d", i)); refused.Status == http.StatusTooManyRequests {
				break
			}
			answered++
		}
		wantRefusal(t, "/oauth/tenant/acme/device_authorization", refused, http.StatusTooManyRequests)
		if got := refused.String(t, "error"); got != "slow_down" {
			t.Errorf("error %q, want slow_down", got)
		}
		if wait, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
			t.Errorf("Retry-After %q", refused.Header.Get("Retry-After"))
		}
		if answered < 5 || answered > 100 {
			t.Errorf("%d requests were answered before the flood was noticed", answered)
		}
		// It goes on; whatever it asks, it is turned away before anything is looked at.
		v, before := w.witness(t, "west"), w.Site("west").DB().Statements()
		for _, client := range []string{id, nobody, "x", ""} {
			if a := ask("192.0.2.1", client); a.Status != http.StatusTooManyRequests {
				t.Errorf("client %q: status %d", client, a.Status)
			}
		}
		for _, spoofed := range []string{"192.0.2.77, 192.0.2.1", "10.0.0.1,192.0.2.1", "garbage, 192.0.2.1"} {
			if a := ask(spoofed, id); a.Status != http.StatusTooManyRequests {
				t.Errorf("the flood goes on by X-Forwarded-For: %s: status %d", spoofed, a.Status)
			}
		}
		if n := w.Site("west").DB().Statements() - before; n > 0 {
			t.Errorf("refused requests made %d statements", n)
		}
		v.unchanged(t)

		for source, name := range map[string]string{"192.0.2.1": "the same source", "198.51.100.7": "another source"} {
			from := func(h http.Header) http.Header {
				h.Set("X-Forwarded-For", source)
				return h
			}
			form := func() http.Header {
				return from(http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
			}
			t.Run(name+" refreshes", func(t *testing.T) {
				a := w.do(t, "west", "POST", "/oauth/tenant/acme/token", form(), "grant_type=refresh_token&refresh_token="+refresh).Want(t, 200)
				refresh = a.String(t, "refresh_token")
			})
			t.Run(name+" calls the service", func(t *testing.T) {
				w.do(t, "west", "GET", "/sample/inventory", from(sitetest.Bearer(access)), "").Want(t, 200)
				w.do(t, "west", "GET", "/sample/inventory", from(sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs")), "").Want(t, 200)
			})
			t.Run(name+" logs in", func(t *testing.T) {
				org := c.Site("west").Org("acme")
				r, _ := http.NewRequest("POST", "/", nil)
				r.SetBasicAuth(org.Admin.User+"@acme", org.Admin.Password)
				w.do(t, "west", "POST", "/cloudapi/1.0.0/sessions", from(r.Header), "").Want(t, 200)
			})
			t.Run(name+" manages", func(t *testing.T) {
				w.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts", from(sitetest.Bearer(admin)), "").Want(t, 200)
			})
		}
		t.Run("another source asks for access", func(t *testing.T) {
			d := ask("198.51.100.7", id).Want(t, 200)
			c.Decide(t, "west", admin, "/grant", d.String(t, "user_code")).Want(t, 204)
			w.do(t, "west", "POST", "/oauth/tenant/acme/token", http.Header{
				"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {"198.51.100.7"},
			}, "grant_type="+sitetest.DeviceGrant+"&client_id="+id+"&device_code="+d.String(t, "device_code")).Want(t, 200)
		})
		// The other site does not hear of it.
		c.Form(t, "east", "acme", "device_authorization", "client_id", nobody).Want(t, 400)
	}, proxies, frozen())
}

// frozen stops the sites' clocks, so that no limit recovers while a slow machine
// is still counting.
func frozen() sitetest.Option {
	now := time.Now()
	return sitetest.Clock(func() time.Time { return now })
}

// An app that polls without a pause is told to wait, by whatever spelling it
// gives its client_id; another app that uses the same spelling is not.
func TestPollsAreLimitedPerClient_VCD71(t *testing.T) {
	w := start(t, storetest.SQLite, frozen())
	admin := w.c.Login(t, "west", "acme")
	busy, _ := w.c.Account(t, "west", admin, "inventory-bot")
	quiet := w.do(t, "west", "POST", "/oauth/tenant/acme/register", sitetest.Bearer(admin),
		`{"client_name":"quiet","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:Inventory%20Operator"}`).Want(t, 201).String(t, "client_id")
	ask := func(client string) string {
		return w.c.Form(t, "west", "acme", "device_authorization", "client_id", client).Want(t, 200).String(t, "device_code")
	}
	poll := func(parameter, client, code string) sitetest.Answer {
		return w.c.Form(t, "west", "acme", "token", "grant_type", sitetest.DeviceGrant, parameter, client, "device_code", code)
	}
	busyCode, quietCode := ask(busy), ask(quiet)
	var a sitetest.Answer
	for range 200 {
		if a = poll("client_ID", busy, busyCode); a.Status == http.StatusTooManyRequests {
			break
		}
	}
	wantRefusal(t, "/oauth/tenant/acme/token", a, http.StatusTooManyRequests)
	for _, spelling := range []string{busy, " " + busy, strings.ToUpper(busy)} {
		if a := poll("client_id", spelling, busyCode); a.Status != http.StatusTooManyRequests {
			t.Errorf("spelled %q it may go on: status %d", spelling, a.Status)
		}
	}
	if a := poll("client_ID", quiet, quietCode); a.Status != http.StatusBadRequest || a.String(t, "error") != "authorization_pending" {
		t.Errorf("the other app is disturbed: %d %s", a.Status, a.Body)
	}
}

// An answer says which organization at which site fulfilled it. A peer's own
// claim does not count, and nobody is named when nobody answered.
func TestServedBy_VCD39(t *testing.T) {
	w := start(t, storetest.SQLite)
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	access, _ := w.c.Connect(t, "west", "acme", id)
	west, east := w.c.Site("west"), w.c.Site("east")
	at := func(org, site string) string { return bare(org) + "@" + bare(site) }
	here := at(west.Org("acme").ID, west.ID)
	for _, tt := range []struct {
		name, path string
		pairs      []string
		status     int
		want       string
	}{
		{"at home", "/api/org", nil, 200, here},
		{"an instance at home", "/sample/inventory", nil, 200, here},
		{"at home, by name", "/api/org", []string{httpapi.HeaderAuthContext, "Acme"}, 200, here},
		{"refused at home", "/cloudapi/1.0.0/serviceAccounts", nil, 403, here},
		{"elsewhere, by name", "/api/org", []string{httpapi.HeaderAuthContext, "acme-labs"}, 200, at(east.Org("acme-labs").ID, east.ID)},
		{"an instance elsewhere", "/sample/inventory", []string{httpapi.HeaderAuthContext, "acme-labs"}, 200, at(east.Org("acme-labs").ID, east.ID)},
		{"elsewhere, by identifier", "/sample/audit", []string{httpapi.HeaderTenantContext, bare(east.Org("acme").ID)}, 200, at(east.Org("acme").ID, east.ID)},
		{"elsewhere, by place", "/sample/audit", []string{httpapi.HeaderAuthContext, at(east.Org("acme").ID, east.ID)}, 200, at(east.Org("acme").ID, east.ID)},
		{"refused elsewhere", "/cloudapi/1.0.0/serviceAccounts", []string{httpapi.HeaderAuthContext, "acme-labs"}, 403, at(east.Org("acme-labs").ID, east.ID)},
		{"not to be reached", "/api/org", []string{httpapi.HeaderAuthContext, "globex"}, 403, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := w.do(t, "west", "GET", tt.path, sitetest.Bearer(access, tt.pairs...), "")
			if got := strings.Join(a.Header.Values(httpapi.HeaderServedBy), " and "); got != tt.want || a.Status != tt.status {
				t.Errorf("status %d, served by %q, want %d by %q\n%s", a.Status, got, tt.status, tt.want, a.Body)
			}
		})
	}
	if a := w.do(t, "west", "GET", "/api/org", nil, ""); a.Header.Get(httpapi.HeaderServedBy) != "" {
		t.Error("a stranger is told an organization")
	}
	if err := w.StopSite(t.Context(), "east"); err != nil {
		t.Fatal(err)
	}
	a := w.do(t, "west", "GET", "/api/org", sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs"), "").Want(t, 503)
	if got := a.Header.Get(httpapi.HeaderServedBy); got != "" {
		t.Errorf("nobody answered, and the answer names %s", got)
	}
	w.do(t, "west", "GET", "/sample/inventory", sitetest.Bearer(access), "").Want(t, 200)
}

const peerRequestID = "X-Causeway-Peer-Request-Id"

// The client's request has one id, and keeps it on its way: what the client
// proposed is in both logs.
func TestRequestIDsAcrossSites(t *testing.T) {
	w := start(t, storetest.SQLite)
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	access, _ := w.c.Connect(t, "west", "acme", id)
	a := w.do(t, "west", "GET", "/api/org", sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs", httpapi.HeaderClientRequest, "my-request-"), "").Want(t, 200)
	ours, theirs := a.Header.Values(httpapi.HeaderRequestID), a.Header.Values(peerRequestID)
	if len(ours) != 1 || len(theirs) != 1 || ours[0] == theirs[0] {
		t.Fatalf("ids %q, the peer's %q", ours, theirs)
	}
	for _, got := range []string{ours[0], theirs[0]} {
		if !strings.HasPrefix(got, "my-request-") {
			t.Errorf("%q does not begin as the client wanted", got)
		}
	}
	if a := w.do(t, "west", "GET", "/api/org", sitetest.Bearer(access), "").Want(t, 200); a.Header.Get(peerRequestID) != "" {
		t.Error("no peer was asked")
	}
}

// A token that is known costs no look at the database, neither here nor at the
// home of a request that crosses, nor, once everything is known, where it is
// fulfilled.
func TestNoStatementForKnownTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		id, _ := w.c.Account(t, "west", admin, "inventory-bot")
		access, _ := w.c.Connect(t, "west", "acme", id)
		east := w.c.Site("east")
		for _, tt := range []struct {
			name, path string
			header     http.Header
		}{
			{"here", "/sample/inventory", sitetest.Bearer(access)},
			{"here, refused", "/sample/audit", sitetest.Bearer(access)},
			{"here, by name", "/sample/inventory", sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme")},
			{"here, own endpoint", "/api/org", sitetest.Bearer(access)},
			{"here, session", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(access)},
			{"here, a person", "/api/org", sitetest.Bearer(admin)},
			{"elsewhere, by name", "/sample/inventory", sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs")},
			{"elsewhere, by identifier", "/sample/audit", sitetest.Bearer(access, httpapi.HeaderTenantContext, bare(east.Org("acme").ID))},
			{"elsewhere, refused", "/sample/audit", sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs")},
			{"elsewhere, own endpoint", "/api/org", sitetest.Bearer(access, httpapi.HeaderAuthContext, "acme-labs")},
			{"garbage", "/sample/inventory", sitetest.Bearer("a.b.c")},
		} {
			t.Run(tt.name, func(t *testing.T) {
				first := w.do(t, "west", "GET", tt.path, tt.header, "")
				settle(w)
				west, there := w.Site("west").DB().Statements(), w.Site("east").DB().Statements()
				for range 5 {
					if a := w.do(t, "west", "GET", tt.path, tt.header, ""); a.Status != first.Status {
						t.Fatalf("status %d, then %d: %s", first.Status, a.Status, a.Body)
					}
				}
				if n := w.Site("west").DB().Statements() - west; n != 0 {
					t.Errorf("%d statements at west", n)
				}
				if n := w.Site("east").DB().Statements() - there; n != 0 {
					t.Errorf("%d statements at east", n)
				}
			})
		}
	})
}

// settle waits for what others still have under way: a journal row that makes a
// cache forget comes a moment after the change.
func settle(w *world) {
	for quiet := 0; quiet < 5; {
		before := w.Site("west").DB().Statements() + w.Site("east").DB().Statements()
		time.Sleep(20 * time.Millisecond)
		if w.Site("west").DB().Statements()+w.Site("east").DB().Statements() == before {
			quiet++
		} else {
			quiet = 0
		}
	}
}
