package appshttp_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/services"
	"causeway/tenants"
)

// front is a running site as CSP's clients see it, with acme's administrator.
type front struct {
	*sitetest.Pair
	t           *testing.T
	admin       string // access token of acme's
	acme, globe string // paths of organizations
	org, other  string // their ids
	kind        services.Definition
}

func eachFront(t *testing.T, f func(t *testing.T, w *front), options ...sitetest.Option) {
	t.Parallel()
	sitetest.Each(t, func(t *testing.T, p *sitetest.Pair) {
		w := &front{Pair: p, t: t, admin: p.Client.Login(t, "west", "acme")}
		builtIn, err := services.BuiltIn()
		if err != nil {
			t.Fatal(err)
		}
		w.kind = builtIn[0]
		w.org = strings.TrimPrefix(p.File.Site("west").Org("acme").ID, "urn:vcloud:org:")
		w.acme = httpapi.CSPBase + "/orgs/" + w.org
		other, err := p.Site("west").Provisioner().CreateOrganization(t.Context(), tenantsCaller, "globe", "globe")
		if err != nil {
			t.Fatal(err)
		}
		w.other = string(other.ID)
		w.globe = httpapi.CSPBase + "/orgs/" + w.other
		f(t, w)
	}, options...)
}

func (w *front) call(method, path, token string, body any) sitetest.Answer {
	w.t.Helper()
	var header http.Header
	if token != "" {
		header = sitetest.Bearer(token)
	}
	a, err := w.Client.TrySend(method, "west", path, header, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// post sends a form, as clients do; id and key go into a Basic header if there are
// any.
func (w *front) post(path, id, key string, pairs ...string) sitetest.Answer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return w.send(path, id, key, "application/x-www-form-urlencoded", form.Encode())
}

func (w *front) send(path, id, key, media, body string) sitetest.Answer {
	w.t.Helper()
	r := http.Request{Header: http.Header{"Content-Type": {media}}}
	if id != "" {
		r.SetBasicAuth(id, key)
	}
	return w.Client.Do(w.t, http.MethodPost, w.Client.Site("west").API+path, r.Header, io.NopCloser(strings.NewReader(body)))
}

const (
	authorize = httpapi.CSPBase + "/auth/authorize"
	tokenPath = httpapi.CSPBase + "/auth/token"
	byToken   = httpapi.CSPBase + "/auth/api-tokens/authorize"
)

func (w *front) request() map[string]any {
	return map[string]any{
		"displayName": "Shipper", "description": "", "grantTypes": []string{"client_credentials"}, "accessTokenTTL": 1800, "redirectUris": []string{"https://x"},
		"allowedScopes": map[string]any{
			"generalScopes": []string{}, "organizationScopes": map[string]any{"allRoles": true, "roles": []any{}},
			"servicesScopes": []any{map[string]any{"serviceDefinitionId": w.kind.ID, "allRoles": true, "roles": []any{}}},
		},
	}
}

// app is a new app of acme with roles there.
func (w *front) app(roles ...string) (id, key string) {
	w.t.Helper()
	made := w.call("POST", w.acme+"/oauth-apps", w.admin, w.request()).Want(w.t, http.StatusOK)
	id, key = made.String(w.t, "clientId"), made.String(w.t, "clientSecret")
	var named []map[string]string
	for _, r := range roles {
		named = append(named, map[string]string{"name": r})
	}
	w.call("POST", w.acme+"/clients", w.admin, map[string]any{"ids": []string{id}, "organizationRoles": named}).Want(w.t, http.StatusOK)
	return id, key
}

func keysOf(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// wantCSP is what every error must be for the clients that read one.
func wantCSP(t *testing.T, a sitetest.Answer, status int, word string) map[string]any {
	t.Helper()
	m := a.Want(t, status).JSON(t)
	message, _ := m["message"].(string)
	if m["statusCode"] != float64(status) || m["moduleCode"] != float64(540) || message == "" || m["error"] != word || m["requestId"] == "" {
		t.Errorf("the error is %v", m)
	}
	return m
}

func TestAuthorize_CSP_12_34_35(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member", "developer")
		for name, a := range map[string]sitetest.Answer{
			"wavefront SDK of Go":     w.send("/"+authorize, id, key, "application/x-www-form-urlencoded", "grant_type=client_credentials"),
			"with an organization":    w.post(authorize, id, key, "grant_type", "client_credentials", "orgId", w.org),
			"x/oauth2":                w.post(tokenPath, url.QueryEscape(id), url.QueryEscape(key), "grant_type", "client_credentials"),
			"x/oauth2, second style":  w.post(tokenPath, "", "", "grant_type", "client_credentials", "client_id", id, "client_secret", key),
			"JSON":                    w.send(tokenPath, id, key, "application/json", `{"grant_type":"client_credentials","orgId":"`+w.org+`"}`),
			"with a slash at the end": w.post(authorize+"/", id, key, "grant_type", "client_credentials", "scope", "x", "state", "y"),
		} {
			body := a.Want(t, http.StatusOK).JSON(t)
			if want := []string{"access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"}; !slices.Equal(keysOf(body), want) {
				t.Fatalf("%s: members %q", name, keysOf(body))
			}
			scopes := strings.Fields(body["scope"].(string))
			if slices.Sort(scopes); !slices.Equal(scopes, []string{"csp:developer", "csp:org_member"}) || body["expires_in"] != float64(1800) ||
				body["token_type"] != "bearer" || body["refresh_token"] != nil || body["id_token"] != nil {
				t.Errorf("%s: %v", name, body)
			}
			if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" {
				t.Errorf("%s: %v", name, a.Header)
			}
			token := body["access_token"].(string)
			for _, header := range []http.Header{sitetest.Bearer(token), {"csp-auth-token": {token}}, sitetest.Bearer(token, "csp-auth-token", token)} {
				w.Client.Get(t, "west", w.acme+"/oauth-apps", header).Want(t, http.StatusOK)
			}
		}
	})
}

