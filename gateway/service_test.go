package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/services/upstream"
)

// reached keeps what an instance got last, and does what a query says.
type reached struct{ last atomic.Pointer[http.Request] }

func (s *reached) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	s.last.Store(r)
	switch r.URL.RawQuery {
	case "refuse":
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "not this dashboard")
	case "gzip":
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	default:
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
	}
}

// ask is a call of the instance, by its prefix or by its host.
func (e *echo) ask(method, path, token string, header ...string) sitetest.Answer {
	e.t.Helper()
	return e.c.Do(e.t, method, e.c.Site("west").API+path, sitetest.Bearer(token, header...), nil)
}

// An app reaches the instance with its token and its roles, and not before it was
// added, not without the permission, not elsewhere; and what the instance is told of
// it is ours, and can be verified.
func TestServiceInstance_CSP1_CSP19_CSP24_AppsAndPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var got reached
		e := openEcho(t, w.c, got.serve, "echo:read")
		for _, tt := range []struct {
			name, method, path, token string
			status                    int
			forwarded                 string
		}{
			{"the permission", "GET", "/echo/private/x", e.token, 200, "/private/x"},
			{"CSP-5: what is everybody's task needs it too, and there it is", "GET", "/echo/inventory", e.token, 200, "/inventory"},
			{"another permission", "POST", "/echo/private/x", e.token, 403, ""},
			{"no rule", "GET", "/echo/elsewhere", e.token, 403, ""},
			{"no rule for anybody", "GET", "/echo", e.token, 403, ""},
			{"CSP-24: no token", "GET", "/echo/private/x", "", 401, ""},
			{"CSP-24: the secret", "GET", "/echo/private/x", e.secret, 401, ""},
			{"CSP-24: a token that is bent", "GET", "/echo/private/x", e.token[:len(e.token)-6] + "AAAAAA", 401, ""},
			{"a person without a role there", "GET", "/echo/inventory", e.admin, 403, ""},
			{"a provider has none there either", "GET", "/echo/inventory", e.provider, 403, ""},
			{"R6: an app is no caller of our own API", "GET", "/cloudapi/1.0.0/users", e.token, 403, ""},
			{"nor of services that ask for rights", "GET", "/sample/inventory", e.token, 403, ""},
		} {
			got.last.Store(nil)
			a := e.ask(tt.method, tt.path, tt.token)
			if a.Status != tt.status {
				t.Errorf("%s: %d %s, want %d", tt.name, a.Status, a.Body, tt.status)
			}
			forwarded := ""
			if r := got.last.Load(); r != nil {
				forwarded = r.URL.Path
			}
			if forwarded != tt.forwarded {
				t.Errorf("%s: %q is asked of the instance, want %q", tt.name, forwarded, tt.forwarded)
			}
		}
		e.ask("GET", "/echo/private/x", e.token, "X-Causeway-Permissions", "echo:write", "X-Causeway-Identity", "forged", "X_Causeway_Groups", "admins", "csp-auth-token", e.token)
		h := got.last.Load().Header
		account := h.Get("X-Causeway-Service-Account")
		for name, want := range map[string]string{
			"X-Causeway-Org": e.org, "X-Causeway-Principal": "app:" + e.id, "X-Causeway-Permissions": "echo:read",
			"X-Causeway-Groups": upstream.GroupAccounts, "X-Causeway-Instance": e.instance, "X-Causeway-Service-Account": account,
		} {
			if h.Get(name) != want || len(h[name]) != 1 || want == "" {
				t.Errorf("%s is %q, want %q", name, h[name], want)
			}
		}
		for _, name := range []string{"Authorization", "Csp-Auth-Token", "X-Causeway-Role", "X_causeway_groups", "X_Causeway_Groups"} {
			if v, ok := h[name]; ok {
				t.Errorf("the instance got %s: %q", name, v)
			}
		}
		e.verified(h.Get(upstream.HeaderAssertion), account)
	})
}

