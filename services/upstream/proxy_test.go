package upstream_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/services/upstream"
	"causeway/tenants"
)

// gate is a gateway reduced to its proxy, before an instance.
type gate struct {
	t        testing.TB
	proxy    *upstream.Proxy
	instance *upstream.Instance
	front    *httptest.Server
	failed   chan error // what Serve said, when it said anything
}

var (
	org      = tenants.Compile(tenants.Organization{ID: "5f6c1c3e-0000-4000-8000-000000000001", Name: "Acme", Enabled: true}, nil, nil)
	identity = upstream.Identity{
		Caller: tenants.Caller{
			Principal: tenants.Principal{Kind: tenants.KindServiceAccount, ID: "an-account", Name: "app", Org: org.ID, RoleName: "Deployer"},
			RequestID: "a-request",
		},
		Org: org, Site: "11111111-1111-4111-8111-111111111111", Path: "/sample/inventory",
	}
	identityHeaders = http.Header{
		"X-Causeway-Site":           {"11111111-1111-4111-8111-111111111111"},
		"X-Causeway-Org":            {"5f6c1c3e-0000-4000-8000-000000000001"},
		"X-Causeway-Org-Name":       {"Acme"},
		"X-Causeway-Principal":      {"serviceAccount:an-account"},
		"X-Causeway-Principal-Name": {"app"},
		"X-Causeway-Role":           {"Deployer"},
		"X-Causeway-Request-Id":     {"a-request"},
	}
)

func newGate(t testing.TB, serve http.HandlerFunc) *gate {
	t.Helper()
	back := httptest.NewServer(serve)
	t.Cleanup(back.Close)
	return newGateTo(t, back.URL)
}

func newGateTo(t testing.TB, to string) *gate {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	table := newTable(t, upstream.Instance{Name: "sample", Prefix: "/sample", Upstream: u})
	g := &gate{t: t, instance: table.Match(http.MethodGet, "/sample").Instance, failed: make(chan error, 1)}
	if g.proxy, err = upstream.New(upstream.Config{Table: table}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.proxy.Close)
	g.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.proxy.Serve(w, r, g.instance, identity); err != nil {
			g.failed <- err
			w.WriteHeader(http.StatusTeapot) // shows that nothing was written before
		}
	}))
	t.Cleanup(g.front.Close)
	return g
}

// do sends a request whose header is exactly h, in whatever spelling.
func (g *gate) do(method, target string, h http.Header, body io.Reader) *http.Response {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.front.URL+target, body)
	if err != nil {
		g.t.Fatal(err)
	}
	maps.Copy(req.Header, h)
	client := http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { res.Body.Close() })
	return res
}

