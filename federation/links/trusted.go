package links

import (
	"context"
	"log/slog"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
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

// keysOf are the keys that prove an associated site.
func keysOf(a federation.SiteAssociation) (peer.Keys, error) {
	pinned, err := DecodePublicKey(a.PublicKey)
	if err != nil {
		return nil, err
	}
	next, _ := DecodePublicKey(a.NextKey) // none, or one that proves nobody
	return peer.NewKeys(pinned, next), nil
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
		own, err := keysOf(a)
		if err != nil {
			continue // a key that cannot be read proves nobody
		}
		keys[a.Site] = own
	}
	l.trusted.Store(&keys)
	l.c.Forwarder.Rejudge(l.Trusted)
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
