// Package tracing owns the traces of requests and of work in the background: where
// they begin, what spans may say, and how they reach an OpenTelemetry collector by
// OTLP over HTTP. Nothing else knows OpenTelemetry.
//
// A span begins at an inbound request or at a piece of work ([Tracer.Serve],
// [Tracer.Work]), and everything below asks [Start] for a child of what the context
// holds. Without a tracer no context holds anything: Start is a look-up then, and
// allocates nothing.
//
// Spans leave the site for a system with readers of its own. So no attribute holds
// what a client chose: no query, path, header, name or text, and nothing secret.
// What may be said is the list of keys in this package.
package tracing
