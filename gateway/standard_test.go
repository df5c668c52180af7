package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const wellKnown = "/.well-known/oauth-authorization-server"

// A client that knows the issuer and RFC 8414 finds everything else.
func TestMetadata_R6_AnyRealm(t *testing.T) {
	w := start(t, storetest.SQLite)
	api := w.c.Site("west").API
	for _, realm := range []string{
		"/oauth/provider", "/oauth/tenant/acme", "/oauth/tenant/ACME", "/oauth/tenant/%61cme", "/oauth/tenant/nowhere", "/oauth/tenant/no%20where", "/oauth/tenant/%C3%BC",
	} {
		a := w.do(t, "west", "GET", wellKnown+realm, nil, "").Want(t, 200)
		m := a.JSON(t)
		if m["issuer"] != api+realm { // RFC 8414 §3.3: identical
			t.Errorf("%s: the issuer is %q", realm, m["issuer"])
		}
		for member, path := range map[string]string{
			"token_endpoint": "/token", "device_authorization_endpoint": "/device_authorization", "registration_endpoint": "/register",
			"revocation_endpoint": "/revoke", "introspection_endpoint": "/introspect", "jwks_uri": "/jwks",
		} {
			if m[member] != api+realm+path {
				t.Errorf("%s: %s is %q", realm, member, m[member])
			}
		}
		for member, want := range map[string]string{
			"grant_types_supported": "[" + sitetest.DeviceGrant + " urn:ietf:params:oauth:grant-type:jwt-bearer refresh_token]", "response_types_supported": "[]",
			"token_endpoint_auth_methods_supported": "[none]", "revocation_endpoint_auth_methods_supported": "[none]",
			"introspection_endpoint_auth_methods_supported": "[Bearer]",
		} {
			if got := fmt.Sprint(m[member]); got != want {
				t.Errorf("%s: %s is %s", realm, member, got)
			}
		}
		again := w.do(t, "west", "GET", wellKnown+realm+"/", http.Header{"If-None-Match": {a.Header.Get("ETag")}}, "").Want(t, 304)
		if a.Header.Get("Cache-Control") != "public, max-age=3600" || len(again.Body) != 0 {
			t.Errorf("%s: a cache is told %v", realm, a.Header)
		}
		w.do(t, "west", "GET", strings.TrimPrefix(fmt.Sprint(m["jwks_uri"]), api), nil, "").Want(t, 200)
	}
	for path, status := range map[string]int{
		wellKnown + "/oauth/tenant/System":                      404, // its realm has another name
		wellKnown + "/oauth/tenant/a@b":                         400,
		wellKnown + "/oauth/tenant/%20a":                        400,
		wellKnown + "/oauth/tenant/" + strings.Repeat("a", 200): 400,
		wellKnown + "/oauth/tenant":                             404,
		wellKnown:                                               404,
		"/oauth/tenant/system/jwks":                             404,
		"/oauth/tenant/a@b/jwks":                                400,
	} {
		wantRefusal(t, path, w.do(t, "west", "GET", path, nil, ""), status)
	}
	// We are no OpenID provider, and do not seem to be one.
	for _, path := range []string{"/oauth/tenant/acme/.well-known/openid-configuration", "/.well-known/openid-configuration/oauth/tenant/acme", "/.well-known/openid-configuration"} {
		wantRefusal(t, path, w.do(t, "west", "GET", path, nil, ""), 404)
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		wantRefusal(t, wellKnown, w.do(t, "west", method, wellKnown+"/oauth/tenant/acme", nil, ""), 405)
	}
}

