package site

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/internal/tracing"
	"causeway/internal/version"
)

// openTracing begins to send traces, where the configuration wants any. A collector
// that is away is no reason not to serve.
func (s *Site) openTracing(ctx context.Context) (err error) {
	c := s.config.Tracing
	if c == nil {
		return nil
	}
	t := tracing.Config{
		Endpoint: c.URL(), Ratio: c.Ratio, AcceptFrom: c.AcceptFrom, Attributes: c.Named(),
		Site: string(s.self.ID), SiteName: s.config.Site.Name, Version: version.Get().Version, Log: s.log,
	}
	if t.Headers, err = collectorHeaders(c.HeadersFile); err != nil {
		return fmt.Errorf("tracing.headers_file: %w", err)
	}
	if c.Authority != "" {
		if t.Roots, err = authorities(c.Authority); err != nil {
			return fmt.Errorf("tracing.authority: %w", err)
		}
	}
	s.tracer, err = tracing.New(ctx, t)
	return err
}

// endTracing sends what waits.
func (s *Site) endTracing() {
	last, cancel := context.WithTimeout(context.Background(), lastWrite)
	defer cancel()
	if err := s.tracer.Stop(last); err != nil {
		s.log.Info("the last traces were not sent")
	}
}

// collectorHeaders reads lines like those of HTTP. What is wrong is told without what
// is in the file.
func collectorHeaders(file string) (map[string]string, error) {
	all := map[string]string{}
	if file == "" {
		return all, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := bytes.TrimSpace(text)
	read, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(lines, "\r\n\r\n"...)))).ReadMIMEHeader()
	if err != nil {
		return nil, errors.New(`it must hold lines like "Name: value"`)
	}
	for name, values := range read {
		all[name] = strings.Join(values, ", ")
	}
	return all, nil
}

func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("it holds no certificate")
	}
	return pool, nil
}

// traceCollector is at zero where nothing is traced.
type traceCollector struct{ tracer *tracing.Tracer }

var (
	spansDesc = prometheus.NewDesc("causeway_trace_spans_total", "Steps of traces that ended and were to be kept.", nil, nil)
	sentDesc  = prometheus.NewDesc("causeway_trace_exports_total",
		"Steps of traces by what became of them at the collector: sent or failed. What is in neither waits, or was dropped because too much waited.", []string{"result"}, nil)
)

func (traceCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- spansDesc
	ch <- sentDesc
}

func (c traceCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.tracer.Stats()
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	counter(spansDesc, s.Recorded)
	counter(sentDesc, s.Sent, "sent")
	counter(sentDesc, s.Failed, "failed")
}
