package site

import (
	"context"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/internal/journal"
)

// hints wake the tails of the site's other cells, and this one's. They save the
// time until the next poll and are never needed.
type hints struct {
	*journal.Hints
	listening atomic.Bool // the database notifies this cell
}

func (s *Site) newHints() *hints {
	return &hints{Hints: journal.NewHints(s.log,
		func(ctx context.Context, seq int64) error {
			if s.cellPool == nil {
				return nil
			}
			return s.cellPool.Tell(ctx, seq)
		},
		func(ctx context.Context, seq int64) error { return s.db.Notify(ctx, seq) },
	)}
}

func (s *Site) runHints(ctx context.Context, b *background) {
	b.done.Go(func() { s.hints.Run(ctx) })
	b.done.Go(func() { s.db.Listen(ctx, s.tail.Hint, s.hints.listening.Store) })
}

// metrics are visible at zero, also where nobody can notify.
func (h *hints) metrics(tail *journal.Tail) []prometheus.Collector {
	count := func(result string, of func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "causeway_journal_hints_total", Help: "Times that other cells were told of a new row, or could not be; each way to them counts.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(of()) })
	}
	return []prometheus.Collector{
		count("sent", func() int64 { sent, _ := h.Counts(); return sent }),
		count("failed", func() int64 { _, failed := h.Counts(); return failed }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "causeway_journal_hinted_polls_total", Help: "Reads of the journal that another cell's hint caused.",
		}, func() float64 { return float64(tail.Hinted()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "causeway_journal_listening", Help: "1 while PostgreSQL notifies this cell of new rows, else 0; they are found by polling then.",
		}, func() float64 {
			if h.listening.Load() {
				return 1
			}
			return 0
		}),
	}
}
