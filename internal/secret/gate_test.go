package secret

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/problem"
)

// TestPasswordGate fills the gate by hand, so that the test depends on no
// hash's duration.
func TestPasswordGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewPasswordHasher(PasswordLimits{Concurrent: 2, Waiting: 1})
		if err != nil {
			t.Fatal(err)
		}
		leaveFirst, err := p.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		waiter := make(chan error)
		go func() { _, err := p.enter(t.Context()); waiter <- err }()
		synctest.Wait()

		// Both slots are taken and the queue is full: refuse at once.
		start := time.Now()
		_, err = p.enter(t.Context())
		if pr := problem.As(err); pr == nil || pr.Code != problem.Unavailable || pr.RetryAfter == 0 {
			t.Errorf("a full queue answered %v", err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("a full queue took %v to refuse", d)
		}

		leaveFirst()
		if err := <-waiter; err != nil {
			t.Errorf("the waiter was refused: %v", err)
		}

		// A waiter leaves with its client, and its place in the queue is free.
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := p.enter(ctx); !errors.Is(err, context.DeadlineExceeded) || !problem.Has(err, problem.Unavailable) {
				t.Errorf("waiting past the deadline: %v", err)
			}
			cancel()
		}
		if n := p.waiting.Load(); n != 0 {
			t.Errorf("%d still counted as waiting", n)
		}
	})
}

// TestPasswordGateIsLeft: every way through must give its slot back.
func TestPasswordGateIsLeft(t *testing.T) {
	p, err := NewPasswordHasher(PasswordLimits{Concurrent: 1})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := p.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = p.Verify(t.Context(), encoded, "x")
	_, _ = p.Verify(t.Context(), "not a hash", "x")
	_ = p.VerifyDummy(t.Context(), "x")
	if len(p.slots) != 0 {
		t.Errorf("%d slots are still taken", len(p.slots))
	}
}
