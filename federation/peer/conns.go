package peer

import (
	"crypto/tls"
	"net"
	"sync"
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
