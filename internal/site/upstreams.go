package site

import (
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/internal/config"
	"causeway/services/upstream"
	"causeway/tenants"
)

func (s *Site) openInstances() (err error) {
	table, err := upstream.NewTable(configured(s.config))
	if err != nil {
		return err
	}
	s.instances, err = upstream.New(upstream.Config{
		Table: table, Store: s.db.Services(), Own: s.reservedNames().Hosts, Rules: s.addressRules(),
		Sign: s.oauth.SignForInstance, Issuer: s.config.Public.URL, Site: s.self.ID, Now: s.now,
	})
	return err
}

func configured(c *config.Config) []upstream.Instance {
	var list []upstream.Instance
	for _, in := range c.Services {
		one := upstream.Instance{Name: in.Name, Prefix: strings.TrimSuffix(in.Prefix, "/")}
		one.Upstream, _ = url.Parse(in.Upstream) // checked with the configuration
		for _, r := range in.Routes {
			one.Rules = append(one.Rules, upstream.Rule{Method: r.Method, Path: r.Path, Right: tenants.Right(r.Right)})
		}
		list = append(list, one)
	}
	return list
}

// upstreamCollector shows the numbers of the way to instances. No instance is a
// label: there may be thousands, and they are tenants'.
type upstreamCollector struct{ proxy *upstream.Proxy }

var (
	upstreamRequests = prometheus.NewDesc("causeway_upstream_requests_total",
		"Requests that went to an upstream of an instance, by what came of it: answered, relayed (502, 503 or 504), unreachable, silent, broken, or left by the client.", []string{"outcome"}, nil)
	upstreamRefusals = prometheus.NewDesc("causeway_upstream_refusals_total",
		"Answers of instances with 401 or 403: their own refusals of what the gateway let through.", nil, nil)
	upstreamUnwell  = prometheus.NewDesc("causeway_upstream_unwell_total", "Requests for which no upstream was well.", nil, nil)
	upstreamRetries = prometheus.NewDesc("causeway_upstream_retries_total", "Requests tried at another upstream, of which nothing had been sent.", nil, nil)
	upstreamEjected = prometheus.NewDesc("causeway_upstream_ejections_total", "Times that an upstream was left out for a while for what requests met there.", nil, nil)
	upstreamChecks  = prometheus.NewDesc("causeway_upstream_health_check_failures_total", "Health checks that failed.", nil, nil)
	upstreamSigned  = prometheus.NewDesc("causeway_instance_assertions_total", "Assertions of identities that were signed for instances.", nil, nil)
	upstreamLoads   = prometheus.NewDesc("causeway_instance_table_loads_total", "Times that the table of instances was read.", nil, nil)
	upstreamsNow    = prometheus.NewDesc("causeway_upstreams", "Upstreams of all instances now, by whether they get requests.", []string{"state"}, nil)
	instancesNow    = prometheus.NewDesc("causeway_instances", "Instances behind this cell.", nil, nil)
)

func (upstreamCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		upstreamRequests, upstreamRefusals, upstreamUnwell, upstreamRetries, upstreamEjected, upstreamChecks, upstreamSigned, upstreamLoads, upstreamsNow, instancesNow,
	} {
		ch <- d
	}
}

func (u upstreamCollector) Collect(ch chan<- prometheus.Metric) {
	s := u.proxy.Stats()
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for outcome, n := range s.Outcomes {
		counter(upstreamRequests, n, outcome)
	}
	counter(upstreamRefusals, s.Refused)
	counter(upstreamUnwell, s.Unwell)
	counter(upstreamRetries, s.Retries)
	counter(upstreamEjected, s.Ejected)
	counter(upstreamChecks, s.Failed)
	counter(upstreamSigned, s.Signed)
	counter(upstreamLoads, s.Loads)
	ch <- prometheus.MustNewConstMetric(upstreamsNow, prometheus.GaugeValue, float64(s.Well), "well")
	ch <- prometheus.MustNewConstMetric(upstreamsNow, prometheus.GaugeValue, float64(s.Out), "out")
	ch <- prometheus.MustNewConstMetric(instancesNow, prometheus.GaugeValue, float64(s.Instances))
}
