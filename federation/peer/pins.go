package peer

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"time"

	"causeway/tenants"
)

// Pins are what an association holds of a site's keys. They begin with the one
// key that an administrator compared, and from then on follow what that key
// signs, one key at a time.
type Pins struct {
	Site tenants.SiteID
	// Current signs bundles; Next may do so from now on, and then is Current. Next
	// may be nil.
	Current, Next *ecdsa.PublicKey
	// Bundle is the last one accepted, empty for none; Seq is its number.
	Bundle string
	Seq    uint64
}

var (
	// ErrSuccession is a site whose key nothing that we pin speaks for: it was
	// replaced in an emergency or lost, or changed twice while the sites were apart.
	// Only an administrator who compares fingerprints can help.
	ErrSuccession = errors.New("peer: the site signs with a root key that no key we know announced; compare its fingerprint and replace the key")
	// ErrOldBundle is a bundle with a lower number than one accepted before, or one
	// that was signed too long ago: somebody may be showing it again.
	ErrOldBundle = errors.New("peer: the bundle is out of date")
)

// maxAge is how old a bundle may be when it is fetched. Sites sign anew at least
// every minute, and clocks that differ by more than half of one are an error of
// their own.
const maxAge = 10 * time.Minute

// Accept reads a bundle that was just fetched, and says what is pinned from now
// on.
//
// It must be signed by the pinned key, by the announced next one, or by one that
// either of these has named its successor. Whichever it is becomes the pinned
// one, and there is no way back: what was pinned before may prove connections as
// long as the bundle lists it, and sign nothing more.
func (p Pins) Accept(token string, now time.Time) (Bundle, Pins, error) {
	b, err := readBundle(token, p.Site, func(b Bundle) Keys { return p.signers(b) })
	switch {
	case errors.Is(err, errBundleKey):
		return Bundle{}, p, errors.Join(ErrSuccession, err)
	case err != nil:
		return Bundle{}, p, err
	case b.Seq < p.Seq:
		return Bundle{}, p, fmt.Errorf("%w: number %d after %d", ErrOldBundle, b.Seq, p.Seq)
	case now.Sub(b.IssuedAt).Abs() > maxAge:
		return Bundle{}, p, fmt.Errorf("%w: signed at %s", ErrOldBundle, b.IssuedAt.Format(time.RFC3339))
	}
	return b, Pins{Site: p.Site, Current: b.Key, Next: b.Next, Bundle: token, Seq: b.Seq}, nil
}

// signers are the keys that may sign b.
func (p Pins) signers(b Bundle) Keys {
	pinned := NewKeys(p.Current, p.Next)
	if b.Key != nil && !pinned.Have(b.Key) && pinned.succeeds(b.Succession, p.Site, b.Key) {
		return NewKeys(b.Key)
	}
	return pinned
}

// same reports whether both pin the same keys by the same bundle number.
func (p Pins) same(q Pins) bool {
	return p.Seq == q.Seq && equalKeys(p.Current, q.Current) && equalKeys(p.Next, q.Next)
}

func equalKeys(a, b *ecdsa.PublicKey) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

// Known is the bundle accepted last, whenever that was.
func (p Pins) Known() (Bundle, bool) {
	if p.Bundle == "" {
		return Bundle{}, false
	}
	b, err := readBundle(p.Bundle, p.Site, func(Bundle) Keys { return NewKeys(p.Current) })
	return b, err == nil
}

// Keys are what proves the site: the pinned key, the one announced, and the one
// before while the site lists it.
func (p Pins) Keys() Keys {
	keys := NewKeys(p.Current, p.Next)
	if b, ok := p.Known(); ok && b.Last != nil && !keys.Have(b.Last) {
		keys = append(keys, NewKeys(b.Last)...)
	}
	return keys
}
