package peer

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conns are the open connections to one site, each with the key that proved it.
// One that no key would let in any more is closed, whatever is under way on it:
// a replaced key may be in somebody else's hands.
type conns struct {
	mu   sync.Mutex
	keys Keys
	open map[*conn]keyID
}

// conn is below TLS, because net/http speaks HTTP/2 with a *tls.Conn only. It
// leaves the set when it is closed.
type conn struct {
	net.Conn
	set *conns
	// pinged says that the other end answers something now and then whatever is
	// under way, as HTTP/2 does; a WebSocket may be written to all day.
	pinged bool
	read   atomic.Int64 // when something last came, in nanoseconds since 1970
	sent   atomic.Int64 // when the first thing was sent since then; 0 for nothing
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.read.Store(time.Now().UnixNano())
		c.sent.Store(0)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.sent.CompareAndSwap(0, time.Now().UnixNano())
	return c.Conn.Write(p)
}

// silence is how long a site that is alive may leave everything unanswered, pings
// too, on all its connections.
const silence = 2500 * time.Millisecond

// silent reports whether a site that was asked something has gone quiet: its
// connections are not given up yet, but nobody else should wait for them.
func (s *conns) silent() bool {
	before := time.Now().Add(-silence).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := false
	for c := range s.open {
		if !c.pinged {
			continue
		}
		if c.read.Load() > before {
			return false
		}
		sent := c.sent.Load()
		waiting = waiting || sent != 0 && sent < before
	}
	return waiting
}

func (c *conn) Close() error {
	c.set.mu.Lock()
	delete(c.set.open, c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}

// add takes in what has just proved itself; the keys may have changed during the
// handshake.
func (s *conns) add(c *conn, proof tls.ConnectionState) error {
	by := issuerOf(proof.PeerCertificates[0])
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.keys.has(by) {
		return ErrUnknownKey
	}
	if s.open == nil {
		s.open = map[*conn]keyID{}
	}
	s.open[c] = by
	return nil
}

// keep is what proves the site from now on.
func (s *conns) keep(keys Keys) {
	s.mu.Lock()
	s.keys = keys
	var over []*conn
	for c, by := range s.open {
		if !keys.has(by) {
			over = append(over, c)
		}
	}
	s.mu.Unlock()
	for _, c := range over {
		c.Close()
	}
}

// keeps reports whether it judges by these keys already.
func (s *conns) keeps(keys Keys) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.Same(keys)
}
