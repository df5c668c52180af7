package upkeep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"causeway/internal/cells"
	"causeway/internal/journal"
	"causeway/internal/pause"
	"causeway/internal/problem"
)

// Cursor is where a walk through a table stands: the key of the last row that
// was looked at. Nil is the beginning.
type Cursor []string

// Swept is what became of one batch.
type Swept struct {
	Removed int64
	Next    Cursor // nil when the end of the table was reached
}

// Table is walked from end to end, by its key.
type Table struct {
	Name string
	// Daily tables are long and what is removed of them is old: looking through
	// them once a day is enough.
	Daily bool
}

// CleanStore is where rows are removed.
type CleanStore interface {
	Leases
	// Tables are those to walk, in this order.
	Tables() []Table
	// Sweep looks at the next limit rows after a key and removes those that are
	// over and old. It takes a short transaction and never waits for long.
	Sweep(ctx context.Context, table string, b Before, after Cursor, limit int) (Swept, error)
	// AllowPurge moves the border up to which a log's events may be removed: to
	// the last that was sealed before a time. It says so in the journal.
	AllowPurge(ctx context.Context, l journal.Log, before, now time.Time) error
	ForgetCells(ctx context.Context, unseen time.Duration) (int64, error)
}

const (
	smallest, largest = 64, 1000 // rows of a batch
	// A batch that holds its rows longer than slow is too large for those who
	// wait behind it; one below fast may be larger.
	slow, fast = 20 * time.Millisecond, 5 * time.Millisecond
	// After a batch is paused for so many times of what it took. With longRest hardly
	// one request in two hundred meets the clean-up, so that not even the slowest in a
	// hundred tell of it. A run that is not over when the next should begin rests half
	// as long from then on, and so on down to shortRest: a tenth of one connection's
	// time, which more rows than a site can make are removed in.
	longRest, shortRest = 199, 9
	// longestRest is for a database that hardly answers.
	longestRest = 5 * time.Second

	cleanLease = time.Minute
	keepEvery  = 15 * time.Second
)

// Cleaner removes what is over.
type Cleaner struct {
	Store  CleanStore
	Holder string        // this cell
	Every  time.Duration // between two runs, and a tenth more or less
	Keep   Keep
	Now    func() time.Time
	Purged func(table string, rows int64) // told of each batch; may be nil
	Ran    func(took time.Duration)       // told of each run that was finished; may be nil
	Ahead  func(time.Duration)            // told how far Now is ahead of the database's clock; may be nil
	Log    *slog.Logger
}

// Run cleans up every Every until ctx ends.
func (c *Cleaner) Run(ctx context.Context) {
	for pause.For(ctx, c.Every*9/10+rand.N(c.Every/5)) {
		if err := c.Turn(ctx); err != nil && ctx.Err() == nil {
			c.Log.Warn("the clean-up was broken off and goes on later", "error", err)
		}
	}
}

// walk is how far a table has been walked.
type walk struct {
	After Cursor    `json:"after,omitempty"`
	Done  time.Time `json:"done"` // when the end was last reached
}

// run is one turn of this cell.
type run struct {
	*Cleaner
	clock    clock
	before   Before
	progress map[string]walk
	begun    time.Time
	kept     time.Time // when the lease was last renewed
	batch    int
	removed  map[string]int64
	lost     bool // the lease
}

// Turn walks every table whose turn it is, if this cell is the one that does. A
// run that is broken off goes on where it was, here or on another cell.
func (c *Cleaner) Turn(ctx context.Context) error {
	held, err := c.Store.Hold(ctx, c.lease(cleanLease, ""))
	if err != nil {
		return err
	}
	cell := c.Now()
	clock, err := held.compare(cell, c.Ahead)
	if !held.Ours {
		return err
	}
	if err != nil {
		c.giveBack(ctx, held.Progress) // to a cell whose clock is right
		return err
	}
	start := time.Now()
	r := &run{
		Cleaner: c, clock: clock, before: c.Keep.before(cell, held.Now), progress: map[string]walk{}, begun: start, kept: start,
		batch: smallest, removed: map[string]int64{},
	}
	_ = json.Unmarshal([]byte(held.Progress), &r.progress) // else from the beginning
	if r.progress == nil {
		r.progress = map[string]walk{}
	}
	err = r.all(ctx)
	c.giveBack(ctx, r.text())
	if err != nil {
		return err
	}
	took := time.Since(start)
	if c.Ran != nil {
		c.Ran(took)
	}
	attrs := []any{"took", took}
	for table, n := range r.removed {
		attrs = append(attrs, table, n)
	}
	c.Log.Info("cleaned up", attrs...)
	return nil
}

