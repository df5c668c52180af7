package sitetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// How apps get tokens, whose they are, and how they end. East has two organizations.
func TestAppsTokens(t *testing.T) {
	Each(t, func(t *testing.T, p *Pair) {
		s := newShared(t, p)
		t.Run("CSP-12 CSP-35 credentials become a token, told to the caller alone", s.exchange)
		t.Run("CSP-12 R5 a token counts in either header, and two tokens do not", s.twoHeaders)
		t.Run("CSP-11 an app does not sign in, and VCD's endpoints are not for it", s.noSignIn)
		t.Run("CSP-16 one app in two organizations", s.twoOrganizations)
		t.Run("CSP-17 who made it owns it", s.owned)
		t.Run("CSP-24 nothing but an access token opens the instance", s.nothingElse)
		t.Run("CSP-38 sharing shows whose the app is", s.sharing)
		t.Run("CSP-40 CSP-41 CSP-42 another secret", s.regenerate)
		t.Run("CSP-40 rotation with overlap", s.overlap)
		t.Run("CSP-33 removed and added again is another membership", s.readmitted)
		t.Run("CSP-39 deletion", s.deletion)
	})
}

// shared are two organizations of east, each with an instance.
type shared struct {
	*acme // the owner of apps
	labs  *acme
}

func newShared(t *testing.T, p *Pair) *shared {
	t.Helper()
	return &shared{
		&acme{p.Client.Manager(t, "east", "acme"), p.Client.NewInstance(t, "east", "acme", "observability", "onboarded")},
		&acme{p.Client.Manager(t, "east", "acme-labs"), p.Client.NewInstance(t, "east", "acme-labs", "labs", "onboarded")},
	}
}

func (s *shared) exchange(t *testing.T) {
	app, _ := s.AppWith(t, "aoa:metrics", "org_member")
	got := s.Exchange(t, "east", app).Want(t, http.StatusOK)
	body := got.JSON(t)
	if names := slices.Sorted(maps.Keys(body)); !slices.Equal(names, []string{"access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"}) {
		t.Errorf("the members are %v", names)
	}
	if body["id_token"] != nil || body["refresh_token"] != nil || body["token_type"] != "bearer" {
		t.Errorf("the answer is %s", got.Body)
	}
	var typed struct {
		ExpiresIn int `json:"expires_in"`
	}
	if err := json.Unmarshal(got.Body, &typed); err != nil || typed.ExpiresIn < 60 {
		t.Errorf("expires_in is %d (%v)", typed.ExpiresIn, err)
	}
	if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Pragma") != "no-cache" || got.Header.Get("Set-Cookie") != "" {
		t.Errorf("the head is %v", got.Header)
	}
	token := got.String(t, "access_token")
	claims := Claims(t, token)
	if _, ok := claims["aud"].([]any); ok || claims["context_name"] != s.ID || claims["azp"] != app.ID || claims["username"] != app.ID {
		t.Errorf("the claims are %v", claims)
	}
	var head map[string]any
	if err := json.Unmarshal(segment(t, token, 0), &head); err != nil || head["alg"] != "RS256" || head["typ"] != "JWT" {
		t.Errorf("the head of the token is %v", head)
	}
	short := s.Exchange(t, "east", app, "accessTokenValiditySeconds", "61").Want(t, 200).JSON(t)
	long := s.Exchange(t, "east", app, "accessTokenValiditySeconds", "999999").Want(t, 200).JSON(t)
	if short["expires_in"] != float64(61) || long["expires_in"] != float64(typed.ExpiresIn) {
		t.Errorf("a shorter life is %v, a longer one %v", short["expires_in"], long["expires_in"])
	}
	s.may(t, token, toQuery)
	for grant, word := range map[string]string{"": "invalid_request", "refresh_token": "unsupported_grant_type", "password": "unsupported_grant_type"} {
		refused := s.Exchange(t, "east", app, "grant_type", grant)
		WantCSPError(t, refused, http.StatusBadRequest)
		if refused.String(t, "error") != word {
			t.Errorf("grant %q: %s", grant, refused.Body)
		}
	}
	unknown := s.Exchange(t, "east", App{"nobody-at-all", app.Secret})
	wrong := s.Exchange(t, "east", App{app.ID, app.Secret + "x"})
	WantCSPError(t, unknown, http.StatusUnauthorized)
	if unknown.String(t, "message") != wrong.String(t, "message") || unknown.Status != wrong.Status || wrong.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("unknown: %s\nwrong: %s", unknown.Body, wrong.Body)
	}
}

