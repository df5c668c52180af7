package gateway_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/sitetest"
)

// manyFailures keeps one source of all refusals from being made to wait.
func manyFailures(c *config.Config) {
	c.Limits.TokenFailure = config.TokenFailureLimits{
		Source: config.Budget{Tokens: 500_000, Per: time.Second}, Network: config.Budget{Tokens: 1_000_000, Per: time.Second},
	}
}

const (
	formMedia = "application/x-www-form-urlencoded"
	asJSON    = "application/json"
	grant     = "grant_type=client_credentials"
)

// exchange is a request for a token, and how it is refused.
type exchange struct {
	name, endpoint, auth, media, body string
	want                              int
}

// Token requests that could be read in two ways, that are too large, or that show
// secrets where they do not belong get nothing and change nothing. The credentials
// in them are good.
func TestAppTokens_R1_Refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.c.Manager(t, "west", "acme")
		app := m.NewApp(t)
		m.Add(t, app.ID, "aoa:viewer")
		m.TokenOf(t, app)
		const byToken = sitetest.CSP + "/auth/api-tokens/authorize?"
		api := w.fetchAPIToken(t, "west", "acme", m.Token, w.newAPIToken(t, "west", "acme", m.Token, "in-the-url")).String(t, "refresh_token")
		kept := w.witness(t, "west", "east")
		for _, query := range []string{"api_token=" + api, "refresh_token=" + api + "&passcode=1", "refresh_token=" + api + "&refresh_token=" + api} {
			sitetest.WantCSPError(t, w.do(t, "west", "POST", byToken+query, nil, ""), 400)
		}
		for _, e := range w.exchanges(m, app) {
			header := http.Header{}
			for name, value := range map[string]string{"Authorization": e.auth, "Content-Type": e.media} {
				if value != "" {
					header.Set(name, value)
				}
			}
			a := w.do(t, "west", "POST", sitetest.CSP+"/auth"+e.endpoint, header, e.body)
			t.Run(e.name, func(t *testing.T) { sitetest.WantCSPError(t, a, e.want) })
		}
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			for _, endpoint := range []string{"/authorize", "/token", "/api-tokens/authorize", "/introspect"} {
				if a := w.do(t, "west", method, sitetest.CSP+"/auth"+endpoint, sitetest.Basic(app), ""); a.Status != 404 && a.Status != 405 {
					t.Errorf("%s %s is %d", method, endpoint, a.Status)
				}
			}
		}
		kept.unchanged(t)
		// The header counts, whatever the body says beside it.
		h := sitetest.Basic(app)
		h.Set("Content-Type", formMedia)
		w.do(t, "west", "POST", sitetest.CSP+"/auth/token", h, grant+"&client_id=somebody&client_secret=else").Want(t, 200)
		m.TokenOf(t, app)
		w.do(t, "west", "POST", byToken+"refresh_token="+api, nil, "").Want(t, 200)
	}, sitetest.Adjust(manyFailures))
}

