package cells

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// every is how often a cell says that it is there.
	every = time.Second
	// missed is how many times it may fail to and still counts: a beat that comes
	// late by its commit must not give every cell the budgets of the site.
	missed = 3
)

// Config says who we are and whom to tell.
type Config struct {
	Store Store
	Self  Cell
	// Applied is how far this cell has followed the journal.
	Applied func() int64
	// Stale is journal.stale_after: after so long without the database a cell
	// refuses by itself, and here it stops counting as one that serves; after three
	// seconds at the earliest.
	Stale time.Duration
	// Changed is told when the number of live cells changes, this one included, or
	// its rank, from the goroutine of Run; nil tells nobody.
	Changed func(live int)
	Log     *slog.Logger // nil logs nothing
}

// Registry is this cell's place among the cells of the site.
type Registry struct {
	Config

	mu      sync.Mutex
	live    int
	rank    int
	samples []sample // of Applied, the oldest first
	failing bool
}

type sample struct {
	at      time.Time
	applied int64
}

// New makes a registry; nobody knows of this cell before Beat or Run.
func New(c Config) *Registry {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{Config: c, live: 1}
}

// Run beats every second until ctx ends.
func (r *Registry) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			limited, cancel := context.WithTimeout(ctx, r.Stale)
			err := r.Beat(limited)
			cancel()
			if ctx.Err() == nil {
				r.report(err)
			}
		}
	}
}

func (r *Registry) report(err error) {
	if err != nil && !r.failing {
		r.Log.Warn("cannot say that this cell is there", "error", err)
	}
	r.failing = err != nil
}

// Beat says once that this cell is there, and counts who else is. When it fails,
// the last count stands.
func (r *Registry) Beat(ctx context.Context) error {
	self := r.Self
	self.Applied = r.Applied()
	r.sample(self.Applied, time.Now())
	if err := r.Store.Beat(ctx, self); err != nil {
		return err
	}
	all, err := r.Store.Cells(ctx)
	if err != nil {
		return err
	}
	r.count(all)
	return nil
}

func (r *Registry) count(all []Cell) {
	live, rank := 0, 0
	for _, c := range all {
		if c.Unseen > max(r.Stale, missed*every) {
			continue
		}
		live++
		if c.before(r.Self) {
			rank++
		}
	}
	live = max(live, 1) // ourselves
	r.mu.Lock()
	changed := live != r.live || rank != r.rank
	r.live, r.rank = live, rank
	r.mu.Unlock()
	if changed && r.Changed != nil {
		r.Changed(live)
	}
}

// Leave takes this cell's row away.
func (r *Registry) Leave(ctx context.Context) error { return r.Store.Leave(ctx, r.Self.ID) }

// Live is how many cells served at the last beat, this one included. It costs
// nothing, and is never below one. A budget of the site that is divided by it is
// kept by all cells together but for the seconds after one comes or goes.
func (r *Registry) Live() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// Rank is this cell's place among those that served at the last beat: 0 for the
// one that has run longest. Whoever starts comes last, so that a rolling restart
// moves each task once. Cells may disagree for seconds after one comes or goes.
func (r *Registry) Rank() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rank
}

// before orders cells alike for all of them, whatever their clocks say.
func (c Cell) before(other Cell) bool {
	if c.StartedAt.Equal(other.StartedAt) {
		return c.ID < other.ID
	}
	return c.StartedAt.Before(other.StartedAt)
}

// Cells are all that have not left, as they say now; this one's own row is not
// a second old but current.
func (r *Registry) Cells(ctx context.Context) ([]Cell, error) {
	all, err := r.Store.Cells(ctx)
	for i := range all {
		if all[i].ID == r.Self.ID {
			all[i].Applied, all[i].Unseen = r.Applied(), 0
		}
	}
	return all, err
}

// sample remembers how far this cell was.
func (r *Registry) sample(applied int64, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, sample{now, applied})
	r.settle(now)
}

// settle drops the samples that a newer one, old enough, stands for.
func (r *Registry) settle(now time.Time) {
	for len(r.samples) > 1 && now.Sub(r.samples[1].at) > r.Stale {
		r.samples = r.samples[1:]
	}
}

// Settled is a journal sequence that no cell can be ignorant of and serve: this
// one had applied it more than Stale ago, so it was committed by then, and whoever
// has not read the journal since refuses. No clock but ours is in it.
func (r *Registry) Settled() int64 {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle(now)
	if len(r.samples) == 0 || now.Sub(r.samples[0].at) <= r.Stale {
		return 0
	}
	return r.samples[0].applied
}
