package upstream

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"causeway/internal/http1"
	"causeway/services"
)

// connectTimeout is how long a connection to an upstream may take, TLS apart.
const connectTimeout = 5 * time.Second

// unreached is of a request of which nothing was sent: there was no connection.
type unreached struct{ err error }

func (e unreached) Error() string { return e.err.Error() }
func (e unreached) Unwrap() error { return e.err }

// transports are the connections to upstreams, one set for each patience: that is
// a transport's to have.
type transports struct {
	rules services.AddressRules
	mu    sync.Mutex
	known map[patience]*http1.Transport
}

type patience struct {
	timeout time.Duration
	ruled   bool // providers name the upstream; else the operator does
}

func (t *transports) of(timeout time.Duration, ruled bool) *http1.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := patience{timeout, ruled}
	if t.known == nil {
		t.known = map[patience]*http1.Transport{}
	}
	if t.known[key] == nil {
		t.known[key] = t.make(key)
	}
	return t.known[key]
}

func (t *transports) make(key patience) *http1.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	if key.ruled {
		dialer = t.rules.Dialer(connectTimeout)
	}
	return &http1.Transport{Other: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, unreached{err}
			}
			return conn, nil
		},
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    256, // as many as requests at once, or each burst dials anew
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  key.timeout,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // bodies pass as they are
	}}
}

func (t *transports) each(see func(*http1.Transport)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.known {
		see(one)
	}
}