// verified checks an assertion as an instance would.
func (e *echo) verified(token, account string) {
	e.t.Helper()
	var set struct {
		Keys []struct{ Kid, Alg, X, Y string } `json:"keys"`
	}
	answer := e.c.Do(e.t, http.MethodGet, e.c.Site("west").API+"/.well-known/causeway-instance-keys", nil, nil).Want(e.t, 200)
	if err := json.Unmarshal(answer.Body, &set); err != nil || len(set.Keys) != 1 || set.Keys[0].Alg != "ES256" {
		e.t.Fatalf("keys: %s", answer.Body)
	}
	point := []byte{4} // uncompressed
	for _, half := range []string{set.Keys[0].X, set.Keys[0].Y} {
		b, err := base64.RawURLEncoding.DecodeString(half)
		must(e.t, err)
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	must(e.t, err)
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(e.instance), jwt.WithIssuer(e.c.Site("west").API), jwt.WithExpirationRequired())
	if err != nil {
		e.t.Fatalf("%v: %s", err, token)
	}
	for name, want := range map[string]any{
		"sub": "app:" + e.id, "org": e.org, "permissions": "echo:read", "service_account": account, "name": "shipper",
	} {
		if claims[name] != want {
			e.t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life > 120 {
		e.t.Errorf("it lives for %v s", life)
	}
	// It opens nothing here.
	if a := e.ask("GET", "/echo/private/x", token); a.Status != 401 {
		e.t.Errorf("the assertion as a token is answered %d", a.Status)
	}
}

// TestServiceInstance_CSP37_R4: what is taken away counts with the next request.
func TestServiceInstance_CSP37_R4_AtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var got reached
		e := openEcho(t, w.c, got.serve, "echo:admin")
		path := "/cloudapi/causeway/1.0.0/serviceInstances/urn:vcloud:serviceInstance:" + e.instance
		e.ask("POST", "/echo/private/x", e.token).Want(t, 200)
		instance := w.c.Get(t, "west", path, sitetest.Bearer(e.provider)).Want(t, 200).JSON(t)
		instance["prefix"] = "/moved"
		w.c.Put(t, "west", path, sitetest.Bearer(e.provider), instance).Want(t, 200)
		e.ask("POST", "/moved/private/x", e.token).Want(t, 200)
		e.ask("POST", "/echo/private/x", e.token).Want(t, 404)
		instance["enabled"] = false
		w.c.Put(t, "west", path, sitetest.Bearer(e.provider), instance).Want(t, 200)
		e.ask("POST", "/moved/private/x", e.token).Want(t, 503)
		instance["enabled"], instance["mode"] = true, "original"
		w.c.Put(t, "west", path, sitetest.Bearer(e.provider), instance).Want(t, 200)
		if a := e.ask("POST", "/moved/private/x", e.token).Want(t, 403); !strings.Contains(string(a.Body), "service account") {
			t.Errorf("CSP-3: %s", a.Body)
		}
		instance["mode"] = "onboarded"
		w.c.Put(t, "west", path, sitetest.Bearer(e.provider), instance).Want(t, 200)
		e.ask("POST", "/moved/private/x", e.token).Want(t, 200)
		secret := e.c.Do(t, http.MethodPut, w.c.Site("west").API+e.csp()+"/oauth-apps/"+e.id+"/secret",
			sitetest.Bearer(e.admin, "Content-Type", "application/json"), strings.NewReader("{}")).Want(t, 200).String(t, "clientSecret")
		e.ask("POST", "/moved/private/x", e.token).Want(t, 401)
		token := e.exchange(e.id, secret)
		e.ask("POST", "/moved/private/x", token).Want(t, 200)
		w.c.Do(t, http.MethodDelete, w.c.Site("west").API+path, sitetest.Bearer(e.provider), nil).Want(t, 204)
		e.ask("POST", "/moved/private/x", token).Want(t, 404)
	})
}

// TestServiceInstance_CSP10: the instance's own refusal passes as it is, and the
// audit trail says whose it was.
func TestServiceInstance_CSP10_ItsOwnRefusal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var got reached
		e := openEcho(t, w.c, got.serve, "echo:read")
		a := e.ask("GET", "/echo/private/x?refuse", e.token).Want(t, 403)
		if string(a.Body) != "not this dashboard" || a.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("it came as %q %v", a.Body, a.Header)
		}
		e.ask("POST", "/echo/private/x?refuse", e.token).Want(t, 403) // ours
		codes := func() []string {
			var list struct {
				Values []struct{ Code string } `json:"values"`
			}
			page := w.c.Get(t, "west", "/cloudapi/causeway/1.0.0/refusals?pageSize=25", sitetest.Bearer(e.admin)).Want(t, 200)
			if err := json.Unmarshal(page.Body, &list); err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, v := range list.Values {
				found = append(found, v.Code)
			}
			return found
		}
		sitetest.Eventually(t, 10*time.Second, "both refusals are in the audit trail, each as whose it is", func() bool {
			found := codes()
			return slices.Contains(found, "upstream") && slices.Contains(found, "forbidden")
		})
	})
}

