package sitetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"causeway/federation/links"
	"causeway/internal/httpapi"
	"causeway/internal/store/storetest"
)

func strangersKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := links.EncodePublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// refuses waits until a request does not get through, and wants it refused then as
// between sites that are not associated.
func (r *rotation) refuses(t *testing.T, from, to string) {
	t.Helper()
	for range 3 {
		if status, err := r.cross(from, to); err != nil || status != http.StatusForbidden && status != http.StatusServiceUnavailable {
			t.Errorf("from %s to %s with another key: %d, %v", from, to, status, err)
		}
	}
}

// TestReplaceKey_R10_VCD39: people replace the key that they pin of another site or
// organization, and what the old one proved counts no more from that moment; with
// the key that the others really have, requests cross again without further hands.
func TestReplaceKey_R10_VCD39(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			r := startRotationOn(t, kind)
			r.settled(t)
			t.Run("of a site", r.replacesSite)
			t.Run("of an organization", r.replacesOrg)
		})
	}
}

// replacer replaces the key under an address of our API, and reads both sides'
// fingerprints of it.
type replacer struct {
	link   string      // the association, at east
	by     http.Header // at east
	theirs string      // where west shows its own
	as     http.Header // at west
}

func (r *rotation) replace(t *testing.T, x replacer, key string) Answer {
	t.Helper()
	return r.Client.Post(t, "east", httpapi.OwnAPI+x.link+"/replaceKey", x.by, map[string]string{"publicKey": key}).Want(t, http.StatusOK)
}

func (r *rotation) replaces(t *testing.T, x replacer) {
	t.Helper()
	own := r.Client.Get(t, "west", httpapi.OwnAPI+x.theirs, x.as).Want(t, http.StatusOK)
	key, fingerprint := own.String(t, "publicKey"), own.String(t, "fingerprint")
	if same := r.replace(t, x, key); same.String(t, "status") != "ACTIVE" || same.String(t, "fingerprint") != fingerprint {
		t.Errorf("the same key again: %s", same.Body)
	}
	other := r.replace(t, x, strangersKey(t))
	if other.String(t, "status") != "ASYMMETRIC" || other.String(t, "fingerprint") == fingerprint {
		t.Errorf("a stranger's key: %s", other.Body)
	}
	r.refuses(t, "west", "east")
	if back := r.replace(t, x, key); back.String(t, "fingerprint") != fingerprint {
		t.Errorf("the key that they have: %s", back.Body)
	}
	r.settled(t)
	Eventually(t, 30*time.Second, "the association is ACTIVE", func() bool {
		return r.Client.Get(t, "east", httpapi.OwnAPI+x.link, x.by).Want(t, http.StatusOK).String(t, "status") == "ACTIVE"
	})
}

func (r *rotation) replacesSite(t *testing.T) {
	west, east := Bearer(r.Client.Login(t, "west", System)), Bearer(r.Client.Login(t, "east", System))
	x := replacer{"/siteAssociations/" + r.Client.Site("west").ID, east, "/site", west}
	r.replaces(t, x)

	// The site loses its key, and is a stranger until its new one is pinned.
	before := r.Client.Get(t, "west", httpapi.OwnAPI+"/site", west).String(t, "fingerprint")
	r.retireSigning(t, west)
	r.refuses(t, "west", "east")
	own := r.Client.Get(t, "west", httpapi.OwnAPI+"/site", west).Want(t, http.StatusOK)
	if own.String(t, "fingerprint") == before {
		t.Fatal("the site has the key that it lost")
	}
	r.replace(t, x, own.String(t, "publicKey"))
	r.settled(t)
}

func (r *rotation) replacesOrg(t *testing.T) {
	west, east := Bearer(r.Client.Login(t, "west", "acme")), Bearer(r.Client.Login(t, "east", "acme"))
	ofWest, ofEast := "/organizations/"+bare(r.Client.Site("west").Org("acme").ID), "/organizations/"+bare(r.Client.Site("east").Org("acme").ID)
	location := bare(r.Client.Site("west").Org("acme").ID) + "@" + bare(r.Client.Site("west").ID)
	r.replaces(t, replacer{ofEast + "/associations/" + location, east, ofWest + "/associationData", west})
}