func TestAuthorize_R1_Refuses(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member")
		const cc = "client_credentials"
		basicWanted := func(a sitetest.Answer) {
			t.Helper()
			wantCSP(t, a, http.StatusUnauthorized, "invalid_client")
			if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic") {
				t.Errorf("the challenge is %q", a.Header.Get("WWW-Authenticate"))
			}
		}
		wrong, unknown := w.post(authorize, id, key+"x", "grant_type", cc), w.post(authorize, "nobody-here", key, "grant_type", cc)
		basicWanted(wrong)
		basicWanted(unknown)
		if wrong.String(t, "message") != unknown.String(t, "message") {
			t.Errorf("%q tells more than %q", wrong.Body, unknown.Body)
		}
		basicWanted(w.post(authorize, "", "", "grant_type", cc))
		basicWanted(w.post(authorize, id, "", "grant_type", cc))
		wantCSP(t, w.post(authorize, id, key), http.StatusBadRequest, "invalid_request")
		wantCSP(t, w.post(authorize, id, key, "grant_type", "password"), http.StatusBadRequest, "unsupported_grant_type")
		wantCSP(t, w.post(authorize+"?grant_type="+cc, id, key), http.StatusBadRequest, "invalid_request")
		wantCSP(t, w.send(authorize, id, key, "application/x-www-form-urlencoded", "grant_type=a&grant_type=b"), http.StatusBadRequest, "invalid_request")
		wantCSP(t, w.send(authorize, id, key, "text/plain", "grant_type="+cc), http.StatusBadRequest, "invalid_request")
		for _, org := range []string{w.other, "00000000-0000-4000-8000-000000000000", "nowhere"} {
			wantCSP(t, w.post(authorize, id, key, "grant_type", cc, "orgId", org), http.StatusForbidden, "access_denied")
		}
		bare := w.call("POST", w.acme+"/oauth-apps", w.admin, w.request()).Want(t, http.StatusOK)
		wantCSP(t, w.post(authorize, bare.String(t, "clientId"), bare.String(t, "clientSecret"), "grant_type", cc), http.StatusForbidden, "access_denied")
		if got := w.call("GET", authorize, "", nil).Status; got != http.StatusMethodNotAllowed {
			t.Errorf("GET is %d", got)
		}
	})
}

