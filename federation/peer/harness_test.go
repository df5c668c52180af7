package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"causeway/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	east = tenants.SiteID("11111111-1111-4111-8111-111111111111")
	west = tenants.SiteID("22222222-2222-4222-8222-222222222222")
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// clock is a time that moves when told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newIdentity(t testing.TB, site tenants.SiteID, root *ecdsa.PrivateKey, now func() time.Time) *Identity {
	t.Helper()
	id, err := NewIdentity(site, func() *ecdsa.PrivateKey { return root }, now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pair is east, which forwards to west over real connections.
type pair struct {
	clock              *clock
	eastRoot, westRoot *ecdsa.PrivateKey
	east, west         *Identity
	forwarder          *Forwarder
	addr               string // of west
	stop               func() // of west
}

func newPair(t *testing.T, west http.Handler, tweak ...func(*Config)) *pair {
	t.Helper()
	p := &pair{clock: newClock(), eastRoot: newKey(t), westRoot: newKey(t)}
	p.east = newIdentity(t, east, p.eastRoot, p.clock.now)
	p.west = newIdentity(t, "22222222-2222-4222-8222-222222222222", p.westRoot, p.clock.now)
	p.addr, p.stop = serve(t, p.west.ServerTLS(knows(p.east.site, &p.eastRoot.PublicKey)), west)
	cfg := Config{Identity: p.east, Now: p.clock.now}
	for _, f := range tweak {
		f(&cfg)
	}
	var err error
	if p.forwarder, err = NewForwarder(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.forwarder.Close)
	return p
}

func knows(site tenants.SiteID, key *ecdsa.PublicKey) func(tenants.SiteID) Keys {
	return func(id tenants.SiteID) Keys {
		if id != site {
			return nil
		}
		return NewKeys(key)
	}
}

// serve runs a server on loopback until the test ends or stop is called.
func serve(t *testing.T, cfg *tls.Config, h http.Handler) (addr string, stop func()) {
	return serveOn(t, &http.Server{Handler: h, TLSConfig: cfg})
}

// serveHTTP1 is a server that never learned HTTP/2.
func serveHTTP1(t *testing.T, cfg *tls.Config) (addr string, stop func()) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return serveOn(t, &http.Server{TLSConfig: cfg, Protocols: protocols})
}

func serveOn(t *testing.T, srv *http.Server) (addr string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv.ErrorLog = log.New(io.Discard, "", 0)
	done := make(chan struct{})
	go func() { defer close(done); srv.ServeTLS(ln, "", "") }()
	stop = sync.OnceFunc(func() { srv.Close(); <-done })
	t.Cleanup(stop)
	return ln.Addr().String(), stop
}

func (p *pair) target(addrs ...string) Target {
	if len(addrs) == 0 {
		addrs = []string{p.addr}
	}
	return Target{
		Site: p.west.site, Keys: NewKeys(&p.westRoot.PublicKey),
		Candidates: func(context.Context) []string { return addrs },
	}
}

// do forwards as a gateway would, and returns what the client sees.
func (p *pair) do(r *http.Request, to Target) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	err := p.forwarder.Forward(w, r, to, Exchange{Mint: minted("the-assertion"), Principal: "somebody"})
	return w, err
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

// deadAddr refuses connections.
func deadAddr(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func minted(token string) func() (string, error) { return func() (string, error) { return token, nil } }
