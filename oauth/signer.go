package oauth

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

// signer holds the site's keys in memory: per purpose the newest signs and all
// verify until they are retired. When the journal names a key the set is read
// again by who needs it next, and a retired key is gone at once.
type signer struct {
	store Store
	keys  *secret.Keys
	now   func() time.Time

	reading sync.Mutex // held while the set is read again

	mu       sync.RWMutex
	set      keySet
	stale    bool   // the journal names a change that the set may lack
	changes  uint64 // counts what made it stale
	reloaded time.Time
}

// keySet is not changed once it is in place.
type keySet struct {
	ready map[string]readyKey // by id
	list  []SigningKey        // the same, for who chooses among them
}

type readyKey struct {
	SigningKey
	method  jwt.SigningMethod
	public  crypto.PublicKey
	private any // nil when it signs no more
}

// without is the set less one key.
func (s keySet) without(id string) keySet {
	less := keySet{ready: maps.Clone(s.ready), list: slices.Clone(s.list)}
	delete(less.ready, id)
	less.list = slices.DeleteFunc(less.list, func(k SigningKey) bool { return k.ID == id })
	return less
}

// sealedFor binds a private key to its purpose: no row can stand in for one of
// another purpose.
func sealedFor(p Purpose) string {
	if p == PurposeAccessToken {
		return "signing-key"
	}
	return "signing-key " + string(p)
}

// current is the set, read again if the journal says so.
func (g *signer) current(ctx context.Context) (keySet, error) {
	if set, stale := g.read(); !stale {
		return set, nil
	}
	g.reading.Lock() // one reads, whoever comes meanwhile finds what it read
	defer g.reading.Unlock()
	if set, stale := g.read(); !stale {
		return set, nil
	}
	return g.reload(ctx)
}

func (g *signer) read() (keySet, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.set, g.stale
}

// reload reads the set; reading is held.
func (g *signer) reload(ctx context.Context) (keySet, error) {
	g.mu.RLock()
	old, changes := g.set, g.changes
	g.mu.RUnlock()
	var stored []SigningKey
	err := g.store.View(ctx, func(r Reader) (err error) {
		stored, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return keySet{}, err
	}
	set := keySet{ready: map[string]readyKey{}}
	for _, k := range stored {
		if k.retired() {
			continue
		}
		ready, err := g.ready(k, old.ready[k.ID])
		if err != nil && !slices.Contains(keyPurposes, k.Purpose) {
			continue // of a newer version, at another cell
		}
		if err != nil {
			return keySet{}, err
		}
		set.ready[k.ID], set.list = ready, append(set.list, k)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.set, g.reloaded = set, g.now()
	g.stale = g.changes != changes // what was named meanwhile the set may lack
	return set, nil
}

// ready opens a key, unless known is the same one opened before.
func (g *signer) ready(k SigningKey, known readyKey) (_ readyKey, err error) {
	ready := readyKey{SigningKey: k}
	if ready.method, ready.public, err = readPublic(k); err != nil {
		return readyKey{}, err
	}
	if len(k.Private) == 0 {
		return ready, nil
	}
	if slices.Equal(known.Private, k.Private) {
		ready.private = known.private
		return ready, nil
	}
	plain, err := g.keys.Open(sealedFor(k.Purpose), k.Private)
	if err != nil {
		return readyKey{}, fmt.Errorf("signing key %s cannot be opened with this master key: %w", k.ID, err)
	}
	ready.private, err = x509.ParsePKCS8PrivateKey(plain)
	return ready, err
}

// signing is the key that signs for a purpose now.
func (g *signer) signing(ctx context.Context, p Purpose) (readyKey, error) {
	set, err := g.current(ctx)
	if err != nil {
		return readyKey{}, err
	}
	k, ok := signing(set.list, p, g.now())
	if !ok {
		return readyKey{}, problem.New(problem.Unavailable, "The site has no key to sign with yet.").After(time.Second)
	}
	return set.ready[k.ID], nil
}

// verifying finds a key of a purpose by id. An id that we do not know may belong to
// a key that another cell has just made, so the set is read again, at most once a
// second lest strangers make us read it for every token they invent.
func (g *signer) verifying(ctx context.Context, p Purpose, kid string) (readyKey, error) {
	set, err := g.current(ctx)
	if err != nil {
		return readyKey{}, err
	}
	k, ok := set.ready[kid]
	if !ok && g.old() {
		g.reading.Lock()
		defer g.reading.Unlock()
		if set, _ = g.read(); g.old() {
			if set, err = g.reload(ctx); err != nil {
				return readyKey{}, err
			}
		}
		k, ok = set.ready[kid]
	}
	if !ok || k.Purpose != p {
		return readyKey{}, unauthenticated()
	}
	return k, nil
}

func (g *signer) old() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.now().Sub(g.reloaded) > time.Second
}

// Apply follows what the journal says of keys.
func (g *signer) Apply(row journal.Row) {
	if row.Subject.Kind != journal.KindKey {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stale, g.changes = true, g.changes+1
	if row.Action == journal.KeyRetired {
		g.set = g.set.without(row.Subject.ID)
	}
}

// Flush reads the set again before it is used.
func (g *signer) Flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stale, g.changes = true, g.changes+1
}