// refusal calls Serve where it must fail, and checks that nothing was written.
func (g *gate) refusal(ctx context.Context) error {
	g.t.Helper()
	w := httptest.NewRecorder()
	err := g.proxy.Serve(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/sample/inventory", nil), g.instance, identity)
	if err == nil || w.Code != http.StatusOK || w.Body.Len() > 0 || len(w.Header()) > 0 {
		g.t.Errorf("it ended with %v, and wrote %d %v %q", err, w.Code, w.Header(), w.Body)
	}
	return err
}

// TestProxy_R8: what proves the client to us stays here, and nobody but us says
// who the client is.
func TestProxy_R8_IdentityIsOurs(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	g := newGate(t, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	sent := http.Header{
		"Authorization":                {"Bearer secret"},
		"authorization":                {"Bearer secret"},
		"Proxy-Authorization":          {"Basic secret"},
		"Cookie":                       {"vcloud_jwt=secret"},
		"X-Vmware-Vcloud-Access-Token": {"secret"},
		"x_vmware_vcloud_access_token": {"secret"},
		"X-VCLOUD-AUTHORIZATION":       {"secret"},
		"Csp-Auth-Token":               {"secret"},
		"csp_auth_token":               {"secret"},
		"X-Causeway-Org":               {"forged"},
		"X-CAUSEWAY-PRINCIPAL":         {"forged"},
		"x_causeway_role":              {"forged"},
		"X-Causeway_Site":              {"forged"},
		"X-Causeway-Anything":          {"forged"},
		"X-Causeway-Via-Site":          {"forged"},
		"X-Forwarded-For":              {"forged"},
		"X_Forwarded_For":              {"forged"},
		"X-Forwarded-Host":             {"forged"},
		"Forwarded":                    {"for=forged"},
		"X-Real-Ip":                    {"forged"},
		"True-Client-Ip":               {"forged"},
		"Remote-User":                  {"forged"},
		"X-Original-Url":               {"/forged"},
		"X-Http-Method-Override":       {"DELETE"},
		"X-Vmware-Vcloud-Auth-Context": {"forged"},
		"Connection":                   {"X-Causeway-Org, X-Causeway-Principal, X-Causeway-Role"},
		"Accept":                       {"application/json"},
		"X-Custom":                     {"kept", "twice"},
		"User-Agent":                   {"an app"},
	}
	want := maps.Clone(identityHeaders)
	want["Accept"], want["X-Custom"], want["User-Agent"] = []string{"application/json"}, []string{"kept", "twice"}, []string{"an app"}
	if res := g.do("GET", "/sample/inventory", sent, nil); res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	r := <-got
	if !maps.EqualFunc(r.Header, want, slices.Equal) {
		t.Errorf("the instance got\n%v, want\n%v", r.Header, want)
	}
	if r.Host != g.instance.Upstream.Host {
		t.Errorf("the instance is asked for host %q", r.Host)
	}
}

// Trailers are headers that come late.
func TestProxy_R8_TrailersForgeNothing(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	g := newGate(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.front.URL+"/sample/inventory", io.MultiReader(strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	req.Trailer = http.Header{"X-Causeway-Role": {"forged"}, "X_causeway_org": {"forged"}, "X-Vmware-Vcloud-Access-Token": {"secret"}}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	r := <-got
	for name, values := range r.Trailer {
		t.Errorf("the instance got the trailer %s: %q", name, values)
	}
	if values := r.Header["X-Causeway-Role"]; !slices.Equal(values, identityHeaders["X-Causeway-Role"]) {
		t.Errorf("the role became %q", values)
	}
}

func TestProxy_SaysThroughWhichSite(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	g := newGate(t, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	id := identity
	id.Principal.Via = "22222222-2222-4222-8222-222222222222"
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/sample/inventory", nil)
	if err := g.proxy.Serve(httptest.NewRecorder(), r, g.instance, id); err != nil {
		t.Fatal(err)
	}
	if via := (<-got).Header.Get("X-Causeway-Via-Site"); via != string(id.Principal.Via) {
		t.Errorf("the instance is told %q", via)
	}
}

// What was authorized is what is asked for; the query is nobody's business.
func TestProxy_R9_ForwardsTheAuthorizedPath(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	g := newGate(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.RequestURI })
	for target, want := range map[string]string{
		"/sample/inventory":               "/sample/inventory",
		"/sample//inventory":              "/sample/inventory",
		"/sample/%69nventory":             "/sample/inventory",
		"/elsewhere":                      "/sample/inventory",
		"/sample/inventory?a=1;b=2&%zz&c": "/sample/inventory?a=1;b=2&%zz&c",
		"/sample/inventory?next=/../x":    "/sample/inventory?next=/../x",
	} {
		g.do("GET", target, nil, nil)
		if uri := <-got; uri != want {
			t.Errorf("%s is forwarded as %s, want %s", target, uri, want)
		}
	}
}

func TestProxy_BodiesPassUnchanged(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1<<20+7)
	_, _ = rand.Read(noise)
	g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
		if e := r.Header.Get("Accept-Encoding"); e != "" {
			t.Errorf("the instance was asked for the encoding %q, which the client did not want", e)
		}
		up, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(up, noise) || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%d bytes of %d arrived as %q, or other ones: %v", len(up), len(noise), r.Header.Get("Content-Encoding"), err)
		}
		w.Header().Set("Content-Encoding", "gzip") // it is not; nobody may look
		w.Header().Set("X-Length", r.Header.Get("Content-Length"))
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(up)
	})
	for name, body := range map[string]io.Reader{"known length": bytes.NewReader(noise), "unknown length": io.MultiReader(bytes.NewReader(noise))} {
		res := g.do("PUT", "/sample/inventory", http.Header{"Content-Encoding": {"gzip"}}, body)
		down, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(down, noise) || res.StatusCode != http.StatusAccepted || res.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %d bytes of %d came back with %s as %q, or other ones: %v", name, len(down), len(noise), res.Status, res.Header.Get("Content-Encoding"), err)
		}
	}
}

