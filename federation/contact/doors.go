package contact

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// What a site may ask, all its cells together: questions come a few in ten
	// seconds, and a large directory is read in pages at once.
	perSecond = 20
	burst     = 300
	// Heartbeats count apart: a site that has asked too much is there all the same.
	beatsPerSecond = 5
	beatsBurst     = 100
	// maxHeld is how many questions for revocations a site may have open: one for
	// each of its cells.
	maxHeld = 64
	// What a site says of organizations may change rows of ours, each with an entry
	// in the journal: so many at once, so many for long. What is too much waits.
	writesPerSecond = 10
	writesAtOnce    = 1000
	// What a site's association becomes is written, told to every cell, and has each
	// read all associations anew. An honest site comes back once in an outage.
	turnEvery  = 15 * time.Second
	turnsBurst = 20
	// A site's whole directory is large; a site alone is a reason to read it so often,
	// and once more where that failed.
	wholeEvery = 30 * time.Second
	wholeBurst = 2
)

// doors bounds what each associated site asks. There are as many doors as
// associated sites ever asked: strangers do not get here.
type doors struct {
	mu   sync.Mutex
	each map[tenants.SiteID]*door
}

type door struct {
	rate   *rate.Limiter
	beats  *rate.Limiter
	writes *rate.Limiter
	turns  *rate.Limiter
	wholes *rate.Limiter
	held   int
}

func (d *doors) of(site tenants.SiteID) *door {
	if d.each == nil {
		d.each = map[tenants.SiteID]*door{}
	}
	one := d.each[site]
	if one == nil {
		one = &door{
			rate: rate.NewLimiter(perSecond, burst), beats: rate.NewLimiter(beatsPerSecond, beatsBurst), writes: rate.NewLimiter(writesPerSecond, writesAtOnce),
			turns: rate.NewLimiter(rate.Every(turnEvery), turnsBurst), wholes: rate.NewLimiter(rate.Every(wholeEvery), wholeBurst),
		}
		d.each[site] = one
	}
	return one
}

// pass spends one question, and passBeat one heartbeat.
func (d *doors) pass(site tenants.SiteID) error {
	return d.spend(site, func(d *door) *rate.Limiter { return d.rate })
}

func (d *doors) passBeat(site tenants.SiteID) error {
	return d.spend(site, func(d *door) *rate.Limiter { return d.beats })
}

func (d *doors) spend(site tenants.SiteID, of func(*door) *rate.Limiter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !of(d.of(site)).Allow() {
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

// mayTurn spends a change of the association's own status that a site has caused.
func (d *doors) mayTurn(site tenants.SiteID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of(site).turns.Allow()
}

// mayReadWhole spends a reading of a site's whole directory.
func (d *doors) mayReadWhole(site tenants.SiteID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of(site).wholes.Allow()
}

// close forgets a site that is associated no more.
func (d *doors) close(site tenants.SiteID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.each, site)
}
