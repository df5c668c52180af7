package roots

import (
	"context"
	"slices"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Info is what administrators see of a root key.
type Info struct {
	Fingerprint string // SHA-256 of its DER, in hexadecimal
	State       State
	CreatedAt   time.Time // published from then on
	SignsFrom   time.Time
	RetiredAt   time.Time // zero while it counts
}

func info(r root, p phase, now time.Time) Info {
	return Info{Fingerprint: r.ID, State: p.state(r, now), CreatedAt: r.CreatedAt, SignsFrom: r.SignsFrom, RetiredAt: r.RetiredAt}
}

// List is all root keys, the retired ones too, the newest first.
func (k *Keeper) List(ctx context.Context) ([]Info, error) {
	if err := k.Load(ctx); err != nil {
		return nil, err
	}
	now, ring := k.clock(), k.ring.Load()
	p := ring.at(now)
	list := make([]Info, 0, len(ring.roots))
	for _, r := range slices.Backward(ring.roots) {
		list = append(list, info(r, p, now))
	}
	return list, nil
}

func (k *Keeper) one(id string) (Info, error) {
	now, ring := k.clock(), k.ring.Load()
	for _, r := range ring.roots {
		if r.ID == id {
			return info(r, ring.at(now), now), nil
		}
	}
	return Info{}, problem.Hidden()
}

// Rotate publishes a successor, which signs after PublishAhead. While two keys
// count it is problem.Conflict: peers that were away keep up with one succession
// at a time.
func (k *Keeper) Rotate(ctx context.Context, by tenants.Caller) (Info, error) {
	now := k.clock()
	sealed, key, err := links.NewRoot(k.c.Keys)
	if err != nil {
		return Info{}, err
	}
	next := federation.Root{Sealed: sealed, CreatedAt: now, SignsFrom: now.Add(k.c.PublishAhead)}
	if next.ID, err = peer.Fingerprint(&key.PublicKey); err != nil {
		return Info{}, err
	}
	if err := k.Load(ctx); err != nil {
		return Info{}, err
	}
	before := k.ring.Load().at(now).now
	if next.Succession, err = peer.SignSuccession(before.private, k.site, &key.PublicKey); err != nil {
		return Info{}, err
	}
	err = k.change(ctx, func(tx federation.Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		ring, err := k.read(tx)
		if err != nil {
			return err
		}
		if err := free(ring, before, now); err != nil {
			return err
		}
		if err := tx.CreateRoot(next); err != nil {
			return err
		}
		return tx.Record(entry(by, now, journal.KeyCreated, next.ID, map[string]string{"signsFrom": next.SignsFrom.Format(time.RFC3339)}))
	})
	if err != nil {
		return Info{}, err
	}
	return k.one(next.ID)
}

// free reports whether before is the only key that counts.
func free(ring *ring, before root, now time.Time) error {
	p := ring.at(now)
	switch {
	case p.now.ID != before.ID:
		return problem.New(problem.Conflict, "The root key has changed meanwhile.")
	case p.next.ID != "":
		return problem.New(problem.Conflict, "A successor is published already and signs from %s.", p.next.SignsFrom.Format(time.RFC3339))
	case p.last.ID != "":
		return problem.New(problem.Conflict, "The key before still proves connections, until %s. Retire it first if no other site needs it any more.",
			p.now.SignsFrom.Add(overlap).Format(time.RFC3339))
	}
	return nil
}

// Retire ends a key at once and on every cell: for one that somebody may have got
// hold of. If it signs, the published successor signs from now on, or a new key
// where there is none. No word of the retired key counts any more, also not about
// its successor: sites that have not seen that one announced must be associated
// again. Retiring a retired key changes nothing.
func (k *Keeper) Retire(ctx context.Context, by tenants.Caller, id string) (Info, error) {
	now := k.clock()
	sealed, key, err := links.NewRoot(k.c.Keys)
	if err != nil {
		return Info{}, err
	}
	instead := federation.Root{Sealed: sealed, CreatedAt: now, SignsFrom: now}
	if instead.ID, err = peer.Fingerprint(&key.PublicKey); err != nil {
		return Info{}, err
	}
	err = k.change(ctx, func(tx federation.Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		ring, err := k.read(tx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(ring.roots, func(r root) bool { return r.ID == id })
		if at < 0 {
			return problem.Hidden()
		}
		if !ring.roots[at].RetiredAt.IsZero() {
			return nil
		}
		return k.end(tx, by, ring.at(now), id, instead, now)
	})
	if err != nil {
		return Info{}, err
	}
	return k.one(id)
}

func (k *Keeper) end(tx federation.Tx, by tenants.Caller, p phase, id string, instead federation.Root, now time.Time) error {
	detail := map[string]string{"why": "by hand"}
	switch {
	case p.now.ID != id:
	case p.next.ID != "":
		if err := tx.AdvanceRoot(p.next.ID, now); err != nil {
			return err
		}
		detail["successor"] = p.next.ID
	default:
		if err := tx.CreateRoot(instead); err != nil {
			return err
		}
		if err := tx.Record(entry(by, now, journal.KeyCreated, instead.ID, map[string]string{"signsFrom": now.Format(time.RFC3339)})); err != nil {
			return err
		}
		detail["successor"] = instead.ID
	}
	if err := tx.RetireRoot(id, now); err != nil {
		return err
	}
	return tx.Record(entry(by, now, journal.KeyRetired, id, detail))
}

// read is the keys as they are in the transaction. The first key gets its row
// before it has a successor.
func (k *Keeper) read(tx federation.Tx) (*ring, error) {
	self, err := tx.Self()
	if err != nil {
		return nil, err
	}
	rows, err := tx.Roots()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		first, err := k.first(self)
		if err != nil {
			return nil, err
		}
		if err := tx.CreateRoot(first); err != nil {
			return nil, err
		}
		rows = append(rows, first)
	}
	list, err := k.open(self, rows, nil)
	return newRing(self.BundleSeq, list), err
}
