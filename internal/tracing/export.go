package tracing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Config wires a Tracer.
type Config struct {
	Endpoint   string            // URL of the collector, with its path
	Headers    map[string]string // of each request to it; secret
	Roots      *x509.CertPool    // that vouch for it; nil is the system's
	Ratio      float64           // of the traces that begin here, which are kept
	AcceptFrom []netip.Prefix    // whose traceparent is believed
	Attributes map[string]string // of every span's resource
	Every      time.Duration     // between two requests to it; zero is 5 s
	Site       string            // its id
	SiteName   string
	Version    string
	Log        *slog.Logger
}

// Bounds of what waits while the collector is slow or away; more is dropped. A span
// is about a kilobyte.
const (
	queued   = 4096
	together = 512
	sendTime = 10 * time.Second
)

// newExporter sends by OTLP over HTTP and counts what became of it. Failures are not
// for the library's own log, which all sites of a process would share.
func newExporter(ctx context.Context, c Config, n *counts) (sdk.SpanExporter, error) {
	client := &http.Client{
		Timeout: sendTime,
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots}, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second,
		},
		// A redirect would take the headers along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	sender, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(c.Endpoint), otlptracehttp.WithHeaders(c.Headers), otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: sendTime}),
	)
	if err != nil {
		return nil, err
	}
	return &counted{sender, n}, nil
}

// Stats are spans since the start: that ended and were to be kept, that the collector
// took, and that it did not. What is in neither waits, or was dropped.
type Stats struct{ Recorded, Sent, Failed int64 }

// Stats are for metrics.
func (t *Tracer) Stats() Stats {
	if t == nil {
		return Stats{}
	}
	return Stats{t.counts.recorded.Load(), t.counts.sent.Load(), t.counts.failed.Load()}
}

// counts is also a span processor: it sees what ends before the queue may drop it.
type counts struct {
	recorded, sent, failed atomic.Int64
	failing                atomic.Bool
	log                    *slog.Logger
	hide                   map[string]string
}

func (n *counts) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (n *counts) Shutdown(context.Context) error             { return nil }
func (n *counts) ForceFlush(context.Context) error           { return nil }

func (n *counts) OnEnd(s sdk.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		n.recorded.Add(1)
	}
}

// counted notes what became of spans, and says it in the log when that changes.
type counted struct {
	sdk.SpanExporter
	*counts
}

func (e *counted) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.failed.Add(int64(len(spans)))
		if !e.failing.Swap(true) {
			e.log.Warn("traces cannot be sent, and are dropped meanwhile", "err", e.quiet(err))
		}
		return nil // it is told
	}
	e.sent.Add(int64(len(spans)))
	if e.failing.Swap(false) {
		e.log.Info("traces are sent again")
	}
	return nil
}

func (e *counted) Shutdown(ctx context.Context) error { return e.SpanExporter.Shutdown(ctx) }

// quiet is an error without what a collector may have repeated of our headers: the
// key alone, or with the word before it.
func (n *counts) quiet(err error) string {
	text := err.Error()
	for _, value := range n.hide {
		for _, word := range strings.Fields(value) {
			if len(word) > 3 { // a tenant's number is no secret, and part of every status
				text = strings.ReplaceAll(text, word, "REDACTED")
			}
		}
	}
	return text[:min(len(text), 300)]
}
