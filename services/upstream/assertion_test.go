package upstream_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"causeway/services"
	"causeway/services/upstream"
	"causeway/tenants"
)

// What an instance can verify is signed once a minute for each who asks and for what
// they may, lives longer than it is used, and is never that of somebody else.
func TestAssertion_R8_CSP19_OnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signed := 0
		db := &stored{}
		db.set(service("one", "/one"), service("two", "/two"))
		var got http.Header
		p := newProxy(t, upstream.Config{
			Store: db, Issuer: "https://west.example", Site: "a-site",
			Sign: func(_ context.Context, claims any) (string, error) {
				signed++
				b, err := json.Marshal(claims)
				return string(b), err
			},
			Reach: func(*url.URL) http.RoundTripper {
				return tripper(func(r *http.Request) (*http.Response, error) {
					got = r.Header
					return answer(200)(r)
				})
			},
		})
		ask := func(path, app, permissions, account string) upstream.Assertion {
			t.Helper()
			m, err := p.Match(t.Context(), "", http.MethodGet, path)
			if err != nil {
				t.Fatal(err)
			}
			id := identity
			id.Principal = tenants.Principal{Kind: tenants.KindApp, ID: app, Name: "name of " + app, Org: org.ID, Session: tenants.SessionID(tenants.NewID())}
			id.Path, id.Effect = m.Path, &services.Effect{Permissions: permissions, Account: account}
			if err := p.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil), m.Instance, id); err != nil {
				t.Fatal(err)
			}
			var a upstream.Assertion
			if err := json.Unmarshal([]byte(got.Get(upstream.HeaderAssertion)), &a); err != nil {
				t.Fatal(err)
			}
			if string(a.Audience) != got.Get("X-Causeway-Instance") || a.Subject != got.Get("X-Causeway-Principal") || a.Permissions != got.Get("X-Causeway-Permissions") ||
				a.Account != got.Get("X-Causeway-Service-Account") || a.Subject != "app:"+app || a.Permissions != permissions || a.Account != account || string(a.Org) != got.Get("X-Causeway-Org") {
				t.Errorf("%+v beside %v", a, got)
			}
			now := time.Now().Unix()
			if a.ExpiresAt < now+60 || a.ExpiresAt > now+120 || a.IssuedAt > now || a.NotBefore > now {
				t.Errorf("at %d it lives from %d to %d", now, a.IssuedAt, a.ExpiresAt)
			}
			return a
		}
		for range 3 {
			ask("/one/x", "app", "aoa:a", "account")
			ask("/one/x", "app", "aoa:a aoa:b", "account")
			ask("/two/x", "app", "aoa:a", "another")
			ask("/one/x", "other", "aoa:a", "theirs")
		}
		if signed != 4 {
			t.Errorf("%d were signed", signed)
		}
		time.Sleep(59 * time.Second)
		ask("/one/x", "app", "aoa:a", "account")
		if signed != 4 {
			t.Error("one was signed anew too soon")
		}
		time.Sleep(time.Second)
		ask("/one/x", "app", "aoa:a", "account")
		if signed != 5 {
			t.Error("one was used for too long")
		}
	})
}

// What was signed for one organization says nothing in another, whoever asks.
func TestAssertion_R1_OfOneOrganization(t *testing.T) {
	t.Parallel()
	db := &stored{}
	db.set(service("one", "/one"))
	var got http.Header
	p := newProxy(t, upstream.Config{
		Store: db, Sign: func(_ context.Context, claims any) (string, error) {
			return string(claims.(upstream.Assertion).Org), nil
		},
		Reach: func(*url.URL) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				got = r.Header
				return answer(200)(r)
			})
		},
	})
	m, err := p.Match(t.Context(), "", http.MethodGet, "/one/x")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, of := range []tenants.OrgID{"5f6c1c3e-0000-4000-8000-000000000001", "5f6c1c3e-0000-4000-8000-000000000002"} {
			id := identity
			id.Path, id.Effect, id.Org = m.Path, &services.Effect{Permissions: "a"}, tenants.Compile(tenants.Organization{ID: of, Name: "An org", Enabled: true}, nil, nil)
			if err := p.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/one/x", nil), m.Instance, id); err != nil {
				t.Fatal(err)
			}
			if said := got.Get(upstream.HeaderAssertion); said != string(of) {
				t.Errorf("in %s it was told of %s", of, said)
			}
		}
	}
}
