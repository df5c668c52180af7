package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/problem"
)

func wantProblem(t *testing.T, err error, code problem.Code) {
	t.Helper()
	if !problem.Has(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func TestForwardAnswersLikeThePeer_R10_VCD39(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site, ok := SiteOf(r.TLS)
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%s %s %s %v %s %s", r.Proto, r.Method, r.URL.RequestURI(), ok && site == east, r.Header.Get(AssertionHeader), body)
	}))
	// The query is one that the reverse proxy alone would have cut.
	r := httptest.NewRequest(http.MethodPost, "/a%2Fb/c?x=1;y=2&z=%zz", strings.NewReader("hello"))
	w, err := p.do(r, p.target())
	if err != nil {
		t.Fatal(err)
	}
	want := "HTTP/2.0 POST /a%2Fb/c?x=1;y=2&z=%zz true the-assertion hello"
	if w.Code != http.StatusAccepted || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("got %d %q", w.Code, w.Body)
	}
}

func TestForwardLeavesClientCredentialsBehind_R8_R10(t *testing.T) {
	const secret = "s3cr3t"
	seen := make(chan http.Header, 1)
	p := newPair(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		h := r.Header.Clone()
		for k, v := range r.Trailer {
			h[k] = v
		}
		seen <- h
	}))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
	for _, name := range []string{
		"Authorization", "authorization", "Cookie", "x-vcloud-authorization", "X_VCLOUD_Authorization",
		"X-VMWARE-VCLOUD-ACCESS-TOKEN", "x_vmware_vcloud_access_token", "X-VMWARE-VCLOUD-TOKEN-TYPE",
		"csp-auth-token", "CSP_Auth_Token", "DPoP", "Proxy-Authorization",
		"X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Client-Cert", "Forwarded", "X-Real-IP", "x_real_ip",
		"X-Causeway-Assertion", "X_Causeway_Assertion", "X-Causeway-Anything", "Via",
		"X-VMWARE-VCLOUD-AUTH-CONTEXT", "x_vmware_vcloud_auth_context", "X-VMWARE-VCLOUD-TENANT-CONTEXT",
	} {
		r.Header[name] = []string{secret}
	}
	// Headers that a client declares hop-by-hop are removed before ours are set.
	r.Header.Set("Connection", "X-Causeway-Assertion, Via, Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Trailer = http.Header{"Authorization": {secret}}
	r.Header.Set("Accept", "application/json;version=39.0")
	if _, err := p.do(r, p.target()); err != nil {
		t.Fatal(err)
	}
	h := <-seen
	for name, values := range h {
		if slices.Contains(values, secret) {
			t.Errorf("%s left the site", name)
		}
	}
	if got := h.Values(AssertionHeader); !slices.Equal(got, []string{"the-assertion"}) {
		t.Errorf("assertion: %q", got)
	}
	if !ViaNames(h, east) || ViaNames(h, west) {
		t.Errorf("Via: %q", h.Values("Via"))
	}
	if h.Get("Accept") != "application/json;version=39.0" {
		t.Errorf("what is not secret must arrive: %v", h)
	}
}

func TestForwardTakesNothingPlanted_R9_R10(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, name := range []string{
			"Set-Cookie", "Authorization", "Authentication-Info", "X-VCloud-Authorization", "X-VMWARE-VCLOUD-ACCESS-TOKEN",
			"X-VMWARE-VCLOUD-TOKEN-TYPE", "CSP-Auth-Token", "Strict-Transport-Security", "Alt-Svc", "Clear-Site-Data", "Refresh",
		} {
			h.Set(name, "planted")
		}
		h.Set("X-VMWARE-VCLOUD-REQUEST-ID", "theirs")
		h["X_Vcloud_Authorization"] = []string{"planted"}
		h.Set("X-Causeway-Served-By", "planted")
		if r.URL.Path == "/early" {
			h.Set("Link", "planted")
			w.WriteHeader(http.StatusEarlyHints)
			h.Del("Link")
		}
		h.Set("Trailer", "X-Announced")
		if r.URL.Path == "/redirect" {
			h.Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(http.StatusFound)
		}
		io.WriteString(w, "body")
		h.Set("X-Announced", "planted")
		h.Set(http.TrailerPrefix+"Set-Cookie", "planted")
	}))
	for _, path := range []string{"/", "/early"} {
		w, err := p.do(get(path), p.target())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []http.Header{w.Header(), w.Result().Trailer} {
			for name, values := range h {
				if slices.Contains(values, "planted") {
					t.Errorf("%s: %s got through", path, name)
				}
			}
		}
		if w.Body.String() != "body" {
			t.Errorf("body %q", w.Body)
		}
		if h := w.Header(); h.Get("X-VMWARE-VCLOUD-REQUEST-ID") != "" || h.Get("X-Causeway-Peer-Request-Id") != "theirs" {
			t.Errorf("the other site's request id must be told from ours: %v", h)
		}
	}
	for to, kept := range map[string]bool{
		"/elsewhere": true, "https://example.com/x": true, // httptest's host
		"https://evil.example/": false, "//evil.example/": false, `/\evil.example`: false, `\\evil.example`: false,
		"http://example.com/": false, "https://u:p@example.com/": false, "javascript:x": false,
	} {
		r := get("/redirect")
		r.URL.RawQuery = "to=" + strings.NewReplacer("/", "%2F", ":", "%3A", "\\", "%5C", "@", "%40").Replace(to)
		w, err := p.do(r, p.target())
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Location"); (got == to) != kept {
			t.Errorf("Location %q: got %q", to, got)
		}
	}
}

