package ratelimit

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
	"time"

	"causeway/internal/problem"
)

// Quota is what a principal, or all principals of an organization together, may
// use of service instances. A zero number is no limit.
type Quota struct {
	Requests    int64
	RequestsPer time.Duration
	// Concurrent is how many requests may be under way at once.
	Concurrent int64
	// Bytes pass in both directions. They are known only as they pass, so the
	// transfer that exceeds the quota is finished and the next is refused.
	Bytes    int64
	BytesPer time.Duration
}

// Off reports whether q limits nothing.
func (q Quota) Off() bool { return q.Requests <= 0 && q.Concurrent <= 0 && q.Bytes <= 0 }

// Claim says whose quota a request uses: an [Account]'s or an [Org]'s.
type Claim struct {
	Key   Key
	Quota Quota
	// Org is the [Org] of the account. The counters of an organization and of all
	// its accounts have a part of the table, see [Quotas].
	Org Key
}

// owner is whose part of the table the claim's counters take.
func (c *Claim) owner() Key {
	if c.Key.part == partOrg {
		return c.Key
	}
	return c.Org
}

// QuotaConfig is all that Quotas need. The zero QuotaConfig is valid.
type QuotaConfig struct {
	// MaxKeys bounds how many counters are kept, by default 131072, about 25 MB
	// when full. A key has one for each number of its quota. Kept in 32 shards,
	// each full at its thirty-second part.
	MaxKeys int
	// Cells is how many live processes share each quota, by default 1. A cell
	// knows only its own counters, so it hands out its part, rounded down, and
	// the cells together never give more than the quota has. Less than one of
	// anything would be nothing, hence at least one per cell.
	Cells int
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	defaultMaxCounters = 1 << 17
	// orgParts is how many organizations fill the table at least.
	orgParts = 4
)

// Quotas counts what is used of quotas, in this process. No window of a
// quota's length, wherever it begins, has more requests than the quota; what
// was used comes back a window later at the earliest and a seventh of the
// window after that at the latest.
//
// Only who has a quota is counted, and a counter that says something is never
// forgotten: nobody's counters give way to somebody else's. So that one
// organization with many accounts leaves room for all others, the counters of
// each have at most a quarter of a shard. When there is no
// room for another, the request is refused and the client told to try again
// (503): an administrator who set a quota relies on it, so a request that
// cannot be counted does not pass, and one bucket for all newcomers would let
// strangers use up each other's quotas. Its methods may be used by many
// goroutines at once.
type Quotas struct {
	now    func() time.Time
	start  time.Time
	seed   maphash.Seed
	cells  atomic.Int64
	shards [shardCount]quotaShard
}

// NewQuotas returns Quotas of which nothing is used.
func NewQuotas(c QuotaConfig) *Quotas {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxKeys == 0 {
		c.MaxKeys = defaultMaxCounters
	}
	q := &Quotas{now: c.Now, start: c.Now(), seed: maphash.MakeSeed()}
	q.SetCells(c.Cells)
	for i := range q.shards {
		q.shards[i].max = int32(max(1, c.MaxKeys/shardCount))
		q.shards[i].part = max(int32(len(resources)), q.shards[i].max/orgParts)
		q.shards[i].counters = map[counterID]*counter{}
		q.shards[i].owners = map[uint64]int32{}
	}
	return q
}

// SetCells changes QuotaConfig.Cells: a cell has come or gone. What was used stays
// used.
func (q *Quotas) SetCells(n int) { q.cells.Store(int64(max(1, n))) }

// Begin counts a request against every claim, or against none if one of them
// refuses: problem.TooManyRequests with the time until the same request would
// pass if nobody else called. How long a request under way will take nobody
// knows; then the time is a second. Without a claim that limits anything the
// answer is nil, on which Count and Done do nothing.
func (q *Quotas) Begin(claims ...Claim) (*Use, error) {
	if off(claims) {
		return nil, nil
	}
	u := &Use{quotas: q, held: make([]held, 0, len(claims)*len(resources))}
	set := q.shardsOf(claims)
	q.lock(set)
	defer q.unlock(set)
	now := q.clock()
	if err := u.hold(claims, now); err != nil {
		u.release()
		return nil, err
	}
	if err := u.judge(now); err != nil {
		u.release()
		return nil, err
	}
	q.shard(u.held[0].id.hash).allowed++
	for _, h := range u.held {
		if h.id.what == requests {
			h.window.add(h.id.slot(), now, 1)
		}
	}
	return u, nil
}

func off(claims []Claim) bool {
	for i := range claims {
		if !claims[i].Quota.Off() {
			return false
		}
	}
	return true
}

func (q *Quotas) clock() int64 { return max(0, int64(q.now().Sub(q.start))) }

// hash keeps an account and an organization of one name apart.
func (q *Quotas) hash(k Key) uint64 {
	return pair(q.seed, maphash.String(q.seed, k.id), uint64(k.part))
}

func (q *Quotas) shard(hash uint64) *quotaShard { return &q.shards[hash>>(64-shardBits)] }

// shardsOf is the set of shards that the claims count in, a bit for each.
func (q *Quotas) shardsOf(claims []Claim) (set uint32) {
	for i := range claims {
		if !claims[i].Quota.Off() {
			set |= 1 << (q.hash(claims[i].Key) >> (64 - shardBits))
		}
	}
	return set
}

// lock takes the locks of a set, lower ones first, so that two requests cannot
// wait for each other.
func (q *Quotas) lock(set uint32) {
	for ; set != 0; set &= set - 1 {
		q.shards[bits.TrailingZeros32(set)].mu.Lock()
	}
}

func (q *Quotas) unlock(set uint32) {
	for ; set != 0; set &= set - 1 {
		q.shards[bits.TrailingZeros32(set)].mu.Unlock()
	}
}

// share is this cell's part of a number.
func (q *Quotas) share(n int64) int64 { return max(1, n/q.cells.Load()) }

// QuotaStat is what quotas have done since the start.
type QuotaStat struct {
	Allowed, Refused uint64
	// Full counts requests refused because there was no room to count them:
	// above zero, MaxKeys is too small, or an organization has too many accounts
	// with quotas for its part.
	Full uint64
	// Keys is how many counters are kept now, idle ones included.
	Keys int
}

// Stats adds up all shards.
func (q *Quotas) Stats() (st QuotaStat) {
	for i := range q.shards {
		s := &q.shards[i]
		s.mu.Lock()
		st.Allowed, st.Refused, st.Full = st.Allowed+s.allowed, st.Refused+s.refused, st.Full+s.full
		st.Keys += len(s.counters)
		s.mu.Unlock()
	}
	return st
}

// full says that a request cannot be counted.
func full(wait time.Duration) error {
	return problem.New(problem.Unavailable, "The site has no room to count the request against its quota.").
		After(min(max(wait, time.Second), time.Minute))
}
