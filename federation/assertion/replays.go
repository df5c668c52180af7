package assertion

import (
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
// it could then replay.
type replays struct {
	perSite, total int

	mu     sync.Mutex
	seen   map[replay]struct{}
	queue  []entry // oldest first, from head
	head   int
	bySite map[tenants.SiteID]int
}

// replay is keyed by site: one site's identifiers cannot use up another's.
type replay struct {
	site tenants.SiteID
	id   string
}

type entry struct {
	replay
	until time.Time
}

func newReplays(perSite, total int) *replays {
	return &replays{perSite: perSite, total: total, seen: map[replay]struct{}{}, bySite: map[tenants.SiteID]int{}}
}

// add remembers id, or says why its assertion must be refused.
func (r *replays) add(site tenants.SiteID, id string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	key := replay{site, id}
	if _, ok := r.seen[key]; ok {
		return refused(ErrReplayed)
	}
	if r.bySite[site] >= r.perSite || len(r.seen) >= r.total {
		return problem.Wrap(ErrFull, problem.Unavailable, "This site is busy with requests from other sites.").After(time.Second)
	}
	r.seen[key] = struct{}{}
	r.bySite[site]++
	r.queue = append(r.queue, entry{key, now.Add(remembered)})
	return nil
}

func (r *replays) expire(now time.Time) {
	for r.head < len(r.queue) && !r.queue[r.head].until.After(now) {
		e := r.queue[r.head]
		r.queue[r.head] = entry{}
		r.head++
		delete(r.seen, e.replay)
		if r.bySite[e.site]--; r.bySite[e.site] == 0 {
			delete(r.bySite, e.site)
		}
	}
	// Move the live part down once half is dead: each entry moves once on average.
	if r.head > len(r.queue)/2 {
		r.queue = append(r.queue[:0], r.queue[r.head:]...)
		r.head = 0
	}
}
