package tracing

import (
	"context"
	"encoding/hex"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Key names what a span may say. The first are OpenTelemetry's semantic conventions.
type Key string

const (
	Method    Key = "http.request.method" // one that HTTP knows, or _OTHER
	Route     Key = "http.route"          // the pattern
	Status    Key = "http.response.status_code"
	Operation Key = "db.operation.name"

	RequestID    Key = "causeway.request_id" // the part that the site made
	Organization Key = "causeway.organization.id"
	Peer         Key = "causeway.peer.site" // the other site of a crossing, by id
	Problem      Key = "causeway.problem"
	Rows         Key = "causeway.rows"
)

// Kind is where the other end of a span is.
type Kind = trace.SpanKind

const (
	Internal = trace.SpanKindInternal
	Client   = trace.SpanKindClient
)

const scope = "causeway"

// Span is one step of a trace. The zero Span is of no trace, and does nothing.
type Span struct {
	span trace.Span
	own  bool // begun by us, so ours to say things of and to end
}

// Start begins a step of the trace that ctx is part of, if it is part of one.
func Start(ctx context.Context, name string, kind Kind) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.SpanContext().IsValid() {
		return ctx, Span{}
	}
	if !parent.IsRecording() { // of a trace that nobody keeps, which others are told of, too
		return ctx, Span{span: parent}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span, true}
}

// On reports whether the span is part of a trace, kept or not.
func (s Span) On() bool { return s.span != nil }

// Set says something of the step.
func (s Span) Set(k Key, v string) {
	if s.own && v != "" {
		s.span.SetAttributes(attribute.String(string(k), v))
	}
}

// SetInt says a number.
func (s Span) SetInt(k Key, v int) {
	if s.own {
		s.span.SetAttributes(attribute.Int(string(k), v))
	}
}

// Rename gives the step a name that was not known when it began.
func (s Span) Rename(name string) {
	if s.own {
		s.span.SetName(name)
	}
}

// Fail marks the step as failed. Errors are not for traces: their text may be
// anybody's.
func (s Span) Fail() {
	if s.own {
		s.span.SetStatus(codes.Error, "")
	}
}

// End ends the step.
func (s Span) End() {
	if s.own {
		s.span.End()
	}
}

// EndWith ends the step, as a failure if err is one.
func (s Span) EndWith(err error) {
	if err != nil {
		s.Fail()
	}
	s.End()
}

// TraceID is the trace's id for a line of the log; empty without a trace.
func (s Span) TraceID() string {
	if s.span == nil {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}

// The headers of a trace (W3C Trace Context), as net/http spells them, and the one
// by which a site tells another. Clients can send the first two, and no client's
// copy of the third leaves a site.
const (
	headerParent = "Traceparent"
	headerState  = "Tracestate"
	HeaderPeer   = "X-Causeway-Traceparent"
)

// Tell has the other end go on with the trace. What a client said of a trace of its
// own goes: it would name a parent that is not there.
func (s Span) Tell(h http.Header) {
	if s.span == nil {
		return
	}
	h[headerParent] = []string{s.parent()}
	delete(h, headerState)
}

// TellPeer is Tell for another site, which believes it. A client's own headers stay:
// they are for whoever is asked there.
func (s Span) TellPeer(h http.Header) {
	if s.span != nil {
		h[HeaderPeer] = []string{s.parent()}
	}
}

// parent is the span as the value of a traceparent header.
func (s Span) parent() string {
	c := s.span.SpanContext()
	traceID, spanID := c.TraceID(), c.SpanID()
	b := append(make([]byte, 0, 55), "00-"...)
	b = append(hex.AppendEncode(b, traceID[:]), '-')
	b = append(hex.AppendEncode(b, spanID[:]), '-')
	return string(hex.AppendEncode(b, []byte{byte(c.TraceFlags() & trace.FlagsSampled)}))
}
