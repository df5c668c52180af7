package links

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const (
	here   = tenants.SiteID("11111111-1111-4111-8111-111111111111")
	there  = tenants.SiteID("22222222-2222-4222-8222-222222222222")
	inside = tenants.SiteID("33333333-3333-4333-8333-333333333333")
)

// told is where gossip says that sites are.
const told = "10.0.0.5:6379"

var now = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

func newRoot(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newLinks is a site that holds an association with another, whose root key is
// pinned.
func newLinks(t *testing.T, db *store.DB, pinned *ecdsa.PrivateKey) *Links {
	t.Helper()
	return newLinksOver(t, db, nil, association(t, there, "", pinned))
}

// dialFunc is a network.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func association(t *testing.T, site tenants.SiteID, rest string, pinned *ecdsa.PrivateKey) federation.SiteAssociation {
	t.Helper()
	text, err := EncodePublicKey(&pinned.PublicKey)
	must(t, err)
	return federation.SiteAssociation{
		Site: site, Name: "there", RestEndpoint: rest, PublicKey: text, Status: federation.StatusActive, CreatedAt: now,
	}
}

// newLinksOver is a site in a network, where gossip says that every other site is
// at told.
func newLinksOver(t *testing.T, db *store.DB, dial dialFunc, held ...federation.SiteAssociation) *Links {
	t.Helper()
	own := newRoot(t)
	identity, err := peer.NewIdentity(here, func() *ecdsa.PrivateKey { return own }, clock)
	must(t, err)
	forwarder, err := peer.NewForwarder(peer.Config{Identity: identity, Now: clock, Dial: dial})
	must(t, err)
	t.Cleanup(forwarder.Close)
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	must(t, err)
	resolver := peer.NewResolver(clock, nil)
	resolver.Dial = dial
	l, err := New(Config{
		Store: db.Federation(), Keys: keys, Self: federation.Self{ID: here}, Forwarder: forwarder, Resolver: resolver,
		Gossip: func(tenants.SiteID) []string { return []string{told} }, Fresh: func() bool { return true }, Size: 10, Now: clock,
	})
	must(t, err)
	must(t, db.Federation().InTx(t.Context(), func(tx federation.Tx) error {
		for _, a := range held {
			if err := tx.PutSiteAssociation(a); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, l.LoadTrusted(t.Context()))
	return l
}

// rows are the journal's since a place.
func rows(t *testing.T, db *store.DB) (list []journal.Row) {
	t.Helper()
	list, err := db.Journal().After(t.Context(), 0, 1000)
	must(t, err)
	return list
}

// follow does what the journal does on every cell.
func follow(t *testing.T, l *Links, db *store.DB) {
	t.Helper()
	for _, row := range rows(t, db) {
		l.Apply(row)
	}
	must(t, l.LoadTrusted(context.Background()))
}

// shows is a connection that a leaf of root opened.
func shows(t *testing.T, root *ecdsa.PrivateKey) *tls.ConnectionState {
	t.Helper()
	uri, err := url.Parse("urn:vcloud:site:" + string(there))
	must(t, err)
	print, err := peer.Fingerprint(&root.PublicKey)
	must(t, err)
	name, err := hex.DecodeString(print[:40]) // what a leaf says of who issued it
	must(t, err)
	return &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{{
		URIs: []*url.URL{uri}, AuthorityKeyId: name, NotAfter: now.Add(time.Hour),
	}}}
}

// TestAdopt_R10: what a bundle says is kept once for all cells, moves the pins
// only from where they are, and is in the audit trail.
func TestAdopt_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a, b := newRoot(t), newRoot(t)
		l := newLinks(t, db, a)
		before := peer.Pins{Site: there, Current: &a.PublicKey}
		announced := peer.Pins{Site: there, Current: &a.PublicKey, Next: &b.PublicKey, Seq: 8}
		if err := l.Proven(t.Context(), shows(t, b), there); !problem.Has(err, problem.Forbidden) {
			t.Errorf("before it was announced: %v", err)
		}
		must(t, l.Adopt(t.Context(), before, announced))
		follow(t, l, db)
		for _, key := range []*ecdsa.PrivateKey{a, b} {
			if err := l.Proven(t.Context(), shows(t, key), there); err != nil || !l.Trusted(there).Have(&key.PublicKey) {
				t.Errorf("announced: %v", err)
			}
		}
		must(t, l.Adopt(t.Context(), announced, peer.Pins{Site: there, Current: &b.PublicKey, Seq: 9}))
		follow(t, l, db)
		if err := l.Proven(t.Context(), shows(t, a), there); !problem.Has(err, problem.Forbidden) || l.Trusted(there).Have(&a.PublicKey) {
			t.Errorf("a retired key proves the site: %v", err)
		}
		for what, from := range map[string]peer.Pins{
			"from what is pinned no more": announced,
			"to a lower number":           {Site: there, Current: &b.PublicKey},
		} {
			if err := l.Adopt(t.Context(), from, announced); !problem.Has(err, problem.Conflict) {
				t.Errorf("%s: %v", what, err)
			}
		}
		n := 0
		for _, row := range rows(t, db) {
			if row.Action == journal.SiteLinkKey {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d entries say that keys changed, want 2", n)
		}
		must(t, l.Adopt(t.Context(), peer.Pins{Site: there, Current: &b.PublicKey, Seq: 9}, peer.Pins{Site: there, Current: &b.PublicKey, Seq: 10}))
		if got := len(rows(t, db)); got != 2 {
			t.Errorf("%d entries after a bundle with the same keys", got)
		}
	})
}