// TestServiceInstance_R9: what is judged is what is asked of the instance, whoever
// asks how.
func TestServiceInstance_R9_HostileRequests(t *testing.T) {
	w := start(t, storetest.SQLite)
	var got reached
	e := openEcho(t, w.c, got.serve, "echo:read")
	head := "Authorization: Bearer " + e.token + "\r\n"
	for _, by := range []struct{ name, host, prefix string }{{"prefix", "localhost", echoPrefix}, {"host", echoHost, ""}} {
		for _, tt := range []struct {
			name, request string
			path          string // that the instance is asked; empty is none
			status        int
		}{
			{"as it is", "GET %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "/private/a", 200},
			{"a host with a port", "GET %s/private/a HTTP/1.1\r\nHost: %s:8443\r\n" + head + "\r\n", "/private/a", 200},
			{"slashes", "GET /%s//private//a HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "/private/a", 200},
			{"dots", "GET %s/private/../inventory HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "", 400},
			{"encoded dots", "GET %s/private/%%2e%%2e/inventory HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "", 400},
			{"an encoded slash", "GET %s/private%%2fa HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "", 400},
			{"a backslash", "GET %s/private%%5ca HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "", 400},
			{"a parameter", "GET %s/private/a;x=1 HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "", 400},
			{"NUL", "GET %s/private/a%%00 HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "", 400},
			{"what looks encoded", "GET %s/private/a%%252fb HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "/private/a%2fb", 200},
			{"encoding that changes nothing", "GET %s/%%70rivate/a HTTP/1.1\r\nHost: %s\r\n" + head + "\r\n", "/private/a", 200},
			{"two lengths", "POST %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", "", 400},
			{"length and chunks", "POST %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /private/smuggled HTTP/1.1\r\nHost: x\r\n\r\n", "", 0},
			{"odd chunking", "POST %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "", 501},
			{"a space before the colon", "GET %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "X-Causeway-Permissions : echo:write\r\n\r\n", "", 400},
			{"a folded header", "GET %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "X-A: b\r\n X-Causeway-Org: c\r\n\r\n", "/private/a", 0},
			{"two hosts", "GET %s/private/a HTTP/1.1\r\nHost: %s\r\nHost: other\r\n" + head + "\r\n", "", 400},
			{"forged words about the client", "GET %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "X-Causeway-Permissions: echo:write\r\nx_causeway_principal: user:root\r\nConnection: X-Causeway-Org, X-Causeway-Permissions\r\n\r\n", "/private/a", 200},
			{"another method by a header", "GET %s/private/a HTTP/1.1\r\nHost: %s\r\n" + head + "X-HTTP-Method-Override: DELETE\r\n\r\n", "/private/a", 200},
		} {
			got.last.Store(nil)
			status, body := w.raw(t, "west", fmt.Sprintf(tt.request, by.prefix, by.host))
			if tt.status != 0 && status != tt.status {
				t.Errorf("%s, %s: %d %s, want %d", by.name, tt.name, status, body, tt.status)
			}
			r := got.last.Load()
			switch {
			case r == nil && tt.path != "" && tt.status != 0:
				t.Errorf("%s, %s: nothing arrived", by.name, tt.name)
			case r == nil:
			case r.URL.Path != tt.path || r.Method != "GET":
				t.Errorf("%s, %s: %s %q arrived, want %q", by.name, tt.name, r.Method, r.URL.Path, tt.path)
			case r.Header.Get("X-Causeway-Permissions") != "echo:read" || r.Header.Get("X-Causeway-Org") != e.org || r.Header.Get("X-Causeway-Principal") != "app:"+e.id ||
				r.Header.Get("X-Http-Method-Override") != "" || spelled(r.Header, "x_causeway_principal"):
				t.Errorf("%s, %s: forged: %v", by.name, tt.name, r.Header)
			}
		}
	}
	// The host is the instance's, whatever the path: none of ours is there.
	for _, path := range []string{"/cloudapi/1.0.0/sessions/current", "/api/versions", "/oauth/provider/token", "/csp/gateway/am/api/loggedin/user", "/.well-known/causeway-instance-keys"} {
		status, body := w.raw(t, "west", "GET "+path+" HTTP/1.1\r\nHost: "+echoHost+"\r\n"+head+"\r\n")
		if status != 403 || !strings.Contains(body, "has no such call") {
			t.Errorf("%s at the instance's host: %d %s", path, status, body)
		}
	}
	// And no word of ours takes a request from that host to another site.
	status, _ := w.raw(t, "west", "GET /private/a HTTP/1.1\r\nHost: "+echoHost+"\r\nX-VMWARE-VCLOUD-AUTH-CONTEXT: "+"acme-labs"+"\r\n"+head+"\r\n")
	if status == 200 {
		t.Error("the instance of one organization answers in another")
	}
}

// Bodies pass as they are, compressed or not.
func TestServiceInstance_R9_BodiesUntouched(t *testing.T) {
	w := start(t, storetest.SQLite)
	var got reached
	e := openEcho(t, w.c, got.serve, "echo:admin")
	sent := "\x1f\x8b\x08\x00 not really compressed \x00\xff"
	a := e.c.Do(t, http.MethodPost, e.c.Site("west").API+"/echo/private/x?gzip", sitetest.Bearer(e.token, "Content-Encoding", "gzip", "Accept-Encoding", "gzip"), strings.NewReader(sent))
	if a.Status != 200 || string(a.Body) != sent || a.Header.Get("Content-Encoding") != "gzip" || got.last.Load().Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%d %q %v", a.Status, a.Body, a.Header)
	}
}

// spelled reports whether a header is there in any case.
func spelled(h http.Header, name string) bool {
	for given := range h {
		if strings.EqualFold(given, name) {
			return true
		}
	}
	return false
}
