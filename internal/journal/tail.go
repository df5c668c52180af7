package journal

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/tracing"
)

// Source is where the journal is read.
type Source interface {
	// Head is the sequence of the last committed row, 0 when there is none.
	Head(ctx context.Context) (int64, error)
	// After returns up to limit rows that follow seq, in order.
	After(ctx context.Context, seq int64, limit int) ([]Row, error)
}

// Follower forgets what a row makes untrue. Both methods are called from one
// goroutine, must not block, and must not write to the journal.
type Follower interface {
	Apply(Row)
	// Flush forgets everything: rows may have been missed.
	Flush()
}

// ErrNotFollowing is what waiting for a tail ends with that does not run or has
// lost the database: it promises nothing then, see [Tail.Fresh].
var ErrNotFollowing = errors.New("the journal is not being followed")

// batch is how many rows one read takes.
const batch = 500

// hintPause lies between two polls that hints cause: whoever forges them, or
// writes very much, makes a cell read 50 times a second and no more.
const hintPause = 20 * time.Millisecond

// TailConfig says what to follow and whom to tell.
type TailConfig struct {
	Source    Source
	Followers []Follower
	// Interval between polls, at most half of Stale; zero is 250 ms. It bounds how
	// long a change made on another cell goes unnoticed when no hint arrives.
	Interval time.Duration
	// Stale is how long the last successful poll may lie back before the cell
	// must refuse; zero is 5 s.
	Stale time.Duration
	Now   func() time.Time // nil is time.Now
	Log   *slog.Logger     // nil logs nothing
	// Tracer has a trace for each poll that found rows; it may be nil.
	Tracer *tracing.Tracer
}

// Tail reads the journal as it grows and tells the followers in order.
type Tail struct {
	TailConfig
	wake    chan struct{}
	hint    chan struct{}
	hinted  atomic.Int64
	polled  atomic.Pointer[time.Time] // start of the last successful poll; nil until the first
	mu      sync.Mutex
	applied int64
	moved   chan struct{} // closed when applied changes or running ends
	running bool
	stop    context.CancelFunc
	stopped chan struct{}
	// Of the polling goroutine alone:
	last    []byte // hash of the last applied row; nil when unknown
	failing bool
}

// New makes a tail; it follows nothing before Run or Start.
func New(c TailConfig) (*Tail, error) {
	if c.Source == nil {
		return nil, errors.New("journal: a tail needs a source")
	}
	if c.Interval <= 0 {
		c.Interval = 250 * time.Millisecond
	}
	if c.Stale <= 0 {
		c.Stale = 5 * time.Second
	}
	if c.Interval > c.Stale/2 {
		return nil, errors.New("journal: a tail must poll at least twice in the time after which it is stale")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Tail{TailConfig: c, wake: make(chan struct{}, 1), hint: make(chan struct{}, 1), moved: make(chan struct{})}, nil
}

// Start runs the tail in a goroutine of its own until Stop.
func (t *Tail) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	t.stop, t.stopped = cancel, make(chan struct{})
	t.setRunning(true)
	go func() {
		defer close(t.stopped)
		t.Run(ctx)
	}()
}

// Stop ends what Start began and waits for it.
func (t *Tail) Stop() {
	if t.stop != nil {
		t.stop()
		<-t.stopped
	}
}

// Run follows the journal until ctx ends.
func (t *Tail) Run(ctx context.Context) {
	t.setRunning(true)
	defer t.setRunning(false)
	tick := time.NewTicker(t.Interval)
	defer tick.Stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	hint := t.hint
	for ctx.Err() == nil {
		t.step(ctx)
		for waiting := true; waiting; {
			waiting = false
			select {
			case <-ctx.Done():
			case <-tick.C:
			case <-t.wake:
			case <-hint:
				t.hinted.Add(1)
				hint = nil // others wait for their turn
				rest.Reset(hintPause)
			case <-rest.C:
				hint, waiting = t.hint, true
			}
		}
	}
}

// Wake asks for a poll now: this process has written a row. It never blocks.
func (t *Tail) Wake() { poke(t.wake) }

