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
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second
	// streamWindow lets one stream fill a 100 ms path with 30 MB/s.
	streamWindow = 3 << 20
)

// site is what is kept for one peer.
type site struct {
	forwarder *Forwarder
	target    atomic.Pointer[Target]
	breaker   breaker
	slots     chan struct{}
	transport *http.Transport
	conns     conns
}

func newSite(f *Forwarder, to Target) *site {
	s := &site{forwarder: f, slots: make(chan struct{}, f.cfg.MaxInFlight)}
	s.breaker.now = f.cfg.Now
	s.target.Store(&to)
	s.conns.keep(to.Keys)
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	s.transport = &http.Transport{
		DialTLSContext: s.dial,
		Protocols:      protocols,
		// The client's and the peer's business; we could only make it worse.
		DisableCompression:     true,
		IdleConnTimeout:        idleConn,
		ResponseHeaderTimeout:  f.cfg.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeaders,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:           pingAfter,
			PingTimeout:               pingTimeout,
			MaxReceiveBufferPerStream: streamWindow,
		},
	}
	return s
}

// RoundTrip asks the breaker, sends, and tells the breaker.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	probe, wait, ok := s.breaker.allow()
	if !ok {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, unreachable(errOpen, wait)
	}
	verdict := neutral
	defer func() { s.breaker.report(probe, verdict) }()
	res, err := s.transport.RoundTrip(r.WithContext(hop.Quiet(r.Context())))
	verdict = judge(r.Context(), err)
	if err != nil {
		return nil, explain(r.Context(), err)
	}
	return res, nil
}