func TestForwardErrors_R10(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/421":
			w.WriteHeader(http.StatusMisdirectedRequest)
		case "/508":
			w.WriteHeader(http.StatusLoopDetected)
		case "/late":
			<-r.Context().Done()
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/huge":
			w.Header().Set("X-Huge", strings.Repeat("x", 2*maxHeaders))
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
		}
	}), func(c *Config) { c.HeaderTimeout = 200 * time.Millisecond })
	for path, want := range map[string]problem.Code{
		"/421": problem.Unavailable, "/508": problem.Unavailable,
		"/late": problem.GatewayTimeout, "/abort": problem.SiteUnreachable, "/huge": problem.SiteUnreachable,
	} {
		w, err := p.do(get(path), p.target())
		if wantProblem(t, err, want); w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: something was written beside the error", path)
		}
	}
	for range 2 * breakAfter { // an answer, whatever its status, is no reason to break
		if w, err := p.do(get("/500"), p.target()); err != nil || w.Code != http.StatusInternalServerError {
			t.Fatalf("%d %v", w.Code, err)
		}
	}
}

func TestForwardToSilence_R10(t *testing.T) {
	p := newPair(t, http.NotFoundHandler(), func(c *Config) { c.DialTimeout = 50 * time.Millisecond })
	hole, _ := blackHole(t)
	_, err := p.do(get("/"), p.target(hole))
	wantProblem(t, err, problem.SiteUnreachable) // no connection: nothing was sent, so it is not a 504
}

func TestForwardOnlyOverHTTP2_R9(t *testing.T) {
	p := newPair(t, http.NotFoundHandler())
	cfg := p.west.ServerTLS(knows(east, &p.eastRoot.PublicKey))
	cfg.NextProtos = []string{"http/1.1"}
	old, _ := serveHTTP1(t, cfg)
	_, err := p.do(get("/"), p.target(old))
	wantProblem(t, err, problem.SiteUnreachable)
}

// TestForwardInterimAnswersStayHere_R9_R10: headers of a 103 would reach the
// client beside our filter.
func TestForwardInterimAnswersStayHere_R9_R10(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "planted=1")
		w.WriteHeader(http.StatusEarlyHints)
	}))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ours", "kept")
		if err := p.forwarder.Forward(w, r, p.target(), Exchange{Mint: minted("a")}); err != nil {
			t.Error(err)
		}
	}))
	defer front.Close()
	defer front.Client().CloseIdleConnections()
	var interim atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { interim.Add(1); return nil },
	})
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, front.URL, nil)
	res, err := front.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if interim.Load() != 0 || res.Header.Get("X-Ours") != "kept" {
		t.Fatalf("%d interim answers, headers %v", interim.Load(), res.Header)
	}
}

func TestForwardDeadlineOfTheCaller_R10(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := p.do(get("/").WithContext(ctx), p.target())
	wantProblem(t, err, problem.GatewayTimeout)
}

func TestForwardBreaksAndHeals_R10_R13(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	var asked atomic.Int32
	dead := p.target(deadAddr(t))
	candidates := dead.Candidates
	dead.Candidates = func(ctx context.Context) []string { asked.Add(1); return candidates(ctx) }
	for range breakAfter {
		_, err := p.do(get("/"), dead)
		wantProblem(t, err, problem.SiteUnreachable)
		if got := problem.As(err).RetryAfter; got < 5*time.Second || got > 30*time.Second {
			t.Fatalf("Retry-After %v", got)
		}
	}
	if open, _ := p.forwarder.State(west); !open || asked.Load() != breakAfter {
		t.Fatalf("open %v after %d dials", open, asked.Load())
	}
	_, err := p.do(get("/"), dead)
	if wantProblem(t, err, problem.SiteUnreachable); asked.Load() != breakAfter {
		t.Fatal("an open breaker must not dial")
	}
	p.clock.add(shortestPause)
	if _, err := p.do(get("/"), p.target()); err != nil {
		t.Fatalf("the probe: %v", err)
	}
	if open, _ := p.forwarder.State(west); open {
		t.Fatal("still open after an answer")
	}
}

