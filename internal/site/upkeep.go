package site

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/internal/cells"
	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/internal/receipts"
	"causeway/internal/store"
	"causeway/internal/upkeep"
	"causeway/internal/version"
	"causeway/tenants"
)

// openUpkeep readies what the site does for itself.
func (s *Site) openUpkeep() {
	m := newUpkeepMetrics(s.db.Upkeep().Tables())
	s.cells = cells.New(cells.Config{
		Store: s.db.Cells(), Applied: s.tail.Applied, Stale: s.config.Journal.StaleAfter, Log: s.log, Changed: s.cellsChanged,
		Self: cells.Cell{ID: tenants.NewID(), Name: cellName(s.config.Public.Listen), Version: version.Get().Version, StartedAt: s.clock()},
	})
	id := s.cells.Self.ID
	s.cleaner = &upkeep.Cleaner{
		Store: s.db.Upkeep(), Holder: id, Every: s.config.Retention.Interval, Keep: retention(s.config), Now: s.now, Log: s.log,
		Purged: func(table string, rows int64) { m.purged.WithLabelValues(table).Add(float64(rows)) },
		Ran: func(took time.Duration) {
			m.ran.SetToCurrentTime()
			m.took.Set(took.Seconds())
		},
		Ahead: m.aheadBy,
	}
	s.sealer = &upkeep.Sealer{
		Store: s.db.Upkeep(), Holder: id, Every: s.config.Journal.SealEvery, Now: s.now, Log: s.log,
		Sealed: func(l journal.Log, events int) { m.sealed.WithLabelValues(string(l)).Add(float64(events)) },
		Ahead:  m.aheadBy,
	}
	s.metrics.registry.MustRegister(m.purged, m.ran, m.took, m.sealed, m.ahead, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "causeway_cells_live", Help: "Cells of this site that serve, as this one sees it.",
	}, func() float64 { return float64(s.cells.Live()) }))
}

// cellName is what people know a process by.
func cellName(listen string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	_, port, _ := net.SplitHostPort(listen)
	return net.JoinHostPort(host, port)
}

func retention(c *config.Config) upkeep.Keep {
	r := c.Retention
	return upkeep.Keep{
		Devices: r.DeviceRequests, Sessions: r.Sessions, Idle: c.Sessions.IdleTimeout, RevokedTokens: r.RevokedTokens,
		UsedTokens: r.UsedTokens, Tasks: r.Tasks, Accounts: r.InstanceAccounts, Events: r.Events,
	}
}

func (s *Site) receipts() *receipts.Service {
	return &receipts.Service{
		Store: s.db.Receipts(), Cells: s.cells, Associations: s.db.Federation(), Stale: s.config.Journal.StaleAfter, Now: s.now,
	}
}

// joinCells says that this cell is there, before it serves.
func (s *Site) joinCells(ctx context.Context) error {
	s.cells.Self.Name = cellName(s.Addr("public")) // the port may have been chosen just now
	return s.cells.Beat(store.Background(ctx))
}

// upkeepMetrics are visible at zero.
type upkeepMetrics struct {
	purged, sealed *prometheus.CounterVec
	ran, took      prometheus.Gauge
	ahead          prometheus.Gauge
}

func (m upkeepMetrics) aheadBy(d time.Duration) { m.ahead.Set(d.Seconds()) }

func newUpkeepMetrics(tables []upkeep.Table) upkeepMetrics {
	m := upkeepMetrics{
		purged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "causeway_purged_rows_total", Help: "Rows that this cell has removed because they were over for long enough.",
		}, []string{"table"}),
		sealed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "causeway_sealed_events_total", Help: "Events that this cell has made part of the journal's chain.",
		}, []string{"log"}),
		ran: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "causeway_purge_last_run_timestamp_seconds", Help: "When this cell last finished a clean-up; 0 before the first.",
		}),
		took: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "causeway_purge_duration_seconds", Help: "How long this cell's last clean-up took, pauses included.",
		}),
		ahead: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "causeway_clock_ahead_seconds", Help: "How far this cell's clock is ahead of the database's, or behind; looked at when it last asked for work.",
		}),
	}
	for _, t := range tables {
		m.purged.WithLabelValues(t.Name)
	}
	m.purged.WithLabelValues("cells")
	for _, l := range journal.Logs() {
		m.sealed.WithLabelValues(string(l))
	}
	return m
}
