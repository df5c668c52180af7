package relay

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"causeway/internal/journal"
	"causeway/internal/trail"
	"causeway/tenants"
)

const (
	// rowsAtOnce are read together.
	rowsAtOnce = 100
	mostPause  = 15 * time.Minute
)

// worker delivers to one sink.
type worker struct {
	d       *Deliverer
	sink    string
	kind    Kind
	version string // another one is another sink
	org     tenants.OrgID
	reader  tenants.Principal
	giveUp  time.Duration // zero never does
	// send hands one row on; why it was not taken is for people.
	send func(ctx context.Context, r trail.Record) (why string, err error)
	// resume sends what may have got lost, when there is nothing else; may be nil.
	resume func(ctx context.Context) (why string, err error)
	over   func() // may be nil
	wake   chan struct{}
	at     *atomic.Int64 // everything up to this row was looked at, for metrics

	progress Progress
}

// errNotTaken ends a turn whose row failed: it is tried again when its pause is over.
var errNotTaken = errors.New("the sink did not take a row")

// run delivers until ctx ends. What goes wrong with the database is tried again.
func (w *worker) run(ctx context.Context) {
	if w.over != nil {
		defer w.over()
	}
	for begun := false; ctx.Err() == nil; {
		pause, err := w.d.Interval, error(nil)
		if !begun {
			w.progress, err = w.d.Queue.Begin(ctx, w.sink)
			begun = err == nil
		}
		if begun {
			err = w.turn(ctx)
		}
		switch {
		case errors.Is(err, errNotTaken):
			pause = max(w.progress.Next.Sub(w.d.Now()), time.Millisecond)
		case err != nil && ctx.Err() == nil:
			w.d.Log.Warn("could not hand the audit trail on", "sink", w.sink, "err", err)
		}
		if !w.wait(ctx, pause, errors.Is(err, errNotTaken)) {
			return
		}
	}
}

// wait sleeps until there may be something to do. A row that is news does not hurry
// what has failed.
func (w *worker) wait(ctx context.Context, d time.Duration, failing bool) bool {
	wake := w.wake
	if failing {
		wake = nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-wake:
	}
	return true
}

// turn delivers all there is.
func (w *worker) turn(ctx context.Context) error {
	if w.progress.Next.After(w.d.Now()) {
		return errNotTaken
	}
	w.at.Store(w.progress.Seq)
	var end int64
	for {
		end = w.d.head.Load()
		rows, err := w.read(ctx, trail.Range{Above: w.progress.Seq, Below: 1 << 62})
		if err != nil {
			return err
		}
		by := w.d.Trail.Recorder(w.reader)
		for _, row := range rows {
			if err := w.row(ctx, by, row); err != nil {
				return err
			}
		}
		if len(rows) < rowsAtOnce {
			break
		}
	}
	w.at.Store(max(end, w.progress.Seq))
	if w.resume != nil {
		if why, err := w.resume(ctx); why != "" {
			return w.later(ctx, why, err)
		}
		if !w.progress.Failing.IsZero() { // what was owed has arrived
			w.progress = Progress{Seq: w.progress.Seq, Delivered: w.d.Now()}
			if err := w.d.Queue.Save(ctx, w.sink, w.progress); err != nil {
				return err
			}
		}
	}
	return w.again(ctx)
}

func (w *worker) read(ctx context.Context, in trail.Range) ([]journal.Row, error) {
	if w.org != "" {
		return w.d.Queue.Rows(ctx, w.org, trail.Key{}, in, rowsAtOnce)
	}
	return w.d.Queue.RowsAnywhere(ctx, trail.Key{}, in, rowsAtOnce)
}

// row delivers one row, or notes that it failed.
func (w *worker) row(ctx context.Context, by trail.Recorder, row journal.Row) error {
	record, err := by.Record(ctx, row)
	if err != nil {
		return err
	}
	why, err := w.send(ctx, record)
	if ctx.Err() != nil {
		return ctx.Err() // whether it arrived is not known: who goes on sends it again
	}
	if why == "" {
		w.d.counts.add(w.kind, Delivered)
		w.progress = Progress{Seq: row.Seq, Delivered: w.d.Now()}
		w.at.Store(row.Seq)
		return w.d.Queue.Save(ctx, w.sink, w.progress)
	}
	return w.failed(ctx, row, why, err)
}

// failed notes that a row was not taken, and puts it aside when that has lasted for
// too long.
func (w *worker) failed(ctx context.Context, row journal.Row, why string, err error) error {
	now, before := w.d.Now(), w.progress.Seq
	if w.giveUp == 0 || now.Sub(row.At) <= w.giveUp {
		return w.later(ctx, why, err)
	}
	w.note(now, why, err)
	w.d.counts.add(w.kind, PutAside)
	w.d.Log.Warn("a row of the audit trail was put aside", "sink", w.sink, "seq", row.Seq, "why", why)
	// The next one is tried at once, and goes the same way if it is old enough.
	w.progress.Seq, w.progress.Attempts, w.progress.Next = row.Seq, 0, time.Time{}
	return w.d.Queue.Bury(ctx, w.sink, before, w.progress, now, why)
}

// later has what failed tried again after a pause.
func (w *worker) later(ctx context.Context, why string, err error) error {
	now := w.d.Now()
	w.note(now, why, err)
	w.d.counts.add(w.kind, Retried)
	w.progress.Next = now.Add(w.d.pauseAfter(w.progress.Attempts))
	if err := w.d.Queue.Save(ctx, w.sink, w.progress); err != nil {
		return err
	}
	return errNotTaken
}

// note keeps what failed, and logs when that begins.
func (w *worker) note(now time.Time, why string, err error) {
	if w.progress.Failing.IsZero() {
		w.progress.Failing = now
		w.d.Log.Info("the audit trail could not be handed on", "sink", w.sink, "after", w.progress.Seq, "why", why, "err", err)
	}
	w.progress.Attempts, w.progress.Error = w.progress.Attempts+1, why
}

// pauseAfter is how long the next attempt waits after the n-th: half of it is chance,
// so that many sinks that came down together do not come back together.
func (d *Deliverer) pauseAfter(n int) time.Duration {
	full := min(d.FirstPause<<min(n-1, 20), mostPause)
	return full/2 + rand.N(full/2)
}

// again delivers what was put aside and is to be delivered again. What fails goes
// back there.
func (w *worker) again(ctx context.Context) error {
	dead, err := w.d.Queue.Again(ctx, w.sink)
	if err != nil {
		return err
	}
	for _, d := range dead {
		if err := w.redeliver(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) redeliver(ctx context.Context, d Dead) error {
	by := w.d.Trail.Recorder(w.reader)
	for first := d.First; first <= d.Last; {
		rows, err := w.read(ctx, trail.Range{Above: first - 1, Below: d.Last + 1})
		if err != nil {
			return err
		}
		for _, row := range rows {
			record, err := by.Record(ctx, row)
			if err != nil {
				return err
			}
			why, _ := w.send(ctx, record)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if why != "" {
				w.d.counts.add(w.kind, Retried)
				return w.d.Queue.Refused(ctx, w.sink, first, why)
			}
			w.d.counts.add(w.kind, Delivered)
			if err := w.d.Queue.Resent(ctx, w.sink, first, row.Seq); err != nil {
				return err
			}
			first = row.Seq + 1
		}
		if len(rows) < rowsAtOnce { // also where none of them is meant for the sink any more
			return w.d.Queue.Resent(ctx, w.sink, first, d.Last)
		}
	}
	return nil
}
