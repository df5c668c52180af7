package gateway

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/tracing"
	"causeway/tenants"
)

// trace begins what a request's trace says of this site. A peer's trace goes on: it is
// known by its key, and nobody else reaches its listener. Of clients only those whose
// word about traces the configuration believes.
func (g *Gateway) trace(c *gin.Context) tracing.Span {
	if g.tracer == nil {
		return tracing.Span{}
	}
	r := c.Request
	parent := g.tracer.Parent(r)
	if _, peer := fromPeer(r.Context()); peer {
		parent = r.Header.Get(tracing.HeaderPeer)
	}
	ctx, span := g.tracer.Serve(r.Context(), parent)
	c.Request = r.WithContext(ctx)
	return span
}

// endTrace says what the request was, by what is ours to say: the request id is the
// part that this site made, and the organization one of this site.
func endTrace(c *gin.Context, span tracing.Span, r Record) {
	if !span.On() {
		return
	}
	method := tracing.KnownMethod(r.Method)
	span.Rename(method + " " + r.Route)
	span.Set(tracing.Method, method)
	span.Set(tracing.Route, r.Route)
	span.SetInt(tracing.Status, r.Status)
	span.Set(tracing.RequestID, httpapi.OwnRequestID(c))
	org := httpapi.Concerned(c)
	if who, ok := c.Value(keyWho).(tenants.Principal); ok && org == "" && who.Via == "" {
		org = who.Org
	}
	span.Set(tracing.Organization, string(org))
	span.Set(tracing.Peer, r.Peer+r.Via) // never both
	span.Set(tracing.Problem, string(r.Problem))
	if r.Status >= http.StatusInternalServerError {
		span.Fail()
	}
	span.End()
}
