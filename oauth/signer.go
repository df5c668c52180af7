package oauth

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// signer holds the site's keys in memory: per purpose the newest signs and all
// verify until they are retired. When the journal names a key the set is read
// again by who needs it next.
type signer struct {
	store Store
	keys  *secret.Keys
	site  tenants.SiteID
	now   func() time.Time

	set    *cache.Cache[struct{}, keySet]
	opened atomic.Pointer[keySet] // read last; its private keys need not be opened again
	reads  atomic.Uint64          // begun

	search   *cache.Cache[struct{}, keySet] // keeps nothing: who searches a key finds others at it
	searched atomic.Int64                   // when that was, Unix microseconds

	// nowhere are ids of keys that there were not when somebody showed them. There
	// never will be: ids are random, and a key is stored before it signs.
	nowhere *cache.Cache[string, struct{}]
}

const (
	// searchEvery bounds how often strangers make us read the keys, by ids that they
	// invent.
	searchEvery = time.Second
	// readKeysWithin is how long those who need the keys wait for a database that
	// does not answer.
	readKeysWithin = 2 * time.Second
	nowhereSize    = 1024
)

func newSigner(c Config) *signer {
	set, _ := cache.New[struct{}, keySet](1) // fails of no size only
	search, _ := cache.New[struct{}, keySet](1)
	nowhere, _ := cache.New[string, struct{}](nowhereSize)
	return &signer{store: c.Store, keys: c.Keys, site: c.Site, now: c.Now, set: set, search: search, nowhere: nowhere}
}

// keySet is not changed once it is in place.
type keySet struct {
	ready   map[string]readyKey // by id
	list    []SigningKey        // the same, for who chooses among them
	retired map[string]bool     // ids that need not be searched
	read    uint64              // which of the signer's reads gave it
}

type readyKey struct {
	SigningKey
	method  jwt.SigningMethod
	public  crypto.PublicKey
	private any // nil when it signs no more
}

// sealedFor binds a private key to its purpose: no row can stand in for one of
// another purpose.
func sealedFor(p Purpose) string {
	if p == PurposeAccessToken {
		return "signing-key"
	}
	return "signing-key " + string(p)
}

// current is the set, read again if the journal says so. One reads for all who wait.
func (g *signer) current(ctx context.Context) (keySet, error) {
	return g.set.Fill(ctx, struct{}{}, func() (keySet, error) { return g.load(ctx) })
}

func (g *signer) load(ctx context.Context) (keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, readKeysWithin)
	defer cancel()
	set := keySet{ready: map[string]readyKey{}, retired: map[string]bool{}, read: g.reads.Add(1)}
	var stored []SigningKey
	err := g.store.View(ctx, func(r Reader) (err error) {
		stored, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return keySet{}, err
	}
	old := g.opened.Load()
	for _, k := range stored {
		if k.retired() {
			set.retired[k.ID] = true
			continue
		}
		var known readyKey
		if old != nil {
			known = old.ready[k.ID]
		}
		ready, err := g.ready(k, known)
		if err != nil && !slices.Contains(keyPurposes, k.Purpose) {
			continue // of a newer version, at another cell
		}
		if err != nil {
			return keySet{}, err
		}
		set.ready[k.ID], set.list = ready, append(set.list, k)
	}
	g.opened.Store(&set)
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

// Opens tells whether a master key opens a stored signing key, which has a private
// part.
func Opens(keys *secret.Keys, k SigningKey) error {
	_, err := (&signer{keys: keys}).ready(k, readyKey{})
	return err
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
// a key that another cell has just made, so the set is read again, but not for
// every id that strangers invent: whoever comes too soon after the last is told to
// come again, for nobody can say yet that the token is false.
func (g *signer) verifying(ctx context.Context, p Purpose, kid string) (readyKey, error) {
	before := g.reads.Load()
	set, err := g.current(ctx)
	if err != nil {
		return readyKey{}, err
	}
	k, ok := set.ready[kid]
	if !ok && !set.retired[kid] && set.read <= before {
		if k, ok, err = g.find(ctx, kid, before); err != nil {
			return readyKey{}, err
		}
	}
	if !ok || k.Purpose != p {
		return readyKey{}, unauthenticated()
	}
	return k, nil
}

// find looks for a key that was in no set read before.
func (g *signer) find(ctx context.Context, kid string, before uint64) (k readyKey, ok bool, err error) {
	if _, known := g.nowhere.Get(kid); known || !strings.HasPrefix(kid, keyPrefix(g.site)) {
		return readyKey{}, false, nil
	}
	set, err := g.search.Refill(ctx, struct{}{}, func() (keySet, error) { return g.lookAgain(ctx) })
	if err != nil {
		return readyKey{}, false, err
	}
	if k, ok = set.ready[kid]; ok {
		return k, true, nil
	}
	if set.read <= before { // somebody's read that had begun when we came
		return readyKey{}, false, tooSoon()
	}
	_, err = g.nowhere.Fill(ctx, kid, func() (struct{}, error) { return struct{}{}, nil })
	return readyKey{}, false, err
}

// lookAgain reads the set, at most once in searchEvery. An attempt counts, whatever
// comes of it.
func (g *signer) lookAgain(ctx context.Context) (keySet, error) {
	last, now := g.searched.Load(), g.now()
	if now.Sub(time.UnixMicro(last)).Abs() < searchEvery || !g.searched.CompareAndSwap(last, now.UnixMicro()) {
		return keySet{}, tooSoon()
	}
	return g.set.Refill(ctx, struct{}{}, func() (keySet, error) { return g.load(ctx) })
}

func tooSoon() error {
	return problem.New(problem.Unavailable, "The key that signed the token is not known here yet; try again.").After(searchEvery)
}

// Apply follows what the journal says of keys.
func (g *signer) Apply(row journal.Row) {
	if row.Subject.Kind == journal.KindKey {
		g.forget()
	}
}

// forget has the set read again before it is used.
func (g *signer) forget() {
	g.set.Flush()
	g.search.Flush()
}

// Flush forgets everything.
func (g *signer) Flush() {
	g.forget()
	g.nowhere.Flush()
}
