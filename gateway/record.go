package gateway

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/internal/tracing"
	"causeway/services/upstream"
	"causeway/tenants"
)

const (
	keyWho  = "causeway.who"
	keyPeer = "causeway.peer"
	// keyRefusedBy is the instance that refused what the gateway had let through.
	keyRefusedBy = "causeway.refusedBy"
	// keyTarget is what keyPeer is the site of.
	keyTarget = "causeway.target"
)

// Record is what one answered request leaves behind, for the log and the
// metrics. It holds nothing of the query, the headers or the body.
type Record struct {
	RequestID string
	Method    string
	Route     string // the pattern that matched; "instance" for services behind us
	Status    int
	Problem   problem.Code
	Via       string // the site that vouched, when a peer asked
	Org       string
	Principal string
	ClientID  string // of a service account or an app
	TraceID   string // empty where nothing is traced
	Peer      string // who fulfilled it, when that was another site
	RefusedBy string // "upstream": the service's own refusal, and none of ours
	Duration  time.Duration
}

func note(c *gin.Context, who tenants.Principal) { c.Set(keyWho, who) }

// record writes one line per request, also for one whose answer broke off, and
// none for the parts of a list.
func (g *Gateway) record(c *gin.Context) {
	if _, part := here(c); part {
		c.Next()
		return
	}
	start := time.Now()
	span := g.trace(c)
	defer func() { g.write(c, start, span) }()
	c.Next()
	sendNow(c)
}

// sendNow lets a peer have an answer that is whole before the line about it is
// written: somebody waits for that site to pass it on.
func sendNow(c *gin.Context) {
	_, peer := fromPeer(c.Request.Context())
	if peer && c.Writer.Written() && c.Writer.Header().Get("Content-Length") != "" {
		c.Writer.Flush()
	}
}

func (g *Gateway) write(c *gin.Context, start time.Time, span tracing.Span) {
	r := Record{
		RequestID: httpapi.RequestID(c), Method: c.Request.Method, Route: c.FullPath(),
		Status: c.Writer.Status(), Peer: c.GetString(keyPeer), Duration: time.Since(start), TraceID: span.TraceID(),
	}
	if r.Route == "" {
		r.Route = "instance"
	}
	if who, ok := c.Value(keyWho).(tenants.Principal); ok {
		r.Org, r.Principal, r.Via = who.OrgName, string(who.Kind)+":"+who.Name, string(who.Via)
		if !who.Kind.OfUser() {
			r.ClientID = who.ID
		}
	}
	var p *problem.Problem
	if err := httpapi.Failure(c); err != nil && r.Status != httpapi.StatusClientLeft {
		p = problem.From(err)
		r.Problem = p.Code
	}
	if in, ok := c.Value(keyRefusedBy).(*upstream.Instance); ok {
		r.RefusedBy = refusal.ByUpstream
		g.refusedByUpstream(c, r.Status, in)
	}
	if skipped, ok := g.strangers.logs(r, start); ok {
		g.logLine(c, r, p, skipped)
	}
	if r.Peer != "" && r.Problem == "" {
		g.refusedByPeer(c, r.Status)
	}
	if g.observe != nil {
		g.observe(r)
	}
	endTrace(c, span, r)
}

// logLine writes what r says; p is nil unless the request was refused, and skipped
// is how many lines were left out before.
func (g *Gateway) logLine(c *gin.Context, r Record, p *problem.Problem, skipped int) {
	attrs := append(make([]slog.Attr, 0, 14),
		slog.String("request_id", r.RequestID), slog.String("method", r.Method), slog.String("route", r.Route), slog.Int("status", r.Status),
		slog.String("org", r.Org), slog.String("principal", r.Principal), slog.Duration("dur", r.Duration),
	)
	if r.ClientID != "" {
		attrs = append(attrs, slog.String("client_id", r.ClientID))
	}
	if r.TraceID != "" {
		attrs = append(attrs, slog.String("trace_id", r.TraceID))
	}
	if r.Peer != "" {
		attrs = append(attrs, slog.String("peer", r.Peer))
	}
	if r.Via != "" {
		attrs = append(attrs, slog.String("via", r.Via))
	}
	if r.RefusedBy != "" {
		attrs = append(attrs, slog.String("refused_by", r.RefusedBy))
	}
	level := slog.LevelInfo
	if p != nil {
		attrs = append(attrs, slog.String("problem", p.Error()))
		if p.Code.Row().Status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
	}
	if skipped > 0 {
		attrs = append(attrs, slog.Int("others_refused", skipped))
	}
	// Not by the logger's own method, which first finds out where it was called.
	if h, ctx := g.log.Handler(), c.Request.Context(); h.Enabled(ctx, level) {
		line := slog.NewRecord(time.Now(), level, "request", 0)
		line.AddAttrs(attrs...)
		_ = h.Handle(ctx, line)
	}
}

// recover answers 500 when a handler panics, and logs where without the request,
// whose headers hold tokens. A client or peer that went away in the middle of a
// streamed answer is net/http's own signal and passes through.
func (g *Gateway) recover(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		g.log.Error("panic", "request_id", httpapi.RequestID(c), "value", v, "stack", strings.TrimSpace(string(debug.Stack())))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler) // or half an answer would look whole
		}
		g.fail(c, problem.New(problem.Internal, "The server met an unexpected condition."))
	}()
	c.Next()
}