// The first part of an answer arrives before the last is written.
func TestProxy_Streams(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	g := newGate(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-more
		_, _ = io.WriteString(w, "second")
	})
	res := g.do("GET", "/sample/inventory", nil, nil)
	first := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("%q, %v", first, err)
	}
	close(more)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "second" {
		t.Errorf("%q, %v", rest, err)
	}
}

// Nobody would end an upgraded connection when its session ends.
func TestProxy_R4_NoUpgrades(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	g := newGate(t, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	g.do("GET", "/sample/inventory", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}}, nil)
	if r := <-got; r.Header.Get("Upgrade") != "" || strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade") {
		t.Errorf("the instance is asked to upgrade: %v", r.Header)
	}
}

// Interim answers would pass by what strips the final one.
func TestProxy_R9_NoInterimAnswers(t *testing.T) {
	t.Parallel()
	g := newGate(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "planted")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		t.Errorf("the client got %d %v before the answer", code, h)
		return nil
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.front.URL+"/sample/inventory", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("it ended with %s %v", res.Status, res.Header)
	}
}

// A refusal by the instance is its answer, whatever the status.
func TestProxy_AnswersPass(t *testing.T) {
	t.Parallel()
	g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
		status := map[string]int{"404": 404, "422": 422, "502": 502, "503": 503}[r.URL.RawQuery]
		w.Header().Set("X-Custom", "kept")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "its own words")
	})
	for _, status := range []string{"404", "422", "502", "503"} {
		res := g.do("GET", "/sample/inventory?"+status, nil, nil)
		body, _ := io.ReadAll(res.Body)
		if !strings.HasPrefix(res.Status, status) || string(body) != "its own words" || res.Header.Get("X-Custom") != "kept" {
			t.Errorf("%s came as %s %q", status, res.Status, body)
		}
	}
}

// An instance cannot plant a session in the client, nor speak as the gateway,
// nor send the client and its credentials elsewhere.
func TestProxy_R9_AnswersPlantNothing(t *testing.T) {
	t.Parallel()
	g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Set-Cookie", "X-VMWARE-VCLOUD-ACCESS-TOKEN", "X-Vcloud-Authorization", "X-Causeway-Org", "X_causeway_role", "Strict-Transport-Security"} {
			w.Header()[name] = []string{"planted"}
		}
		if to, _ := url.QueryUnescape(r.URL.RawQuery); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	})
	for to, kept := range map[string]bool{
		"": false, "/sample/elsewhere": true, "https://attacker.example/": false, "//attacker.example/": false, `/\attacker.example/`: false,
	} {
		res := g.do("GET", "/sample/inventory?"+url.QueryEscape(to), nil, nil)
		for name, values := range res.Header {
			if slices.Contains(values, "planted") {
				t.Errorf("the client got %s", name)
			}
		}
		if got := res.Header.Get("Location"); (got != "") != kept {
			t.Errorf("the redirect to %q came as %q", to, got)
		}
	}
}

