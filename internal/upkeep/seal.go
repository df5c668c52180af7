package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"causeway/internal/journal"
)

const (
	// sealBatch is how many events one seal stands for at most: what a tail reads
	// and an auditor recomputes at once.
	sealBatch = 10_000
	// settled is how old the newest id must be before it and what is below it is
	// sealed. Ids are given out in order, and who drew one below it had begun by
	// then: a transaction lives 30 s, and PostgreSQL ends one whose client hangs
	// after 60 s. So nothing below can appear any more. It is measured from when
	// we saw the id, by our clock alone: what events say of their time is what
	// their cells believed.
	settled = 2 * time.Minute
	// sealLease outlives a few turns that fail.
	sealLease = 5 * time.Minute
)

// SealStore is where events are read, and sealed.
type SealStore interface {
	Leases
	journal.LogSource
	// Newest is the highest id of a log, and Sealed the one up to which it is
	// sealed; 0 when there is none.
	Newest(ctx context.Context, l journal.Log) (int64, error)
	Sealed(ctx context.Context, l journal.Log) (int64, error)
	// Seal writes the entry, and s.Last as sealed, in one transaction. False is:
	// the log was not sealed up to after any more.
	Seal(ctx context.Context, s journal.Seal, after int64, e journal.Entry) (bool, error)
}

// Sealer makes token events and refusals part of the journal's chain.
type Sealer struct {
	Store  SealStore
	Holder string        // this cell
	Every  time.Duration // between two turns
	Now    func() time.Time
	Sealed func(l journal.Log, events int) // told of each seal; may be nil
	Ahead  func(time.Duration)             // told how far Now is ahead of the database's clock; may be nil
	Log    *slog.Logger

	marks map[journal.Log][]mark // the oldest first
}

// mark is the newest id of a log, and when it was seen.
type mark struct {
	id int64
	at time.Time
}

// Run seals every Every until ctx ends, and gives the work to others then.
func (s *Sealer) Run(ctx context.Context) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, _ = s.Store.Keep(last, s.lease(0)) // or it frees itself
			return
		case <-tick.C:
			if err := s.Turn(ctx); err != nil && ctx.Err() == nil {
				s.Log.Warn("could not seal events into the journal", "error", err)
			}
		}
	}
}

func (s *Sealer) lease(d time.Duration) Lease {
	return Lease{Name: "seal", Holder: s.Holder, For: d}
}

// Turn seals what is settled, if this cell is the one that does.
func (s *Sealer) Turn(ctx context.Context) error {
	held, err := s.Store.Hold(ctx, s.lease(sealLease))
	if err != nil {
		s.marks = nil
		return err
	}
	// The time of a seal is what its events are removed by.
	clock, err := held.compare(s.Now(), s.Ahead)
	if err != nil || !held.Ours {
		s.marks = nil
		if held.Ours {
			_, _ = s.Store.Keep(ctx, s.lease(0)) // to a cell whose clock is right
		}
		return err
	}
	var errs []error // what ails one log is no reason to leave the others
	for _, l := range journal.Logs() {
		errs = append(errs, s.turn(ctx, l, clock))
	}
	return errors.Join(errs...)
}

func (s *Sealer) turn(ctx context.Context, l journal.Log, c clock) error {
	newest, err := s.Store.Newest(ctx, l)
	if err != nil {
		return err
	}
	return s.seal(ctx, l, s.settled(l, mark{newest, time.Now()}), c)
}

// settled notes what is newest now, and returns what was longer ago.
func (s *Sealer) settled(l journal.Log, now mark) (upTo int64) {
	if s.marks == nil {
		s.marks = map[journal.Log][]mark{}
	}
	marks := append(s.marks[l], now)
	for len(marks) > 0 && now.at.Sub(marks[0].at) >= settled {
		upTo = marks[0].id
		marks = marks[1:]
	}
	s.marks[l] = marks
	return upTo
}

// seal seals everything up to upTo.
func (s *Sealer) seal(ctx context.Context, l journal.Log, upTo int64, c clock) error {
	after, err := s.Store.Sealed(ctx, l)
	for err == nil && after < upTo {
		var events []journal.Event
		if events, err = s.Store.Events(ctx, l, after, upTo, sealBatch); err != nil || len(events) == 0 {
			break
		}
		seal := journal.NewSeal(l, events)
		var done bool
		if done, err = s.Store.Seal(ctx, seal, after, seal.Entry(c.now())); err != nil || !done {
			break // not done: another cell did
		}
		after = seal.Last
		if s.Sealed != nil {
			s.Sealed(l, seal.Count)
		}
	}
	return err
}