// Who verifies tokens by what the realm publishes comes to our conclusion, and
// asking costs the database nothing.
func TestJWKS_R5_VerifiesOurTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		api := w.c.Site("west").API
		before := w.Site("west").DB().Statements()
		a := w.do(t, "west", "GET", "/oauth/tenant/acme/jwks", nil, "").Want(t, 200)
		if n := w.Site("west").DB().Statements() - before; n > 5 { // what a site does by itself meanwhile
			t.Errorf("the keys cost %d statements", n)
		}
		if a.Header.Get("Cache-Control") != "public, max-age=300" || a.Header.Get("ETag") == "" {
			t.Errorf("a cache is told %v", a.Header)
		}
		var set struct {
			Keys []map[string]string `json:"keys"`
		}
		if err := json.Unmarshal(a.Body, &set); err != nil || len(set.Keys) != 1 {
			t.Fatalf("%v: %s", err, a.Body)
		}
		key := set.Keys[0]
		if len(key) != 7 || key["kty"] != "EC" || key["crv"] != "P-256" || key["use"] != "sig" || key["alg"] != "ES256" {
			t.Fatalf("the key is %v", key)
		}
		keyOf := func(token *jwt.Token) (any, error) {
			if token.Header["kid"] != key["kid"] {
				return nil, fmt.Errorf("signed by %v", token.Header["kid"])
			}
			return publicKey(key)
		}
		admin := w.c.Login(t, "west", "acme")
		id, _ := w.c.Account(t, "west", admin, "inventory-bot")
		bot, _ := w.c.Connect(t, "west", "acme", id)
		for realm, tokens := range map[string][]string{"/oauth/tenant/acme": {admin, bot}, "/oauth/provider": {w.c.Login(t, "west", sitetest.System)}} {
			issuer := w.do(t, "west", "GET", wellKnown+realm, nil, "").String(t, "issuer")
			for _, token := range tokens {
				_, err := jwt.Parse(token, keyOf, jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(issuer), jwt.WithAudience(api), jwt.WithExpirationRequired())
				if err != nil {
					t.Errorf("%s: %v", realm, err)
				}
			}
		}
		if _, err := jwt.Parse(w.c.Login(t, "east", "acme"), keyOf); err == nil {
			t.Error("another site's token is verified")
		}
	})
}

func publicKey(jwk map[string]string) (*ecdsa.PublicKey, error) {
	x, errX := base64.RawURLEncoding.DecodeString(jwk["x"])
	y, errY := base64.RawURLEncoding.DecodeString(jwk["y"])
	if errX != nil || errY != nil {
		return nil, fmt.Errorf("coordinates: %v, %v", errX, errY)
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
}

// An app may end what it holds without an administrator, and hears of nobody
// else's.
func TestRevokeEndpoint_VCD90_VCD91(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, admin := w.c, w.c.Login(t, "east", "acme")
		id, _ := c.Account(t, "east", admin, "inventory-bot")
		access, refresh := c.Connect(t, "east", "acme", id)
		v := w.witness(t, "west", "east")
		for name, a := range map[string]sitetest.Answer{
			"another organization": c.Form(t, "east", "globex", "revoke", "token", refresh),
			"no organization":      c.Form(t, "east", "nowhere", "revoke", "token", refresh),
			"the provider":         c.Form(t, "east", sitetest.System, "revoke", "token", access),
			"another client":       c.Form(t, "east", "acme", "revoke", "token", refresh, "client_id", nobody),
			"no client":            c.Form(t, "east", "acme", "revoke", "token", refresh, "client_id", "x"),
		} {
			t.Run(name, func(t *testing.T) {
				wantRefusal(t, "/oauth/", a, 400)
				v.unchanged(t)
			})
		}
		elsewhere, none := c.Form(t, "east", "globex", "revoke", "token", refresh), c.Form(t, "east", "nowhere", "revoke", "token", refresh)
		if masked(elsewhere) != masked(none) || !strings.Contains(string(none.Body), "nothing was revoked") {
			t.Errorf("an organization that is there, %s, and one that is not, %s", elsewhere.Body, none.Body)
		}
		for name, a := range map[string]sitetest.Answer{
			"unknown":        c.Form(t, "east", "acme", "revoke", "token", "00000000000000000000000000000000"),
			"another site's": c.Form(t, "west", "acme", "revoke", "token", refresh),
		} {
			if v.unchanged(t); a.Status != 200 || len(a.Body) != 0 {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
		w.do(t, "east", "GET", "/api/org", sitetest.Bearer(access), "").Want(t, 200)
		a := c.Form(t, "east", "acme", "revoke", "token", refresh, "token_type_hint", "something new", "client_id", id, "unknown", "x").Want(t, 200)
		if len(a.Body) != 0 || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("answered with %q, %v", a.Body, a.Header)
		}
		w.do(t, "east", "GET", "/api/org", sitetest.Bearer(access), "").Want(t, 401)
		c.Refresh(t, "east", "acme", refresh).Want(t, 400)
	})
}

