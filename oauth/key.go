package oauth

import (
	"cmp"
	"slices"
	"time"
)

// Purpose says what a signing key is for. A token that one purpose's key signed is
// worth nothing where another purpose is asked for.
type Purpose string

// PurposeAccessToken is for this site's own access tokens (RFC 9068).
const PurposeAccessToken Purpose = "access-token"

// PurposeServiceToken is for tokens with the claims of VMware Cloud services, whose
// clients verify RS256 and nothing else.
const PurposeServiceToken Purpose = "service-token"

// SigningKey signs for one purpose. It is published from its creation, signs from
// SignsFrom until a newer key does, and verifies until it is retired.
type SigningKey struct {
	ID        string // JWT kid: the site's id, a dot, and something random
	Purpose   Purpose
	Algorithm string // JWA name (RFC 7518 §3.1)
	Public    []byte // PKIX, DER
	Private   []byte // PKCS #8, DER, sealed by a key kept outside the database; empty once it signs no more
	CreatedAt time.Time
	SignsFrom time.Time
	RetiredAt time.Time // zero while it verifies
}

// KeyState is where a key is in its life.
type KeyState string

// The states in the order of a life.
const (
	KeyPublished KeyState = "published" // verifiers may know it, nothing is signed with it yet
	KeySigning   KeyState = "signing"
	KeyVerifying KeyState = "verifying" // a newer key signs; what this one signed is good
	KeyRetired   KeyState = "retired"   // nothing that it signed is good
)

func (k SigningKey) retired() bool { return !k.RetiredAt.IsZero() }

// byAge orders keys as they come to sign.
func byAge(a, b SigningKey) int {
	return cmp.Or(a.SignsFrom.Compare(b.SignsFrom), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// living are the keys of a purpose that are not retired, in the order in which they
// come to sign.
func living(keys []SigningKey, p Purpose) []SigningKey {
	var list []SigningKey
	for _, k := range keys {
		if k.Purpose == p && !k.retired() {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, byAge)
	return list
}

// signing is the key of a purpose that signs now: the newest whose time has come.
// A cell whose clock is behind may know only keys that are to sign in a moment; the
// first of them will do.
func signing(keys []SigningKey, p Purpose, now time.Time) (SigningKey, bool) {
	var first, newest SigningKey
	for _, k := range keys {
		if k.Purpose != p || k.retired() || len(k.Private) == 0 {
			continue
		}
		if first.ID == "" || byAge(k, first) < 0 {
			first = k
		}
		if !k.SignsFrom.After(now) && (newest.ID == "" || byAge(newest, k) < 0) {
			newest = k
		}
	}
	if newest.ID == "" {
		newest = first
	}
	return newest, newest.ID != ""
}

// stateOf is where k is in its life, among all keys there are.
func stateOf(k SigningKey, all []SigningKey, now time.Time) KeyState {
	current, _ := signing(all, k.Purpose, now)
	switch {
	case k.retired():
		return KeyRetired
	case k.ID == current.ID:
		return KeySigning
	case k.SignsFrom.After(now):
		return KeyPublished
	}
	return KeyVerifying
}
