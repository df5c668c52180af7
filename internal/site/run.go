package site

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"causeway/federation"
	"causeway/federation/fanout"
	"causeway/federation/federationhttp"
	"causeway/gateway"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/openapihttp"
	"causeway/internal/receiptshttp"
	"causeway/internal/refusal"
	"causeway/internal/refusalhttp"
	"causeway/internal/store"
	"causeway/internal/trailhttp"
	"causeway/oauth/oauthhttp"
	"causeway/tenants"
	"causeway/tenants/tenantshttp"
)

func (s *Site) openGateway(ctx context.Context) (err error) {
	s.openAssociations()
	// The tail is asked for freshness by the authenticator, which it tells what
	// to forget, after whom the authenticator asks.
	if s.tokens, err = s.oauth.NewAuthenticator(s.self.ID, s.config.Sessions.RememberedTokens, func() bool { return s.tail.Fresh() }); err != nil {
		return err
	}
	s.tokens.Apps = s.apps
	s.contact = s.newContact()
	s.tail, err = journal.New(journal.TailConfig{
		Source: s.db.Journal(), Followers: []journal.Follower{s.directory, s.links, s.roots, s.apps, s.tokens, s.orgLimits, s.name, s.contact, s.access, s.instances, s.deliverer, relayFollower{s}, announcer{s}},
		Interval: s.config.Journal.Poll, Stale: s.config.Journal.StaleAfter, Now: s.now, Log: s.log,
		Tracer: s.tracer,
	})
	if err != nil {
		return err
	}
	s.metrics = newMetrics(s.db, limitCollector{s.limits, s.shares.quotas}, func() float64 {
		if s.tail.Fresh() {
			return 1
		}
		return 0
	})
	s.metrics.registry.MustRegister(s.hints.metrics(s.tail)...)
	s.metrics.registry.MustRegister(cellCollector{s}, peerCollector{s}, traceCollector{s.tracer})
	s.metrics.registry.MustRegister(upstreamCollector{s.instances})
	s.metrics.registry.MustRegister(hookMetrics(s.deliverer)...)
	lists := fanout.NewLimits()
	s.metrics.registry.MustRegister(listCollector{lists})
	s.openUpkeep()
	if err := s.openRelay(); err != nil {
		return err
	}
	if err := s.openPools(); err != nil {
		return err
	}
	s.refusals = refusal.NewRecorder(refusal.Config{Store: s.db.Refusals(), Cells: s.cells.Live, Now: s.clock, Log: s.log})
	s.metrics.registry.MustRegister(refusalCollector{s.refusals})
	if err := s.openPulse(); err != nil {
		return err
	}
	endpoints, err := s.endpoints()
	if err != nil {
		return err
	}
	s.gateway = gateway.New(gateway.Config{
		Tokens: s.tokens, Sites: s.links, Orgs: s.directory, Instances: s.instances, Access: s.access, Limits: s.limits, Quotas: s.shares.quotas, Site: s.self.ID, PublicURL: s.config.Public.URL,
		Lists:     &fanout.Fanout{Limits: lists, MAC: func(text string) []byte { return s.keys.Digest("list-cursor", text) }},
		Endpoints: endpoints, Trusted: s.config.Public.TrustedProxies, Observe: s.metrics.observe,
		Refusals: s.refusals, Ready: s.Ready, Tracer: s.tracer, Now: s.clock, Log: s.log,
	})
	return nil
}