// A bundle in which no key moves leaves no row in the journal: this cell, and others
// that hear of it, must not ask for it and write it with each heartbeat.
func TestAdopt_R10_KnownOnEveryCell(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a := newRoot(t)
		l, other := newLinks(t, db, a), newLinks(t, db, a)
		seq := func(l *Links) uint64 {
			site, err := l.index.site(t.Context(), there)
			must(t, err)
			return site.pins.Seq
		}
		if seq(l)+seq(other) != 0 {
			t.Fatal("a bundle before there is one")
		}
		must(t, l.Adopt(t.Context(), peer.Pins{Site: there, Current: &a.PublicKey}, peer.Pins{Site: there, Current: &a.PublicKey, Seq: 10}))
		if got := seq(l); got != 10 {
			t.Errorf("the cell that adopted bundle 10 knows %d", got)
		}
		other.fetchWanted(t.Context(), there, want{why: news, seq: 10}, slog.New(slog.DiscardHandler))
		if got := seq(other); got != 10 {
			t.Errorf("another cell that hears of bundle 10 knows %d", got)
		}
	})
}

// TestProven_R4_I6: with the association ends what its connections may do, with
// the next request and whatever the handshake found.
func TestProven_R4_I6(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a := newRoot(t)
		l := newLinks(t, db, a)
		must(t, l.Proven(t.Context(), shows(t, a), there))
		if err := l.Proven(t.Context(), shows(t, a), here); err == nil {
			t.Error("another site's connection proves it")
		}
		must(t, db.Federation().InTx(t.Context(), func(tx federation.Tx) error {
			return errors.Join(tx.DeleteSiteAssociation(there), tx.Record(journal.Entry{
				At: now, Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.SiteLinkRemoved,
				Subject: journal.Subject{Kind: journal.KindSite, ID: string(there)},
			}))
		}))
		follow(t, l, db)
		if err := l.Proven(t.Context(), shows(t, a), there); !problem.Has(err, problem.Forbidden) || len(l.Trusted(there)) != 0 {
			t.Errorf("the association is gone: %v", err)
		}
		if err := l.Adopt(t.Context(), peer.Pins{Site: there, Current: &a.PublicKey}, peer.Pins{Site: there, Current: &a.PublicKey, Seq: 8}); err == nil {
			t.Error("a bundle brought the association back")
		}
	})
}

// TestOrgKeyReplaced_R10: with another key of an organization pinned, nothing that
// the old one signed is accepted, from the next request on.
func TestOrgKeyReplaced_R10(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLinks(t, db, newRoot(t))
		local, remote := tenants.OrgID(tenants.NewID()), tenants.LocationID{Org: tenants.OrgID(tenants.NewID()), Site: there}
		must(t, db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
			return tx.CreateOrganization(tenants.Organization{ID: local, Name: "acme", Enabled: true, CreatedAt: now})
		}))
		for range 2 {
			key := newRoot(t)
			text, err := EncodePublicKey(&key.PublicKey)
			must(t, err)
			must(t, db.Federation().InTx(t.Context(), func(tx federation.Tx) error {
				return errors.Join(tx.PutOrgAssociation(federation.OrgAssociation{
					Local: local, Remote: remote.Org, RemoteName: "r", Site: there, PublicKey: text, Status: federation.StatusActive, CreatedAt: now,
				}), tx.Record(journal.Entry{
					At: now, Org: string(local), Actor: journal.System, Action: journal.OrgLinkUpdated,
					Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(remote.Org)},
				}))
			}))
			follow(t, l, db)
			held, err := l.index.between(t.Context(), local, remote)
			must(t, err)
			got, err := l.index.publicKey(held.key)
			if err != nil || !got.Equal(&key.PublicKey) {
				t.Errorf("another key counts than the one that is pinned: %v", err)
			}
		}
	})
}
