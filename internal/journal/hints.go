package journal

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Hints tells the other cells that this one has written to the journal, so that
// their tails read it at once ([Tail.Hint]). A hint that gets lost costs them the
// time until their next poll, nothing else.
type Hints struct {
	// Send are the ways to the others. Each gets a second.
	Send []func(ctx context.Context, seq int64) error
	Log  *slog.Logger

	seq     atomic.Int64
	changed chan struct{}
	sent    atomic.Int64
	failed  atomic.Int64
	failing bool // of Run alone
}

// sendTimeout bounds one way: the next hint must not wait for a dead one.
const sendTimeout = time.Second

// NewHints makes Hints that Run sends.
func NewHints(log *slog.Logger, send ...func(ctx context.Context, seq int64) error) *Hints {
	return &Hints{Send: send, Log: log, changed: make(chan struct{}, 1)}
}

// Committed notes a row of this process; several become one hint. It never blocks.
func (h *Hints) Committed(seq int64) {
	for {
		last := h.seq.Load()
		if seq <= last {
			return // said, or about to be
		}
		if h.seq.CompareAndSwap(last, seq) {
			poke(h.changed)
			return
		}
	}
}

// Counts are how many hints went one way, and how many could not.
func (h *Hints) Counts() (sent, failed int64) { return h.sent.Load(), h.failed.Load() }

// Run sends until ctx ends.
func (h *Hints) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.changed:
			h.send(ctx, h.seq.Load())
		}
	}
}

func (h *Hints) send(ctx context.Context, seq int64) {
	var last error
	for _, f := range h.Send {
		limited, cancel := context.WithTimeout(ctx, sendTimeout)
		err := f(limited, seq)
		cancel()
		if err == nil {
			h.sent.Add(1)
		} else {
			h.failed.Add(1)
			last = err
		}
	}
	if last != nil && !h.failing && ctx.Err() == nil {
		h.Log.Info("other cells could not be told of a change; they will find it", "err", last)
	}
	h.failing = last != nil
}