func (s *Site) endpoints() (e httpapi.Endpoints, err error) {
	orgs := &tenantshttp.Handler{
		Logins: s.logins, Orgs: s.directory, Tenants: s.tenants,
		OAuth: s.oauth, Associations: s.associations,
		Limits: s.limits, Locations: s.locations, SiteID: s.self.ID, SiteName: s.name.Get,
		PublicURL: s.config.Public.URL, IdleMinutes: int(s.config.Sessions.IdleTimeout.Minutes()),
	}
	e.Add(orgs.Endpoints())
	e.Add(s.associationHandler(orgs).Endpoints())
	e.Add((&oauthhttp.Handler{
		OAuth: s.oauth, Tokens: s.tokens, Orgs: s.directory, Limits: s.limits, PublicURL: s.config.Public.URL,
	}).Endpoints())
	e.Add(s.introspection())
	e.Add(s.serviceEndpoints(s.instances))
	e.Add(s.appEndpoints())
	e.Add((&refusalhttp.Handler{Desk: s.desk(), PublicURL: s.config.Public.URL}).Endpoints())
	e.Add((&trailhttp.Handler{Trail: s.trail(), Orgs: s.directory}).Endpoints())
	e.Add(s.relayEndpoints())
	e.Add((&federationhttp.Contact{Service: s.contact}).Endpoints())
	e.Add((&receiptshttp.Handler{Orgs: s.directory, Receipts: s.receipts()}).Endpoints())
	pages, err := s.newPortal(orgs, e.Routes)
	if err != nil {
		return e, err
	}
	e.Add((&federationhttp.Handler{Roots: s.roots, Now: s.now, Bundle: s.ownBundle()}).Endpoints())
	e.Add((&federationhttp.Keys{Roots: s.roots, PublicURL: s.config.Public.URL}).Endpoints())
	if err := openapihttp.Add(&e); err != nil {
		return e, err
	}
	e.Add(pages.Endpoints()) // which no document describes
	return e, nil
}

func (s *Site) locations(ctx context.Context, who tenants.Principal) ([]federation.Location, error) {
	found, err := s.links.Locations(ctx, who, federation.Location{
		Rest: s.config.Public.URL + "/api", UI: s.config.Public.URL,
	})
	for i := range found {
		if found[i].Site == s.self.ID { // which may have been renamed
			found[i].SiteName = s.name.Get()
		}
	}
	return found, err
}

// Start listens and serves. It returns once every listener accepts. After an
// error the site is still to be stopped.
func (s *Site) Start(ctx context.Context) error {
	s.tail.Start()
	s.db.Follow(s.tail)
	if err := s.tail.WaitFor(ctx, 0); err != nil { // until then every token would be refused
		return err
	}
	certificate, err := s.certificate(s.config.Public)
	if err != nil {
		return err
	}
	s.shown.set(s.config.Public, certificate)
	public := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.shown.ForHandshake}
	for _, d := range []struct {
		name, addr string
		handler    http.Handler
		tls        *tls.Config
	}{
		{"public", s.config.Public.Listen, s.gateway.Public(), public},
		{"peer", s.config.Peer.Listen, s.door.Handler(apart(s.gateway.Peer(s.peerSite))), s.door.TLS()},
		{"operations", s.config.Operations.Listen, s.operations(), nil},
	} {
		l, err := s.listen(ctx, d.name, d.addr)
		if err != nil {
			return err
		}
		switch d.name {
		case "peer":
			l = s.door.Listener(l)
		case "public":
			l = behindBalancers(l, s.config.Public.ProxyProtocol)
		}
		s.servers = append(s.servers, newServer(d.name, l, s.farewell(d.handler), d.tls, s.log, s.fail))
	}
	if err := s.links.LoadTrusted(ctx); err != nil {
		return err
	}
	if err := s.joinCells(ctx); err != nil {
		return err
	}
	if err := s.startPools(); err != nil {
		return err
	}
	s.instances.Start()
	for _, srv := range s.servers {
		srv.start()
	}
	s.background = startBackground(s)
	return nil
}

// apart counts what sites ask on their own behalf as the background work that it
// is, and not among what requests cost.
func apart(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/federation/") {
			r = r.WithContext(store.Background(r.Context()))
		}
		h.ServeHTTP(w, r)
	})
}

// Failed is told once when a listener stops accepting by itself: the process is
// then no cell any more.
func (s *Site) Failed() <-chan error { return s.failed }

func (s *Site) fail(err error) {
	select {
	case s.failed <- err:
	default: // one is enough to end
	}
}

func (s *Site) listen(ctx context.Context, name, addr string) (net.Listener, error) {
	l, err := s.options.Network.listen(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", name, err)
	}
	return l, nil
}

// Addr is where a listener accepts: "public", "peer" or "operations".
func (s *Site) Addr(name string) string {
	for _, srv := range s.servers {
		if srv.name == name {
			return srv.listener.Addr().String()
		}
	}
	return ""
}