// A source that guesses is told to come back later, in the way that no client takes
// for the end; a valid client from there is not held up.
func TestAuthorize_R13_GuessesNever429(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member")
		statuses := map[int]int{}
		for range 8 {
			a := w.post(authorize, id, "wrong", "grant_type", "client_credentials")
			statuses[a.Status]++
			if a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
				t.Error("it does not say when")
			}
		}
		if statuses[http.StatusUnauthorized] == 0 || statuses[http.StatusServiceUnavailable] == 0 || len(statuses) != 2 {
			t.Errorf("answers: %v", statuses)
		}
		w.post(authorize, id, key, "grant_type", "client_credentials").Want(t, http.StatusOK)
	}, sitetest.Adjust(func(c *config.Config) {
		c.Limits.TokenFailure.Source = config.Budget{Tokens: 1, Per: time.Hour, Burst: 3}
	}))
}

// The token is what clients parse, and the keys verify it.
func TestAccessToken_CSP_Claims(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member")
		token := w.post(authorize, id, key, "grant_type", "client_credentials").Want(t, http.StatusOK).String(t, "access_token")
		one := w.call("GET", httpapi.CSPBase+"/auth/token-public-key", "", nil).Want(t, http.StatusOK)
		block, _ := pem.Decode([]byte(one.String(t, "value")))
		if block == nil || one.String(t, "alg") != "RS256" {
			t.Fatalf("the key is %s", one.Body)
		}
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		parsed, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"})).ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return public, nil })
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"context_name": w.org, "azp": id, "sub": "client:" + id, "username": id, "acct": id, "iss": one.String(t, "issuer"),
		} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if _, there := claims["aud"]; there || claims["exp"].(float64)-claims["iat"].(float64) != 1800 || claims["jti"] == "" || claims["context"] == "" {
			t.Errorf("claims %v", claims)
		}
		if perms, _ := claims["perms"].([]any); len(perms) != 1 || perms[0] != "csp:org_member" {
			t.Errorf("perms %v", claims["perms"])
		}
		for _, path := range []string{"/auth/token-public-key?format=jwks", "/auth/keys"} {
			var set struct {
				Keys []struct{ Kty, Kid, N, E, Alg, Use string }
			}
			if err := json.Unmarshal(w.call("GET", httpapi.CSPBase+path, "", nil).Want(t, http.StatusOK).Body, &set); err != nil || len(set.Keys) != 1 {
				t.Fatalf("%s: %v, %v", path, set, err)
			}
			k := set.Keys[0]
			n, _ := base64.RawURLEncoding.DecodeString(k.N)
			if k.Kid != parsed.Header["kid"] || k.Kty != "RSA" || k.Alg != "RS256" || k.Use != "sig" || new(big.Int).SetBytes(n).Cmp(public.(*rsa.PublicKey).N) != 0 {
				t.Errorf("%s: %v", path, k)
			}
		}
		wantCSP(t, w.call("GET", httpapi.CSPBase+"/auth/token-public-key?format=der", "", nil), http.StatusBadRequest, "invalid_request")
		for _, path := range []string{"/auth/.well-known/openid-configuration", "/.well-known/openid-configuration"} {
			d := w.call("GET", httpapi.CSPBase+path, "", nil).Want(t, http.StatusOK)
			if d.String(t, "issuer") != one.String(t, "issuer") || !strings.HasSuffix(d.String(t, "token_endpoint"), tokenPath) {
				t.Errorf("%s: %s", path, d.Body)
			}
		}
	})
}