func (s *shared) twoHeaders(t *testing.T) {
	_, one := s.AppWith(t, "aoa:metrics")
	_, other := s.AppWith(t, "aoa:metrics")
	for name, tt := range map[string]struct {
		header http.Header
		want   int
	}{
		"Authorization":                {Bearer(one), 202},
		"csp-auth-token":               {http.Header{"Csp-Auth-Token": {one}}, 202},
		"both the same":                {Bearer(one, "csp-auth-token", one), 202},
		"an unreadable one beside":     {Bearer("eyJ.eyJ.x", "csp-auth-token", one), 202},
		"another unreadable":           {Bearer(one, "csp-auth-token", "garbage"), 202},
		"two different ones":           {Bearer(one, "csp-auth-token", other), 400},
		"an app's and a person's":      {Bearer(one, "csp-auth-token", s.Token), 400},
		"of two people's, one is dead": {Bearer(one[:len(one)-8]+"AAAAAAAA", "csp-auth-token", other), 202},
	} {
		if got := s.CallAt(t, "east", s.in, toQuery, tt.header); got.Status != tt.want {
			t.Errorf("%s: %d, want %d\n%s", name, got.Status, tt.want, got.Body)
		}
	}
}

func (s *shared) noSignIn(t *testing.T) {
	app, token := s.AppWith(t, "aoa:superAdmin", "org_owner", "developer")
	for _, call := range []string{
		"GET /api/org", "GET /api/session", "DELETE /api/session", "GET /api/query?type=user", "GET /api/admin", "GET /cloudapi/1.0.0/orgs",
		"GET /cloudapi/1.0.0/sessions/current", "DELETE /cloudapi/1.0.0/sessions/current", "GET /cloudapi/1.0.0/users", "GET /cloudapi/1.0.0/roles",
		"GET /cloudapi/1.0.0/serviceAccounts", "GET /cloudapi/1.0.0/auditTrail", "GET /cloudapi/1.0.0/tokens", "GET /cloudapi/causeway/1.0.0/serviceInstances",
		"GET /cloudapi/causeway/1.0.0/refusals", "GET /sample/inventory", "GET " + CSP + "/userinfo", "GET " + CSP + "/loggedin/user",
		"GET " + CSP + "/v2/loggedin/user/orgs",
	} {
		method, path, _ := strings.Cut(call, " ")
		if got := s.Do(t, method, s.Client.Site("east").API+path, Bearer(token), nil); got.Status != http.StatusForbidden {
			t.Errorf("%s is %d for an app\n%s", call, got.Status, got.Body)
		}
	}
	s.may(t, token, toQuery) // none of that ended it
	for _, path := range []string{"/cloudapi/1.0.0/sessions", "/cloudapi/1.0.0/sessions/provider", "/api/sessions", "/api/login"} {
		for _, user := range []string{app.ID, app.ID + "@acme"} {
			if got := s.Do(t, "POST", s.Client.Site("east").API+path, Basic(App{user, app.Secret}), nil); got.Status < 400 || got.Status >= 500 || got.Header.Get(accessToken) != "" {
				t.Errorf("%s with an app's credentials is %d", path, got.Status)
			}
		}
	}
	if got := s.Client.Ask(t, "east", "acme", app.ID); got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
		t.Errorf("the device flow answers an app %d %s", got.Status, got.Body)
	}
	s.Decide(t, "east", token, "", "ABCD-EFGH").Want(t, 403)
	s.Post(t, "east", Realm("acme")+"/register", Bearer(token), map[string]string{"client_name": "x"}).Want(t, 403)
	for _, grant := range []string{"client_credentials", "password", "refresh_token"} {
		got := s.Form(t, "east", "acme", "token", "grant_type", grant, "client_id", app.ID, "client_secret", app.Secret, "username", app.ID, "password", app.Secret, "refresh_token", app.Secret)
		if got.Status < 400 || got.Status >= 500 {
			t.Errorf("VCD's token endpoint gives an app %d for %s", got.Status, grant)
		}
	}
}

