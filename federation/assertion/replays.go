package assertion

import (
	"strings"
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// remembered is the longest two uses of one assertion can both be in time: it
// may be accepted from leeway before its issue to lifetime + leeway after.
const remembered = lifetime + 2*leeway

// replays remembers identifiers of accepted assertions, in the order in which
// they can be forgotten. It never forgets early to make room: whoever could fill
// it could then replay. An identifier takes about 60 bytes, and nothing of the
// request that it came in.
type replays struct {
	perSite, total int

	mu    sync.Mutex
	seen  map[replay]struct{}
	queue []entry // oldest first, from head
	head  int
	sites map[tenants.SiteID]uint32 // by what they are called here
	held  []int                     // of each site
}

// replay is keyed by site: one site's identifiers cannot use up another's.
type replay struct {
	site uint32
	id   [idSize]byte
}

type entry struct {
	until int64 // Unix nanoseconds
	replay
}

func newReplays(perSite, total int) *replays {
	return &replays{perSite: perSite, total: total, seen: map[replay]struct{}{}, sites: map[tenants.SiteID]uint32{}}
}

// add remembers id, or says why its assertion must be refused.
func (r *replays) add(site tenants.SiteID, id string, now time.Time) error {
	key := replay{}
	if !decode(key.id[:], id) {
		return refused(ErrMalformed)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	key.site = r.called(site)
	if _, ok := r.seen[key]; ok {
		return refused(ErrReplayed)
	}
	if r.held[key.site] >= r.perSite || len(r.seen) >= r.total {
		return problem.Wrap(ErrFull, problem.Unavailable, "This site is busy with requests from other sites.").After(time.Second)
	}
	r.seen[key] = struct{}{}
	r.held[key.site]++
	r.queue = append(r.queue, entry{now.Add(remembered).UnixNano(), key})
	return nil
}

// called is a site's number. Only associated ones get here, so there are few.
func (r *replays) called(site tenants.SiteID) uint32 {
	n, known := r.sites[site]
	if !known {
		n = uint32(len(r.held)) // #nosec G115 -- sites are few
		r.sites[tenants.SiteID(strings.Clone(string(site)))] = n
		r.held = append(r.held, 0)
	}
	return n
}

func (r *replays) expire(now time.Time) {
	for at := now.UnixNano(); r.head < len(r.queue) && r.queue[r.head].until <= at; r.head++ {
		e := r.queue[r.head]
		delete(r.seen, e.replay)
		r.held[e.site]--
	}
	// Move the live part down once half is dead: each entry moves once on average.
	if r.head > len(r.queue)/2 {
		r.queue = append(r.queue[:0], r.queue[r.head:]...)
		r.head = 0
	}
}
