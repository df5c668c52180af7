package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// TestOrgLimits_R13 sets limits of one organization: what is at fault is said at
// once and changes nothing, what is set counts for the next call of that
// organization alone, is in its audit trail, and goes away again.
func TestOrgLimits_R13(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		provider, tenant := w.c.Login(t, "east", sitetest.System), w.c.Login(t, "east", "acme")
		path := httpapi.OwnAPI + "/organizations/" + w.c.Site("east").Org("acme").ID + "/limits"
		send := func(token, method, body string) sitetest.Answer {
			t.Helper()
			return w.do(t, "east", method, path, sitetest.Bearer(token, "Content-Type", "application/json"), body)
		}
		own := func() int {
			t.Helper()
			limits, _ := send(provider, "GET", "").Want(t, 200).JSON(t)["limits"].([]any)
			return len(limits)
		}
		if site, _ := send(provider, "GET", "").Want(t, 200).JSON(t)["site"].([]any); len(site) != 7 {
			t.Errorf("the site's limits are %v", site)
		}

		kept := w.witness(t, "east")
		for name, tt := range map[string]struct {
			body string
			says []string
		}{
			"nothing":      {`{}`, []string{"limits"}},
			"null":         {`{"limits":null}`, []string{"limits"}},
			"not a list":   {`{"limits":{}}`, []string{"limits"}},
			"a wrong type": {`{"limits":[{"tokens":"many"}]}`, []string{"tokens"}},
			"many lines":   {`{"limits":[` + strings.Repeat(`{},`, 50) + `{}]}`, []string{"at most 7"}},
			"lines": {`{"limits":[{"limit":"management","bucket":"site","per":"1s"},{"limit":"management","bucket":"org","tokens":5,"per":"often"},
				{"limit":"user_code","bucket":"org","tokens":5,"per":"1h"},{"limit":"user_code","bucket":"org","tokens":5,"per":"1h"}]}`,
				[]string{"limits[0]: an organization has no such", "limits[1]: per must be", "limits[3]: the limit is there twice"}},
			"numbers": {`{"limits":[{"limit":"management","bucket":"account","tokens":999,"per":"1s"},{"limit":"user_code","bucket":"org","tokens":61,"per":"1h"},
				{"limit":"token_refresh","bucket":"org","tokens":0,"per":"0s"},{"limit":"device_authorization","bucket":"org","tokens":2,"per":"1m"}]}`,
				[]string{"management: org", "user_code: org", "token_refresh: org", "device_authorization: org"}},
		} {
			a := send(provider, "PUT", tt.body).Want(t, 400)
			for _, words := range tt.says {
				if !strings.Contains(a.String(t, "message"), words) {
					t.Errorf("%s: no word of %q in %s", name, words, a.Body)
				}
			}
		}
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			send(tenant, method, `{"limits":[]}`).Want(t, 403)
		}
		kept.unchanged(t)

		few := `{"limits":[{"limit":"management","bucket":"account","tokens":1,"per":"1h","burst":3}]}`
		set := send(provider, "PUT", few).Want(t, 200)
		if again := send(provider, "PUT", string(set.Body)).Want(t, 200); string(again.Body) != string(set.Body) || own() != 1 {
			t.Errorf("what was read and sent back became %s", again.Body)
		}
		mine := func() sitetest.Answer {
			return w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(tenant), "")
		}
		for left := 2; left >= 0; left-- {
			got := mine().Want(t, 200).Header
			if want := fmt.Sprintf(`"account";r=%d;t=`, left); !strings.HasPrefix(got.Get("RateLimit"), want) || got.Get("RateLimit-Policy") != `"account";q=3;w=10800` {
				t.Errorf("RateLimit %q, policy %q", got.Get("RateLimit"), got.Get("RateLimit-Policy"))
			}
		}
		refused := mine()
		wantRefusal(t, "/cloudapi", refused, http.StatusTooManyRequests)
		if got, want := refused.Header.Get("RateLimit"), `"account";r=0;t=`+refused.Header.Get("Retry-After"); got != want {
			t.Errorf("RateLimit %q, want %q", got, want)
		}
		other := w.c.Login(t, "east", "globex")
		for range 10 {
			w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(other), "").Want(t, 200)
		}

		send(provider, "DELETE", "").Want(t, 204)
		mine().Want(t, 200)
		trail := w.do(t, "east", "GET", "/cloudapi/1.0.0/auditTrail?filter=eventType==organization.limited", sitetest.Bearer(tenant), "").Want(t, 200)
		if n := trail.JSON(t)["resultTotal"]; n != 2.0 { // the second PUT changed nothing
			t.Errorf("%v changes are in the audit trail\n%s", n, trail.Body)
		}
		if !strings.Contains(string(trail.Body), `"detail.management.account.new":"1 per 1h, burst 3"`) {
			t.Errorf("the audit trail does not say what became of it: %s", trail.Body)
		}
	})
}

