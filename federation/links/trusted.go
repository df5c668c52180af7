package links

import (
	"context"
	"crypto/tls"
	"iter"
	"log/slog"
	"maps"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Trusted are the root keys of an associated site, from memory alone: gossip asks
// under its own locks, and any stranger's handshake asks. Each request looks the
// association up again.
func (l *Links) Trusted(site tenants.SiteID) peer.Keys {
	keys := l.trusted.Load()
	if keys == nil {
		return nil
	}
	return (*keys)[site]
}

// trustedSites are the associated sites, with keys that can be read.
func (l *Links) trustedSites() iter.Seq[tenants.SiteID] {
	if keys := l.trusted.Load(); keys != nil {
		return maps.Keys(*keys)
	}
	return func(func(tenants.SiteID) bool) {}
}

// LoadTrusted reads the keys of all associated sites.
func (l *Links) LoadTrusted(ctx context.Context) error {
	var held []federation.SiteAssociation
	err := l.c.Store.View(ctx, func(r federation.Reader) (err error) {
		held, err = r.SiteAssociations()
		return err
	})
	if err != nil {
		return err
	}
	keys := make(map[tenants.SiteID]peer.Keys, len(held))
	for _, a := range held {
		pins, err := PinsOf(a)
		if err != nil {
			continue // a key that cannot be read proves nobody
		}
		keys[a.Site] = pins.Keys()
	}
	l.trusted.Store(&keys)
	l.origins.Store(originsOf(held))
	l.c.Forwarder.Rejudge(l.Trusted)
	if l.c.Rejudge != nil {
		l.c.Rejudge()
	}
	return nil
}

func (l *Links) renew() {
	select {
	case l.stale <- struct{}{}:
	default: // it will be read again anyway
	}
}

// retryTrusted is how soon a failed reading is tried again.
const retryTrusted = time.Second

// KeepTrusted reads the keys again whenever the journal says that they changed,
// until ctx ends.
func (l *Links) KeepTrusted(ctx context.Context, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.stale:
		}
		if err := l.LoadTrusted(ctx); err != nil && ctx.Err() == nil {
			log.Warn("could not read the associated sites", "err", err)
			time.AfterFunc(retryTrusted, l.renew)
		}
	}
}

// Proven reports whether what proved a connection in its handshake proves the site
// now: its association holds, and so does the key.
func (l *Links) Proven(ctx context.Context, s *tls.ConnectionState, site tenants.SiteID) error {
	p, err := l.index.site(ctx, site)
	switch {
	case problem.Has(err, problem.NotFound):
		return problem.New(problem.Forbidden, "The sites are not associated.").With(problem.FactReason, problem.ReasonNoAssoc)
	case err != nil:
		return err
	case !p.keys.Prove(s, site, l.c.Now()):
		return problem.New(problem.Forbidden, "The site's key has changed since the connection was made.")
	}
	return nil
}
