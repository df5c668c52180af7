package gateway

import (
	"bytes"
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/fanout"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// inside is a request that this site asks of itself for a list at several
// locations: who asks, and where, is decided already.
type inside struct {
	who    tenants.Principal
	target federation.Target
	err    error // what it was refused with
}

type insideKey struct{}

func insideOf(ctx context.Context) (*inside, bool) {
	in, ok := ctx.Value(insideKey{}).(*inside)
	return in, ok
}

// askHere sends r through the same endpoints as any other request. What the
// handlers panic with stays here: the client's own answer has not begun.
func (g *Gateway) askHere(r *http.Request, h *fanout.Hold, in *inside) (body []byte, err error) {
	w := &answerWriter{hold: h, header: http.Header{}, status: http.StatusOK}
	defer func() {
		if v := recover(); v != nil {
			body, err = nil, fanout.Unreadable() // broken off; recover has logged anything else
		}
	}()
	g.engine.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), insideKey{}, in)))
	switch {
	case in.err != nil:
		return nil, in.err
	case w.err != nil:
		return nil, w.err
	case w.status != http.StatusOK: // of an instance
		return nil, refusedWith(w.status, w.body.Bytes())
	}
	return w.body.Bytes(), nil
}

// answerWriter keeps an answer, as far as it may be long.
type answerWriter struct {
	hold   *fanout.Hold
	header http.Header
	status int
	body   bytes.Buffer
	err    error // why it is not whole
}

func (w *answerWriter) Header() http.Header { return w.header }

func (w *answerWriter) WriteHeader(status int) { w.status = status }

func (w *answerWriter) Write(p []byte) (int, error) {
	if w.body.Len()+len(p) > fanout.MaxAnswer {
		w.err = fanout.Unreadable()
		return 0, problem.New(problem.TooLarge, "The answer is too large for a list at several locations.")
	}
	if w.err = w.hold.Take(len(p)); w.err != nil {
		return 0, w.err
	}
	return w.body.Write(p)
}

// Flush is asked for by what streams.
func (w *answerWriter) Flush() {}

// here is who asks, and where, of a request of this site's own.
func here(c *gin.Context) (*inside, bool) { return insideOf(c.Request.Context()) }

// notOfParts are headers that are about the whole: where it is fulfilled, and what
// the client has of it.
var notOfParts = []string{
	httpapi.HeaderAuthContext, httpapi.HeaderTenantContext,
	"Accept-Encoding", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range",
}
