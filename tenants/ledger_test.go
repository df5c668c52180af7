package tenants

import (
	"context"
	"errors"
	"testing"

	"causeway/internal/problem"
)

// stuck is a store whose transactions wait until they may end.
type stuck struct {
	Store
	began   chan struct{}
	release chan error
}

func (s stuck) InTx(ctx context.Context, _ func(Tx) error) error {
	select {
	case s.began <- struct{}{}:
	default:
	}
	select {
	case err := <-s.release:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newStuck() (stuck, *ledger, *int) {
	s, lost := stuck{began: make(chan struct{}, 1), release: make(chan error)}, new(int)
	return s, newLedger(s, func(error) { *lost++ }), lost
}

// TestLedger_R13_Bounded: when so much is unwritten that an attempt might not be
// counted, it is not made.
func TestLedger_R13_Bounded(t *testing.T) {
	s, l, _ := newStuck()
	put := func() { l.put(outcome{attempt: attempt{User: "u"}, wrong: true}) }
	put()
	<-s.began // and it has left the queue
	for range maxOpen - 2 {
		put()
	}
	var leaves []func()
	for range 2 {
		leave, err := l.enter()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	if _, err := l.enter(); !problem.Has(err, problem.Unavailable) || problem.As(err).RetryAfter == 0 {
		t.Errorf("got %v, want an honest refusal", err)
	}
	leaves[0]()
	if _, err := l.enter(); err != nil {
		t.Errorf("there is room: %v", err)
	}
	close(s.release)
	if err := l.stop(t.Context()); err != nil {
		t.Error(err)
	}
	if len(l.byWhom) != 0 || len(l.queue) != 0 {
		t.Errorf("%d accounts and %d outcomes are left", len(l.byWhom), len(l.queue))
	}
	if _, err := l.enter(); !problem.Has(err, problem.Unavailable) {
		t.Errorf("a cell that stopped takes attempts: %v", err)
	}
}

// Stop waits for what is being written, but no longer than it may.
func TestLedger_StopEndsWithItsContext(t *testing.T) {
	_, l, lost := newStuck()
	for range 3 {
		l.put(outcome{attempt: attempt{User: "u"}, wrong: true})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stop: %v", err)
	}
	if *lost != 3 {
		t.Errorf("%d of 3 outcomes are reported lost", *lost)
	}
}

func TestLedger_ADeletedUserIsNoLoss(t *testing.T) {
	s, l, lost := newStuck()
	l.put(outcome{attempt: attempt{User: "u"}, wrong: true})
	l.put(outcome{attempt: attempt{User: "v"}, wrong: true})
	s.release <- problem.New(problem.NotFound, "deleted")
	s.release <- problem.New(problem.Unavailable, "no database")
	if err := l.stop(t.Context()); err != nil || *lost != 1 {
		t.Errorf("stop: %v, %d lost", err, *lost)
	}
}