func TestApps_CSP_25_32_40_42(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member")
		app := w.acme + "/oauth-apps/" + id
		shown := w.call("GET", app, w.admin, nil).Want(t, http.StatusOK)
		body := shown.JSON(t)
		if body["organizationId"] != w.org || body["displayName"] != "Shipper" || body["accessTokenTTL"] != float64(1800) || body["redirectUris"] == nil ||
			body["createdBy"] == "" || body["createdAt"].(float64) < 1e9 || body["immutable"] != false {
			t.Errorf("shown as %s", shown.Body)
		}
		listed := w.call("GET", w.acme+"/oauth-apps?pageStart=1&pageLimit=200", w.admin, nil).Want(t, http.StatusOK)
		if listed.JSON(t)["totalResults"] != float64(1) {
			t.Errorf("listed as %s", listed.Body)
		}
		for _, a := range []sitetest.Answer{shown, listed} {
			if strings.Contains(string(a.Body), key) || strings.Contains(strings.ToLower(string(a.Body)), `"clientsecret"`) {
				t.Error("a secret is shown again")
			}
		}
		changed := w.call("PATCH", app, w.admin, map[string]any{"displayName": "Other", "description": "d", "grantTypes": []string{"client_credentials"}}).Want(t, http.StatusOK)
		if changed.String(t, "displayName") != "Other" || changed.JSON(t)["accessTokenTTL"] != float64(1800) {
			t.Errorf("changed to %s", changed.Body)
		}
		wantCSP(t, w.call("PATCH", app, w.admin, map[string]any{"displayName": "Other"}), http.StatusBadRequest, "invalid_request")

		token := w.post(authorize, id, key, "grant_type", "client_credentials").String(t, "access_token")
		mine := func() int { return w.call("POST", httpapi.CSPBase+"/auth/logout", token, nil).Status }
		if mine() != http.StatusBadRequest { // told how apps end
			t.Fatalf("the token is refused: %d", mine())
		}
		wantCSP(t, w.send(w.acme+"/oauth-apps/"+id+"/secret", "", "", "application/json", "{}"), http.StatusUnauthorized, "invalid_token")
		wantCSP(t, w.call("PUT", app+"/secret", w.admin, nil), http.StatusBadRequest, "invalid_request") // the empty object is required
		fresh := w.call("PUT", app+"/secret", w.admin, map[string]any{}).Want(t, http.StatusOK)
		if mine() != http.StatusUnauthorized {
			t.Error("the token outlives its secret")
		}
		wantCSP(t, w.post(authorize, id, key, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		key = fresh.String(t, "clientSecret")
		w.post(authorize, id, key, "grant_type", "client_credentials").Want(t, http.StatusOK)

		another := strings.Repeat("another-", 5)
		if a := w.call("POST", app+"/secret", w.admin, map[string]any{"newClientSecret": another}).Want(t, http.StatusOK); len(a.Body) != 0 {
			t.Errorf("rotation answers %q", a.Body)
		}
		for _, k := range []string{key, another} {
			w.post(authorize, id, k, "grant_type", "client_credentials").Want(t, http.StatusOK)
		}
		until := w.call("GET", app, w.admin, nil).JSON(t)["oldSecretExpiresAt"]
		if at, _ := until.(float64); time.Until(time.Unix(int64(at), 0)).Round(time.Hour) != 48*time.Hour {
			t.Errorf("the old secret works until %v", until)
		}
		w.call("DELETE", app+"/secret", w.admin, nil).Want(t, http.StatusOK)
		wantCSP(t, w.post(authorize, id, key, "grant_type", "client_credentials"), http.StatusUnauthorized, "invalid_client")
		w.post(authorize, id, another, "grant_type", "client_credentials").Want(t, http.StatusOK)

		gone := w.call("DELETE", w.acme+"/oauth-apps", w.admin, map[string]any{"clientIdsToDelete": []string{id, "nobody"}}).Want(t, http.StatusOK)
		if string(gone.Body) != `{"failed":["nobody"],"succeeded":["`+id+`"]}`+"\n" {
			t.Errorf("deleted: %s", gone.Body)
		}
		wantCSP(t, w.call("GET", app, w.admin, nil), http.StatusNotFound, "access_denied")
		taken := w.request()
		taken["id"] = id
		wantCSP(t, w.call("POST", w.acme+"/oauth-apps", w.admin, taken), http.StatusConflict, "invalid_request")
	})
}

// Of other organizations nothing is there; a provider acts in each.
func TestApps_R6_OtherOrganizations(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_owner")
		token := w.post(authorize, id, key, "grant_type", "client_credentials").String(t, "access_token")
		for _, bearer := range []string{w.admin, token} {
			for _, org := range []string{w.globe, httpapi.CSPBase + "/orgs/00000000-0000-4000-8000-000000000000", httpapi.CSPBase + "/orgs/none"} {
				wantCSP(t, w.call("GET", org+"/oauth-apps", bearer, nil), http.StatusNotFound, "access_denied")
			}
		}
		provider := w.Client.Login(t, "west", sitetest.System)
		w.call("GET", w.globe+"/oauth-apps", provider, nil).Want(t, http.StatusOK)
		for path, bearer := range map[string]string{w.globe: provider, w.acme: token} {
			if a := w.call("GET", path, bearer, nil).Want(t, http.StatusOK); a.String(t, "refLink") != path {
				t.Errorf("%s is %s", path, a.Body)
			}
		}
		w.call("GET", w.acme+"/oauth-apps/"+id, provider, nil).Want(t, http.StatusOK)
		wantCSP(t, w.call("GET", w.globe+"/oauth-apps/"+id, provider, nil), http.StatusNotFound, "access_denied")
		// What is not about apps does not know them.
		for _, path := range []string{"/cloudapi/1.0.0/users", "/api/org", httpapi.CSPBase + "/loggedin/user", httpapi.CSPBase + "/v2/loggedin/user/orgs"} {
			w.call("GET", path, token, nil).Want(t, http.StatusForbidden)
		}
	})
}