// Guesses are limited as at the token endpoint; what is real is revoked all the
// same.
func TestRevokeEndpoint_R13_GuessesAreCounted(t *testing.T) {
	w := start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) {
		c.Limits.TokenFailure.Source = config.Budget{Tokens: 3, Per: time.Hour}
	}))
	id, _ := w.c.Account(t, "west", w.c.Login(t, "west", "acme"), "inventory-bot")
	access, refresh := w.c.Connect(t, "west", "acme", id)
	guess := func() sitetest.Answer { return w.c.Form(t, "west", "acme", "revoke", "token", "guess") }
	for range 2 {
		guess().Want(t, 200)
	}
	w.c.Form(t, "west", "globex", "revoke", "token", refresh).Want(t, 400) // counts, too
	a := guess()
	wantRefusal(t, "/oauth/", a, 429)
	if a.String(t, "error") != "slow_down" || a.Header.Get("Retry-After") == "" {
		t.Errorf("%v %s", a.Header, a.Body)
	}
	w.c.Form(t, "west", "acme", "revoke", "token", refresh).Want(t, 200)
	w.do(t, "west", "GET", "/api/org", sitetest.Bearer(access), "").Want(t, 401)
}

// introspect asks the realm about a token, in the name of whoever holds by.
func (w *world) introspect(t *testing.T, site, org string, by http.Header, token string) sitetest.Answer {
	t.Helper()
	by = by.Clone()
	by.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(t, site, "POST", sitetest.Realm(org)+"/introspect", by, url.Values{"token": {token}}.Encode())
}

const inactive = `{"active":false}`

