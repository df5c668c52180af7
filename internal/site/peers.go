package site

import (
	"context"
	"net/http"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/federation/roots"
	"causeway/internal/problem"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

const (
	// bundleHint is how often other sites ask for the bundle; a new root key is
	// published for at least five times as long.
	bundleHint = 5 * time.Minute
	// bundleLease lets another cell take over after two turns that the holder missed.
	bundleLease = 90 * time.Second
)

// openFederation readies what proves this site to others, and others to this site.
func (s *Site) openFederation(ctx context.Context) (err error) {
	s.roots, err = roots.Open(ctx, roots.Config{
		Store: s.db.Federation(), Keys: s.keys, PublishAhead: s.config.Federation.RootPublishAhead, Now: s.now,
	})
	if err != nil {
		return err
	}
	if s.identity, err = peer.NewIdentity(s.self.ID, s.roots.Current, s.now); err != nil {
		return err
	}
	s.door = &peer.Door{
		Identity: s.identity,
		// From memory: strangers must not make us ask the database.
		Allowed: func(id tenants.SiteID) peer.Keys { return s.links.Trusted(id) },
		Unknown: func(id tenants.SiteID) { s.links.WantBundle(id, 0) },
		// Without its database this cell would refuse whatever peers ask.
		Away: func() bool { return !s.tail.Fresh() },
	}
	networks := peer.Networks(s.config.Federation.AllowedNetworks)
	if s.forwarder, err = peer.NewForwarder(peer.Config{
		Identity: s.identity, Now: s.now, AllowAddr: networks.Told(nil, ""), Origin: s.config.Public.URL,
		DialTimeout: s.config.Federation.ConnectTimeout, HeaderTimeout: s.config.Federation.Timeout, Dial: s.options.Network.Dial,
	}); err != nil {
		return err
	}
	s.resolver = peer.NewResolver(s.now, networks.Allow(nil))
	s.resolver.Dial = s.options.Network.Dial
	s.resolver.Adopt = func(ctx context.Context, before, after peer.Pins) error { return s.links.Adopt(ctx, before, after) }
	if err := s.openIntrospector(); err != nil {
		return err
	}
	s.links, err = links.New(links.Config{
		Store: s.db.Federation(), Orgs: s.directory, Keys: s.keys, Self: s.self,
		Counterparts: counterparts{oauth: s.oauth, logins: s.logins, services: s.db.Services()}, Introspector: s.introspector,
		Misdirected: func(id tenants.SiteID, pair federation.Pair) { s.contact.Misled(id, pair) },
		Forwarder:   s.forwarder, Resolver: s.resolver, Gossip: s.candidates, Networks: networks, Rejudge: s.door.Rejudge,
		Fresh: func() bool { return s.tail.Fresh() }, Size: rememberedLinks, Now: s.now,
	})
	return err
}

// peerSite is the associated site at the other end of a connection, if what
// proved it in the handshake would prove it now.
func (s *Site) peerSite(r *http.Request) (tenants.SiteID, error) {
	from, ok := peer.SiteOf(r.TLS)
	if !ok {
		return "", problem.New(problem.Forbidden, "The connection shows no site.")
	}
	return from, s.links.Proven(r.Context(), r.TLS, from)
}

// ownBundle is what this cell says of the site.
func (s *Site) ownBundle() peer.Bundle {
	return peer.Bundle{Name: s.self.Name, Peer: []string{s.config.PeerAddress()}, RefreshHint: bundleHint}
}

// keepBundles is one cell's work: bundles are the whole site's.
func (s *Site) keepBundles(ctx context.Context) bool {
	held, err := s.db.Upkeep().Hold(ctx, upkeep.Lease{Name: "bundles", Holder: s.cells.Self.ID, For: bundleLease})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("could not ask whose turn it is to ask for bundles", "err", err)
	}
	return err == nil && held.Ours
}

// RenewBundle asks another site for its bundle now: its keys and where it is.
func (s *Site) RenewBundle(ctx context.Context, id tenants.SiteID) error {
	return s.links.RenewBundle(ctx, id)
}