func (s *shared) twoOrganizations(t *testing.T) {
	app, own := s.AppWith(t, "aoa:metrics")
	WantCSPError(t, s.Exchange(t, "east", app, "orgId", s.labs.ID), http.StatusForbidden)
	s.labs.Add(t, app.ID, "aoa:dashboards")
	theirs := s.labs.TokenOf(t, app)
	if got := Claims(t, theirs)["context_name"]; got != s.labs.ID {
		t.Errorf("the token is for %v", got)
	}
	s.may(t, own, toQuery)
	s.mayNot(t, own, toDashboards)
	s.labs.may(t, theirs, toDashboards)
	s.labs.mayNot(t, theirs, toQuery)
	// Each is for its own organization alone, whatever is there.
	s.mayNot(t, theirs, toQuery, toDashboards)
	s.labs.mayNot(t, own, toQuery, toDashboards)
	foreign := s.labs.As(t, own, "GET", "/clients", nil)
	WantCSPError(t, foreign, http.StatusNotFound)
	unknown := s.Exchange(t, "east", app, "orgId", "00000000-0000-4000-8000-000000000000")
	globex := s.Exchange(t, "east", app, "orgId", s.Client.Manager(t, "east", "globex").ID)
	WantCSPError(t, unknown, http.StatusForbidden)
	if globex.Status != unknown.Status || globex.String(t, "message") != unknown.String(t, "message") {
		t.Errorf("not there: %s\nnot added: %s", unknown.Body, globex.Body)
	}
	s.labs.Remove(t, app.ID)
	s.labs.refused(t, s.labs.in, theirs, http.StatusUnauthorized, toDashboards)
	s.may(t, own, toQuery)
}

func (s *shared) owned(t *testing.T) {
	app, token := s.AppWith(t, "aoa:metrics")
	s.labs.Add(t, app.ID, "aoa:metrics")
	for _, call := range []string{"GET ", "PATCH ", "DELETE ", "PUT /secret", "POST /secret", "DELETE /secret"} {
		method, below, _ := strings.Cut(call, " ")
		body := AppRequest("displayName", "mine now", "organizationId", s.labs.ID)
		if method == "POST" {
			body = map[string]any{"newClientSecret": strings.Repeat("a", 40)}
		}
		theirs := s.labs.Ask(t, method, "/oauth-apps/"+app.ID+below, body)
		none := s.labs.Ask(t, method, "/oauth-apps/nobody-at-all"+below, body)
		WantCSPError(t, theirs, http.StatusNotFound)
		if theirs.String(t, "message") != none.String(t, "message") {
			t.Errorf("%s: theirs %s\nabsent %s", call, theirs.Body, none.Body)
		}
	}
	gone := s.labs.Ask(t, "DELETE", "/oauth-apps", map[string]any{"clientIdsToDelete": []string{app.ID}}).Want(t, 200)
	if !strings.Contains(string(gone.Body), `"succeeded":[]`) {
		t.Errorf("another organization deleted it: %s", gone.Body)
	}
	after := s.Ask(t, "PATCH", "/oauth-apps/"+app.ID, AppRequest("organizationId", s.labs.ID, "createdBy", "me")).Want(t, 200).JSON(t)
	if after["organizationId"] != s.ID || after["displayName"] != "shipper" || after["createdBy"] == "me" {
		t.Errorf("it is now %v", after)
	}
	if list := s.labs.Ask(t, "GET", "/oauth-apps", nil).Want(t, 200); strings.Contains(string(list.Body), app.ID) {
		t.Error("another organization has it among its own")
	}
	s.may(t, token, toQuery)
	s.Exchange(t, "east", app).Want(t, 200)
}

