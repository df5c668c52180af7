package peer

import (
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/http1"
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
	http1.Socket
	set  *conns
	addr string
	// pinged says that the other end answers something now and then whatever is
	// under way, as HTTP/2 does, and asked that it owes an answer to what was sent;
	// a WebSocket may be written to all day.
	pinged, asked bool
	read          atomic.Int64 // when something last came, in nanoseconds since 1970
	sent          atomic.Int64 // when the first thing was sent since then; 0 for nothing
	gone, left    atomic.Bool  // closed; and to be asked nothing more
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Socket.Read(p)
	if n > 0 {
		c.read.Store(time.Now().UnixNano())
		c.sent.Store(0)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	c.sent.CompareAndSwap(0, time.Now().UnixNano())
	return c.Socket.Write(p)
}

// silence is how long a site that is alive may leave everything unanswered, pings
// too, on all its connections.
const silence = 2500 * time.Millisecond

// silent reports whether a site that was asked something has gone quiet: its
// connections are not given up yet, but nobody else should wait for them. An answer
// may take its time as long as pings are answered.
func (s *conns) silent() bool {
	before := time.Now().Add(-silence).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	pinged, waiting := false, false
	for c := range s.open {
		if !c.pinged && !c.asked {
			continue
		}
		if c.read.Load() > before {
			return false
		}
		sent := c.sent.Load()
		pinged = pinged || c.pinged
		waiting = waiting || sent != 0 && sent < before
	}
	return pinged && waiting
}

func (c *conn) Close() error {
	c.gone.Store(true)
	for _, other := range c.set.remove(c) {
		other.Close()
	}
	return c.Socket.Close()
}

// remove takes c out, and says which others are lost with it: what is read from an
// address whose pings stay unanswered is not pinged itself.
func (s *conns) remove(c *conn) []*conn {
	before := time.Now().Add(-silence).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	if sent := c.sent.Load(); !c.pinged || sent == 0 || sent > before || c.read.Load() > before {
		return nil
	}
	var lost []*conn
	for other := range s.open {
		if other.asked && other.addr == c.addr && other.read.Load() < before {
			lost = append(lost, other)
		}
	}
	return lost
}

// leave has nobody led to where c is, and reports whether anybody was.
func (s *conns) leave(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	led := false
	for other := range s.open {
		if other.addr == c.addr && other.pinged {
			led = !other.left.Swap(true) || led
		}
	}
	return led
}

// lead is an open connection that is pinged, nil without one.
func (s *conns) lead() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if c.pinged && !c.left.Load() {
			return c
		}
	}
	return nil
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
