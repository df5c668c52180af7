package peer

import (
	"context"
	"crypto/ecdsa"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/federation/jws"
	"causeway/tenants"
)

func bundle() Bundle {
	return Bundle{
		Site: west, Name: "west", Peer: []string{"west.example:7443", "[2001:db8::1]:7443"},
		Seq: 7, RefreshHint: 5 * time.Minute, IssuedAt: time.Unix(1_796_000_000, 0).UTC(),
	}
}

func verifyBundle(token string, site tenants.SiteID, key *ecdsa.PublicKey) (Bundle, error) {
	return readBundle(token, site, func(Bundle) Keys { return NewKeys(key) })
}

func TestBundle_R10_R11(t *testing.T) {
	key := newKey(t)
	token, err := SignBundle(key, bundle())
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifyBundle(token, west, &key.PublicKey)
	if want := bundle(); err != nil || !slices.Equal(got.Peer, want.Peer) || got.Seq != 7 || got.RefreshHint != want.RefreshHint || !got.IssuedAt.Equal(want.IssuedAt) {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := verifyBundle(token, east, &key.PublicKey); err == nil {
		t.Error("another site's bundle")
	}
	if _, err := verifyBundle(token, west, &newKey(t).PublicKey); err == nil {
		t.Error("another key's bundle")
	}
	other, _ := jws.Sign(key, "cw-fwd+jwt", map[string]any{"site": west, "peer": []string{"a:1"}})
	if _, err := verifyBundle(other, west, &key.PublicKey); err == nil {
		t.Error("an assertion taken for a bundle")
	}
	for _, addrs := range [][]string{nil, slices.Repeat([]string{"a:1"}, maxCandidates+1), {"a"}, {":1"}, {"a:0"}, {"a:http"}, {"a b:1"}, {"a/b:1"}, {"u@a:1"}, {"ä:1"}, {strings.Repeat("a", 255) + ":1"}} {
		b := bundle()
		b.Peer = addrs
		if _, err := SignBundle(key, b); err == nil {
			t.Errorf("signed %q", addrs)
		}
		forged, _ := jws.Sign(key, bundleType, map[string]any{"site": west, "peer": addrs})
		if _, err := verifyBundle(forged, west, &key.PublicKey); err == nil {
			t.Errorf("read %q", addrs)
		}
	}
	for seconds, want := range map[int64]time.Duration{-1 << 62: minHint, 0: minHint, 300: 300 * time.Second, 1 << 62: maxHint} {
		hinted, _ := jws.Sign(key, bundleType, map[string]any{"site": west, "peer": []string{"a:1"}, "refresh_hint": seconds})
		if b, err := verifyBundle(hinted, west, &key.PublicKey); err != nil || b.RefreshHint != want {
			t.Errorf("hint %d: %v %v", seconds, b.RefreshHint, err)
		}
	}
}

// endpoint is a site's public web endpoint.
type endpoint struct {
	*httptest.Server
	key   *ecdsa.PrivateKey
	now   func() time.Time
	hits  atomic.Int32
	mu    sync.Mutex
	serve func(http.ResponseWriter, *http.Request)
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{key: newKey(t), now: time.Now}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.hits.Add(1)
		e.mu.Lock()
		f := e.serve
		e.mu.Unlock()
		f(w, r)
	}))
	e.Server.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.Server.StartTLS()
	t.Cleanup(e.Server.Close)
	e.offer(t, bundle())
	return e
}

func (e *endpoint) answer(f func(http.ResponseWriter, *http.Request)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serve = f
}

func (e *endpoint) offer(t *testing.T, b Bundle) {
	t.Helper()
	key := e.key
	e.answer(func(w http.ResponseWriter, r *http.Request) {
		b := b
		b.IssuedAt = e.now()
		token, err := SignBundle(key, b)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Path != BundlePath || r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, token)
	})
}

func (e *endpoint) source() Source {
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})
	return Source{Pins: Pins{Site: west, Current: &e.key.PublicKey}, RestEndpoint: e.URL + "/api", Certificates: string(cert)}
}

