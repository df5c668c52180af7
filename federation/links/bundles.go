package links

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// PinsOf is what an association holds of a site's keys.
func PinsOf(a federation.SiteAssociation) (peer.Pins, error) {
	pinned, err := DecodePublicKey(a.PublicKey)
	if err != nil {
		return peer.Pins{}, err
	}
	next, _ := DecodePublicKey(a.NextKey) // none, or one that proves nobody
	return peer.Pins{Site: a.Site, Current: pinned, Next: next, Bundle: a.Bundle, Seq: a.BundleSeq}, nil
}

func newSitePeer(a federation.SiteAssociation) (sitePeer, error) {
	pins, err := PinsOf(a)
	if err != nil {
		return sitePeer{SiteAssociation: a}, err
	}
	return sitePeer{SiteAssociation: a, pins: pins, keys: pins.Keys()}, nil
}

// source is where a site's bundle comes from, and what it is judged by.
func (l *Links) source(site sitePeer) peer.Source {
	return peer.Source{
		Pins: site.pins, RestEndpoint: site.RestEndpoint, Certificates: site.RestEndpointCertificate,
		Allow: l.c.Networks.Allow(site.Allowed),
	}
}

// rekey asks for a site's bundle because an address showed a key that we do not
// know, and returns the keys that count now.
func (l *Links) rekey(site sitePeer) func(context.Context) peer.Keys {
	return func(ctx context.Context) peer.Keys {
		src := l.source(site)
		if !l.c.Resolver.Suspect(src) || l.c.Resolver.Renew(ctx, src) != nil {
			return nil
		}
		now, err := l.index.site(ctx, site.Site)
		if err != nil {
			return nil
		}
		return now.keys
	}
}

// Adopt makes lasting what a bundle says: for all cells, and for this one after a
// restart. Where the keys change, the journal says so and every cell follows.
func (l *Links) Adopt(ctx context.Context, before, after peer.Pins) error {
	pinned, err := EncodePublicKey(before.Current)
	if err != nil {
		return err
	}
	now := federation.Pinned{Bundle: after.Bundle, Seq: after.Seq}
	if now.PublicKey, err = EncodePublicKey(after.Current); err != nil {
		return err
	}
	if after.Next != nil {
		if now.NextKey, err = EncodePublicKey(after.Next); err != nil {
			return err
		}
	}
	prints := make([]string, 0, 3)
	for _, key := range after.Keys() {
		text, err := peer.Fingerprint(key.PublicKey)
		if err != nil {
			return err
		}
		prints = append(prints, text)
	}
	moved := !after.Keys().Same(before.Keys())
	at := l.c.Now()
	// Without a row in the journal nobody tells this cell that it knows an older one.
	defer l.index.sites.ForgetKey(before.Site)
	return l.c.Store.InTx(ctx, func(tx federation.Tx) error {
		a, err := tx.SiteAssociation(before.Site)
		if err != nil {
			return err
		}
		kept, err := tx.SetBundle(before.Site, pinned, now)
		if err != nil {
			return err
		}
		if !kept {
			return problem.New(problem.Conflict, "The keys of the site have changed meanwhile.")
		}
		if !moved {
			return nil
		}
		return tx.Record(journal.Entry{
			At: at, Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.SiteLinkKey,
			Subject: journal.Subject{Kind: journal.KindSite, ID: string(before.Site), Name: a.Name},
			Detail:  fingerprints(prints),
		})
	})
}

// fingerprints are the pinned key and then others that prove the site.
func fingerprints(list []string) map[string]string {
	detail := map[string]string{"fingerprint": list[0]}
	if len(list) > 1 {
		detail["also"] = list[1]
	}
	return detail
}

// RenewBundle asks a site for its bundle now, unless that was done a moment ago.
// The error says what is wrong with it; peer.ErrSuccession needs an administrator.
func (l *Links) RenewBundle(ctx context.Context, id tenants.SiteID) error {
	site, err := l.index.site(ctx, id)
	if err != nil {
		return err
	}
	return l.c.Resolver.Renew(ctx, l.source(site))
}

// WantBundle has an associated site's bundle asked for soon, if seq is news: the
// site says so, or gossip does. Zero is that a key was shown in its name that we
// do not know. It does not wait, and looks in memory alone: strangers and members
// of the pool say what they like.
func (l *Links) WantBundle(id tenants.SiteID, seq uint64) {
	switch {
	case len(l.Trusted(id)) == 0:
	case seq == 0:
		l.wants.add(id, stranger, 0)
	default:
		l.wants.add(id, news, seq)
	}
}

// fetchers are how many sites are asked at once: one that answers slowly must not
// delay what another says of its keys.
const fetchers = 4

// lookEvery is how late a bundle's hint may be followed: a small part of the
// shortest time that a root key is published before it is used.
const lookEvery = 30 * time.Second

// KeepBundles asks for bundles whose hint has run out, where turn says that it is
// for this cell to do, and for those that are wanted, until ctx ends.
func (l *Links) KeepBundles(ctx context.Context, turn func(context.Context) bool, log *slog.Logger) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var asking sync.WaitGroup
	defer asking.Wait()
	ended := make(chan struct{}, fetchers)
	for free := fetchers; ; {
		for free > 0 && ctx.Err() == nil {
			site, w, ok := l.wants.take()
			if !ok {
				break
			}
			free--
			asking.Go(func() {
				l.fetchWanted(ctx, site, w, log)
				l.wants.done(site)
				ended <- struct{}{}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-ended:
			free++
		case <-l.wants.more:
		case <-tick.C:
			if turn(ctx) {
				l.wantDue(ctx)
			}
		}
	}
}

func (l *Links) fetchWanted(ctx context.Context, id tenants.SiteID, w want, log *slog.Logger) {
	site, err := l.index.site(ctx, id)
	if err == nil && w.seq > site.pins.Seq {
		// Another cell may have it already: where no key moves, the journal is silent.
		l.index.sites.ForgetKey(id)
		site, err = l.index.site(ctx, id)
	}
	if err != nil || w.why == news && w.seq <= site.pins.Seq {
		return
	}
	src := l.source(site)
	if w.why == stranger && !l.c.Resolver.Suspect(src) {
		return
	}
	l.told(log, id, l.c.Resolver.Renew(ctx, src))
}

func (l *Links) wantDue(ctx context.Context) {
	for id := range l.trustedSites() {
		site, err := l.index.site(ctx, id)
		if err != nil {
			continue // gone, or asked again at the next turn
		}
		if l.c.Resolver.Due(l.source(site)) {
			l.wants.add(id, due, 0)
		}
	}
}

// told logs what a person should know; a site that cannot be reached is said
// elsewhere.
func (l *Links) told(log *slog.Logger, site tenants.SiteID, err error) {
	if errors.Is(err, peer.ErrSuccession) || errors.Is(err, peer.ErrOldBundle) {
		log.Warn("a site's bundle is not accepted", "site", site, "err", err)
	}
}