func TestAPIToken_CSP_2_3(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		client := w.call("POST", "/oauth/tenant/acme/register", w.admin, map[string]string{"client_name": "ci"}).Want(t, http.StatusCreated).String(t, "client_id")
		api := w.Client.Form(t, "west", "acme", "token", "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", client, "assertion", w.admin).
			Want(t, http.StatusOK).String(t, "refresh_token")
		for name, a := range map[string]sitetest.Answer{
			"current":    w.post(byToken, "", "", "api_token", api),
			"Java":       w.post(byToken, "", "", "grant_type", "api_token", "refresh_token", api),
			"in the URL": w.send(byToken+"?refresh_token="+api, "", "", "", ""),
			"passcode":   w.post(byToken, "", "", "api_token", api, "passcode", "123456"),
		} {
			body := a.Want(t, http.StatusOK).JSON(t)
			if len(body) != 6 || body["refresh_token"] != api || body["expires_in"] != float64(1800) {
				t.Errorf("%s: %v", name, body)
			}
			token := body["access_token"].(string)
			orgs := w.call("GET", httpapi.CSPBase+"/v2/loggedin/user/orgs", token, nil).Want(t, http.StatusOK).JSON(t)
			if orgs["totalResults"] != float64(1) || !strings.Contains(w.user(token), w.org) {
				t.Errorf("%s: %v", name, orgs)
			}
			w.wantOwnRoles(token)
			wantCSP(t, w.call("GET", w.acme+"/oauth-apps", token, nil), http.StatusForbidden, "access_denied") // a machine manages no apps
			w.call("POST", httpapi.CSPBase+"/auth/logout", token, nil).Want(t, http.StatusOK)
			wantCSP(t, w.call("GET", httpapi.CSPBase+"/userinfo", token, nil), http.StatusUnauthorized, "invalid_token")
		}
		bad := wantCSP(t, w.post(byToken, "", "", "refresh_token", "not-a-token-12345"), http.StatusBadRequest, "invalid_grant")
		if bad["message"] != "invalid_grant: Invalid refresh token: xxxx...12345" {
			t.Errorf("told %q", bad["message"])
		}
		details := w.call("POST", httpapi.CSPBase+"/auth/api-tokens/details", "", map[string]string{"tokenValue": api}).Want(t, http.StatusOK)
		if details.String(t, "tokenId") != client || details.String(t, "orgId") != w.org || details.String(t, "tokenName") != "ci" {
			t.Errorf("details %s", details.Body)
		}
		w.call("DELETE", "/cloudapi/1.0.0/tokens/urn:vcloud:token:"+client, w.admin, nil).Want(t, http.StatusNoContent)
		wantCSP(t, w.post(byToken, "", "", "api_token", api), http.StatusBadRequest, "invalid_grant")
		wantCSP(t, w.call("POST", httpapi.CSPBase+"/auth/api-tokens/details", "", map[string]string{"tokenValue": api}), http.StatusBadRequest, "invalid_grant")
	})
}

func (w *front) user(token string) string {
	w.t.Helper()
	return string(w.call("GET", httpapi.CSPBase+"/loggedin/user", token, nil).Want(w.t, http.StatusOK).Body)
}

