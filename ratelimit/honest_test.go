package ratelimit

import (
	"math/rand/v2"
	"testing"
	"time"

	"causeway/internal/problem"
)

// Waiting exactly RetryAfter is enough and a millisecond less is not, whichever
// bucket refuses and whenever in its life.
func TestRetryAfterIsHonest(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	eachBucket(t, func(t *testing.T, s shape, b bucketShape) {
		for _, budget := range []Budget{
			{Tokens: 3, Per: time.Second},
			{Tokens: 7, Per: time.Minute},
			{Tokens: 10, Per: 10 * time.Minute},
			{Tokens: 50, Per: 3 * time.Second},
		} {
			l, clk := newLimiter(t, Config{})
			l.only(s.name, b.kind, budget)
			keys := keysOf(s.name)
			rounds := 20
			if b.kind == SiteWide {
				rounds = 200 // its arithmetic is in floating point
			}
			for range rounds {
				clk.add(time.Duration(rng.Int64N(int64(budget.Per)))) // some tokens come back
				if n := spends(l, s.name, keys...); n < 0 {
					t.Fatal("it is never refused")
				}
				wait := wantRefused(t, l.Spend(s.name, keys...), b.kind)
				clk.add(wait - time.Millisecond)
				wantRefused(t, l.Check(s.name, keys...), b.kind)
				clk.add(time.Millisecond)
				if err := l.Spend(s.name, keys...); err != nil {
					t.Fatalf("%s: after waiting %s: %v, another %s", budget, wait, err, problem.As(err).RetryAfter)
				}
			}
		}
	})
}

// With several empty buckets the time is that of the last one to fill.
func TestRetryAfterIsTheLongest(t *testing.T) {
	l, clk := newLimiter(t, Config{Limits: Limits{DeviceAuthorization: {
		PerSource:         {Tokens: 1, Per: time.Second, Burst: 2}, // empty for 1 s
		PerNetwork:        {},
		PerClientAtSource: {},
		PerClient:         {Tokens: 2, Per: time.Minute}, // empty for 30 s
		PerOrg:            {},
		SiteWide:          {Tokens: 1, Per: 10 * time.Second, Burst: 2}, // empty for 10 s
	}}})
	keys := keysOf(DeviceAuthorization)
	if n := spends(l, DeviceAuthorization, keys...); n != 2 {
		t.Fatalf("%d calls, want 2", n)
	}
	if wait := wantRefused(t, l.Spend(DeviceAuthorization, keys...), PerClient); wait != 30*time.Second {
		t.Errorf("RetryAfter %s, want 30s", wait)
	}
	clk.add(30 * time.Second)
	wantAllowed(t, l.Spend(DeviceAuthorization, keys...))
}

// A clock that steps back, as wall clocks do, opens nothing and locks nobody
// out for longer than the step.
func TestClockStepsBack(t *testing.T) {
	eachBucket(t, func(t *testing.T, s shape, b bucketShape) {
		l, clk := newLimiter(t, Config{})
		l.only(s.name, b.kind, Budget{Tokens: 10, Per: time.Minute})
		keys := keysOf(s.name)
		clk.add(24 * time.Hour)
		_ = spends(l, s.name, keys...)
		for range 10 {
			clk.add(-time.Hour)
			wantRefused(t, l.Spend(s.name, keys...), b.kind)
			clk.add(time.Hour)
			wantRefused(t, l.Spend(s.name, keys...), b.kind)
		}
		clk.add(-48 * time.Hour) // before it was made
		wantRefused(t, l.Spend(s.name, keys...), b.kind)
		clk.add(48*time.Hour + 2*time.Minute)
		if n := spends(l, s.name, keys...); n != 10 {
			t.Errorf("%d calls after the clock was right again, want 10", n)
		}
		clk.add(2 * time.Minute) // full
		passed := 0
		for range 3 {
			clk.add(-time.Hour)
			if l.Spend(s.name, keys...) == nil {
				passed++
			}
			clk.add(time.Hour)
			if l.Spend(s.name, keys...) == nil {
				passed++
			}
		}
		if passed += spends(l, s.name, keys...); passed > 10 {
			t.Errorf("with the time that the clock lost and found there were %d calls, want 10", passed)
		}
	})
}

// Who calls for the first time is let in by a clock that is behind, too.
func TestClockBehindTheStart(t *testing.T) {
	eachBucket(t, func(t *testing.T, s shape, b bucketShape) {
		l, clk := newLimiter(t, Config{})
		l.only(s.name, b.kind, Budget{Tokens: 10, Per: time.Minute})
		clk.add(-time.Hour)
		if n := spends(l, s.name, keysOf(s.name)...); n != 10 {
			t.Errorf("%d calls, want 10", n)
		}
	})
}
