package tracing

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer begins traces. A nil Tracer begins none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	believed []netip.Prefix
	counts   *counts
}

// New makes a Tracer, which sends from now on until Stop. Whether the collector is
// there shows later, in the log and in Stats.
func New(ctx context.Context, c Config) (*Tracer, error) {
	if c.Every <= 0 {
		c.Every = 5 * time.Second
	}
	t := &Tracer{believed: c.AcceptFrom, counts: &counts{log: c.Log, hide: c.Headers}}
	exporter, err := newExporter(ctx, c, t.counts)
	if err != nil {
		return nil, err
	}
	attributes := []attribute.KeyValue{
		attribute.String("service.name", "causeway"), attribute.String("service.version", c.Version),
		attribute.String("causeway.site.id", c.Site), attribute.String("causeway.site.name", c.SiteName),
	}
	for name, value := range c.Attributes {
		attributes = append(attributes, attribute.String(name, value))
	}
	// Every bound is said here: what is not would come from variables that the
	// library reads, which are no settings of ours.
	t.provider = sdk.NewTracerProvider(
		sdk.WithResource(resource.NewSchemaless(attributes...)),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(c.Ratio))),
		sdk.WithRawSpanLimits(sdk.SpanLimits{
			AttributeValueLengthLimit: 256, AttributeCountLimit: 32, EventCountLimit: 0, LinkCountLimit: 0,
			AttributePerEventCountLimit: 0, AttributePerLinkCountLimit: 0,
		}),
		sdk.WithSpanProcessor(t.counts),
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(queued), sdk.WithMaxExportBatchSize(together), sdk.WithBatchTimeout(c.Every),
			sdk.WithExportTimeout(sendTime)),
	)
	t.tracer = t.provider.Tracer(scope)
	return t, nil
}

// Serve begins the trace of an inbound request, or goes on with the one that parent
// names: the value of a traceparent header that is believed, or empty.
func (t *Tracer) Serve(ctx context.Context, parent string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	if parent != "" { // what is no such value changes nothing
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
	}
	ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	return ctx, Span{span, true}
}

// Work begins the trace of something that no request waits for.
func (t *Tracer) Work(ctx context.Context, name string, kind Kind) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithNewRoot())
	return ctx, Span{span, true}
}

// Parent is the traceparent of a client whose word counts, or empty. Anybody else's
// is not looked at: who chooses ids and what is kept could fill the collector, and
// mix its traces with those of others.
func (t *Tracer) Parent(r *http.Request) string {
	if len(t.believed) == 0 || len(r.Header[headerParent]) != 1 {
		return ""
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	a := from.Addr().Unmap().WithZone("")
	if !slices.ContainsFunc(t.believed, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return ""
	}
	return r.Header[headerParent][0]
}

// Stop sends what waits, until ctx ends.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Methods that HTTP knows; others are a client's own words.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

// KnownMethod is a method as a span may say it.
func KnownMethod(m string) string {
	if slices.Contains(methods, m) {
		return m
	}
	return "_OTHER"
}
