package peer

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/tenants"
)

// trust is what a site holds of others' keys, changing under open connections.
type trust struct{ keys atomic.Pointer[Keys] }

func (c *trust) set(keys ...*ecdsa.PublicKey) {
	list := NewKeys(keys...)
	c.keys.Store(&list)
}

func (c *trust) of(site tenants.SiteID) Keys {
	if site != east {
		return nil
	}
	return *c.keys.Load()
}

// behindDoor serves west's peer listener through a door.
func behindDoor(t *testing.T, d *Door, h http.Handler) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, TLSConfig: d.TLS(), ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() { defer close(done); srv.ServeTLS(d.Listener(ln), "", "") }()
	t.Cleanup(sync.OnceFunc(func() { srv.Close(); <-done }))
	return ln.Addr().String()
}

// TestOpenConnectionsAreJudgedAgain_R10_I6: a connection ends with the key that
// proved it, whoever opened it and whatever is under way on it, and not when
// another key is announced beside it.
func TestOpenConnectionsAreJudgedAgain_R10_I6(t *testing.T) {
	var known trust
	waiting := make(chan struct{}, 1)
	p := newPair(t, http.NotFoundHandler())
	door := &Door{Identity: p.west, Allowed: known.of}
	known.set(&p.eastRoot.PublicKey)
	p.addr = behindDoor(t, door, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !known.of(east).Prove(r.TLS, east, p.clock.now()) {
			w.WriteHeader(http.StatusForbidden)
		}
		if r.URL.Path == "/wait" {
			waiting <- struct{}{}
			<-r.Context().Done()
		}
	}))
	ask := func(path string) error { _, err := p.do(get(path), p.target()); return err }
	hanging := func() chan error {
		ended := make(chan error, 1)
		go func() { ended <- ask("/wait") }()
		<-waiting
		return ended
	}
	ends := func(what string, ended chan error) {
		t.Helper()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s: no error", what)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the connection lives", what)
		}
	}
	if err := ask("/"); err != nil {
		t.Fatal(err)
	}
	before := hanging()
	known.set(&p.eastRoot.PublicKey, &newKey(t).PublicKey) // announced
	door.Rejudge()
	p.forwarder.Rejudge(func(tenants.SiteID) Keys { return NewKeys(&newKey(t).PublicKey, &p.westRoot.PublicKey) })
	if err := ask("/"); err != nil {
		t.Fatalf("a key announced beside it: %v", err)
	}
	select {
	case err := <-before:
		t.Fatalf("a key announced beside it ended a request: %v", err)
	default:
	}
	known.set(&newKey(t).PublicKey) // replaced
	door.Rejudge()
	ends("the key was replaced where it came in", before)
	if err := ask("/"); err == nil {
		t.Error("a replaced key comes in")
	}

	known.set(&p.eastRoot.PublicKey)
	before = hanging()
	p.forwarder.Rejudge(func(tenants.SiteID) Keys { return nil })
	ends("the association was removed where it went out", before)
	before = hanging()
	p.forwarder.Forget(west)
	ends("the site was forgotten", before)
}

// TestDoorTellsOfUnknownKeys_R10: a site that shows a key we do not know may have
// announced it meanwhile.
func TestDoorTellsOfUnknownKeys_R10(t *testing.T) {
	var known trust
	told := make(chan tenants.SiteID, 8)
	p := newPair(t, http.NotFoundHandler())
	known.set(&newKey(t).PublicKey)
	door := &Door{Identity: p.west, Allowed: known.of, Unknown: func(s tenants.SiteID) { told <- s }}
	p.addr = behindDoor(t, door, http.NotFoundHandler())
	if _, err := p.do(get("/"), p.target()); err == nil {
		t.Error("came in")
	}
	select {
	case site := <-told:
		if site != east {
			t.Errorf("told of %s", site)
		}
	case <-time.After(10 * time.Second):
		t.Error("not told")
	}
	if len(door.open) != 0 {
		t.Error("it is remembered")
	}
}

// TestRekey_R10: whoever dials and meets a key that was announced meanwhile asks
// and goes on with the same request.
func TestRekey_R10(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	asked := 0
	to := p.target()
	right := to.Keys
	to.Keys = NewKeys(&newKey(t).PublicKey)
	to.Rekey = func(context.Context) Keys { asked++; return right }
	if _, err := p.do(get("/"), to); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	p.forwarder.Forget(west)
	to.Rekey = func(context.Context) Keys { return nil }
	if _, err := p.do(get("/"), to); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("nothing better is known: %v", err)
	}
}

// TestLeafFollowsTheRoot_R10: the next connection shows a leaf of the root that
// signs now, and a peer that knows both does not notice.
func TestLeafFollowsTheRoot_R10(t *testing.T) {
	c, a, b := newClock(), newKey(t), newKey(t)
	var root atomic.Pointer[ecdsa.PrivateKey]
	root.Store(a)
	id, err := NewIdentity(west, root.Load, c.now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := func() keyID {
		cert, err := id.certificate()
		if err != nil {
			t.Fatal(err)
		}
		return issuerOf(cert.Leaf)
	}
	first := leaf()
	root.Store(b)
	if next := leaf(); next == first || !NewKeys(&b.PublicKey).has(next) {
		t.Error("the leaf is of the old root")
	}
	root.Store(nil)
	if _, err := id.certificate(); err == nil {
		t.Error("proves itself without a key")
	}
}