func TestForwardClientWhoLeavesIsNotThePeersFault_R10(t *testing.T) {
	waiting := make(chan struct{}, 1)
	p := newPair(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		waiting <- struct{}{}
		<-r.Context().Done()
	}))
	leave := func(to Target, entered <-chan struct{}) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := p.do(get("/").WithContext(ctx), to); done <- err }()
		<-entered
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	for range 2 * breakAfter {
		leave(p.target(), waiting) // while the peer works
	}
	silent, accepted := blackHole(t)
	p.forwarder.Forget(west) // the connection that works
	for range 2 * breakAfter {
		leave(p.target(silent), accepted) // and while nobody answers the handshake
	}
	if open, _ := p.forwarder.State(west); open {
		t.Fatal("clients opened the breaker")
	}
}

// blackHole accepts connections, says so, and never answers.
func blackHole(t *testing.T) (addr string, accepted <-chan struct{}) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ch := make(chan struct{}, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var conns []net.Conn
		for {
			c, err := ln.Accept()
			if err != nil {
				for _, c := range conns {
					c.Close()
				}
				return
			}
			conns = append(conns, c)
			ch <- struct{}{}
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String(), ch
}

func TestForwardTriesCandidatesInTurn_R10_R11(t *testing.T) {
	var hits atomic.Int32
	p := newPair(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	// An impostor: a site of the same id with another key, as false gossip would name.
	impostor := newIdentity(t, west, newKey(t), p.clock.now)
	fake, _ := serve(t, impostor.ServerTLS(knows(east, &p.eastRoot.PublicKey)), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request reached the impostor")
	}))
	hole, _ := blackHole(t)
	start := time.Now()
	if _, err := p.do(get("/"), p.target(deadAddr(t), fake, hole, p.addr)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); hits.Load() != 1 || took > 1500*time.Millisecond {
		t.Fatalf("%d hits after %v", hits.Load(), took)
	}
	t.Run("fallback", func(t *testing.T) {
		p.forwarder.Forget(west)
		to := p.target(fake)
		to.Fallback = func(context.Context) []string { return []string{fake, p.addr} }
		if _, err := p.do(get("/"), to); err != nil || hits.Load() != 2 {
			t.Fatal(err, hits.Load())
		}
	})
	t.Run("address not allowed", func(t *testing.T) {
		q := newPair(t, http.NotFoundHandler(), func(c *Config) { c.AllowAddr = func(_ context.Context, a netip.Addr) bool { return !a.IsLoopback() } })
		_, err := q.do(get("/"), q.target())
		wantProblem(t, err, problem.SiteUnreachable)
	})
}

func TestForwardSendsNonIdempotentOnce_R9(t *testing.T) {
	var hits atomic.Int32
	p := newPair(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			hits.Add(1)
			panic(http.ErrAbortHandler)
		}
	}))
	for range 3 { // over a connection that was used before
		if _, err := p.do(get("/"), p.target()); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Idempotency-Key", "the transport would retry for this")
		_, err := p.do(r, p.target())
		wantProblem(t, err, problem.SiteUnreachable)
	}
	if hits.Load() != 3 {
		t.Fatalf("%d", hits.Load())
	}
}

func TestForwardStreamsAndEndsOnSilence_R9(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}), func(c *Config) { c.IdleTimeout = 100 * time.Millisecond })
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.forwarder.Forward(w, r, p.target(), Exchange{Mint: minted("a")}); err != nil {
			t.Error(err)
		}
	}))
	defer front.Close()
	defer front.Client().CloseIdleConnections()
	res, err := front.Client().Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if string(body) != "first" || err == nil {
		t.Fatalf("%q, %v: the client must see that the answer is cut", body, err)
	}
}

func TestForwardBulkhead_R10(t *testing.T) {
	entered := make(chan struct{})
	p := newPair(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	}), func(c *Config) { c.MaxInFlight, c.MaxPerPrincipal = 1, 2 })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.do(get("/").WithContext(ctx), p.target()) }()
	<-entered
	_, err := p.do(get("/"), p.target())
	wantProblem(t, err, problem.Unavailable)
	cancel()
	<-done
}

func TestForwardAfterRekey_R10(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if _, err := p.do(get("/"), p.target()); err != nil {
		t.Fatal(err)
	}
	to := p.target()
	to.Keys = NewKeys(&newKey(t).PublicKey)
	_, err := p.do(get("/"), to)
	wantProblem(t, err, problem.SiteUnreachable)
}
