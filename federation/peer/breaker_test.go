package peer

import (
	"testing"
	"time"
)

func TestBreaker_R10_R13(t *testing.T) {
	c := newClock()
	b := &breaker{now: c.now}
	call := func(o outcome) bool {
		probe, _, ok := b.allow()
		if ok {
			b.report(probe, o)
		}
		return ok
	}
	for range breakAfter - 1 {
		call(failure)
	}
	call(success) // consecutive means consecutive
	for range breakAfter - 1 {
		call(failure)
	}
	call(neutral)
	if !call(failure) {
		t.Fatal("open before the fifth failure")
	}
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		if call(success) {
			t.Fatal("closed at once")
		}
		if open, wait := b.state(); !open || wait != pause {
			t.Fatalf("%v, want %v", wait, pause)
		}
		c.add(pause - 1)
		if call(success) {
			t.Fatal("let through before the pause ended")
		}
		c.add(1)
		if open, _ := b.state(); open {
			t.Fatal("routing would never send the probe")
		}
		if !call(failure) {
			t.Fatal("no probe")
		}
		if pause == longestPause {
			break
		}
	}
	c.add(longestPause)
	probe, _, ok := b.allow()
	if !probe || !ok {
		t.Fatal("no probe")
	}
	if call(success) {
		t.Fatal("two probes at once")
	}
	b.report(probe, neutral) // the client left: the next one finds out
	for range 2 {            // the probe, and whoever comes after it
		if !call(success) {
			t.Fatal("did not close after the probe")
		}
	}
	for range breakAfter - 1 {
		call(failure)
	}
	if open, _ := b.state(); open {
		t.Fatal("remembers failures from before")
	}
}

// TestBreakerCountsCallsFromBeforeItOpenedOnce_R13: a hundred calls that were
// under way when the peer died must not drive the pause to its longest.
func TestBreakerCountsCallsFromBeforeItOpenedOnce_R13(t *testing.T) {
	c := newClock()
	b := &breaker{now: c.now}
	for range 100 {
		b.allow()
	}
	for range 100 {
		b.report(false, failure)
		c.add(time.Millisecond)
	}
	if _, wait := b.state(); wait > shortestPause-90*time.Millisecond {
		t.Fatalf("%v: a later failure made it longer", wait)
	}
}
