package peer

import (
	"context"
	"net"
	"net/http"
	"strings"

	"causeway/internal/hop"
)

const (
	protoHTTP2 = "h2"
	protoHTTP1 = "http/1.1"
)

// bulk is from how many bytes on an upload goes another way than calls of the
// API: on one connection they would wait for it.
const bulk = 1 << 20

// ways are the connections to one peer: one for calls, one for what takes long
// or is large, and one of its own for each WebSocket, which HTTP/2 as Go speaks it
// cannot carry.
type ways struct{ calls, bulk, upgrades *pool }

func newWays(s *site) ways {
	identity := s.forwarder.cfg.Identity
	return ways{
		calls:    &pool{identity: identity, make: func() *http.Transport { return newTransport(s) }},
		bulk:     &pool{identity: identity, make: func() *http.Transport { return newTransport(s) }},
		upgrades: &pool{identity: identity, make: func() *http.Transport { return newUpgrades(s) }},
	}
}

func newTransport(s *site) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	return &http.Transport{
		DialTLSContext: s.dialer(protoHTTP2),
		Protocols:      protocols,
		// The client's and the peer's business; we could only make it worse.
		DisableCompression:     true,
		IdleConnTimeout:        idleConn,
		ResponseHeaderTimeout:  s.forwarder.cfg.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeaders,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:           pingAfter,
			PingTimeout:               pingTimeout,
			MaxReceiveBufferPerStream: streamWindow,
		},
	}
}

// newUpgrades never uses a connection twice: over HTTP/1.1 a transport sends some
// requests again by itself, and an assertion is good for once.
func newUpgrades(s *site) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialTLSContext:         s.dialer(protoHTTP1),
		Protocols:              protocols,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		ResponseHeaderTimeout:  s.forwarder.cfg.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeaders,
	}
}

func (s *site) dialer(proto string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx, proto) }
}

// of is the way for a request.
func (w ways) of(r *http.Request) *pool {
	switch {
	case hop.AsksForWebSocket(r):
		return w.upgrades
	case r.ContentLength < 0, r.ContentLength > bulk, strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return w.bulk
	}
	return w.calls
}

func (w ways) close() {
	for _, p := range [...]*pool{w.calls, w.bulk, w.upgrades} {
		p.close()
	}
}