func TestProxy_Unreachable(t *testing.T) {
	t.Parallel()
	refuses, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses.Close()
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	babble := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "what?\r\n\r\n")
			conn.Close()
		}
	}
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tt := range []struct {
		name   string
		gate   *gate
		ctx    func() (context.Context, context.CancelFunc)
		want   problem.Code
		status int
	}{
		{"refuses connections", newGateTo(t, "http://"+refuses.Addr().String()), nil, problem.Unavailable, 503},
		{"hangs up", newGate(t, hangUp), nil, problem.Unavailable, 503},
		{"speaks something else", newGate(t, babble), nil, problem.Unavailable, 503},
		{"has no such host", newGateTo(t, "http://nowhere.invalid"), nil, problem.Unavailable, 503},
		{"does not answer until the deadline", newGate(t, silent), func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 50*time.Millisecond)
		}, problem.GatewayTimeout, 504},
		{"does not answer for too long", newGate(t, silent), nil, problem.GatewayTimeout, 504},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if tt.ctx != nil {
				ctx, cancel = tt.ctx()
			} else {
				tt.gate.proxy.Patience(100 * time.Millisecond)
			}
			defer cancel()
			err := tt.gate.refusal(ctx)
			p := problem.As(err)
			if p == nil || p.Code != tt.want || p.Code.Row().Status != tt.status {
				t.Fatalf("got %v, want the problem %s", err, tt.want)
			}
			if !strings.Contains(p.Detail, "sample") || strings.Contains(p.Detail, tt.gate.instance.Upstream.Host) {
				t.Errorf("the client is told %q: want the service's name, and not where it is", p.Detail)
			}
			if p.Err == nil {
				t.Error("the log does not learn why")
			}
			if p.Code == problem.Unavailable && p.RetryAfter <= 0 {
				t.Error("the refusal does not say when to come again")
			}
		})
	}
}

// A client that gives up is nobody's fault.
func TestProxy_TheClientGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	g := newGate(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err := g.refusal(ctx); !errors.Is(err, context.Canceled) || problem.As(err) != nil {
		t.Errorf("got %v", err)
	}
}

// TestProxy_R9_NeverTwice: an instance that hangs up may have done the work.
func TestProxy_R9_NeverTwice(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		}
	})
	serve := func(method string) error {
		r := httptest.NewRequestWithContext(t.Context(), method, "/sample/inventory", nil)
		return g.proxy.Serve(httptest.NewRecorder(), r, g.instance, identity)
	}
	if err := serve(http.MethodGet); err != nil { // leaves a connection that the next one uses
		t.Fatal(err)
	}
	if err := serve(http.MethodPost); !problem.Has(err, problem.Unavailable) {
		t.Errorf("got %v", err)
	}
	if n := posts.Load(); n != 1 {
		t.Errorf("the instance got the request %d times", n)
	}
}

// TestProxy_R9_NeverTwiceByTheTransport: a key that makes it safe for the instance is
// not ours to judge.
func TestProxy_R9_NeverTwiceByTheTransport(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			var times atomic.Int32
			got := make(chan string, 10)
			g := newGate(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					times.Add(1)
					got <- r.Header.Get(name)
					if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
						conn.Close()
					}
				}
			})
			serve := func(method string) error {
				r := httptest.NewRequestWithContext(t.Context(), method, "/sample/inventory", nil)
				r.Header.Set(name, "a-key")
				return g.proxy.Serve(httptest.NewRecorder(), r, g.instance, identity)
			}
			if err := serve(http.MethodGet); err != nil { // leaves a connection that the next one uses
				t.Fatal(err)
			}
			if err := serve(method); !problem.Has(err, problem.Unavailable) {
				t.Errorf("%s with %s: %v", method, name, err)
			}
			if n, key := times.Load(), <-got; n != 1 || key != "a-key" {
				t.Errorf("the instance got %s %d times with %s %q", method, n, name, key)
			}
		}
	}
}

// TestSample is what the sample behind `causeway dev` says: whom it was told of.
func TestSample(t *testing.T) {
	t.Parallel()
	g := newGate(t, upstream.Sample("east").ServeHTTP)
	res := g.do("GET", "/sample/inventory", nil, nil)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"site":"east"`, `"organization":"Acme"`, `"principal":"app"`, `"role":"Deployer"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
}