func TestResolver_R10_R11(t *testing.T) {
	e, c := newEndpoint(t), newClock()
	e.now = c.now
	r := NewResolver(c.now, nil)
	ctx := t.Context()
	check := func(what string, got []string, want []string, hits int32) {
		t.Helper()
		if !slices.Equal(got, want) || e.hits.Load() != hits {
			t.Fatalf("%s: %q after %d requests, want %q after %d", what, got, e.hits.Load(), want, hits)
		}
	}
	first := bundle().Peer
	check("nothing known", r.Known(e.source()), nil, 0)
	check("first", r.Addresses(ctx, e.source()), first, 1)
	check("cached", r.Addresses(ctx, e.source()), first, 1)

	moved := bundle()
	moved.Seq, moved.Peer = 8, []string{"elsewhere.example:7443"}
	e.offer(t, moved)
	check("asked a moment ago", r.Refresh(ctx, e.source()), first, 1)
	c.add(minInterval)
	check("every address was dead", r.Refresh(ctx, e.source()), moved.Peer, 2)

	e.offer(t, bundle())
	c.add(moved.RefreshHint)
	check("an old bundle again", r.Addresses(ctx, e.source()), moved.Peer, 3)

	e.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	c.add(time.Hour)
	check("endpoint down", r.Addresses(ctx, e.source()), moved.Peer, 4)

	rekeyed := e.source()
	rekeyed.Current = &newKey(t).PublicKey
	check("another root key knows nothing", r.Known(rekeyed), nil, 4)
}

func TestResolverBelievesNothingElse_R9_R10(t *testing.T) {
	e := newEndpoint(t)
	good := e.serve
	var elsewhere atomic.Int32
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		good(w, r)
	}))
	defer other.Close()
	stranger := bundle()
	stranger.IssuedAt = time.Now()
	forged, _ := SignBundle(newKey(t), stranger)
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+BundlePath, http.StatusFound)
		},
		"other key":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, forged) },
		"endless":      func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, zeros{}) },
		"other status": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted); good(w, r) },
	} {
		e.answer(answer)
		if got := NewResolver(time.Now, nil).Addresses(t.Context(), e.source()); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("followed a redirect")
	}
	e.answer(good)
	for name, change := range map[string]func(*Source){
		"no trusted certificate": func(s *Source) { s.Certificates = "" },
		"plain http":             func(s *Source) { s.RestEndpoint = strings.Replace(s.RestEndpoint, "https", "http", 1) },
		"user in the URL":        func(s *Source) { s.RestEndpoint = strings.Replace(s.RestEndpoint, "https://", "https://u:p@", 1) },
		"not a URL":              func(s *Source) { s.RestEndpoint = "::" },
		"no pinned key":          func(s *Source) { s.Current = nil },
	} {
		src := e.source()
		change(&src)
		if got := NewResolver(time.Now, nil).Addresses(t.Context(), src); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
	forbidden := NewResolver(time.Now, func(_ context.Context, a netip.Addr) bool { return !a.IsLoopback() })
	if got := forbidden.Addresses(t.Context(), e.source()); len(got) != 0 {
		t.Errorf("an address that is not allowed: %q", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestResolverAsksOnceForMany_R13(t *testing.T) {
	e := newEndpoint(t)
	good := e.serve
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	e.answer(func(w http.ResponseWriter, r *http.Request) { arrived <- struct{}{}; <-release; good(w, r) })
	r := NewResolver(time.Now, nil)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got := r.Addresses(context.Background(), e.source()); len(got) != 2 {
				t.Errorf("%q", got)
			}
		})
	}
	<-arrived
	close(release)
	if wg.Wait(); e.hits.Load() != 1 {
		t.Fatalf("%d requests", e.hits.Load())
	}
}

// TestStaticModeWithoutGossip_R10_VCD39: associations alone find and reach a peer,
// and false gossip only costs time.
func TestStaticModeWithoutGossip_R10_R11_VCD39(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	e := newEndpoint(t)
	e.key = p.westRoot
	b := bundle()
	b.Peer = []string{p.addr}
	e.offer(t, b)
	for name, gossip := range map[string][]string{"no gossip": nil, "false gossip": {deadAddr(t)}} {
		r := NewResolver(p.clock.now, nil)
		to := p.target()
		to.Candidates, to.Fallback = r.Candidates(func(tenants.SiteID) []string { return gossip }, e.source())
		p.forwarder.Forget(west)
		if _, err := p.do(get("/"), to); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckAddrMatchesDialing(t *testing.T) {
	for _, a := range bundle().Peer {
		if _, _, err := net.SplitHostPort(a); err != nil || CheckAddr(a) != nil {
			t.Error(a)
		}
	}
}
