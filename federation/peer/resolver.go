package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"causeway/tenants"
)

const (
	// fetchTimeout keeps a dead web endpoint from using up the time to connect.
	fetchTimeout = 5 * time.Second
	// minInterval between fetches from one site, whatever fails: a site that is
	// down is not asked for each request that would have gone there.
	minInterval = 5 * time.Second
)

// Source is where a site's bundle comes from: what its association says.
type Source struct {
	Site         tenants.SiteID
	Keys         Keys
	RestEndpoint string // https://host[:port]/api
	// Certificates (PEM) are trusted for RestEndpoint besides the system's roots.
	// They prove nothing about the site; the bundle's signature does.
	Certificates string
}

// Resolver knows peers' addresses when gossip does not: it asks each site's web
// endpoint for its bundle. Without gossip at all, associations still work.
type Resolver struct {
	// Dial is as in [Config].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	now   func() time.Time
	allow func(netip.Addr) bool

	mu    sync.Mutex
	sites map[tenants.SiteID]*resolved
}

// resolved is one site's bundle. Its lock is held during a fetch, so that there
// is at most one; whoever waited for it uses its result.
type resolved struct {
	fetch chan struct{} // a lock that gives up with a context

	mu        sync.Mutex
	keys      Keys
	bundle    Bundle
	fetchedAt time.Time
	triedAt   time.Time
}

// NewResolver makes a Resolver; allow is as in [Config]. It keeps no connection
// and runs nothing by itself.
func NewResolver(now func() time.Time, allow func(netip.Addr) bool) *Resolver {
	return &Resolver{now: now, allow: allow, sites: map[tenants.SiteID]*resolved{}}
}

// Known is what the last bundle said, without asking anybody.
func (r *Resolver) Known(src Source) []string {
	return r.entry(src).addrs()
}

// Addresses asks for the bundle if there is none or its refresh hint has run out.
// Where that fails, what was known before still counts.
func (r *Resolver) Addresses(ctx context.Context, src Source) []string {
	e := r.entry(src)
	if e.freshFor(r.now()) {
		return e.addrs()
	}
	return r.Refresh(ctx, src)
}

// Refresh asks again, for a caller that found every known address dead.
func (r *Resolver) Refresh(ctx context.Context, src Source) []string {
	e := r.entry(src)
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case e.fetch <- struct{}{}:
		defer func() { <-e.fetch }()
	case <-ctx.Done():
		return e.addrs()
	}
	if !e.mayTry(r.now()) {
		return e.addrs() // also for whoever waited for another's fetch
	}
	if b, err := r.get(ctx, src); err == nil {
		e.keep(b, r.now())
	}
	e.tried(r.now())
	return e.addrs()
}

// Forget drops a site that is no longer associated.
func (r *Resolver) Forget(site tenants.SiteID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sites, site)
}

// Candidates joins what gossip knows with the bundles, as a [Target] wants them:
// gossip first, because it hears of a move within seconds; nothing that waits
// while there is something to try.
func (r *Resolver) Candidates(gossip func(tenants.SiteID) []string, src Source) (candidates, fallback func(context.Context) []string) {
	candidates = func(ctx context.Context) []string {
		if hints := gossip(src.Site); len(hints) > 0 {
			// Half of the room at most: false hints must not crowd out the bundle.
			return append(slices.Clone(hints[:min(len(hints), maxCandidates/2)]), r.Known(src)...)
		}
		return r.Addresses(ctx, src)
	}
	return candidates, func(ctx context.Context) []string { return r.Refresh(ctx, src) }
}

// entry finds or makes what is kept for a site; other root keys start anew.
func (r *Resolver) entry(src Source) *resolved {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.sites[src.Site]
	if e == nil || !e.keys.share(src.Keys) {
		e = &resolved{keys: src.Keys, fetch: make(chan struct{}, 1)}
		r.sites[src.Site] = e
	}
	return e
}

// get fetches and verifies a bundle.
func (r *Resolver) get(ctx context.Context, src Source) (Bundle, error) {
	u, err := bundleURL(src.RestEndpoint)
	if err != nil {
		return Bundle{}, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a host without roots can still have the association's
	}
	roots.AppendCertsFromPEM([]byte(src.Certificates))
	transport := &http.Transport{
		DialContext:            dialing(r.Dial, r.allow),
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives:      true,
		DisableCompression:     true, // the limit below must count what was sent
		MaxResponseHeaderBytes: maxHeaders,
	}
	client := &http.Client{
		Transport: transport,
		// A redirect would let an endpoint point us at any address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return Bundle{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return Bundle{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Bundle{}, fmt.Errorf("peer: bundle: status %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBundle+1))
	if err != nil {
		return Bundle{}, err
	}
	return VerifyBundle(string(body), src.Site, src.Keys)
}

func bundleURL(restEndpoint string) (string, error) {
	u, err := url.Parse(restEndpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", errors.New("peer: a RestEndpoint is https://host[:port]/api")
	}
	return (&url.URL{Scheme: "https", Host: u.Host, Path: BundlePath}).String(), nil
}

func (e *resolved) addrs() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.bundle.Peer)
}

func (e *resolved) freshFor(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.fetchedAt.IsZero() && now.Before(e.fetchedAt.Add(e.bundle.RefreshHint))
}

// mayTry is false where the last fetch ended a moment ago.
func (e *resolved) mayTry(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.triedAt.IsZero() || !now.Before(e.triedAt.Add(minInterval))
}

func (e *resolved) tried(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.triedAt = now
}

// keep never goes back: an old bundle, replayed by whoever sits at the web
// endpoint, would lead to addresses that somebody else may hold by now.
func (e *resolved) keep(b Bundle, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b.Seq >= e.bundle.Seq {
		e.bundle, e.fetchedAt = b, now
	}
}
