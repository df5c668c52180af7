package refusal

import (
	"context"
	"time"
)

func (r *Recorder) run() {
	defer close(r.stopped)
	for {
		select {
		case j := <-r.urgent:
			r.write(&j, nil)
		case one := <-r.queue:
			r.write(nil, &one)
		case <-r.quit:
			for len(r.queue) > 0 {
				one := <-r.queue
				r.write(nil, &one)
			}
			return
		}
	}
}

// write takes along whatever waits: those first for whom an answer waits.
func (r *Recorder) write(urgent *job, queued *Refusal) {
	var rows []Refusal
	var waits []chan<- error
	add := func(j job) {
		rows, waits = append(rows, j.refusal), append(waits, j.done)
	}
	if urgent != nil {
		add(*urgent)
	}
	if queued != nil {
		rows = append(rows, *queued)
	}
	for more := true; more && len(rows) < together; {
		select {
		case j := <-r.urgent:
			add(j)
		default:
			more = false
		}
	}
	for more := true; more && len(rows) < together; {
		select {
		case one := <-r.queue:
			rows = append(rows, one)
		default:
			more = false
		}
	}
	err := r.store(rows)
	for _, done := range waits {
		done <- err
	}
}

func (r *Recorder) store(rows []Refusal) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	start := time.Now()
	err := r.c.Store.AddRefusals(ctx, rows)
	if err != nil {
		r.stats.failed.Add(uint64(len(rows)))
		r.c.Log.Warn("could not keep refusals", "count", len(rows), "first", rows[0].RequestID, "dur", time.Since(start), "err", err)
		return err
	}
	r.stats.stored.Add(uint64(len(rows)))
	return nil
}
