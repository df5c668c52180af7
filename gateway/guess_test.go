package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/secret"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// Opaque tokens that nobody was given are looked up a few times for each source;
// clients at work beside a flood, and other sources, do not notice.
func TestOpaqueTokens_R13_GuessesAreCounted(t *testing.T) {
	w := start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) {
		c.Limits.TokenFailure = config.TokenFailureLimits{Source: config.Budget{Tokens: 3, Per: time.Hour}, Network: config.Budget{Tokens: 6, Per: time.Hour}}
	}))
	public := w.Site("west").Public()
	ask := func(from string, tokens http.Header) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest("GET", "/cloudapi/1.0.0/sessions/current", nil)
		r.Header, r.RemoteAddr = tokens.Clone(), from+":4711"
		r.Header.Set("Accept", "application/json;version="+httpapi.Version)
		answer := httptest.NewRecorder()
		public.ServeHTTP(answer, r)
		return answer
	}
	opaque := func(token string) http.Header { return http.Header{httpapi.HeaderLegacyToken: {token}} }
	want := func(name string, a *httptest.ResponseRecorder, status int) {
		t.Helper()
		if a.Code != status {
			t.Errorf("%s: %d %s, want %d", name, a.Code, a.Body, status)
		}
	}
	const here, elsewhere = "192.0.2.1", "198.51.100.1"
	working := w.loginLegacy(t, "west", "acme").Header.Get(httpapi.HeaderLegacyToken)
	fresh := w.loginLegacy(t, "west", "acme").Header
	leftover := http.Header{"Authorization": {"Bearer " + fresh.Get(httpapi.HeaderAccessToken)}, httpapi.HeaderLegacyToken: {secret.LegacyToken()}}
	for range 10 {
		want("a leftover beside a good token", ask(here, leftover), 200)
	}
	want("at work", ask(here, opaque(working)), 200)
	for range 3 {
		want("a guess", ask(here, opaque(secret.LegacyToken())), 401)
	}
	for range 3 {
		a := ask(here, opaque(secret.LegacyToken()))
		want("a guess too many", a, 429)
		if a.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	want("not looked up any more", ask(here, opaque(fresh.Get(httpapi.HeaderLegacyToken))), 429)
	want("still at work", ask(here, opaque(working)), 200)
	want("an access token", ask(here, http.Header{"Authorization": {"Bearer " + fresh.Get(httpapi.HeaderAccessToken)}}), 200)
	want("from elsewhere", ask(elsewhere, opaque(fresh.Get(httpapi.HeaderLegacyToken))), 200)
}
