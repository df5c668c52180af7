package site

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/internal/store"
	"causeway/internal/version"
)

// cellCollector shows how this process itself is.
type cellCollector struct{ site *Site }

var (
	buildDesc = prometheus.NewDesc("causeway_build_info", "The version that runs. Always 1.", []string{"version", "commit", "goversion"}, nil)
	readyDesc = prometheus.NewDesc("causeway_ready",
		"1 while this cell wants requests, which is what /lb-check says; 0 while it stops and without the journal.", nil, nil)
	expiryDesc = prometheus.NewDesc("causeway_certificate_expiry_timestamp_seconds",
		"When the certificate that the public listener shows ends.", nil, nil)
	connectionsDesc = prometheus.NewDesc("causeway_database_connections",
		"Connections to the database, by pool (write for transactions, read for the rest) and by state.", []string{"pool", "state"}, nil)
	connectionsMaxDesc = prometheus.NewDesc("causeway_database_connections_max",
		"Connections that a pool opens at most.", []string{"pool"}, nil)
	waitsDesc = prometheus.NewDesc("causeway_database_connection_waits_total",
		"Times that work had to wait for a connection because all were in use.", []string{"pool"}, nil)
	waitedDesc = prometheus.NewDesc("causeway_database_connection_wait_seconds_total",
		"Time that work has waited for a connection.", []string{"pool"}, nil)
	marksDesc = prometheus.NewDesc("causeway_watermark_marks_total",
		"Transactions that the watermark has a mark of (written), and such that were not done because it could not be written (failed).", []string{"outcome"}, nil)
	markedDesc = prometheus.NewDesc("causeway_watermark_wait_seconds_total",
		"Time that transactions have waited for their marks.", nil, nil)
)

func (cellCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{buildDesc, readyDesc, expiryDesc, connectionsDesc, connectionsMaxDesc, waitsDesc, waitedDesc, marksDesc, markedDesc} {
		ch <- d
	}
}

func (c cellCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	v := version.Get()
	gauge(buildDesc, 1, v.Version, v.Commit, v.Go)
	gauge(readyDesc, one(c.site.Ready()))
	expiry := 0.0
	if _, shown := c.site.shown.get(); shown.Leaf != nil {
		expiry = float64(shown.Leaf.NotAfter.Unix())
	}
	gauge(expiryDesc, expiry)
	write, read := c.site.db.Pools()
	for name, s := range map[string]sql.DBStats{"write": write, "read": read} {
		gauge(connectionsDesc, float64(s.InUse), name, "in_use")
		gauge(connectionsDesc, float64(s.Idle), name, "idle")
		gauge(connectionsMaxDesc, float64(s.MaxOpenConnections), name)
		counter(waitsDesc, float64(s.WaitCount), name)
		counter(waitedDesc, s.WaitDuration.Seconds(), name)
	}
	var marks store.Marking // zero where none are kept
	if c.site.watermark != nil {
		marks = c.site.watermark.Marking()
	}
	counter(marksDesc, float64(marks.Written), "written")
	counter(marksDesc, float64(marks.Failed), "failed")
	counter(markedDesc, marks.Waited.Seconds())
}
