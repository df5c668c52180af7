package journal

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTail_R4_AHintIsReadAtOnce(t *testing.T) {
	inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
		s.write(1)
		start := time.Now()
		tail.Hint(1)
		if err := tail.WaitFor(t.Context(), 1); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		s.write(1)
		tail.Hint(2) // directly behind another
		if err := tail.WaitFor(t.Context(), 2); err != nil || time.Since(start) > hintPause {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		told.want(t, 0, 1, 2)
		if n := tail.Hinted(); n != 2 {
			t.Errorf("%d polls by hints", n)
		}
	})
}

// Whoever forges hints makes the cell look, 50 times a second at most, and
// believe nothing.
func TestTail_I7_ForgedHintsCostBoundedReads(t *testing.T) {
	inTail(t, 3, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
		before := s.polls
		for _, old := range []int64{-1, 0, 3} {
			tail.Hint(old)
		}
		synctest.Wait()
		if s.polls != before {
			t.Error("a hint of what is known caused a read")
		}
		for range 10_000 {
			tail.Hint(1 << 62)
			time.Sleep(100 * time.Microsecond)
		}
		synctest.Wait()
		if n := s.polls - before; n > 50+4+1 {
			t.Errorf("10000 forged hints in a second caused %d reads", n)
		}
		if tail.Applied() != 3 || !tail.Fresh() {
			t.Errorf("applied %d, fresh %v", tail.Applied(), tail.Fresh())
		}
		told.want(t, 0)
		// Its own writes do not wait behind them.
		s.write(1)
		start := time.Now()
		tail.Wake()
		if err := tail.WaitFor(t.Context(), 4); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestHints_R4_TellTheLatestAndNeverBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int64
		hanging := func(ctx context.Context, _ int64) error { <-ctx.Done(); return ctx.Err() }
		h := NewHints(slog.New(slog.DiscardHandler),
			func(_ context.Context, seq int64) error { told = append(told, seq); return nil },
			hanging,
			func(context.Context, int64) error { return errors.New("nobody there") },
		)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.Run(ctx) }()
		h.Committed(2)
		synctest.Wait()
		for _, seq := range []int64{1, 5, 3, 4} { // while the second way hangs
			h.Committed(seq)
		}
		time.Sleep(3 * sendTimeout)
		cancel()
		<-done
		if !slices.Equal(told, []int64{2, 5}) {
			t.Errorf("told %v", told)
		}
		if sent, failed := h.Counts(); sent != 2 || failed != 4 {
			t.Errorf("%d sent, %d failed", sent, failed)
		}
	})
}
