package journal

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Examiner verifies the journal while nobody waits for it: in the background of one
// cell, and one after the other. Stop ends it.
type Examiner struct {
	archive Archive
	now     func() time.Time
	log     *slog.Logger

	mu   sync.Mutex
	last Examination
	stop context.CancelFunc // of the one that runs
	done sync.WaitGroup
	over bool
}

// Examination is a verification that runs or has run. Its zero value is none.
type Examination struct {
	Begun, Ended time.Time // Ended is zero while it runs
	Rows, Events int64     // looked at so far
	Of           int64     // rows there were when it began
	Report       Report    // when it has ended without Err
	Err          error
}

// Known is false where there was none yet.
func (e Examination) Known() bool { return !e.Begun.IsZero() }

// Running reports whether it has not ended.
func (e Examination) Running() bool { return e.Known() && e.Ended.IsZero() }

// NewExaminer makes an examiner that has examined nothing.
func NewExaminer(a Archive, now func() time.Time, log *slog.Logger) *Examiner {
	return &Examiner{archive: a, now: now, log: log}
}

// Begin starts to verify, unless that runs already. expect is [Options.Expect].
func (x *Examiner) Begin(ctx context.Context, expect Head) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.last.Running() {
		return
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	x.stop = stop
	x.last = Examination{Begun: x.now()}
	x.done.Go(func() {
		defer stop()
		x.run(ctx, expect)
	})
}

func (x *Examiner) run(ctx context.Context, expect Head) {
	head, err := x.archive.End(ctx)
	x.change(func(e *Examination) { e.Of = head.Seq })
	var found Report
	if err == nil {
		found, err = Verify(ctx, x.archive, Options{Expect: expect, Progress: func(rows, events int64) {
			x.change(func(e *Examination) { e.Rows, e.Events = rows, events })
		}})
	}
	switch {
	case ctx.Err() != nil: // stopped
	case err != nil:
		x.log.Warn("the audit trail could not be verified", "err", err)
	case !found.Intact:
		x.log.Error("the audit trail is not as it was written", "faults", len(found.Faults)+found.More, "first", found.Faults[0].What)
	}
	x.change(func(e *Examination) { e.Report, e.Err, e.Ended = found, err, x.now() })
}

func (x *Examiner) change(f func(*Examination)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f(&x.last)
}

// Last is the one that runs or ran last, at this cell since its start.
func (x *Examiner) Last() Examination {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.last
}

// Stop ends what runs, waits for it, and lets nothing begin again.
func (x *Examiner) Stop() {
	x.mu.Lock()
	x.over = true
	if x.stop != nil {
		x.stop()
	}
	x.mu.Unlock()
	x.done.Wait()
}
