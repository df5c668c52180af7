package peer

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Config of a [Forwarder]. Zero durations and numbers mean the default.
type Config struct {
	Identity *Identity
	Now      func() time.Time
	// DialTimeout bounds one candidate: connection and handshake. 2 s.
	DialTimeout time.Duration
	// ConnectTimeout bounds all candidates together, fallback included. 8 s.
	ConnectTimeout time.Duration
	// HeaderTimeout bounds the wait for a peer's answer to begin. 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout bounds the silence inside an answer; there is no limit to the
	// whole of it, since it may be a stream. 120 s.
	IdleTimeout time.Duration
	// MaxInFlight bounds the requests under way to one peer, so that one slow
	// site cannot take every connection of this one. 256.
	MaxInFlight int
	// MaxPerPrincipal bounds those of them that one principal has under way. A
	// quarter of MaxInFlight.
	MaxPerPrincipal int
	// Origin is https://host[:port] of this site, as clients know it.
	Origin string
	// AllowAddr refuses addresses that a peer must not make us connect to, asked
	// after name resolution. Nil allows all.
	AllowAddr AddrFilter
	// Dial makes connections elsewhere than in the host's network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Target is a peer site and where it may be.
type Target struct {
	Site tenants.SiteID
	Keys Keys // the root keys that prove it
	// Origin is https://host[:port] of the site, as its clients know it; empty where
	// nobody needs to know.
	Origin string
	// Candidates are addresses to try, best first; it must not wait long. They
	// are tried when a connection is made, not for every request.
	Candidates func(context.Context) []string
	// Fallback, if set, is asked when every candidate failed or there is none. It
	// may ask over the network.
	Fallback func(context.Context) []string
	// Rekey, if set, is asked over the network for the site's keys when an address
	// showed one that is not among Keys.
	Rekey func(context.Context) Keys
	// Allow refuses addresses for this site; nil is the Forwarder's AllowAddr.
	Allow AddrFilter
}

// Forwarder sends requests to peer sites. It keeps one warm connection and one
// breaker for each.
type Forwarder struct {
	cfg  Config
	base context.Context // ends with Close
	stop context.CancelFunc

	mu     sync.Mutex
	closed bool
	sites  map[tenants.SiteID]*site
	dials  sync.WaitGroup
}

// NewForwarder makes a Forwarder. Its owner calls Close.
func NewForwarder(cfg Config) (*Forwarder, error) {
	if cfg.Identity == nil || cfg.Now == nil {
		return nil, errors.New("peer: a forwarder needs an identity and a clock")
	}
	defaults(&cfg.DialTimeout, 2*time.Second)
	defaults(&cfg.ConnectTimeout, 8*time.Second)
	defaults(&cfg.HeaderTimeout, 30*time.Second)
	defaults(&cfg.IdleTimeout, 120*time.Second)
	defaults(&cfg.MaxInFlight, 256)
	defaults(&cfg.MaxPerPrincipal, max(1, cfg.MaxInFlight/4))
	f := &Forwarder{cfg: cfg, sites: map[tenants.SiteID]*site{}}
	f.base, f.stop = context.WithCancel(context.Background())
	return f, nil
}

func defaults[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// RoundTripper sends what a site says to another site on its own behalf. It is
// guarded by the peer's breaker and adds nothing to the request.
func (f *Forwarder) RoundTripper(to Target) (http.RoundTripper, error) { return f.site(to) }

// State is the breaker's, for routing.
func (f *Forwarder) State(id tenants.SiteID) (open bool, retryAfter time.Duration) {
	f.mu.Lock()
	s := f.sites[id]
	f.mu.Unlock()
	if s == nil {
		return false, 0
	}
	return s.breaker.state()
}

// Forget drops what is kept for a site that is no longer associated, requests
// under way included.
func (f *Forwarder) Forget(id tenants.SiteID) {
	f.mu.Lock()
	s := f.sites[id]
	delete(f.sites, id)
	f.mu.Unlock()
	if s != nil {
		s.conns.keep(nil)
	}
}

// Rejudge ends the connections that trusted's keys would not let in today, and
// the requests on them.
func (f *Forwarder) Rejudge(trusted func(tenants.SiteID) Keys) {
	f.mu.Lock()
	sites := maps.Clone(f.sites)
	f.mu.Unlock()
	for id, s := range sites {
		s.conns.keep(trusted(id))
	}
}

// Close ends dialing and idle connections and waits for the dials. Requests
// still under way end with their callers.
func (f *Forwarder) Close() {
	f.mu.Lock()
	f.closed = true
	sites := f.sites
	f.sites = nil
	f.mu.Unlock()
	f.stop()
	for _, s := range sites {
		s.ways.close()
		s.reads.close()
	}
	f.dials.Wait()
}

// site finds or makes what is kept for a peer. Connections proven by a key that
// counts no more are not used again.
func (f *Forwarder) site(to Target) (*site, error) {
	if len(to.Keys) == 0 || to.Candidates == nil {
		return nil, errors.New("peer: a target needs a key and candidates")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, problem.New(problem.Unavailable, "This site is shutting down.")
	}
	s := f.sites[to.Site]
	if s == nil {
		s = newSite(f, to)
		f.sites[to.Site] = s
		return s, nil
	}
	s.target.Store(&to)
	if !s.conns.keeps(to.Keys) {
		s.conns.keep(to.Keys)
	}
	return s, nil
}

// beginDial counts a dial for Close, unless it has begun.
func (f *Forwarder) beginDial() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.dials.Add(1)
	}
	return !f.closed
}