// A resource server learns what a token stands for, and of what is none of its
// business as much as of what is not there.
func TestIntrospectEndpoint_R6(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, provider := w.c, w.c.Login(t, "east", sitetest.System)
		api, acme := c.Site("east").API, bare(c.Site("east").Org("acme").ID)
		admin, globex := c.Login(t, "east", "acme"), c.Login(t, "east", "globex")
		id, _ := c.Account(t, "east", admin, "inventory-bot")
		bot, refresh := c.Connect(t, "east", "acme", id)
		server := c.Register(t, "east", "acme", admin, "resource server", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c90", tenants.OrganizationAdministrator)
		machine, _ := c.ConnectAs(t, "east", "acme", admin, server)

		a := w.introspect(t, "east", "acme", sitetest.Bearer(machine), bot).Want(t, 200)
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Error("an answer about a token may be kept")
		}
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(bot, claims); err != nil {
			t.Fatal(err)
		}
		got := a.JSON(t)
		for member, want := range map[string]any{
			"active": true, "token_type": "Bearer", "client_id": id, "sub": id, "username": "inventory-bot", "kind": "serviceAccount",
			"iss": api + "/oauth/tenant/acme", "aud": api, "org": acme, "org_name": "acme",
			"scope": claims["scope"], "jti": claims["jti"], "exp": claims["exp"], "iat": claims["iat"], "role": claims["role"],
		} {
			if got[member] != want || want == nil {
				t.Errorf("%s is %v, want %v", member, got[member], want)
			}
			delete(got, member)
		}
		if len(got) != 0 {
			t.Errorf("and %v", got)
		}
		for name, tt := range map[string]struct {
			org, by, token string
			active         bool
		}{
			"a person's":                                {"acme", admin, admin, true},
			"asked by the provider":                     {"acme", provider, bot, true},
			"the provider's, asked by the provider":     {sitetest.System, provider, provider, true},
			"a tenant's, asked in the provider's realm": {sitetest.System, provider, bot, false},
			"another tenant's":                          {"acme", machine, globex, false},
			"the provider's, asked by a tenant":         {"acme", machine, provider, false},
			"another site's":                            {"acme", machine, c.Login(t, "west", "acme"), false},
			"a refresh token":                           {"acme", machine, refresh, false},
			"unknown":                                   {"acme", machine, "unknown", false},
		} {
			a := w.introspect(t, "east", tt.org, sitetest.Bearer(tt.by), tt.token).Want(t, 200)
			if body := strings.TrimSpace(string(a.Body)); (body == inactive) == tt.active || a.JSON(t)["active"] != tt.active {
				t.Errorf("%s: %s", name, body)
			}
		}
		v := w.witness(t, "west", "east")
		for name, tt := range map[string]struct {
			org    string
			by     http.Header
			status int
		}{
			"a role that does not see sessions": {"acme", sitetest.Bearer(bot), 403},
			"another realm":                     {"globex", sitetest.Bearer(machine), 403},
			"no realm":                          {"nowhere", sitetest.Bearer(machine), 403},
			"the provider's realm":              {sitetest.System, sitetest.Bearer(machine), 403},
			"a refresh token as bearer":         {"acme", sitetest.Bearer(refresh), 401},
			"Basic":                             {"acme", http.Header{"Authorization": {"Basic eDp5"}}, 401},
		} {
			a := w.introspect(t, "east", tt.org, tt.by, bot)
			t.Run(name, func(t *testing.T) { wantRefusal(t, "/oauth/", a, tt.status) })
			if challenged := a.Header.Get("WWW-Authenticate") != ""; challenged != (tt.status == 401) {
				t.Errorf("%s: challenge %q", name, a.Header.Get("WWW-Authenticate"))
			}
		}
		v.unchanged(t)
	})
}

// A token does not leave the site that issued it, whoever wants to know of it
// where.
func TestIntrospectEndpoint_R10_NeverCrosses(t *testing.T) {
	w := start(t, storetest.SQLite)
	admin := w.c.Login(t, "west", "acme")
	id := w.c.Register(t, "west", "acme", admin, "mighty", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", tenants.OrganizationAdministrator)
	far, _ := w.c.ConnectAs(t, "west", "acme", admin, id)
	home := w.c.Login(t, "east", "acme")
	w.c.Register(t, "east", "acme", home, "mighty", "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99", tenants.OrganizationAdministrator)
	east := bare(w.c.Site("east").Org("acme").ID)
	crossing := sitetest.Bearer(far, httpapi.HeaderTenantContext, east)
	if a := w.do(t, "west", "GET", "/api/org", crossing, "").Want(t, 200); a.Header.Get(peerRequestID) == "" {
		t.Fatal("its other requests do not cross")
	}
	for _, token := range []string{far, home} {
		a := w.introspect(t, "west", "acme", crossing, token)
		if wantRefusal(t, "/oauth/", a, 403); a.Header.Get(peerRequestID) != "" {
			t.Error("a peer was asked about a token")
		}
	}
}

// Introspection of a known token by a known caller is work without the database.
func TestIntrospectEndpoint_KnownTokenCostsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		db, admin := w.Site("west").DB(), w.c.Login(t, "west", "acme")
		id, _ := w.c.Account(t, "west", admin, "inventory-bot")
		bot, _ := w.c.Connect(t, "west", "acme", id)
		ask := func() {
			if a := w.introspect(t, "west", "acme", sitetest.Bearer(admin), bot).Want(t, 200); a.JSON(t)["active"] != true {
				t.Fatalf("%s", a.Body)
			}
		}
		ask()
		const times = 200
		before := db.Statements()
		for range times {
			ask()
		}
		// The site looks at its journal meanwhile, and notes when sessions were used.
		if n := db.Statements() - before; n >= times/2 {
			t.Errorf("%d introspections cost %d statements", times, n)
		}
	})
}
