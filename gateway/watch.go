package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// recheck is how often an exchange that takes long is judged anew, from memory: it
	// may go on no longer after a revocation than others could begin (R4).
	recheck = time.Second
	// doubt is for how long an exchange goes on of which nobody can tell.
	doubt = 30 * time.Second
	// stalled is how long a client may send nothing of a body that it has begun.
	stalled = 120 * time.Second
)

// watched runs an exchange that may take as long as it likes, while whoever asked
// for it still may: uploads, downloads, events and WebSockets end when the session
// does, or the role that allowed them. Nothing happens where it is over sooner.
func (g *Gateway) watched(c *gin.Context, still func(context.Context) error, run func() error) error {
	ctx, cancel := context.WithCancelCause(c.Request.Context())
	defer cancel(nil)
	body := &watchedBody{ReadCloser: c.Request.Body}
	before := c.Request
	c.Request = before.WithContext(ctx)
	if body.ReadCloser != nil && body.ReadCloser != http.NoBody {
		body.begun()
		c.Request.Body = body
	}
	defer func() { c.Request = before }()
	if before.Header.Get("Upgrade") != "" { // whose connection a server that stops does not close
		defer context.AfterFunc(g.life, func() { cancel(context.Canceled) })()
	}

	w := &watch{still: still, cancel: cancel, body: body, ctx: ctx}
	w.timer.Store(time.AfterFunc(recheck, w.look))
	defer w.stop()
	err := run()
	if cause := context.Cause(ctx); err != nil && cause != nil && before.Context().Err() == nil {
		var p *problem.Problem
		if errors.As(cause, &p) {
			return p // not the client's doing
		}
	}
	return err
}

// watch is one exchange that is watched.
type watch struct {
	still  func(context.Context) error
	cancel context.CancelCauseFunc
	body   *watchedBody
	ctx    context.Context
	unsure time.Time // since when looks cannot tell; zero: the last one could
	over   atomic.Bool
	timer  atomic.Pointer[time.Timer]
}

// look judges and comes again. Looks that cannot tell are forgiven for a while.
func (w *watch) look() {
	err := w.still(w.ctx)
	p := problem.As(err)
	switch {
	case err == nil:
		w.unsure = time.Time{}
	case p == nil || p.Code == problem.Unavailable || p.Code == problem.SiteUnreachable || p.Code == problem.Internal:
		if w.unsure.IsZero() {
			w.unsure = time.Now()
		}
		if time.Since(w.unsure) >= doubt {
			w.cancel(problem.New(problem.Unavailable, "Whether this may go on cannot be found out.").After(time.Second))
			return
		}
	default:
		w.cancel(p)
		return
	}
	if w.body.silent() > stalled {
		w.cancel(problem.New(problem.BadRequest, "The rest of the body did not come."))
		return
	}
	if !w.over.Load() {
		w.timer.Load().Reset(recheck)
	}
}

func (w *watch) stop() {
	w.over.Store(true)
	w.timer.Load().Stop()
}

// watchedBody notes when the client last sent something.
type watchedBody struct {
	io.ReadCloser
	last atomic.Int64 // Unix nanoseconds; 0 is whole, or none
}

func (b *watchedBody) begun() { b.last.Store(time.Now().UnixNano()) }

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.last.Store(0)
	} else {
		b.begun()
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.last.Store(0)
	return b.ReadCloser.Close()
}

// silent is for how long nothing of an unfinished body has come.
func (b *watchedBody) silent() time.Duration {
	last := b.last.Load()
	if last == 0 {
		return 0
	}
	return time.Since(time.Unix(0, last))
}

// still judges anew what let somebody do something: the session or the word of the
// peer, where the request goes, and, where that is here, what they may.
func (g *Gateway) still(c *gin.Context, who tenants.Principal, to federation.Target, may func(context.Context, tenants.Principal) error) func(context.Context) error {
	r := c.Request
	return func(ctx context.Context) error {
		now, err := g.identifyAgain(ctx, r, who)
		if err != nil {
			return err
		}
		if to.Local {
			return may(ctx, now)
		}
		target, err := g.sites.Resolve(ctx, now, r.Header)
		if problem.Has(err, problem.SiteUnreachable) {
			return nil // what is under way shows by itself whether it goes on
		}
		if err == nil && (target.Org != to.Org || target.Site != to.Site) {
			err = problem.New(problem.Forbidden, "The request would be fulfilled elsewhere now.").With(problem.FactReason, problem.ReasonNoAssoc)
		}
		return err
	}
}

// identifyAgain asks the same that was asked when the request came.
func (g *Gateway) identifyAgain(ctx context.Context, r *http.Request, who tenants.Principal) (tenants.Principal, error) {
	if _, peer := fromPeer(r.Context()); peer { // an assertion is good for once
		return g.sites.Still(ctx, who)
	}
	tokens := httpapi.Tokens(r)
	if who.Via != "" {
		return g.showsForeign(ctx, tokens, r.Header)
	}
	for _, token := range tokens {
		now, err := g.tokens.Authenticate(ctx, token)
		if err == nil && now.Session == who.Session {
			return now, nil
		}
		if err != nil && !problem.Has(err, problem.Unauthenticated) {
			return tenants.Principal{}, err
		}
	}
	return tenants.Principal{}, problem.New(problem.Unauthenticated, "The session has ended.")
}

// Close ends WebSockets: a server that stops closes their connections no more.
func (g *Gateway) Close() { g.shut() }