func (w *world) exchanges(m *sitetest.Manager, app sitetest.App) []exchange {
	good := sitetest.Basic(app).Get("Authorization")
	inBody := grant + "&client_id=" + app.ID + "&client_secret=" + app.Secret
	encode := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	nowhere := grant + "&orgId="
	all := []exchange{
		{"no credentials", "", "", formMedia, grant, 401},
		{"grant twice", "", good, formMedia, grant + "&" + grant, 400},
		{"orgId twice", "", good, formMedia, grant + "&orgId=" + m.ID + "&orgId=" + m.ID, 400},
		{"two organizations", "", good, formMedia, grant + "&orgId=" + m.ID + "&org_id=" + nobody, 400},
		{"client_secret twice", "", "", formMedia, inBody + "&client_secret=x", 400},
		{"no content type", "", good, "", grant, 400},
		{"text", "", good, "text/plain", grant, 400},
		{"multipart", "", good, "multipart/form-data; boundary=x", grant, 400},
		{"a form in the name of JSON", "", good, asJSON, grant, 400},
		{"JSON twice", "", good, asJSON, `{"grant_type":"client_credentials","grant_type":"client_credentials"}`, 400},
		{"JSON of a list", "", good, asJSON, `[{"grant_type":"client_credentials"}]`, 400},
		{"JSON and more", "", good, asJSON, `{"grant_type":"client_credentials"}{}`, 400},
		{"credentials in the URL", "?" + inBody, "", formMedia, "", 400},
		{"credentials in the URL and the header", "?client_secret=" + app.Secret, good, formMedia, grant, 400},
		{"the grant in the URL", "?" + grant, good, formMedia, "", 400},
		{"too long", "", good, formMedia, grant + "&scope=" + strings.Repeat("x", 64<<10), 400},
		{"bad percent signs", "", good, formMedia, grant + "&scope=%zz", 400},
		{"no UTF-8", "", good, formMedia, grant + "&scope=%ff", 400},
		{"another grant", "", good, formMedia, "grant_type=authorization_code&code=x", 400},
		{"a grant in capitals", "", good, formMedia, "grant_type=CLIENT_CREDENTIALS", 400},
		{"a life that is none", "", good, formMedia, grant + "&accessTokenValiditySeconds=soon", 400},
		{"a life that is over", "", good, formMedia, grant + "&accessTokenValiditySeconds=-1", 400},
		{"a bad header and good words", "", "Basic !!!", formMedia, inBody, 401},
		{"a wrong header and good words", "", encode(app.ID + ":wrong"), formMedia, inBody, 401},
		{"a bearer and good words", "", "Bearer " + m.Token, formMedia, inBody, 401},
		{"no colon", "", encode(app.ID), formMedia, grant, 401},
		{"no secret", "", encode(app.ID + ":"), formMedia, grant, 401},
		{"no id", "", encode(":" + app.Secret), formMedia, grant, 401},
		{"a longer secret", "", encode(app.ID + ":" + app.Secret + "\x00"), formMedia, grant, 401},
		{"a shorter secret", "", encode(app.ID + ":" + app.Secret[1:]), formMedia, grant, 401},
		{"an id in other letters", "", encode(strings.ToUpper(app.ID) + ":" + app.Secret), formMedia, grant, 401},
		{"an id with a tail", "", encode(app.ID + "@west:" + app.Secret), formMedia, grant, 401},
		{"a header without an end", "", "Basic " + strings.Repeat("QUFB", 4096), formMedia, grant, 401},
		{"no organization", "", good, formMedia, nowhere + nobody, 403},
		{"another organization", "", good, formMedia, nowhere + bare(w.c.Site("east").Org("acme").ID), 403},
		{"a name", "", good, formMedia, nowhere + "acme", 403},
		{"System", "", good, formMedia, nowhere + "a93c9db9-7471-3192-8d09-a8f7eeda85f9", 403},
		{"a filter", "", good, formMedia, nowhere + "%27%20or%201%3D1--", 403},
	}
	var both []exchange
	for _, e := range all {
		for _, endpoint := range []string{"/authorize", "/token"} {
			one := e
			one.name, one.endpoint = strings.TrimPrefix(endpoint, "/")+": "+e.name, endpoint+e.endpoint
			both = append(both, one)
		}
	}
	const byToken = "/api-tokens/authorize"
	return append(both,
		exchange{"api-tokens: an app's secret", byToken, "", formMedia, "api_token=" + app.Secret, 400},
		exchange{"api-tokens: an access token", byToken, "", formMedia, "api_token=" + m.Token, 400},
		exchange{"api-tokens: two tokens", byToken, "", formMedia, "api_token=x&refresh_token=y", 400},
		exchange{"api-tokens: in the URL by another name", byToken + "?api_token=abcdefgh", "", formMedia, "", 400},
		exchange{"api-tokens: in the URL and the body", byToken + "?refresh_token=abcdefgh", "", formMedia, "refresh_token=abcdefgh", 400},
		exchange{"api-tokens: nothing", byToken, "", formMedia, "", 400},
		exchange{"introspect: nobody asks", "/introspect", "", formMedia, "token=x", 401},
		exchange{"introspect: a person asks", "/introspect", "Bearer " + m.Token, formMedia, "token=x", 401},
		exchange{"introspect: in the URL", "/introspect?token=x", good, formMedia, "", 400},
		exchange{"introspect: twice", "/introspect", good, formMedia, "token=x&token=y", 400},
		exchange{"introspect: nothing", "/introspect", good, formMedia, "", 400},
	)
}

// Requests about apps that say what cannot be are refused, and change nothing.
func TestAppManagement_R1_Refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.c.Manager(t, "west", "acme")
		app := m.NewApp(t)
		m.Add(t, app.ID, "aoa:viewer")
		kept := w.witness(t, "west", "east")
		own := "/oauth-apps/" + app.ID
		for i, tt := range refusedChanges(app) {
			method, path, _ := strings.Cut(strings.ReplaceAll(tt.call, "$app", own), " ")
			a := w.do(t, "west", method, sitetest.CSP+"/orgs/"+m.ID+path, sitetest.Bearer(m.Token, "Content-Type", asJSON), tt.body)
			t.Run(fmt.Sprint(i, " ", strings.ReplaceAll(tt.call, "/", ".")), func(t *testing.T) {
				if a.Status < 400 || a.Status >= 500 {
					t.Fatalf("status %d for %.200s\n%s", a.Status, tt.body, a.Body)
				}
				sitetest.WantCSPError(t, a, a.Status)
				kept.unchanged(t)
			})
		}
		m.TokenOf(t, app)
	}, sitetest.Adjust(manyFailures))
}