// TestRateLimitHeaders_R13 tells callers how much of their own bucket is left,
// whatever they are answered, and says nothing where nothing is limited.
func TestRateLimitHeaders_R13(t *testing.T) {
	w := start(t, storetest.SQLite)
	admin := w.c.Login(t, "west", "acme")
	client, _ := w.c.Account(t, "west", admin, "inventory-bot")
	access, _ := w.c.Connect(t, "west", "acme", client)
	want := func(name string, a sitetest.Answer, status int, bucket string, left int) {
		t.Helper()
		limit, policy := a.Want(t, status).Header.Get("RateLimit"), a.Header.Get("RateLimit-Policy")
		if !strings.HasPrefix(limit, fmt.Sprintf("%q;r=%d;t=", bucket, left)) || !strings.HasPrefix(policy, fmt.Sprintf("%q;q=", bucket)) {
			t.Errorf("%s: RateLimit %q, policy %q; want %s with %d left", name, limit, policy, bucket, left)
		}
	}
	device := func(client string) sitetest.Answer {
		return w.c.Form(t, "west", "acme", "device_authorization", "client_id", client)
	}
	// Connect has asked once.
	want("a device request", device(client), 200, "source", 18)
	want("one of nobody", device(nobody), 400, "source", 17)
	for i := range 5 {
		want("another of nobody", device(nobody), 400, "source", 16-i)
	}
	want("one too many of nobody", device(nobody), 429, "source", 0)
	want("a wrong refresh token", w.c.Refresh(t, "west", "acme", "wrong"), 400, "source", 59)

	login := func(password string) sitetest.Answer {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth("nobody@acme", password)
		return w.do(t, "west", "POST", "/cloudapi/1.0.0/sessions", r.Header, "")
	}
	want("a wrong password", login("wrong"), 401, "source", 59)
	right, err := w.c.TryLogin("west", "acme")
	if err != nil {
		t.Fatal(err)
	}
	want("a right one costs nothing", right, 200, "source", 59)
	want("a call", w.do(t, "west", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(right.Header.Get(httpapi.HeaderAccessToken)), ""), 200, "account", 2999)
	want("a wrong user code", w.c.Post(t, "west", "/cloudapi/1.0.0/deviceLookup", sitetest.Bearer(admin), map[string]string{"userCode": "CCCC-CCCC"}), 404, "account", 9)

	for name, a := range map[string]sitetest.Answer{
		"a service's answer": w.do(t, "west", "GET", "/sample/inventory", sitetest.Bearer(access), "").Want(t, 200),
		"the versions":       w.do(t, "west", "GET", "/api/versions", nil, "").Want(t, 200),
	} {
		if a.Header.Get("RateLimit") != "" || a.Header.Get("RateLimit-Policy") != "" {
			t.Errorf("%s has %v", name, a.Header)
		}
	}
}
