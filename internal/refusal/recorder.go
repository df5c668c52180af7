package refusal

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"causeway/ratelimit"
	"causeway/tenants"
)

// Bounds of what refusals may cost, per cell.
const (
	// waiting is how many refusals wait to be written, of strangers and of others.
	waiting = 4096
	// together is how many are written by one statement.
	together = 256
	// remembered is how many sources, organizations and principals are told apart.
	remembered = 16384
	// writeTimeout bounds one statement.
	writeTimeout = 10 * time.Second
	// again is the pause before what could not be written is tried again.
	again = 250 * time.Millisecond
)

// DefaultDeadline is how long an answer waits for its refusal to be durable.
const DefaultDeadline = 2 * time.Second

// Config wires a Recorder.
type Config struct {
	Store    Store
	Deadline time.Duration // zero is DefaultDeadline
	Cells    func() int    // that share the site's bounds; nil is one
	Now      func() time.Time
	Log      *slog.Logger
}

// Recorder writes refusals, those that come together with one statement.
type Recorder struct {
	c       Config
	urgent  chan job // for which an answer waits, though not for ever
	queue   chan job
	open    atomic.Int64 // taken, and not yet written or given up
	quit    chan struct{}
	over    context.Context // ends when Stop waits no longer
	giveUp  context.CancelFunc
	stopped chan struct{}
	once    sync.Once

	sources        *window[throttled] // refusals by a limit: one per source, limit and minute
	known, strange budget
	noted          *share
	suppressed     tally
	stats          stats
}

// throttled is a source that a limit refused.
type throttled struct {
	source netip.Prefix
	limit  ratelimit.Name
}

type job struct {
	refusal Refusal
	done    chan<- struct{} // closed when it is settled; nil: nobody waits
}

type stats struct{ stored, late, failed, dropped, repeated, suppressed atomic.Uint64 }

// Stats are counters since the start.
type Stats struct {
	Stored     uint64 // written
	Late       uint64 // answered before they were written
	Failed     uint64 // never written: the database would not, or Stop waited no longer
	Dropped    uint64 // more than can wait to be written
	Repeated   uint64 // by a limit, more than one for each source and minute
	Suppressed uint64 // beyond the bounds: counted by a row
}

// NewRecorder starts to write; Stop ends it.
func NewRecorder(c Config) *Recorder {
	if c.Deadline == 0 {
		c.Deadline = DefaultDeadline
	}
	if c.Cells == nil {
		c.Cells = func() int { return 1 }
	}
	r := &Recorder{
		c: c, urgent: make(chan job, waiting), queue: make(chan job, waiting), quit: make(chan struct{}), stopped: make(chan struct{}),
		sources:    newWindow[throttled](1),
		known:      budget{newBuckets(perPrincipal, principalBurst), newBuckets(perOrg, orgBurst), newShare(allOrgs, allOrgsBurst)},
		strange:    budget{nil, newBuckets(perDoor, doorBurst), newShare(allStrangers, strangeBurst)},
		noted:      newShare(allNotes, notesBurst),
		suppressed: tally{byOrg: map[tenants.OrgID]*uncounted{}},
	}
	r.over, r.giveUp = context.WithCancel(context.Background())
	go r.run()
	return r
}

// Stop writes what waits and ends the recorder. When ctx is over first, what is
// left is lost and counted as failed. Nobody calls Record any more.
func (r *Recorder) Stop(ctx context.Context) {
	r.once.Do(func() {
		close(r.quit)
		select {
		case <-r.stopped:
		case <-ctx.Done():
		}
		r.giveUp()
		if left := r.open.Load(); left > 0 {
			r.stats.failed.Add(uint64(left))
			r.c.Log.Error("stopped before all refusals were written", "count", left)
		}
	})
}

// Stats reads the counters.
func (r *Recorder) Stats() Stats {
	return Stats{
		Stored: r.stats.stored.Load(), Late: r.stats.late.Load(), Failed: r.stats.failed.Load(),
		Dropped: r.stats.dropped.Load(), Repeated: r.stats.repeated.Load(), Suppressed: r.stats.suppressed.Load(),
	}
}

// Record keeps an outcome. Where somebody was denied who proved who they are it
// returns when that is durable, or when the deadline is over: an audit trail
// that cannot be written must not hold up the refusal itself. ctx may have
// ended; the refusal happened all the same.
func (r *Recorder) Record(ctx context.Context, o Outcome) {
	switch o.Keeping() {
	case Queue:
		r.later(o)
	case Durable:
		r.keep(context.WithoutCancel(ctx), &o)
	}
}

// Note keeps what a principal was refused elsewhere; nobody waits for it.
func (r *Recorder) Note(refusal Refusal) {
	row := func() Refusal { return refusal }
	if r.spend(r.known, refusal.At, spending{org: refusal.Org, principal: refusal.Actor.ID}, row) {
		r.enqueue(refusal.Org, row)
	}
}

// spend says whether a row is within the bounds, and counts it if it is not.
func (r *Recorder) spend(b budget, at time.Time, s spending, row func() Refusal) bool {
	if b.allows(r.c.Now(), s) {
		return true
	}
	r.stats.suppressed.Add(1)
	r.suppressed.add(s.org, at, row)
	return false
}

// later keeps what an answer does not wait for.
func (r *Recorder) later(o Outcome) {
	budget, who := r.known, spending{org: o.org(), principal: string(o.Principal.ID), routine: true}
	if who.principal == "" {
		// First of all, for this is what a flood costs.
		if limit, ok := o.limit(); ok && !r.sources.allows(r.c.Now(), throttled{ratelimit.SourceOf(o.Address), limit.Name}) {
			r.stats.repeated.Add(1)
			return
		}
		budget, who.routine = r.strange, false
	}
	if r.spend(budget, o.At, who, o.Refusal) {
		r.enqueue(who.org, o.Refusal)
	}
}

func (r *Recorder) enqueue(org tenants.OrgID, row func() Refusal) {
	one := row()
	r.open.Add(1)
	select {
	case r.queue <- job{refusal: one}:
	default:
		r.lose(org, one)
		r.stats.dropped.Add(1)
	}
}

// lose is for what cannot even wait: the trail tells that there was more.
func (r *Recorder) lose(org tenants.OrgID, one Refusal) {
	r.open.Add(-1)
	r.suppressed.add(org, one.At, func() Refusal { return one })
}

func (r *Recorder) keep(ctx context.Context, o *Outcome) {
	if !r.spend(r.known, o.At, spending{org: o.org(), principal: string(o.Principal.ID)}, o.Refusal) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.Deadline)
	defer cancel()
	done := make(chan struct{})
	one := job{o.Refusal(), done}
	r.open.Add(1)
	select {
	case r.urgent <- one:
	case <-ctx.Done():
		r.lose(one.refusal.Org, one.refusal)
		r.stats.failed.Add(1)
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
		r.stats.late.Add(1)
	}
}
