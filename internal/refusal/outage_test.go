package refusal_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/problem"
	"causeway/internal/refusal"
)

// failover is a database that is away until back, and takes no row called bad.
type failover struct {
	*disk
	back time.Time
}

func (f *failover) AddRefusals(ctx context.Context, list []refusal.Refusal) error {
	if time.Now().Before(f.back) {
		return problem.Wrap(errors.New("connection refused"), problem.Unavailable, "away")
	}
	if slices.ContainsFunc(list, func(r refusal.Refusal) bool { return r.RequestID == "bad" }) {
		return errors.New("the schema refuses it")
	}
	return f.disk.AddRefusals(ctx, list)
}

// A failover costs no denial of somebody known, and nobody waits for it longer
// than for a slow disk.
func TestRecorder_R7_Failover(t *testing.T) {
	for _, away := range []time.Duration{time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := &failover{disk: open(), back: time.Now().Add(away)}
			r := refusal.NewRecorder(refusal.Config{Store: f, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
			for range 10 {
				begun := time.Now()
				r.Record(t.Context(), denied(jane))
				if took := time.Since(begun); took > refusal.DefaultDeadline {
					t.Errorf("answered after %s", took)
				}
			}
			time.Sleep(away + time.Second)
			r.Stop(t.Context())
			if s := r.Stats(); f.rows() != 10 || s.Stored != 10 || s.Failed+s.Dropped != 0 {
				t.Errorf("%d rows, %+v", f.rows(), s)
			}
		})
	}
}

// A row that cannot be written costs none of those beside it.
func TestRecorder_R7_OneBadRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failover{disk: open(), back: time.Now().Add(time.Second)}
		r := refusal.NewRecorder(refusal.Config{Store: f, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		for i := range 100 {
			o := outcome(problem.New(problem.BadRequest, "bad"), jane, "/x")
			if i == 60 {
				o.RequestID = "bad"
			}
			r.Record(t.Context(), o)
		}
		r.Stop(t.Context())
		if s := r.Stats(); f.rows() != 99 || s.Failed != 1 || s.Stored != 99 {
			t.Errorf("%d rows, %+v", f.rows(), s)
		}
	})
}

// A stop during an outage ends when it is told to, and says what is lost.
func TestRecorder_R13_StopHasAnEnd(t *testing.T) {
	for name, d := range map[string]refusal.Store{
		"no answer": &disk{let: make(chan struct{})}, "refused": &failover{back: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if n, ok := d.(*disk); ok {
					n.let = make(chan struct{})
				}
				r := refusal.NewRecorder(refusal.Config{Store: d, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
				for range 5 {
					r.Record(t.Context(), denied(jane))
				}
				for range 300 {
					r.Record(t.Context(), stranger("a"))
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				begun := time.Now()
				r.Stop(ctx)
				r.Stop(ctx)
				if took := time.Since(begun); took != 5*time.Second || r.Stats().Failed != 305 {
					t.Errorf("took %s, %+v", took, r.Stats())
				}
			})
		})
	}
}
