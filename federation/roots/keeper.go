package roots

import (
	"context"
	"crypto/ecdsa"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Config wires a Keeper.
type Config struct {
	Store federation.Store
	Keys  *secret.Keys
	// PublishAhead is how long a key is published before it signs: several times
	// as long as peers take to ask for the bundle again.
	PublishAhead time.Duration
	Now          func() time.Time
}

// Keeper knows the root keys and has them follow each other.
type Keeper struct {
	c     Config
	site  tenants.SiteID // never changes after Open
	stale chan struct{}

	loading sync.Mutex // or what was read first could replace what was read last
	ring    atomic.Pointer[ring]
}

// Open reads the keys of a site that has its identity.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	k := &Keeper{c: c, stale: make(chan struct{}, 1)}
	if err := k.Load(ctx); err != nil {
		return nil, err
	}
	if k.Seq() > 0 {
		return k, nil
	}
	// A site of an earlier version has no number yet.
	if err := c.Store.InTx(ctx, func(tx federation.Tx) error { return tx.RenewBundle(k.clock()) }); err != nil {
		return nil, err
	}
	return k, k.Load(ctx)
}

func (k *Keeper) clock() time.Time { return k.c.Now().UTC().Truncate(time.Microsecond) }

// Load reads the keys.
func (k *Keeper) Load(ctx context.Context) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	var self federation.Self
	var rows []federation.Root
	err := k.c.Store.View(ctx, func(r federation.Reader) (err error) {
		if self, err = r.Self(); err == nil {
			rows, err = r.Roots()
		}
		return err
	})
	if err != nil {
		return err
	}
	known := map[string]*ecdsa.PrivateKey{}
	if old := k.ring.Load(); old != nil {
		for _, r := range old.roots {
			known[r.ID] = r.private
		}
	}
	list, err := k.open(self, rows, known)
	if err != nil {
		return err
	}
	if k.site == "" {
		k.site = self.ID
	}
	k.ring.Store(newRing(self.BundleSeq, list))
	return nil
}

// open unseals the keys. One that is known stays the same in memory: by that
// leaves are told apart.
func (k *Keeper) open(self federation.Self, rows []federation.Root, known map[string]*ecdsa.PrivateKey) ([]root, error) {
	if len(rows) == 0 {
		first, err := k.first(self)
		if err != nil {
			return nil, err
		}
		rows = []federation.Root{first}
	}
	list := make([]root, 0, len(rows))
	for _, row := range rows {
		r := root{Root: row}
		if len(row.Sealed) > 0 {
			if r.private = known[row.ID]; r.private == nil {
				key, err := links.OpenRoot(k.c.Keys, row.Sealed)
				if err != nil {
					return nil, err
				}
				r.private = key
			}
		}
		list = append(list, r)
	}
	return list, nil
}

// first is the key that the site was made with.
func (k *Keeper) first(self federation.Self) (federation.Root, error) {
	key, err := links.OpenRoot(k.c.Keys, self.Root)
	if err != nil {
		return federation.Root{}, err
	}
	id, err := peer.Fingerprint(&key.PublicKey)
	return federation.Root{ID: id, Sealed: self.Root, CreatedAt: self.CreatedAt, SignsFrom: self.CreatedAt}, err
}

// Current signs now: leaves, bundles and what gossip says. It asks nobody.
func (k *Keeper) Current() *ecdsa.PrivateKey { return k.ring.Load().at(k.c.Now()).now.private }

// Public is what an association pins of this site.
func (k *Keeper) Public() *ecdsa.PublicKey { return k.ring.Load().at(k.c.Now()).now.public() }

// Seq is the number of the bundle.
func (k *Keeper) Seq() uint64 { return k.ring.Load().seq }

// Sign writes a bundle with what there is to say of keys.
func (k *Keeper) Sign(b peer.Bundle) (string, error) {
	now := k.c.Now()
	ring := k.ring.Load()
	p := ring.at(now)
	b.Site, b.Seq, b.IssuedAt = k.site, ring.seq, now
	b.Last, b.Next, b.Succession = p.last.public(), p.next.public(), p.now.Succession
	return peer.SignBundle(p.now.private, b)
}

// Apply has the keys read again when the journal names one, or the site.
func (k *Keeper) Apply(row journal.Row) {
	named := row.Subject.Kind == journal.KindKey && row.Org == string(tenants.SystemOrgID)
	if named || row.Subject.Kind == journal.KindSite && row.Subject.ID == string(k.site) {
		k.Flush()
	}
}

// Flush has the keys read again.
func (k *Keeper) Flush() {
	select {
	case k.stale <- struct{}{}:
	default: // they will be read anyway
	}
}

const (
	keepEvery  = time.Minute
	retryAfter = time.Second
)

// Run reads the keys again when they changed and retires those that are over,
// until ctx ends. Every cell does; each step is taken once.
func (k *Keeper) Run(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-k.stale:
			if err = k.Load(ctx); err != nil {
				time.AfterFunc(retryAfter, k.Flush)
			}
		case <-tick.C:
			err = k.Keep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("could not look after the site's root keys", "err", err)
		}
	}
}

// Keep retires keys that nothing in use was signed with.
func (k *Keeper) Keep(ctx context.Context) error {
	now := k.clock()
	for _, r := range k.ring.Load().over(now) {
		err := k.change(ctx, func(tx federation.Tx) error {
			if err := tx.RetireRoot(r.ID, now); err != nil {
				return err
			}
			return tx.Record(entry(tenants.Caller{}, now, journal.KeyRetired, r.ID, map[string]string{"why": "over"}))
		})
		if err != nil && !problem.Has(err, problem.NotFound) { // another cell was first
			return err
		}
	}
	return nil
}

// change runs f while nobody else changes root keys.
func (k *Keeper) change(ctx context.Context, f func(federation.Tx) error) error {
	at := k.clock()
	err := k.c.Store.InTx(ctx, func(tx federation.Tx) error {
		if err := tx.RenewBundle(at); err != nil {
			return err
		}
		return f(tx)
	})
	if err != nil {
		return err
	}
	return k.Load(ctx) // whoever is told sees it done at this cell
}

// subjectName tells root keys from other keys in the journal.
const subjectName = "site root"

func entry(by tenants.Caller, at time.Time, action journal.Action, id string, detail map[string]string) journal.Entry {
	actor := by.Actor()
	if by.Principal.ID == "" {
		actor = journal.System
	}
	return journal.Entry{
		At: at, Org: string(tenants.SystemOrgID), Actor: actor, Action: action,
		Subject:   journal.Subject{Kind: journal.KindKey, ID: id, Name: subjectName},
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
