package refusal

import (
	"context"
	"time"

	"causeway/internal/problem"
)

func (r *Recorder) run() {
	defer close(r.stopped)
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		var batch []job
		select {
		case j := <-r.urgent:
			batch = r.gather(j)
		case j := <-r.queue:
			batch = r.gather(j)
		case <-tick.C:
			batch = r.notes()
		case <-r.quit:
			r.drain()
			return
		}
		if !r.write(batch) {
			return
		}
	}
}

// gather takes along whatever waits: those first for whom an answer waits.
func (r *Recorder) gather(batch ...job) []job {
	for _, waiting := range []chan job{r.urgent, r.queue} {
		for more := true; more && len(batch) < together; {
			select {
			case j := <-waiting:
				batch = append(batch, j)
			default:
				more = false
			}
		}
	}
	return batch
}

// notes are the rows that tell what was suppressed.
func (r *Recorder) notes() []job {
	now := r.c.Now()
	cells := r.c.Cells()
	for _, s := range []*share{r.known.all, r.strange.all, r.noted} {
		s.among(now, cells)
	}
	batch := r.suppressed.take(func() bool { return r.noted.AllowN(now, 1) })
	r.open.Add(int64(len(batch)))
	return batch
}

func (r *Recorder) drain() {
	for {
		batch := r.gather()
		if len(batch) == 0 {
			break
		}
		if !r.write(batch) {
			return
		}
	}
	batch := r.suppressed.take(func() bool { return true }) // or nobody ever hears of them
	r.open.Add(int64(len(batch)))
	r.write(batch)
}

// write tries until all are written: a failover must not cost what happened
// during it. It is false when Stop waits no longer.
func (r *Recorder) write(batch []job) bool {
	var failing time.Time
	for len(batch) > 0 {
		n := min(len(batch), together)
		rest, err := r.store(batch[:n])
		batch = append(rest, batch[n:]...)
		if err == nil {
			continue
		}
		if failing.IsZero() {
			failing = time.Now()
			r.c.Log.Warn("cannot keep refusals for now, trying again", "count", len(batch), "err", err)
		}
		select {
		case <-time.After(again):
		case <-r.over.Done():
			return false
		}
	}
	if !failing.IsZero() {
		r.c.Log.Info("refusals are kept again", "dur", time.Since(failing))
	}
	return true
}

// store returns what is worth another attempt, and why. One row that the
// database will never take must not cost those beside it.
func (r *Recorder) store(batch []job) (rest []job, err error) {
	rows := make([]Refusal, len(batch))
	for i, j := range batch {
		rows[i] = j.refusal
	}
	ctx, cancel := context.WithTimeout(r.over, writeTimeout)
	defer cancel()
	err = r.c.Store.AddRefusals(ctx, rows)
	switch {
	case problem.Has(err, problem.Unavailable):
		return batch, err
	case err != nil && len(batch) > 1:
		first, err := r.store(batch[:len(batch)/2])
		second, err2 := r.store(batch[len(batch)/2:])
		if err == nil {
			err = err2
		}
		return append(first[:len(first):len(first)], second...), err
	case err != nil:
		r.stats.failed.Add(1)
		r.c.Log.Warn("could not keep a refusal", "request_id", rows[0].RequestID, "err", err)
	default:
		r.stats.stored.Add(uint64(len(batch)))
	}
	r.open.Add(-int64(len(batch)))
	for _, j := range batch {
		if j.done != nil {
			close(j.done)
		}
	}
	return nil, nil
}
