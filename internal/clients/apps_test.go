package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// operations is the definition of Operations for Applications, the same everywhere.
const operations = "7c3ad6f2-52a5-4d4e-9a43-1c6e3b0f5a90"

// shop is acme at west with an app of its own and an instance behind the gateway
// that keeps what reaches it.
type shop struct {
	t        *testing.T
	file     file
	api      string
	client   *http.Client
	admin    string // access token of acme's administrator
	base     string // of acme's paths below /csp
	id       string // of the app
	secret   string
	instance string // URL of the instance, as clients know it
	mu       sync.Mutex
	got      []received
}

// received is a request as the instance saw it.
type received struct {
	Method, URI string
	Header      http.Header
	Body        []byte
}

func openShop(t *testing.T, roles ...string) *shop {
	f := start(t)
	s := &shop{t: t, file: f, api: f.Sites[0].API, client: trusting(t, f.CA)}
	behind := httptest.NewServer(http.HandlerFunc(s.keep))
	t.Cleanup(behind.Close)
	acme := f.Sites[0].Organizations[0]
	org := strings.TrimPrefix(acme.ID, "urn:vcloud:org:")
	s.base = s.api + "/csp/gateway/am/api/orgs/" + org
	provider := s.login("/cloudapi/1.0.0/sessions/provider", f.Sites[0].Admin.User+"@System", f.Sites[0].Admin.Password)
	s.do(http.MethodPost, s.api+"/cloudapi/causeway/1.0.0/serviceInstances", provider, map[string]any{
		"orgId": acme.ID, "serviceDefinitionId": operations, "name": "observability", "mode": "onboarded",
		"prefix": "/observability", "enabled": true, "upstreams": []string{behind.URL},
	}, nil)
	s.instance = s.api + "/observability"
	s.admin = s.login("/cloudapi/1.0.0/sessions", acme.Admin.User+"@"+acme.Name, acme.Admin.Password)
	held := []map[string]any{}
	for _, r := range roles {
		held = append(held, map[string]any{"name": r})
	}
	var made struct{ ClientID, ClientSecret string }
	s.do(http.MethodPost, s.base+"/oauth-apps", s.admin, map[string]any{
		"displayName": "shipper", "description": "ships", "grantTypes": []string{"client_credentials"},
		"allowedScopes": map[string]any{"servicesScopes": []any{map[string]any{"serviceDefinitionId": operations, "allRoles": true}}},
	}, &made)
	s.id, s.secret = made.ClientID, made.ClientSecret
	s.do(http.MethodPost, s.base+"/clients", s.admin, map[string]any{
		"ids": []string{s.id}, "serviceRoles": []any{map[string]any{"serviceDefinitionId": operations, "serviceRoles": held}},
	}, nil)
	return s
}

// keep is the instance.
func (s *shop) keep(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, received{r.Method, r.URL.RequestURI(), r.Header, body})
	w.WriteHeader(http.StatusAccepted)
}

func (s *shop) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func (s *shop) login(path, user, password string) string {
	s.t.Helper()
	r := get(http.NewRequest(http.MethodPost, s.api+path, nil))(s.t)
	r.SetBasicAuth(user, password)
	r.Header.Set("Accept", "application/json;version=38.1")
	res := get(s.client.Do(r))(s.t)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: status %d", path, res.StatusCode)
	}
	return res.Header.Get("X-VMWARE-VCLOUD-ACCESS-TOKEN")
}

func (s *shop) do(method, url, token string, body, answer any) {
	s.t.Helper()
	r := get(http.NewRequest(method, url, bytes.NewReader(get(json.Marshal(body))(s.t))))(s.t)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res := get(s.client.Do(r))(s.t)
	defer res.Body.Close()
	text := get(io.ReadAll(res.Body))(s.t)
	if res.StatusCode >= http.StatusMultipleChoices {
		s.t.Fatalf("%s %s: status %d, %s", method, url, res.StatusCode, text)
	}
	if answer != nil {
		must(s.t, json.Unmarshal(text, answer))
	}
}

// A plain OAuth library gets a token by client credentials, in whatever way it
// sends them, and says why when it gets none (RFC 6749 §4.4).
func TestXOAuth2_CSP_34_ClientCredentials(t *testing.T) {
	s := openShop(t, "aoa:dashboards")
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, s.client)
	config := func(style oauth2.AuthStyle, secret string) *clientcredentials.Config {
		return &clientcredentials.Config{ClientID: s.id, ClientSecret: secret, TokenURL: s.api + "/csp/gateway/am/api/auth/token", AuthStyle: style}
	}
	for name, style := range map[string]oauth2.AuthStyle{"found out": oauth2.AuthStyleAutoDetect, "header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams} {
		res := get(config(style, s.secret).Client(ctx).Get(s.instance + "/api/v2/dashboard?limit=1"))(t)
		res.Body.Close()
		if res.StatusCode != http.StatusAccepted {
			t.Errorf("%s: status %d", name, res.StatusCode)
		}
		_, err := config(style, s.secret+"x").Token(ctx)
		if err == nil || !strings.Contains(err.Error(), "invalid_client") {
			t.Errorf("%s: a wrong secret: %v", name, err)
		}
	}
	for _, r := range s.received() {
		if r.URI != "/api/v2/dashboard?limit=1" || r.Header.Get("X-Causeway-Principal") != "app:"+s.id || r.Header.Get("Authorization") != "" {
			t.Errorf("the instance got %s with %v", r.URI, r.Header)
		}
	}
	if n := len(s.received()); n != 3 {
		t.Errorf("the instance got %d requests", n)
	}
	// What was got with the old secret ends with it (CSP-40), and the new one works (CSP-42).
	token := get(config(oauth2.AuthStyleInHeader, s.secret).Token(ctx))(t)
	var made struct{ ClientSecret string }
	s.do(http.MethodPut, s.base+"/oauth-apps/"+url.PathEscape(s.id)+"/secret", s.admin, map[string]any{}, &made)
	res := get(oauth2.NewClient(ctx, oauth2.StaticTokenSource(token)).Get(s.instance + "/api/v2/dashboard"))(t)
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token of the old secret: status %d", res.StatusCode)
	}
	if _, err := config(oauth2.AuthStyleInHeader, s.secret).Token(ctx); err == nil {
		t.Error("the old secret gets a token")
	}
	get(config(oauth2.AuthStyleInHeader, made.ClientSecret).Token(ctx))(t)
}
