package site

import (
	"github.com/prometheus/client_golang/prometheus"

	"causeway/internal/refusal"
)

// refusalCollector shows what becomes of refusals that are to be kept.
type refusalCollector struct{ refusals *refusal.Recorder }

var refusalDesc = prometheus.NewDesc("causeway_refusals_total",
	"Refusals to keep, by what became of them: stored; late (answered before it was durable); failed; "+
		"dropped (more than can wait); repeated (by a limit, from the same source); suppressed (beyond the bounds, told by one row).", []string{"fate"}, nil)

func (refusalCollector) Describe(ch chan<- *prometheus.Desc) { ch <- refusalDesc }

func (c refusalCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.refusals.Stats()
	for fate, n := range map[string]uint64{
		"stored": s.Stored, "late": s.Late, "failed": s.Failed, "dropped": s.Dropped, "repeated": s.Repeated, "suppressed": s.Suppressed,
	} {
		ch <- prometheus.MustNewConstMetric(refusalDesc, prometheus.CounterValue, float64(n), fate)
	}
}