// Stop ends the site in the order that loses nothing: new requests are refused
// first, those under way finish until ctx ends, then what they used is closed. With
// [ErrCut] some did not, and all else was done.
func (s *Site) Stop(ctx context.Context) error {
	s.leaving.Store(true)
	s.contact.Leave() // peers' questions that are held open are no work to wait for
	var wait sync.WaitGroup
	wait.Go(s.leavePools)
	errs := make([]error, len(s.servers))
	stop := func(operations bool) {
		for i, srv := range s.servers {
			if operations == (srv.name == "operations") {
				wait.Go(func() { errs[i] = srv.stop(ctx, s.gateway.Close) })
			}
		}
		wait.Wait()
	}
	stop(false)
	stop(true) // who watches sees to the end what is still under way
	if s.background != nil {
		s.background.stop()
	}
	s.examiner.Stop()
	// Also when ctx has ended: what was used must not look idle at the next start.
	last, cancel := context.WithTimeout(store.Background(context.WithoutCancel(ctx)), lastWrite)
	defer cancel()
	errs = append(errs, s.tokens.FlushUse(last), s.logins.Stop(last))
	if err := s.cells.Leave(last); err != nil { // others forget it after an hour
		s.log.Info("left the other cells without a goodbye", "err", err)
	}
	s.tail.Stop()
	s.refusals.Stop(last) // writes what waits
	return errors.Join(append(errs, s.Close())...)
}

// Close ends a site that was not started.
func (s *Site) Close() error {
	if s.gateway != nil {
		s.gateway.Close()
	}
	if s.forwarder != nil {
		s.forwarder.Close()
	}
	if s.instances != nil {
		s.instances.Close()
	}
	if s.refusals != nil {
		last, cancel := context.WithTimeout(context.Background(), lastWrite)
		defer cancel()
		s.refusals.Stop(last)
	}
	s.endTracing()
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.watermark != nil {
		errs = append(errs, s.watermark.Close())
	}
	return errors.Join(errs...)
}

// background is the work that no request waits for.
type background struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// lastWrite bounds what is written after the last request.
const lastWrite = 5 * time.Second

// flushEvery is how late the database may learn that a session was used: a small
// part of the shortest idle timeout.
const flushEvery = 15 * time.Second

// keepEvery is how late a signing key can be published or retired: nothing beside
// the hours that lie between those. Every cell looks; each step is taken once.
const keepEvery = time.Minute

func startBackground(s *Site) *background {
	ctx, cancel := context.WithCancel(store.Background(context.Background()))
	b := &background{cancel: cancel}
	b.done.Go(func() { s.every(ctx, flushEvery, "note the use of sessions", s.tokens.FlushUse) })
	b.done.Go(func() { s.every(ctx, keepEvery, "look after the signing keys", s.oauth.KeepKeys) })
	b.done.Go(func() { s.every(ctx, lookEvery, "read the certificate again", s.renewCertificate) })
	b.done.Go(func() { s.orgLimits.Run(ctx, s.log) })
	b.done.Go(func() { s.links.KeepTrusted(ctx, s.log) })
	b.done.Go(func() { s.links.KeepBundles(ctx, s.keepBundles, s.log) })
	b.done.Go(func() { s.roots.Run(ctx, s.log) })
	b.done.Go(func() { s.contact.Run(ctx) })
	b.done.Go(func() { s.deliverer.Run(ctx) })
	b.done.Go(func() { s.relay.Run(ctx) })
	b.done.Go(func() { s.every(ctx, reconcileEvery, "settle accounts in service instances", s.reconcile) })
	b.done.Go(func() { s.cells.Run(ctx) })
	b.done.Go(func() { s.pulse.Run(ctx) })
	s.runHints(ctx, b)
	if s.gossip != nil {
		b.done.Go(func() { s.gossip.run(ctx) })
	}
	b.done.Go(func() { s.cleaner.Run(ctx) })
	b.done.Go(func() { s.sealer.Run(ctx) })
	return b
}

// every does something again and again until ctx ends. What fails is tried again
// at the next turn.
func (s *Site) every(ctx context.Context, d time.Duration, what string, do func(context.Context) error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("could not "+what, "err", err)
			}
		}
	}
}

func (b *background) stop() {
	b.cancel()
	b.done.Wait()
}
