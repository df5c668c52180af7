package ratelimit

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Config is all a Limiter needs. The zero Config is valid.
type Config struct {
	// Limits override the defaults, bucket by bucket; see README.md.
	Limits Limits
	// MaxKeys bounds how many buckets are kept for each kind of each limit, by
	// default 65536, about 4 MB when full. Kept in 32 shards, each full at its
	// thirty-second part.
	MaxKeys int
	// Cells is how many live processes share the site's budgets, by default 1.
	// Site-wide buckets and UserCode are divided by it; other buckets are per
	// cell, because a client usually stays with one.
	Cells int
	// Now is the clock, by default time.Now. Update ignores it.
	Now func() time.Time
}

// Limiter decides. Its methods may be used by many goroutines at once.
type Limiter struct {
	now    func() time.Time
	start  time.Time
	seed   maphash.Seed
	known  *known
	limits map[Name]*limit // the map never changes, only what its tables hold

	reload sync.Mutex // one change of the numbers at a time; guards what follows
	config Config
	orgs   []OrgLimits
}

// limit is a shape with its tables.
type limit struct {
	*shape
	tables []*table
	own    atomic.Pointer[ownTables] // nil: no organization has any
	site   *site                     // nil: this limit has no such bucket
}

// New returns a Limiter with full buckets, or every fault of c.
func New(c Config) (*Limiter, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	l := &Limiter{now: c.Now, start: c.Now(), seed: maphash.MakeSeed(), known: newKnown(knownAccounts), limits: map[Name]*limit{}}
	for i := range shapes {
		l.limits[shapes[i].name] = newLimit(&shapes[i])
	}
	l.set(c)
	return l, nil
}

func newLimit(s *shape) *limit {
	lim := &limit{shape: s}
	for _, b := range s.buckets {
		if b.kind == SiteWide {
			lim.site = &site{}
			continue
		}
		lim.tables = append(lim.tables, newTable(b.kind, shardBits))
	}
	return lim
}

// Update changes the numbers and forgets nobody: buckets keep how many tokens
// were used, also when rate or burst change. With faults in c nothing changes.
// Calls under way may meet some tables before and some after the change. With
// a smaller MaxKeys a table shrinks as its buckets fall idle.
func (l *Limiter) Update(c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	l.reload.Lock()
	defer l.reload.Unlock()
	l.set(c)
	return nil
}

func (l *Limiter) set(c Config) {
	l.config = c
	all, cells, maxKeys := c.Limits.over(Defaults()), max(1, c.Cells), c.MaxKeys
	if maxKeys == 0 {
		maxKeys = defaultMaxKeys
	}
	now := l.clock()
	for name, lim := range l.limits {
		for _, t := range lim.tables {
			t.set(lim.part(all[name][t.kind], cells), lim.strict, maxKeys, now)
		}
		lim.setOwn(l.seed, l.orgs, cells, maxKeys, now)
		if lim.site != nil {
			lim.site.set(all[name][SiteWide].share(cells, false), l.instant(now))
		}
	}
}

// part is what a cell gives of a keyed bucket: all, unless the number is a promise.
func (lim *limit) part(b Budget, cells int) Budget {
	if lim.strict {
		return b.share(cells, true)
	}
	return b
}

// clock is nanoseconds since start, never negative: zero buckets are full.
func (l *Limiter) clock() int64 { return max(0, int64(l.now().Sub(l.start))) }

// instant is clock's reading for rate.Limiter.
func (l *Limiter) instant(now int64) time.Time { return l.start.Add(time.Duration(now)) }
