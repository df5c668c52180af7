package refusal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/ratelimit"
	"causeway/tenants"
)

// disk is a store that writes when it is let.
type disk struct {
	refusal.Store
	let chan struct{} // closed: writes at once
	err error

	mu      sync.Mutex
	batches [][]refusal.Refusal
}

func (d *disk) AddRefusals(ctx context.Context, list []refusal.Refusal) error {
	select {
	case <-d.let:
	case <-ctx.Done():
		return problem.Wrap(ctx.Err(), problem.Unavailable, "away")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	d.batches = append(d.batches, list)
	return nil
}

func (d *disk) rows() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.batches {
		n += len(b)
	}
	return n
}

func newRecorder(d *disk) *refusal.Recorder {
	return refusal.NewRecorder(refusal.Config{Store: d, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

func denied(who tenants.Principal) refusal.Outcome {
	return outcome(problem.New(problem.Forbidden, "no"), who, "/x")
}

// The answer to somebody known waits for the disk, and all who wait share a
// statement.
func TestRecorder_R7_DurableAndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{let: make(chan struct{})}
		r := newRecorder(d)
		var wait sync.WaitGroup
		answered := make(chan int, 100)
		for i := range 100 {
			wait.Go(func() {
				r.Record(t.Context(), denied(jane))
				answered <- i
			})
		}
		synctest.Wait()
		if len(answered) > 0 || d.rows() > 0 {
			t.Errorf("%d answers before anything is written", len(answered))
		}
		close(d.let)
		wait.Wait()
		if d.rows() != 100 || len(d.batches) > 3 {
			t.Errorf("%d rows in %d statements", d.rows(), len(d.batches))
		}
		r.Stop(t.Context())
		if s := r.Stats(); s.Stored != 100 || s.Late+s.Failed+s.Dropped+s.Repeated != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A disk that does not answer holds up nobody for longer than the deadline, nor
// one that refuses; both are counted.
func TestRecorder_R13_Deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{let: make(chan struct{})}
		r := newRecorder(d)
		begun := time.Now()
		r.Record(t.Context(), denied(jane))
		if took := time.Since(begun); took != refusal.DefaultDeadline {
			t.Errorf("answered after %s", took)
		}
		close(d.let)
		synctest.Wait()
		if s := r.Stats(); s.Late != 1 || s.Stored != 1 {
			t.Errorf("%+v", s)
		}
		d.err = errors.New("disk full")
		begun = time.Now()
		r.Record(t.Context(), denied(jane))
		if s := r.Stats(); s.Failed != 1 || time.Since(begun) != 0 {
			t.Errorf("%+v after %s", s, time.Since(begun))
		}
		r.Stop(t.Context())
	})
}

// A caller that has left is refused all the same.
func TestRecorder_R7_CallerLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{let: make(chan struct{})}
		close(d.let)
		r := newRecorder(d)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r.Record(ctx, denied(jane))
		r.Stop(t.Context())
		if d.rows() != 1 {
			t.Errorf("%d rows", d.rows())
		}
	})
}

// Strangers neither wait nor fill anything: the queue is bounded, their rate is,
// and a limit leaves one row for each source and minute.
func TestRecorder_R13_Flood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{let: make(chan struct{})}
		r := newRecorder(d)
		stranger := func(source string) refusal.Outcome {
			o := outcome(problem.New(problem.InvalidGrant, "no"), tenants.Principal{}, "/oauth/provider/token")
			o.Address = netip.MustParseAddr(source)
			return o
		}
		limited := func(source string) refusal.Outcome {
			o := stranger(source)
			o.Problem = problem.Wrap(ratelimit.Refusal{Name: ratelimit.DeviceAuthorization, Kind: ratelimit.SiteWide}, problem.TooManyRequests, "wait")
			return o
		}
		for i := range 100_000 {
			r.Record(t.Context(), stranger(fmt.Sprintf("2001:db8::%x", i&0xffff)))
		}
		if s := r.Stats(); s.Suppressed < 95_000 {
			t.Errorf("%+v", s)
		}
		// Somebody known is kept all the same.
		go func() { close(d.let) }()
		r.Record(t.Context(), denied(jane))
		synctest.Wait()
		before := d.rows()
		if before < 1001 || before > 5000 {
			t.Errorf("%d rows of a flood", before)
		}

		time.Sleep(time.Minute)
		synctest.Wait()
		before = d.rows()
		for range 1000 {
			r.Record(t.Context(), limited("192.0.2.1"))
			r.Record(t.Context(), limited("192.0.2.2"))
		}
		time.Sleep(time.Minute)
		r.Record(t.Context(), limited("192.0.2.1"))
		r.Stop(t.Context())
		if got := d.rows() - before; got != 3 {
			t.Errorf("%d rows for two sources in one minute and one in the next", got)
		}
		if s := r.Stats(); s.Repeated != 1998 {
			t.Errorf("%+v", s)
		}
	})
}

// Stop writes what waits.
func TestRecorder_StopWrites(t *testing.T) {
	d := &disk{let: make(chan struct{})}
	r := newRecorder(d)
	for range 500 {
		r.Note(refusal.Refusal{})
	}
	close(d.let)
	r.Stop(t.Context())
	r.Stop(t.Context())
	if d.rows() != 500 {
		t.Errorf("%d rows of 500", d.rows())
	}
}
