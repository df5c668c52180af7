package peer

import (
	"crypto/tls"
	"errors"
	"net/http"
	"sync"
	"time"

	"causeway/internal/http1"
)

const (
	// maxReads is how many reads may be under way to one peer on connections of their
	// own. The others share one of HTTP/2: a connection costs each site a handshake
	// and some 60 KB.
	maxReads = 32
	// idleRead is less than a peer keeps an idle connection for.
	idleRead = 60 * time.Second
	// leadEvery is how often a read takes the connection of HTTP/2, which would be
	// closed if it idled: its pings tell whether the peer is there.
	leadEvery = idleConn / 3
	// againAfter a connection could not be made, another is.
	againAfter = 5 * time.Second
)

// reads are connections for what may be tried again. Each is made in the background
// beside a connection of HTTP/2 to the same address, which is pinged, and is asked
// nothing more when that is closed. So nobody waits for one, and whoever finds none
// free goes by HTTP/2.
type reads struct {
	site *site

	mu     sync.Mutex
	idle   []*reading // used last at the end
	open   int        // idle or under way
	making bool
	closed bool
	lead   *conn
	led    time.Time // when a read last went by HTTP/2
	lost   time.Time // when a connection of HTTP/2 last was
	again  time.Time // when to make another
	prune  *time.Timer
}

// reading is a connection of reads, which carries one at a time.
type reading struct {
	*http1.Conn
	raw  *conn
	lead *conn            // beside which it was made
	leaf *tls.Certificate // that it was opened with
	idle time.Time        // since when
	made time.Time
}

// take is a free connection, or nil.
func (r *reads) take(leaf *tls.Certificate) *reading {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lead == nil || r.lead.gone.Load() || r.lead.left.Load() {
		r.lead = r.site.conns.lead()
	}
	if r.lead == nil || now.Sub(r.led) > leadEvery {
		r.led = now
		return nil
	}
	for n := len(r.idle); n > 0; n-- {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		if c.leaf == leaf && c.lead == r.lead && c.made.After(r.lost) && !c.raw.gone.Load() && c.Quiet() {
			return c
		}
		r.drop(c)
	}
	if r.open < maxReads && !r.making && !r.closed && now.After(r.again) && r.site.forwarder.beginDial() {
		r.making = true
		r.open++
		go r.make(r.lead, leaf)
	}
	return nil
}

// make opens a connection for whoever comes next.
func (r *reads) make(lead *conn, leaf *tls.Certificate) {
	defer r.site.forwarder.dials.Done()
	made := time.Now()
	raw := &conn{addr: lead.addr, asked: true}
	over, err := r.site.open(r.site.forwarder.base, protoHTTP1, raw)
	r.mu.Lock()
	r.making = false
	if err != nil {
		r.open--
		r.again = time.Now().Add(againAfter)
	}
	r.mu.Unlock()
	if err == nil {
		r.give(&reading{Conn: http1.New(raw, over), raw: raw, lead: lead, leaf: leaf, made: made}, true)
	}
}

// give takes a connection back.
func (r *reads) give(c *reading, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !again || r.closed || c.raw.gone.Load() {
		r.drop(c)
		return
	}
	c.idle = time.Now()
	r.idle = append(r.idle, c)
	if r.prune == nil {
		r.prune = time.AfterFunc(idleRead, r.old)
	}
}

// drop is for who holds the lock.
func (r *reads) drop(c *reading) {
	r.open--
	c.Close()
}

// old closes what was not used for long, and comes again while there is anything.
func (r *reads) old() {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, n := time.Now().Add(-idleRead), 0
	for n < len(r.idle) && !r.idle[n].idle.After(before) {
		r.drop(r.idle[n])
		n++
	}
	r.idle = append(r.idle[:0], r.idle[n:]...)
	r.prune = nil
	if len(r.idle) > 0 {
		r.prune = time.AfterFunc(r.idle[0].idle.Sub(before)+time.Millisecond, r.old)
	}
}

// leave has nothing more asked where c is, whatever by: the peer said so, or the
// cell there is gone, and its other connections with it.
func (r *reads) leave(c *reading) {
	if r.site.conns.leave(c.raw) {
		r.site.ways.calls.renew()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lead = nil
	r.empty()
}

// doubt has nothing asked on connections that were there when one of HTTP/2 was
// lost: a cell that is gone took them with it, which is not known of all at once.
func (r *reads) doubt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = time.Now()
	r.empty()
}

func (r *reads) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.empty()
	if r.prune != nil {
		r.prune.Stop()
	}
}

func (r *reads) empty() {
	for _, c := range r.idle {
		r.drop(c)
	}
	r.idle = nil
}

// readWay sends a request that may be tried again.
type readWay struct{ *site }

func (w readWay) RoundTrip(r *http.Request) (*http.Response, error) { return w.guard(r, w.read) }

func (s *site) read(r *http.Request) (*http.Response, error) {
	if s.ways.of(r) != s.ways.calls {
		return s.send(r)
	}
	leaf, err := s.forwarder.cfg.Identity.certificate()
	if err != nil {
		return nil, err
	}
	c := s.reads.take(leaf)
	if c == nil {
		return s.send(r)
	}
	limits := http1.Limits{Head: maxHeaders, Wait: s.forwarder.cfg.HeaderTimeout}
	res, err := c.Ask(r, limits, func(again bool) { s.reads.give(c, again) })
	switch {
	case errors.Is(err, http1.ErrLongHead): // and would be so again
	case err != nil && isLost(r.Context(), err):
		s.shun.Store(&c.raw.addr)
		s.reads.leave(c)
		return nil, &lost{err}
	case err == nil && res.Close:
		s.reads.leave(c)
	}
	return res, err
}
