package refusal

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"causeway/tenants"
)

// How much of the disk refusals may take (docs/adr/0014-bounded-refusals.md): a
// burst, which shows an incident in full, and then a rate at which even 90 days
// of flood stay within a few gigabytes. Rates are per second. Those of all
// together are the site's, and its live cells share them.
const (
	perPrincipal, principalBurst = 1. / 60, 500
	perOrg, orgBurst             = 3. / 60, 2000
	allOrgs, allOrgsBurst        = .5, 20000
	// Of strangers, by the organization at whose door they stand.
	perDoor, doorBurst         = 3. / 60, 1000
	allStrangers, strangeBurst = .25, 2000
	// Of the rows that count what was suppressed.
	allNotes, notesBurst = .1, 500
)

// spending is who pays for a row. The organization alone does for strangers.
type spending struct {
	org       tenants.OrgID
	principal string
	// routine is what was no denial: it leaves half of the burst, so that nobody
	// hides what they were denied behind what does not exist.
	routine bool
}

// budget bounds rows: of one principal before those of their organization, and
// these before all, so that whoever floods uses up no more than their own.
type budget struct {
	principals, orgs *buckets
	all              *share
}

func (b budget) allows(now time.Time, s spending) bool {
	return (s.principal == "" || b.principals.allows(now, s.principal, s.routine)) &&
		b.orgs.allows(now, string(s.org), s.routine) && b.all.AllowN(now, 1)
}

// share is a rate that live cells share.
type share struct {
	*rate.Limiter
	whole rate.Limit
}

func newShare(whole rate.Limit, burst int) *share {
	return &share{rate.NewLimiter(whole, burst), whole}
}

func (s *share) among(now time.Time, cells int) {
	s.SetLimitAt(now, s.whole/rate.Limit(max(1, cells)))
}

// buckets are token buckets by key, in fixed memory.
type buckets struct {
	limit rate.Limit
	burst int

	mu    sync.Mutex
	known map[string]*rate.Limiter
	swept time.Time
}

func newBuckets(limit rate.Limit, burst int) *buckets {
	return &buckets{limit: limit, burst: burst, known: map[string]*rate.Limiter{}}
}

func (b *buckets) allows(now time.Time, key string, routine bool) bool {
	l := b.of(now, key)
	if routine && l.TokensAt(now) <= float64(b.burst/2) {
		return false
	}
	return l.AllowN(now, 1)
}

// of finds a bucket. Full ones are forgotten, for they say nothing; when there is
// still no room, new keys share one.
func (b *buckets) of(now time.Time, key string) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.known[key]
	if l == nil && len(b.known) >= remembered {
		b.sweep(now)
		if len(b.known) >= remembered {
			key = ""
			l = b.known[key]
		}
	}
	if l == nil {
		l = rate.NewLimiter(b.limit, b.burst)
		b.known[key] = l
	}
	return l
}

func (b *buckets) sweep(now time.Time) {
	if since := now.Sub(b.swept); since >= 0 && since < noteEvery {
		return
	}
	b.swept = now
	for key, l := range b.known {
		if l.TokensAt(now) >= float64(b.burst) {
			delete(b.known, key)
		}
	}
}
