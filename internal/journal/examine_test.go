package journal

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// It runs in the background, one at a time, tells how far it is and what it found.
func TestExaminer_R7(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeArchive{}
		for range 3 {
			f.record(Entry{At: time.Now(), Action: UserCreated})
		}
		f.meanwhile = func(*fakeArchive) { time.Sleep(time.Second) }
		x := NewExaminer(f, time.Now, slog.New(slog.DiscardHandler))
		if x.Last().Known() {
			t.Error("one before the first")
		}
		x.Begin(t.Context(), Head{})
		begun := x.Last().Begun
		time.Sleep(2500 * time.Millisecond) // the head and the first rows are read
		x.Begin(t.Context(), Head{})
		if e := x.Last(); !e.Running() || e.Begun != begun || e.Of != 3 || e.Rows != 3 {
			t.Errorf("%+v", e)
		}
		time.Sleep(time.Minute)
		if e := x.Last(); e.Running() || e.Err != nil || !e.Report.Intact || e.Report.Rows != 3 {
			t.Errorf("%+v", e)
		}
		f.rows[1].Body = []byte("{}")
		x.Begin(t.Context(), Head{})
		time.Sleep(time.Minute)
		if e := x.Last(); e.Report.Intact || len(e.Report.Faults) != 1 || e.Report.Faults[0].Seq != 2 {
			t.Errorf("%+v", e)
		}
		f.err = errors.New("gone")
		x.Begin(t.Context(), Head{})
		time.Sleep(time.Minute)
		if e := x.Last(); e.Err == nil || e.Running() {
			t.Errorf("%+v", e)
		}
		f.err = nil
		x.Begin(t.Context(), Head{})
		x.Stop()
		before := x.Last()
		x.Begin(t.Context(), Head{})
		if e := x.Last(); e.Running() || e.Begun != before.Begun {
			t.Errorf("it began after the stop: %+v", e)
		}
	})
}
