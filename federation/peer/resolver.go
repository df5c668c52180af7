package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
	// rekeyInterval is the same for keys that we do not know.
	rekeyInterval = 30 * time.Second
)

// Source is where a site's bundle comes from: what its association says.
type Source struct {
	Pins
	RestEndpoint string // https://host[:port]/api
	// Certificates (PEM) are trusted for RestEndpoint besides the system's roots.
	// They prove nothing about the site; the bundle's signature does.
	Certificates string
	// Allow is as in [Target], and nil is the Resolver's own.
	Allow AddrFilter
}

// Resolver knows peers' addresses when gossip does not, and their keys: it asks
// each site's web endpoint for its bundle. Without gossip at all, associations
// still work.
type Resolver struct {
	// Dial is as in [Config].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Adopt, if set, makes lasting what a bundle says beyond what was held before. A
	// bundle counts only if that succeeds.
	Adopt func(ctx context.Context, before, after Pins) error

	now   func() time.Time
	allow AddrFilter

	mu    sync.Mutex
	sites map[tenants.SiteID]*resolved
}

// resolved is one site's bundle. Its lock is held during a fetch, so that there
// is at most one; whoever waited for it uses its result.
type resolved struct {
	fetch chan struct{} // a lock that gives up with a context

	mu        sync.Mutex
	current   *ecdsa.PublicKey // pinned when the bundle was accepted
	bundle    Bundle
	fetchedAt time.Time
	triedAt   time.Time
	rekeyedAt time.Time
	err       error // of the last fetch
}

// NewResolver makes a Resolver; allow is as in [Config]. It keeps no connection
// and runs nothing by itself.
func NewResolver(now func() time.Time, allow AddrFilter) *Resolver {
	return &Resolver{now: now, allow: allow, sites: map[tenants.SiteID]*resolved{}}
}

// Known is what the last bundle said, also one from before a restart, without
// asking anybody.
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
	_ = r.renew(ctx, e, src) // what was known before still counts
	return e.addrs()
}

// Renew asks again unless that was done a moment ago, and says what is wrong with
// the bundle: [ErrSuccession], [ErrOldBundle] or that it cannot be had.
func (r *Resolver) Renew(ctx context.Context, src Source) error {
	return r.renew(ctx, r.entry(src), src)
}

// Due reports whether the bundle's hint has run out.
func (r *Resolver) Due(src Source) bool { return !r.entry(src).freshFor(r.now()) }

// Suspect reports whether to ask for the bundle because the site, or somebody who
// says so, showed a key that is not pinned: at most twice a minute, since anybody
// can show one.
func (r *Resolver) Suspect(src Source) bool {
	e := r.entry(src)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := r.now()
	if !e.rekeyedAt.IsZero() && now.Before(e.rekeyedAt.Add(rekeyInterval)) {
		return false
	}
	e.rekeyedAt = now
	return true
}

func (r *Resolver) renew(ctx context.Context, e *resolved, src Source) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case e.fetch <- struct{}{}:
		defer func() { <-e.fetch }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if tried, err := e.justTried(r.now()); tried {
		return err // also for whoever waited for another's fetch
	}
	b, err := r.get(ctx, src)
	e.ended(b, err, r.now())
	return err
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
		hints := gossip(src.Site)
		// Half of the room at most: false hints must not crowd out the bundle.
		found := append(slices.Clone(hints[:min(len(hints), maxCandidates/2)]), r.Known(src)...)
		if len(found) > 0 {
			return found
		}
		return r.Addresses(ctx, src)
	}
	return candidates, func(ctx context.Context) []string { return r.Refresh(ctx, src) }
}

// entry finds or makes what is kept for a site; another pinned key starts anew,
// with the bundle that is held with it.
func (r *Resolver) entry(src Source) *resolved {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.sites[src.Site]
	if e == nil || src.Current == nil || !(e.accepted(src.Current)) {
		e = &resolved{current: src.Current, fetch: make(chan struct{}, 1)}
		e.bundle, _ = src.Known()
		r.sites[src.Site] = e
	}
	return e
}

// get fetches a bundle and has it made lasting.
func (r *Resolver) get(ctx context.Context, src Source) (Bundle, error) {
	token, err := r.download(ctx, src)
	if err != nil {
		return Bundle{}, err
	}
	b, after, err := src.Accept(token, r.now())
	if err != nil || r.Adopt == nil {
		return b, err
	}
	if before, ok := src.Known(); ok && src.same(after) && slices.Equal(before.Peer, b.Peer) {
		return b, nil // signed anew, with nothing new in it
	}
	return b, r.Adopt(ctx, src.Pins, after)
}

func (r *Resolver) download(ctx context.Context, src Source) (string, error) {
	u, err := bundleURL(src.RestEndpoint)
	if err != nil {
		return "", err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a host without roots can still have the association's
	}
	roots.AppendCertsFromPEM([]byte(src.Certificates))
	allow := src.Allow
	if allow == nil {
		allow = r.allow
	}
	transport := &http.Transport{
		DialContext:            dialing(r.Dial, allow),
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
		return "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("peer: bundle: status %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBundle+1))
	return string(body), err
}

func bundleURL(restEndpoint string) (string, error) {
	u, err := url.Parse(restEndpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", errors.New("peer: a RestEndpoint is https://host[:port]/api")
	}
	return (&url.URL{Scheme: "https", Host: u.Host, Path: BundlePath}).String(), nil
}

// accepted reports whether what is kept goes with a pinned key.
func (e *resolved) accepted(current *ecdsa.PublicKey) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current != nil && e.current.Equal(current)
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

// justTried reports whether the last fetch ended a moment ago, and how.
func (e *resolved) justTried(now time.Time) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.triedAt.IsZero() && now.Before(e.triedAt.Add(minInterval)), e.err
}

// ended keeps a bundle that was accepted, and never goes back: an old one,
// replayed by whoever sits at the web endpoint, would lead to addresses that
// somebody else may hold by now.
func (e *resolved) ended(b Bundle, err error, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.triedAt, e.err = now, err
	if err == nil && b.Seq >= e.bundle.Seq {
		e.bundle, e.fetchedAt, e.current = b, now, b.Key
	}
}
