package peer

import (
	"net/http"
	"sync/atomic"
	"time"

	"causeway/internal/hop"
)

const (
	// maxHeaders bounds the head of a peer's answer.
	maxHeaders = 32 << 10
	// idleConn keeps a connection warm between bursts of requests.
	idleConn = 90 * time.Second
	// A peer that answers no ping for pingAfter + pingTimeout is gone, and the
	// requests on its connection with it.
	pingAfter   = time.Second
	pingTimeout = 5 * time.Second
	// streamWindow lets one stream fill a 100 ms path with 30 MB/s.
	streamWindow = 3 << 20
)

// site is what is kept for one peer.
type site struct {
	forwarder *Forwarder
	target    atomic.Pointer[Target]
	breaker   breaker
	slots     slots
	ways      ways
	reads     reads
	conns     conns
	shun      atomic.Pointer[string] // the address of the connection that was lost last
	last      atomic.Pointer[string] // the address of the newest connection
}

func newSite(f *Forwarder, to Target) *site {
	s := &site{forwarder: f}
	s.slots.max, s.slots.each = f.cfg.MaxInFlight, f.cfg.MaxPerPrincipal
	s.breaker.now = f.cfg.Now
	s.target.Store(&to)
	s.conns.keep(to.Keys)
	s.ways = newWays(s)
	s.reads.site = s
	return s
}

// RoundTrip asks the breaker, sends, and tells the breaker.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) { return s.guard(r, s.send) }

func (s *site) guard(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	if s.conns.silent() {
		s.breaker.trip()
		return nil, refuse(r, unreachable(errSilent, shortestPause))
	}
	probe, wait, ok := s.breaker.allow()
	if !ok {
		return nil, refuse(r, unreachable(errOpen, wait))
	}
	verdict := neutral
	defer func() { s.breaker.report(probe, verdict) }()
	begin := time.Now()
	res, err := send(r)
	verdict = judge(r.Context(), err)
	if verdict == failure && time.Since(begin) > silence {
		s.breaker.trip() // whoever comes next need not wait as long
	}
	if err != nil {
		return nil, explain(r.Context(), err)
	}
	return res, nil
}

// refuse answers err for a request that is not sent.
func refuse(r *http.Request, err error) error {
	if r.Body != nil {
		r.Body.Close()
	}
	return err
}

func (s *site) send(r *http.Request) (*http.Response, error) {
	transport, err := s.ways.of(r).transport()
	if err != nil {
		return nil, err
	}
	res, err := transport.RoundTrip(r.WithContext(hop.Quiet(r.Context())))
	if err != nil && isLost(r.Context(), err) {
		s.shun.Store(s.last.Load())
		s.reads.doubt()
		err = &lost{err}
	}
	return res, err
}