type refusedChange struct{ call, body string }

func refusedChanges(app sitetest.App) []refusedChange {
	with := func(member, value string) string {
		return `{"displayName":"x","description":"x","grantTypes":["client_credentials"],"allowedScopes":{},"` + member + `":` + value + `}`
	}
	const create, add = "POST /oauth-apps", "POST /clients"
	long := strings.Repeat("x", 600<<10)
	all := []refusedChange{
		{create, ``}, {create, `{`}, {create, `null`}, {create, `[]`}, {create, `"x"`}, {create, `{}`}, {create, with("x", `"`+long+`"`)},
		{create, strings.Repeat(`{"a":`, 20_000)}, {create, with("displayName", `"<script>"`)}, {create, with("displayName", `""`)},
		{create, with("grantTypes", `["password"]`)}, {create, with("grantTypes", `"client_credentials"`)}, {create, with("id", `"a"`)},
		{create, with("id", `"../../etc/passwd"`)}, {create, with("id", `"`+app.ID+`"`)}, {create, with("secret", `"short"`)},
		{create, with("secret", `"`+strings.Repeat("ä", 40)+`"`)}, {create, with("accessTokenTTL", `0`)}, {create, with("accessTokenTTL", `59`)},
		{create, with("accessTokenTTL", `18001`)}, {create, with("accessTokenTTL", `"600"`)}, {create, with("accessTokenTTL", `1e300`)},
		{create, with("accessTokenTTL", `9223372036854775807`)}, {create, with("allowedScopes", `{"servicesScopes":[{"serviceDefinitionId":"x"}]}`)},
		{create, with("allowedScopes", `{"servicesScopes":[{"serviceDefinitionId":"`+nobody+`","allRoles":true}]}`)},
		{create, with("allowedScopes", `{"organizationScopes":{"roles":[{"name":"platform_operator"}]}}`)},
		{"PATCH $app", `{}`}, {"PATCH $app", with("secret", `"`+strings.Repeat("a", 40)+`"`)}, {"PATCH $app", with("accessTokenTTL", `-5`)},
		{"PUT $app/secret", ``}, {"PUT $app/secret", `[]`}, {"POST $app/secret", `{}`}, {"POST $app/secret", `{"newClientSecret":"short"}`},
		{"POST $app/secret", `{"newClientSecret":"` + app.Secret + `"}`},
		{"POST $app/secret", `{"newClientSecret":"` + strings.Repeat("b", 40) + `","secretRotationExpirationInSeconds":-1}`},
		{"DELETE /oauth-apps", `{}`}, {"DELETE /oauth-apps", `{"clientIdsToDelete":[]}`}, {"DELETE /oauth-apps", `{"clientIdsToDelete":"` + app.ID + `"}`},
		{add, `{}`}, {add, `{"ids":[]}`}, {add, `{"ids":["nobody-at-all"]}`}, {add, `{"ids":["` + app.ID + `@` + nobody + `"]}`}, {add, `{"ids":["` + app.ID + `"]}`},
		{add, `{"ids":["` + strings.Repeat(`a","`, 12) + `"]}`}, {"DELETE /clients", `{"ids":[]}`}, {"DELETE /clients", `{}`},
	}
	for _, change := range []string{
		`{`, `{"serviceRoles":[{"serviceDefinitionId":"x","rolesToAdd":[{"name":"aoa:admin"}]}]}`,
		`{"serviceRoles":[{"serviceDefinitionId":"` + sitetest.Operations + `","rolesToAdd":[{"name":"aoa:nothing"}]}]}`,
		`{"serviceRoles":[{"serviceDefinitionId":"` + sitetest.Operations + `","rolesToAdd":[{"name":"aoa:admin","resource":"` + nobody + `"}]}]}`,
		`{"serviceRoles":[{"serviceDefinitionId":"` + sitetest.Operations + `","rolesToAdd":[{"name":"aoa:admin","expiresAt":1}]}]}`,
		`{"serviceRoles":[{"serviceDefinitionId":"` + sitetest.Operations + `","rolesToAdd":[{"name":"aoa:admin","expiresAt":9e18}]}]}`,
		`{"serviceRoles":[{"serviceDefinitionId":"` + sitetest.Operations + `","rolesToUpdate":[{"name":"aoa:admin"}]}]}`,
		`{"organizationRoles":{"rolesToAdd":[{"name":"platform_operator"}]}}`, `{"customRoles":{"rolesToAdd":[{"name":"nothing"}]}}`,
	} {
		all = append(all, refusedChange{"PATCH /clients/" + app.ID + "/roles", change})
	}
	return all
}
