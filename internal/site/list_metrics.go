package site

import (
	"github.com/prometheus/client_golang/prometheus"

	"causeway/federation/fanout"
)

// listCollector shows what lists at several locations cost this cell, at zero
// where there were none.
type listCollector struct{ limits *fanout.Limits }

var (
	listQuestionsDesc = prometheus.NewDesc("causeway_multisite_questions_total",
		"Questions to locations for lists at several of them: answered, late, refused there or on the way, unreadable, or full for want of room here.",
		[]string{"result"}, nil)
	listBytesDesc = prometheus.NewDesc("causeway_multisite_bytes_total", "Bytes of the answers.", nil, nil)
	listHeldDesc  = prometheus.NewDesc("causeway_multisite_held_bytes",
		"Bytes of answers that are held for lists under way; at most 268435456.", nil, nil)
	listTurnedAwayDesc = prometheus.NewDesc("causeway_multisite_turned_away_total",
		"Lists at several locations that were refused because there was no room for answers.", nil, nil)
)

func (listCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{listQuestionsDesc, listBytesDesc, listHeldDesc, listTurnedAwayDesc} {
		ch <- d
	}
}

func (c listCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.limits.Stats()
	for result, n := range map[string]uint64{
		"answered": s.Answered, "late": s.Late, "refused": s.Refused, "unreadable": s.Unreadable, "full": s.Full,
	} {
		ch <- prometheus.MustNewConstMetric(listQuestionsDesc, prometheus.CounterValue, float64(n), result)
	}
	ch <- prometheus.MustNewConstMetric(listBytesDesc, prometheus.CounterValue, float64(s.Bytes))
	ch <- prometheus.MustNewConstMetric(listHeldDesc, prometheus.GaugeValue, float64(s.Held))
	ch <- prometheus.MustNewConstMetric(listTurnedAwayDesc, prometheus.CounterValue, float64(s.TurnedAway))
}