// Hint asks for a poll soon: somebody says that the journal has reached seq. It
// is hearsay, and need not be true: it causes at most one poll in 20 ms, and the
// poll alone says what there is. It never blocks.
func (t *Tail) Hint(seq int64) {
	if seq > t.Applied() {
		poke(t.hint)
	}
}

// Hinted is how many polls hints have caused.
func (t *Tail) Hinted() int64 { return t.hinted.Load() }

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is coming
	}
}

// Applied is the sequence up to which the followers know everything.
func (t *Tail) Applied() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.applied
}

// Fresh reports whether this cell knows the journal as it was at most Stale
// ago. While it does not, whatever its followers have cached may be untrue.
func (t *Tail) Fresh() bool {
	at := t.polled.Load()
	return at != nil && t.Now().Sub(*at) <= t.Stale
}

// WaitFor returns when the followers know everything up to seq. It gives up
// with ctx, and with ErrNotFollowing when the tail does not run or has not got
// there in Stale.
func (t *Tail) WaitFor(ctx context.Context, seq int64) error {
	limit := time.NewTimer(t.Stale)
	defer limit.Stop()
	for {
		t.mu.Lock()
		applied, running, moved := t.applied, t.running, t.moved
		t.mu.Unlock()
		switch {
		case applied >= seq && t.polled.Load() != nil:
			return nil
		case !running:
			return ErrNotFollowing
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return ErrNotFollowing
		case <-moved:
		}
	}
}

func (t *Tail) setRunning(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = on
	t.announce()
}

func (t *Tail) setApplied(seq int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.applied = seq
	t.announce()
}

// announce wakes those who wait; t.mu is held.
func (t *Tail) announce() {
	close(t.moved)
	t.moved = make(chan struct{})
}

// step polls once. A poll gets half of Stale, so that one hanging connection
// alone does not make the cell refuse.
func (t *Tail) step(ctx context.Context) {
	start := t.Now()
	limited, cancel := context.WithTimeout(ctx, t.Stale/2)
	defer cancel()
	err := t.poll(limited)
	switch {
	case ctx.Err() != nil: // stopped, not failed
		return
	case err != nil && !t.failing:
		t.Log.Warn("the journal cannot be followed", "error", err)
	case err == nil && t.failing:
		t.Log.Info("the journal is followed again", "seq", t.Applied())
	}
	if t.failing = err != nil; !t.failing && t.polled.Swap(&start) == nil {
		t.setApplied(t.Applied()) // those who wait for the first poll see it now
	}
}

// poll applies what is new. When rows may have been missed (the first poll, a
// gap longer than Stale, a hole or a fork in the chain, a head that went back
// because the database was restored) everybody forgets everything instead.
func (t *Tail) poll(ctx context.Context) (err error) {
	head, err := t.Source.Head(ctx)
	if err != nil {
		return err
	}
	if !t.Fresh() || head < t.applied {
		t.restart(head)
		return nil
	}
	if t.applied == head {
		return nil
	}
	ctx, span := t.Tracer.Work(ctx, "journal", tracing.Internal)
	defer func() { span.EndWith(err) }()
	span.SetInt(tracing.Rows, int(head-t.applied))
	for t.applied < head {
		rows, err := t.Source.After(ctx, t.applied, batch)
		if err != nil {
			return err
		}
		if !t.apply(rows) {
			t.Log.Error("the journal does not continue where it was left", "seq", t.applied)
			t.restart(head)
			return nil
		}
	}
	return nil
}

// apply tells the followers of rows and reports whether they continue the chain.
func (t *Tail) apply(rows []Row) bool {
	for _, row := range rows {
		if row.Seq != t.applied+1 || t.last != nil && !bytes.Equal(row.Prev, t.last) {
			return false
		}
		for _, f := range t.Followers {
			f.Apply(row)
		}
		t.last = row.Hash
		t.setApplied(row.Seq)
	}
	return len(rows) > 0
}

// restart continues at head. What a follower loads from now on is at least as
// new as head, because head was read before.
func (t *Tail) restart(head int64) {
	for _, f := range t.Followers {
		f.Flush()
	}
	t.last = nil
	t.setApplied(head)
}
