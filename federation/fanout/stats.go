package fanout

import (
	"context"
	"errors"
	"sync/atomic"

	"causeway/internal/problem"
)

// counts are what became of questions.
type counts struct {
	answered, late, refused, unreadable, full atomic.Uint64
	bytes, turnedAway                         atomic.Uint64
}

// Stats is what a cell's lists at several locations have come to.
type Stats struct {
	// Questions to locations, this site's own among them, by what came of them: an
	// answer, none in time, a refusal, something that is no page, and an answer for
	// which there was no room. Those whose client left are not counted.
	Answered, Late, Refused, Unreadable, Full uint64
	Bytes                                     uint64 // of answers
	TurnedAway                                uint64 // whole requests, for want of room
	Held                                      int    // bytes, now
}

// Stats reads the counters.
func (l *Limits) Stats() Stats {
	l.room.mu.Lock()
	held := l.room.held
	l.room.mu.Unlock()
	return Stats{
		Answered: l.answered.Load(), Late: l.late.Load(), Refused: l.refused.Load(), Unreadable: l.unreadable.Load(), Full: l.full.Load(),
		Bytes: l.bytes.Load(), TurnedAway: l.turnedAway.Load(), Held: held,
	}
}

// count notes how a question ended.
func (c *counts) count(ctx context.Context, err error) {
	switch m, said := errors.AsType[*Missing](err); {
	case err == nil:
		c.answered.Add(1)
	case errors.Is(ctx.Err(), context.Canceled):
	case errors.Is(err, context.DeadlineExceeded), problem.Has(err, problem.GatewayTimeout):
		c.late.Add(1)
	case said && m.Status == Unreadable().Status:
		c.unreadable.Add(1)
	case errors.Is(err, errFull):
		c.full.Add(1)
	default:
		c.refused.Add(1)
	}
}