func (s *shared) nothingElse(t *testing.T) {
	app, token := s.AppWith(t, "aoa:metrics")
	apiToken := s.apiToken(t, "nothing-else")
	for name, header := range map[string]http.Header{
		"nothing": {}, "the secret": Bearer(app.Secret), "id and secret": Basic(app), "an API token": Bearer(apiToken),
		"an API token in the other header": {"Csp-Auth-Token": {apiToken}}, "a token without its signature": Bearer(token[:strings.LastIndexByte(token, '.')+1]),
		"a token that was changed": Bearer(token[:len(token)-10] + "AAAAAAAAAA"), "garbage": Bearer("a.b.c"),
		"a token with an algorithm of its own": Bearer("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(token, ".")[1] + "."),
		"a token of west":                      Bearer(s.strange(t)),
	} {
		s.in.Taken()
		got := s.CallAt(t, "east", s.in, toQuery, header)
		WantCSPError(t, got, http.StatusUnauthorized)
		if got.Header.Get("WWW-Authenticate") == "" || len(s.in.Taken()) > 0 {
			t.Errorf("%s: %v", name, got.Header)
		}
	}
	if got := s.Do(t, "GET", s.Client.Site("east").API+s.in.Prefix+"/api/v2/proxy?access_token="+url.QueryEscape(token), nil, nil); got.Status != 401 {
		t.Errorf("a token in the URL is %d", got.Status)
	}
	s.may(t, token, toQuery)
}

// strange is a token that another site signed.
func (s *shared) strange(t *testing.T) string {
	t.Helper()
	_, token := s.Client.Manager(t, "west", "acme").AppWith(t, "aoa:superAdmin")
	return token
}

func (s *shared) sharing(t *testing.T) {
	app, _ := s.AppWith(t, "aoa:metrics")
	s.labs.Add(t, app.ID, "aoa:dashboards", "org_member")
	if line := s.labs.member(t, app.ID); !strings.Contains(line, `"sourceOrg":{"orgId":"`+s.ID+`"`) || !strings.Contains(line, "aoa:dashboards") || strings.Contains(line, "aoa:metrics") {
		t.Errorf("the other organization sees %s", line)
	}
	if line := s.member(t, app.ID); !strings.Contains(line, `"sourceOrg":{"orgId":"`+s.ID+`"`) || strings.Contains(line, "aoa:dashboards") {
		t.Errorf("the owner sees %s", line)
	}
	s.labs.ChangeRoles(t, app.ID, "rolesToAdd", "aoa:alerts")
	s.labs.may(t, s.labs.TokenOf(t, app), toAlerts, toDashboards)
}

func (s *shared) regenerate(t *testing.T) {
	app, token := s.AppWith(t, "aoa:metrics")
	s.labs.Add(t, app.ID, "aoa:metrics")
	elsewhere := s.labs.TokenOf(t, app)
	s.may(t, token, toQuery)
	made := s.Ask(t, "PUT", "/oauth-apps/"+app.ID+"/secret", map[string]any{}).Want(t, 200)
	fresh := App{app.ID, made.String(t, "clientSecret")}
	s.refused(t, s.in, token, http.StatusUnauthorized, toQuery, toQuery)
	s.labs.refused(t, s.labs.in, elsewhere, http.StatusUnauthorized, toQuery)
	for range 3 {
		WantCSPError(t, s.Exchange(t, "east", app), http.StatusUnauthorized)
	}
	s.may(t, s.TokenOf(t, fresh), toQuery)
	s.Ask(t, "PUT", "/oauth-apps/"+app.ID+"/secret", map[string]any{}).Want(t, 200)
	WantCSPError(t, s.Exchange(t, "east", app), http.StatusUnauthorized) // nor by one that came after
	WantCSPError(t, s.Exchange(t, "east", fresh), http.StatusUnauthorized)
}

func (s *shared) overlap(t *testing.T) {
	app, token := s.AppWith(t, "aoa:metrics")
	next := App{app.ID, strings.Repeat("Another-Secret.", 3)}
	s.Ask(t, "POST", "/oauth-apps/"+app.ID+"/secret", map[string]any{"newClientSecret": next.Secret}).Want(t, 200)
	s.may(t, token, toQuery)
	late := s.TokenOf(t, app)
	s.may(t, s.TokenOf(t, next), toQuery)
	fresh := s.TokenOf(t, next)
	s.Ask(t, "DELETE", "/oauth-apps/"+app.ID+"/secret", nil).Want(t, 200)
	for _, dead := range []string{token, late} {
		s.refused(t, s.in, dead, http.StatusUnauthorized, toQuery)
	}
	WantCSPError(t, s.Exchange(t, "east", app), http.StatusUnauthorized)
	s.may(t, fresh, toQuery)
	// Regenerating ends a rotation under way, too.
	s.Ask(t, "POST", "/oauth-apps/"+app.ID+"/secret", map[string]any{"newClientSecret": strings.Repeat("Third_Secret~", 3)}).Want(t, 200)
	s.Ask(t, "PUT", "/oauth-apps/"+app.ID+"/secret", map[string]any{}).Want(t, 200)
	s.refused(t, s.in, fresh, http.StatusUnauthorized, toQuery)
	WantCSPError(t, s.Exchange(t, "east", next), http.StatusUnauthorized)
	WantCSPError(t, s.Exchange(t, "east", App{app.ID, strings.Repeat("Third_Secret~", 3)}), http.StatusUnauthorized)
}

func (s *shared) readmitted(t *testing.T) {
	app, token := s.AppWith(t, "aoa:metrics")
	_, quiet := s.again(t)
	s.refused(t, s.in, quiet, http.StatusUnauthorized, toQuery) // though nobody saw it refused meanwhile
	s.Remove(t, app.ID)
	s.refused(t, s.in, token, http.StatusUnauthorized, toQuery)
	WantCSPError(t, s.Exchange(t, "east", app), http.StatusForbidden)
	s.Add(t, app.ID, "aoa:metrics")
	s.refused(t, s.in, token, http.StatusUnauthorized, toQuery) // for good
	s.may(t, s.TokenOf(t, app), toQuery)
}

// again is an app that was removed and added, and its token of before.
func (s *shared) again(t *testing.T) (App, string) {
	t.Helper()
	app, token := s.AppWith(t, "aoa:metrics")
	s.may(t, token, toQuery)
	s.Remove(t, app.ID)
	s.Add(t, app.ID, "aoa:metrics")
	return app, token
}

func (s *shared) deletion(t *testing.T) {
	app, token := s.AppWith(t, "aoa:metrics")
	s.labs.Add(t, app.ID, "aoa:metrics")
	elsewhere := s.labs.TokenOf(t, app)
	s.may(t, token, toQuery)
	s.labs.may(t, elsewhere, toQuery)
	sixteen := slices.Repeat([]string{"nobody-at-all"}, 16)
	for i := range sixteen {
		sixteen[i] += string(rune('a' + i))
	}
	sixteen[0] = app.ID
	WantCSPError(t, s.Ask(t, "DELETE", "/oauth-apps", map[string]any{"clientIdsToDelete": sixteen}), http.StatusBadRequest)
	s.may(t, token, toQuery)
	got := s.Ask(t, "DELETE", "/oauth-apps", map[string]any{"clientIdsToDelete": []string{app.ID, "nobody-at-all"}}).Want(t, 200)
	if strings.TrimSpace(string(got.Body)) != `{"failed":["nobody-at-all"],"succeeded":["`+app.ID+`"]}` {
		t.Errorf("the answer is %s", got.Body)
	}
	s.refused(t, s.in, token, http.StatusUnauthorized, toQuery)
	s.labs.refused(t, s.labs.in, elsewhere, http.StatusUnauthorized, toQuery)
	WantCSPError(t, s.Exchange(t, "east", app), http.StatusUnauthorized)
	for _, org := range []*acme{s.acme, s.labs} {
		if line := org.member(t, app.ID); line != "" {
			t.Errorf("%s has it still: %s", org.Org, line)
		}
		accounts := org.Ask(t, "GET", "/service-instances/"+org.in.ID+"/service-accounts?pageLimit=200", nil).Want(t, 200)
		if strings.Contains(string(accounts.Body), app.ID) {
			t.Errorf("%s has an account of it: %s", org.Org, accounts.Body)
		}
	}
	WantCSPError(t, s.Ask(t, "POST", "/oauth-apps", AppRequest("id", app.ID)), http.StatusConflict)
	WantCSPError(t, s.labs.Ask(t, "POST", "/clients", Addition(app.ID, "aoa:metrics")), http.StatusNotFound)
}
