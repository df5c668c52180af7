package site

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"causeway/gateway"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/ratelimit"
)

// metrics are this site's numbers. Labels are bounded: routes are patterns, and
// no tenant, account or address is ever one.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	problems *prometheus.CounterVec
	duration *prometheus.HistogramVec
	here     fulfilled
	peer     fulfilled
}

// fulfilled are the numbers of one place by what they count, so that a request
// looks nothing up.
type fulfilled struct {
	classes  [6]prometheus.Counter // by a status's first digit, at 0 what is no status of HTTP
	duration prometheus.Observer
}

func newMetrics(db *store.DB, limits limitCollector, lag func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "causeway_requests_total", Help: "Requests answered, by how they were fulfilled and by status class.",
		}, []string{"fulfilled", "status"}),
		problems: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "causeway_problems_total", Help: "Requests refused, by problem code.",
		}, []string{"code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "causeway_request_duration_seconds", Help: "Time from the request's head to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"fulfilled"}),
	}
	m.registry.MustRegister(m.requests, m.problems, m.duration,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "causeway_database_statements_total", Help: "Statements issued for requests; background work is not counted.",
		}, func() float64 { return float64(db.Statements()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "causeway_journal_fresh", Help: "1 while the journal's tail is close enough to the head to serve, else 0.",
		}, lag),
		limits,
	)
	m.here, m.peer = m.fulfilled(fulfilledHere), m.fulfilled(fulfilledPeer)
	for _, code := range problem.Codes() {
		m.problems.WithLabelValues(string(code))
	}
	return m
}

// fulfilled makes what is visible at zero.
func (m *metrics) fulfilled(where string) fulfilled {
	f := fulfilled{duration: m.duration.WithLabelValues(where)}
	f.classes[0] = m.requests.WithLabelValues(where, "other")
	for class := 1; class <= 5; class++ {
		f.classes[class] = m.requests.WithLabelValues(where, strconv.Itoa(class)+"xx")
	}
	return f
}

const (
	fulfilledHere = "here"
	fulfilledPeer = "peer"
)

func (m *metrics) observe(r gateway.Record) {
	where := &m.here
	if r.Peer != "" {
		where = &m.peer
	}
	class := r.Status / 100
	if class > 5 { // an instance may answer with 999
		class = 0
	}
	where.classes[class].Inc()
	where.duration.Observe(r.Duration.Seconds())
	if r.Problem != "" {
		m.problems.WithLabelValues(string(r.Problem)).Inc()
	}
}

// limitCollector shows the limiter's own counters.
type limitCollector struct {
	limits *ratelimit.Limiter
	quotas *ratelimit.Quotas
}

var limitDesc = prometheus.NewDesc("causeway_limit_decisions_total",
	"Decisions of a limit; refused ones name the bucket that was empty, shared ones had no bucket of their own because the table was full.",
	[]string{"limit", "bucket", "decision"}, nil)

var limitKeysDesc = prometheus.NewDesc("causeway_limit_buckets",
	"Buckets that are kept, idle ones included.", []string{"limit", "bucket"}, nil)

var limitOrgsDesc = prometheus.NewDesc("causeway_limit_organizations",
	"Organizations with limits of their own, which are counted with the others.", nil, nil)

func (limitCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- limitDesc
	ch <- limitKeysDesc
	ch <- limitOrgsDesc
}

func (l limitCollector) Collect(ch chan<- prometheus.Metric) {
	q := l.quotas.Stats()
	for decision, n := range map[string]uint64{"allowed": q.Allowed, "refused": q.Refused, "full": q.Full} {
		ch <- prometheus.MustNewConstMetric(limitDesc, prometheus.CounterValue, float64(n), "quota", "all", decision)
	}
	ch <- prometheus.MustNewConstMetric(limitKeysDesc, prometheus.GaugeValue, float64(q.Keys), "quota", "all")
	ch <- prometheus.MustNewConstMetric(limitOrgsDesc, prometheus.GaugeValue, float64(l.limits.OwnOrgs()))
	for _, s := range l.limits.Stats() {
		name, kind := string(s.Name), string(s.Kind)
		for decision, n := range map[string]uint64{"allowed": s.Allowed, "refused": s.Refused, "shared": s.Overflowed} {
			ch <- prometheus.MustNewConstMetric(limitDesc, prometheus.CounterValue, float64(n), name, kind, decision)
		}
		if s.Kind != ratelimit.SiteWide {
			ch <- prometheus.MustNewConstMetric(limitKeysDesc, prometheus.GaugeValue, float64(s.Keys), name, kind)
		}
	}
}