// wantOwnRoles asks in the ways there are what the owner of a token holds.
func (w *front) wantOwnRoles(token string) {
	w.t.Helper()
	at := httpapi.CSPBase + "/loggedin/user/orgs/"
	ask := func(path string) sitetest.Answer { return w.call("GET", at+path, token, nil) }
	const owner = `"name":"org_owner"`
	if info := ask(w.org+"/info").Want(w.t, http.StatusOK); info.String(w.t, "orgId") != w.org || !strings.Contains(string(info.Body), owner) {
		w.t.Errorf("info is %s", info.Body)
	}
	if roles := ask(w.org+"/roles").Want(w.t, http.StatusOK); !strings.HasPrefix(string(roles.Body), "[") || !strings.Contains(string(roles.Body), owner) {
		w.t.Errorf("roles are %s", roles.Body)
	}
	if roles := ask(w.org+"/service-roles").Want(w.t, http.StatusOK); strings.TrimSpace(string(roles.Body)) != "[]" {
		w.t.Errorf("service roles are %s", roles.Body)
	}
	if groups := ask(w.org+"/groups?pageLimit=5").Want(w.t, http.StatusOK).JSON(w.t); groups["totalResults"] != float64(0) {
		w.t.Errorf("groups are %v", groups)
	}
	wantCSP(w.t, ask(w.org+"/groups?pageLimit=x"), http.StatusBadRequest, "invalid_request")
	for _, other := range []string{tenants.NewID(), "nonsense"} {
		for _, about := range []string{"/info", "/roles", "/service-roles", "/groups"} {
			wantCSP(w.t, ask(other+about), http.StatusNotFound, "access_denied")
		}
	}
}

// A service sees what has ended, of the organizations that it is in and of no others.
func TestIntrospect_RFC7662(t *testing.T) {
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member")
		spy, spyKey := w.app("org_member")
		const path = httpapi.CSPBase + "/auth/introspect"
		token := w.post(authorize, id, key, "grant_type", "client_credentials").String(t, "access_token")
		inspect := func(what string) map[string]any {
			t.Helper()
			return w.post(path, spy, spyKey, "token", what).Want(t, http.StatusOK).JSON(t)
		}
		if m := inspect(token); m["active"] != true || m["client_id"] != id || m["context_name"] != w.org || m["exp"] == nil {
			t.Errorf("a good token is %v", m)
		}
		if m := inspect(w.admin); m["active"] != true {
			t.Errorf("a person's is %v", m)
		}
		for _, what := range []string{"nothing", w.Client.Login(t, "west", sitetest.System), key} {
			if m := inspect(what); len(m) != 1 || m["active"] != false {
				t.Errorf("%.10s is %v", what, m)
			}
		}
		wantCSP(t, w.post(path, spy, spyKey+"x", "token", token), http.StatusUnauthorized, "invalid_client")
		wantCSP(t, w.post(path, "", "", "token", token), http.StatusUnauthorized, "invalid_client")
		wantCSP(t, w.post(path, spy, spyKey), http.StatusBadRequest, "invalid_request")
		w.call("PUT", w.acme+"/oauth-apps/"+id+"/secret", w.admin, map[string]any{}).Want(t, http.StatusOK)
		if m := inspect(token); len(m) != 1 || m["active"] != false {
			t.Errorf("after its secret the token is %v", m)
		}
	})
}

// What a service asks of tokens that nobody has shown here is bounded, and what it asks
// of others is not.
func TestIntrospect_R13_UnknownTokens(t *testing.T) {
	const burst = 30
	eachFront(t, func(t *testing.T, w *front) {
		id, key := w.app("org_member")
		const path = httpapi.CSPBase + "/auth/introspect"
		token := w.post(authorize, id, key, "grant_type", "client_credentials").String(t, "access_token")
		w.post(path, id, key, "token", token).Want(t, http.StatusOK)
		for n := range burst - 1 {
			w.post(path, id, key, "token", fmt.Sprint("guess", n)).Want(t, http.StatusOK)
		}
		if a := w.post(path, id, key, "token", "guess"); a.Want(t, http.StatusServiceUnavailable).Header.Get("Retry-After") == "" {
			t.Error("nothing says when to come again")
		}
		w.post(path, id, key, "token", token).Want(t, http.StatusOK)
	}, sitetest.Adjust(func(c *config.Config) {
		c.Limits.Management.Account = config.Budget{Tokens: 1, Per: time.Hour, Burst: burst}
	}))
}

// tenantsCaller is the site itself.
var tenantsCaller tenants.Caller
