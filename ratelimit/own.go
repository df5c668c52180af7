package ratelimit

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
)

// OrgLimits are the budgets that one organization has of its own instead of the
// site's. Only buckets that belong to an organization or its accounts can be: what
// strangers share is the site's to protect.
type OrgLimits struct {
	// ID is the organization for whoever is authenticated, Name as a stranger names
	// it: the keys that callers make an [Org] of.
	ID, Name string
	Limits   Limits
}

// ownTables are the tables of a limit for each organization with budgets of its
// own, by the hash of its key: the site's, but for the kinds that it has itself.
type ownTables map[uint64][]*table

// OwnBucket is a bucket that an organization may have of its own.
type OwnBucket struct {
	Name Name
	Kind Kind
}

// OwnBuckets lists them, always in the same order.
func OwnBuckets() (all []OwnBucket) {
	for _, s := range shapes {
		for _, b := range s.buckets {
			if b.own {
				all = append(all, OwnBucket{s.name, b.kind})
			}
		}
	}
	return all
}

// Budget is what the site gives a bucket, before cells divide it.
func (l *Limiter) Budget(b OwnBucket) Budget {
	l.reload.Lock()
	defer l.reload.Unlock()
	return l.config.Limits.over(Defaults())[b.Name][b.Kind]
}

// ValidateOrg reports every fault of the budgets that an organization is to have,
// beside the site's as they are now.
func (l *Limiter) ValidateOrg(own Limits) error {
	l.reload.Lock()
	site := l.config.Limits
	l.reload.Unlock()
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	may := OwnBuckets()
	for _, name := range sorted(own) {
		for _, kind := range sorted(own[name]) {
			switch {
			case !slices.Contains(may, OwnBucket{name, kind}):
				fault("%s: %s: an organization has no such limit of its own", name, kind)
			case own[name][kind].off():
				fault("%s: %s: it cannot be switched off for one organization", name, kind)
			}
		}
	}
	all := own.over(site.over(Defaults()))
	for _, s := range shapes {
		if _, ok := own[s.name]; ok {
			s.validate(all[s.name], func(format string, args ...any) {
				fault("%s: "+format, append([]any{s.name}, args...)...)
			})
		}
	}
	return errors.Join(faults...)
}

// SetOrgs replaces the budgets of all organizations that have their own. One that
// had some before keeps what its buckets know; the first ones begin full. Budgets
// that could never be set are left out.
func (l *Limiter) SetOrgs(orgs []OrgLimits) {
	l.reload.Lock()
	defer l.reload.Unlock()
	l.orgs = orgs
	l.set(l.config)
}

// OwnOrgs is how many organizations have budgets of their own.
func (l *Limiter) OwnOrgs() int {
	l.reload.Lock()
	defer l.reload.Unlock()
	return len(l.orgs)
}

// setOwn makes the tables of organizations anew, around the buckets they keep. All
// organizations together have as much room for accounts as everybody else.
func (lim *limit) setOwn(seed maphash.Seed, orgs []OrgLimits, cells, maxKeys int, now int64) {
	before, next := lim.own.Load(), ownTables{}
	for _, o := range orgs {
		key := o.ID
		if lim.needs&partOrg == 0 { // whoever asks is a stranger
			key = o.Name
		}
		hash := maphash.String(seed, key)
		if tables := lim.tablesOf(o.Limits[lim.name], before.get(hash)); tables != nil {
			next[hash] = tables
		}
		for i, t := range next[hash] {
			if t != lim.tables[i] {
				t.set(lim.part(o.Limits[lim.name][t.kind], cells), lim.strict, max(minOwnKeys, maxKeys/len(orgs)), now)
			}
		}
	}
	if lim.own.Store(&next); len(next) == 0 {
		lim.own.Store(nil) // most sites: a call costs nothing more
	}
	lim.bury(before, next)
}

// MaxOwnOrgs is how many organizations can have budgets of their own. Whoever sets
// them counts; each has a few kilobytes in every cell.
const MaxOwnOrgs = 1000

// minOwnKeys is how many accounts of an organization have buckets at least.
const minOwnKeys = 64

// tablesOf are the limit's tables with those that own has a budget for replaced,
// by those it had before where there are any. Without one it is nil.
func (lim *limit) tablesOf(own map[Kind]Budget, before []*table) []*table {
	var tables []*table
	for i, t := range lim.tables {
		j := slices.IndexFunc(lim.buckets, func(b bucketShape) bool { return b.kind == t.kind })
		b, ok := own[t.kind]
		if !ok || !lim.buckets[j].own || b.off() || len(lim.buckets[j].refuses(b, lim.strict)) > 0 {
			continue
		}
		if tables == nil {
			tables = slices.Clone(lim.tables)
		}
		if tables[i] = newTable(t.kind, 0); before != nil && before[i] != t {
			tables[i] = before[i]
		}
	}
	return tables
}

// bury keeps the counts of tables that are no more: counters never fall.
func (lim *limit) bury(before *ownTables, next ownTables) {
	if before == nil {
		return
	}
	for hash, tables := range *before {
		for i, t := range tables {
			if t != lim.tables[i] && (next[hash] == nil || next[hash][i] != t) {
				lim.tables[i].inherit(t)
			}
		}
	}
}

func (t *table) inherit(from *table) {
	for i := range from.shards {
		from.shards[i].mu.Lock()
		gone := from.shards[i].tally
		from.shards[i].mu.Unlock()
		t.shards[0].mu.Lock()
		t.shards[0].tally.add(gone)
		t.shards[0].mu.Unlock()
	}
}

func (o *ownTables) get(hash uint64) []*table {
	if o == nil {
		return nil
	}
	return (*o)[hash]
}

// tablesFor are the tables that judge a call of the organization in m.
func (lim *limit) tablesFor(m *marks) []*table {
	if m.has&partOrg != 0 {
		if own := lim.own.Load().get(m.org); own != nil {
			return own
		}
	}
	return lim.tables
}
