package roots

import (
	"cmp"
	"crypto/ecdsa"
	"slices"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
)

// State is where a root key is in its life.
type State string

// The states in the order of a life.
const (
	Published State = "published" // peers may know it; it signs nothing yet
	Signing   State = "signing"
	Proving   State = "proving" // a newer key signs; connections that this one proved are good
	Retired   State = "retired"
)

// overlap is how long a key proves connections after its successor has begun to
// sign: the longest life of what it signed, and as much for peers that were away.
const overlap = 2 * peer.LeafLife

// root is a key in memory. private is nil once it is retired.
type root struct {
	federation.Root
	private *ecdsa.PrivateKey
}

func (r root) living() bool { return r.RetiredAt.IsZero() && r.private != nil }

func (r root) public() *ecdsa.PublicKey {
	if r.private == nil {
		return nil
	}
	return &r.private.PublicKey
}

// ring is all of a site's root keys in the order in which they come to sign.
type ring struct {
	seq   uint64
	roots []root
}

func newRing(seq uint64, roots []root) *ring {
	slices.SortFunc(roots, func(a, b root) int {
		return cmp.Or(a.SignsFrom.Compare(b.SignsFrom), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return &ring{seq, roots}
}

func (r *ring) living() []root {
	var list []root
	for _, k := range r.roots {
		if k.living() {
			list = append(list, k)
		}
	}
	return list
}

// phase is which keys do what at a time; last and next may be zero.
type phase struct{ last, now, next root }

// at finds the newest key whose time has come. A cell whose clock is behind may
// know only keys that are to sign in a moment; the first of them will do.
func (r *ring) at(now time.Time) phase {
	list := r.living()
	if len(list) == 0 {
		return phase{}
	}
	signs := 0
	for i, k := range list {
		if !k.SignsFrom.After(now) {
			signs = i
		}
	}
	p := phase{now: list[signs]}
	if signs > 0 {
		p.last = list[signs-1]
	}
	if signs+1 < len(list) {
		p.next = list[signs+1]
	}
	return p
}

func (p phase) state(r root, now time.Time) State {
	switch {
	case !r.RetiredAt.IsZero():
		return Retired
	case r.ID == p.now.ID:
		return Signing
	case r.SignsFrom.After(now):
		return Published
	}
	return Proving
}

// over are the keys that nothing in use was signed with.
func (r *ring) over(now time.Time) []root {
	list := r.living()
	var done []root
	for i := range max(0, len(list)-1) {
		if now.After(list[i+1].SignsFrom.Add(overlap)) {
			done = append(done, list[i])
		}
	}
	return done
}