func (c *Cleaner) lease(d time.Duration, progress string) Lease {
	return Lease{Name: "clean-up", Holder: c.Holder, For: d, Progress: progress}
}

// giveBack frees the lease, also when ctx has ended; else it frees itself.
func (c *Cleaner) giveBack(ctx context.Context, progress string) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = c.Store.Keep(last, c.lease(0, progress))
}

func (r *run) text() string {
	text, _ := json.Marshal(r.progress) // strings and times
	return string(text)
}

// all goes on after what fails, unless that is for the whole run: what ails one
// table is no reason to keep the rows of the others.
func (r *run) all(ctx context.Context) error {
	var errs []error
	for _, l := range journal.Logs() {
		errs = append(errs, r.Store.AllowPurge(ctx, l, r.before.Events, r.clock.now()))
	}
	for _, t := range r.Store.Tables() {
		w := r.progress[t.Name]
		if since := r.clock.now().Sub(w.Done); w.After == nil && since >= 0 && since < r.often(t) {
			continue
		}
		if err := r.table(ctx, t.Name, w); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Name, err))
		}
		if ctx.Err() != nil || r.lost {
			return errors.Join(errs...)
		}
	}
	n, err := r.Store.ForgetCells(ctx, cells.Forgotten)
	r.count("cells", n)
	return errors.Join(append(errs, err)...)
}

// often is how long after a walk the next one is due. It is for all cells
// together, each of which has a clock of its own for its turns.
func (r *run) often(t Table) time.Duration {
	if t.Daily {
		return 24 * time.Hour
	}
	return r.Every * 8 / 10
}

// table walks one table to its end, with pauses.
func (r *run) table(ctx context.Context, name string, w walk) error {
	for {
		start := time.Now()
		swept, err := r.Store.Sweep(ctx, name, r.before, w.After, r.batch)
		if err != nil {
			r.forget(ctx, name, w, err)
			return err
		}
		took := time.Since(start)
		r.count(name, swept.Removed)
		if w.After = swept.Next; w.After == nil {
			w.Done = r.clock.now()
		}
		r.progress[name] = w
		r.resize(took)
		if !pause.For(ctx, min(r.rest()*took, longestRest)) {
			return ctx.Err()
		}
		if err := r.keep(ctx); err != nil || w.After == nil {
			return err
		}
	}
}

// forget lets a walk begin anew that cannot go on where it stands: another version
// may have left the cursor, for another key. One that the database could not
// answer goes on.
func (r *run) forget(ctx context.Context, name string, w walk, err error) {
	if w.After == nil || ctx.Err() != nil || problem.Has(err, problem.Unavailable) {
		return
	}
	w.After = nil
	r.progress[name] = w
}

func (r *run) count(table string, n int64) {
	if n > 0 {
		r.removed[table] += n
		if r.Purged != nil {
			r.Purged(table, n)
		}
	}
}

// resize makes the next batch smaller after a slow one, and larger after a fast one.
func (r *run) resize(took time.Duration) {
	switch {
	case took > slow:
		r.batch = max(smallest, r.batch/2)
	case took < fast:
		r.batch = min(largest, r.batch*2)
	}
}

// rest is how many times of what a batch took is paused after it.
func (r *run) rest() time.Duration {
	late := min(time.Since(r.begun)/r.Every, 8)
	return max(time.Duration(longRest)>>late, shortRest)
}

// keep renews the lease, with the progress, once in a while.
func (r *run) keep(ctx context.Context) error {
	if time.Since(r.kept) < keepEvery {
		return nil
	}
	held, err := r.Store.Keep(ctx, r.lease(cleanLease, r.text()))
	r.kept = time.Now()
	if r.lost = err == nil && !held; r.lost {
		return errLost
	}
	return err
}
