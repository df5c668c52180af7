package refusal

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"causeway/ratelimit"
)

// Bounds of what refusals may cost, per cell.
const (
	// waiting is how many refusals of strangers wait to be written.
	waiting = 4096
	// together is how many are written by one statement.
	together = 256
	// anonymousRate and anonymousBurst bound, per second, how fast strangers fill
	// the table: with the usual retention it stays within gigabytes.
	anonymousRate, anonymousBurst = 50, 2000
	// principalRate bounds the rows of one principal, per minute. More would tell
	// nothing new and let anybody with a login fill the disk.
	principalRate = 6000
	// remembered is how many sources, and how many principals, are told apart.
	remembered = 16384
	// writeTimeout bounds one statement.
	writeTimeout = 10 * time.Second
)

// DefaultDeadline is how long an answer waits for its refusal to be durable.
const DefaultDeadline = 2 * time.Second

// Config wires a Recorder.
type Config struct {
	Store    Store
	Deadline time.Duration // zero is DefaultDeadline
	Now      func() time.Time
	Log      *slog.Logger
}

// Recorder writes refusals, those that come together with one statement.
type Recorder struct {
	c       Config
	urgent  chan job
	queue   chan Refusal
	quit    chan struct{}
	stopped chan struct{}
	once    sync.Once

	pace       *rate.Limiter
	sources    *window[throttled] // refusals by a limit: one per source, limit and minute
	principals *window[string]
	stats      stats
}

// throttled is a source that a limit refused.
type throttled struct {
	source netip.Prefix
	limit  ratelimit.Name
}

type job struct {
	refusal Refusal
	done    chan<- error
}

type stats struct{ stored, late, failed, dropped, repeated atomic.Uint64 }

// Stats are counters since the start.
type Stats struct {
	Stored   uint64 // written
	Late     uint64 // answered before they were written
	Failed   uint64 // could not be written
	Dropped  uint64 // strangers' in a flood
	Repeated uint64 // more of the same than is written
}

// NewRecorder starts to write; Stop ends it.
func NewRecorder(c Config) *Recorder {
	if c.Deadline == 0 {
		c.Deadline = DefaultDeadline
	}
	r := &Recorder{
		c: c, urgent: make(chan job), queue: make(chan Refusal, waiting), quit: make(chan struct{}), stopped: make(chan struct{}),
		pace: rate.NewLimiter(anonymousRate, anonymousBurst), sources: newWindow[throttled](1), principals: newWindow[string](principalRate),
	}
	go r.run()
	return r
}

// Stop writes what waits and ends the recorder. Nobody calls Record any more.
func (r *Recorder) Stop() {
	r.once.Do(func() { close(r.quit) })
	<-r.stopped
}

// Stats reads the counters.
func (r *Recorder) Stats() Stats {
	return Stats{
		Stored: r.stats.stored.Load(), Late: r.stats.late.Load(), Failed: r.stats.failed.Load(),
		Dropped: r.stats.dropped.Load(), Repeated: r.stats.repeated.Load(),
	}
}

// Record keeps an outcome. Where somebody was denied who proved who they are it
// returns when that is durable, or when the deadline is over: an audit trail
// that cannot be written must not hold up the refusal itself. ctx may have
// ended; the refusal happened all the same.
func (r *Recorder) Record(ctx context.Context, o Outcome) {
	switch o.Keeping() {
	case Queue:
		r.enqueue(o)
	case Durable:
		r.keep(context.WithoutCancel(ctx), o)
	}
}

// Note keeps what nobody needs to wait for.
func (r *Recorder) Note(refusal Refusal) {
	select {
	case r.queue <- refusal:
	default:
		r.stats.dropped.Add(1)
	}
}

func (r *Recorder) enqueue(o Outcome) {
	now := r.c.Now()
	if o.Principal.ID == "" {
		// First of all, for this is what a flood costs.
		if limit, ok := o.limit(); ok && !r.sources.allows(now, throttled{ratelimit.SourceOf(o.Address), limit.Name}) {
			r.stats.repeated.Add(1)
			return
		}
		if !r.pace.AllowN(now, 1) {
			r.stats.dropped.Add(1)
			return
		}
	}
	r.Note(o.Refusal())
}

func (r *Recorder) keep(ctx context.Context, o Outcome) {
	if !r.principals.allows(r.c.Now(), o.Principal.ID) {
		r.stats.repeated.Add(1)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.Deadline)
	defer cancel()
	done := make(chan error, 1)
	select {
	case r.urgent <- job{o.Refusal(), done}:
	case <-ctx.Done():
		r.stats.failed.Add(1)
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
		r.stats.late.Add(1)
	}
}
