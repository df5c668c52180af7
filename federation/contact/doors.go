package contact

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// What a site may ask, all its cells together: heartbeats and questions come a
	// few in ten seconds, and a large directory is read in pages at once.
	perSecond = 20
	burst     = 300
	// maxHeld is how many questions for revocations a site may have open: one for
	// each of its cells.
	maxHeld = 64
	// What a site says of organizations may change rows of ours, each with an entry
	// in the journal: so many at once, so many for long. What is too much waits.
	writesPerSecond = 10
	writesAtOnce    = 1000
)

// doors bounds what each associated site asks. There are as many doors as
// associated sites ever asked: strangers do not get here.
type doors struct {
	mu   sync.Mutex
	each map[tenants.SiteID]*door
}

type door struct {
	rate   *rate.Limiter
	writes *rate.Limiter
	held   int
}

func (d *doors) of(site tenants.SiteID) *door {
	if d.each == nil {
		d.each = map[tenants.SiteID]*door{}
	}
	one := d.each[site]
	if one == nil {
		one = &door{rate: rate.NewLimiter(perSecond, burst), writes: rate.NewLimiter(writesPerSecond, writesAtOnce)}
		d.each[site] = one
	}
	return one
}

// pass spends one question.
func (d *doors) pass(site tenants.SiteID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.of(site).rate.Allow() {
		return problem.New(problem.TooManyRequests, "This site asks too often.").After(time.Second)
	}
	return nil
}

// enter keeps a place for a question that is held open.
func (d *doors) enter(site tenants.SiteID) (leave func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.of(site)
	if one.held >= maxHeld {
		return nil, problem.New(problem.TooManyRequests, "This site holds too many questions open.").After(time.Second)
	}
	one.held++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		one.held--
	}, nil
}

// mayWrite spends changes of rows that a site has caused.
func (d *doors) mayWrite(site tenants.SiteID, rows int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of(site).writes.AllowN(time.Now(), rows)
}

// close forgets a site that is associated no more.
func (d *doors) close(site tenants.SiteID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.each, site)
}
