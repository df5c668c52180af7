package upstream

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"causeway/internal/hop"
	"causeway/internal/problem"
	"causeway/internal/tracing"
)

// exchange is one request on its way. It is a reverse proxy's transport, too: which
// upstream the request goes to is known when it goes.
type exchange struct {
	proxy httputil.ReverseProxy
	by    *Proxy
	in    *Instance
	id    Identity
	host  string // that the client asked
	span  tracing.Span
	to    *member
	probe bool // tries whether to is back
	// proxied is of requests that go by way of proxy.
	proxied bool
	body    *given
	failed  error
}

func (p *Proxy) newExchange() *exchange {
	e, ok := p.exchanges.Get().(*exchange)
	if !ok {
		e = &exchange{by: p}
		e.proxy = httputil.ReverseProxy{
			Transport: e, BufferPool: hop.Buffers{}, ErrorLog: hop.Silent,
			Rewrite: e.rewrite, ModifyResponse: e.answered, ErrorHandler: e.fail,
		}
	}
	return e
}

// Serve sends r to the instance as id and copies its answer to w. An error means
// nothing was written. A refusal by the instance itself is an answer, not an
// error.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, in *Instance, id Identity) error {
	e := p.newExchange()
	e.in, e.id, e.host = in, id, r.Host
	if err := p.assert(r.Context(), in, &e.id); err != nil {
		return err
	}
	_, span := tracing.Start(r.Context(), "instance", tracing.Client)
	defer span.End()
	e.span = span
	failed := e.run(w, r)
	if failed != nil {
		span.Fail()
	}
	e.in, e.id, e.failed, e.body, e.span = nil, Identity{}, nil, nil, tracing.Span{}
	p.exchanges.Put(e) // not after a panic: the transport may still have it
	return unavailable(in, failed)
}

// run lets the upstream go also when it or the client goes away in the middle, which
// is a panic.
func (e *exchange) run(w http.ResponseWriter, r *http.Request) error {
	defer e.release()
	if e.proxied = !e.by.forwards(r, &e.id); !e.proxied {
		return e.forward(w, r)
	}
	e.proxy.ServeHTTP(w, r)
	return e.failed
}

// forwards reports whether r stays what it is.
func (p *Proxy) forwards(r *http.Request, id *Identity) bool {
	return !p.slow && !(id.WebSocket && hop.AsksForWebSocket(r))
}

func (e *exchange) release() {
	e.probedNow()
	if e.to != nil {
		e.to.busy.Add(-1)
		e.to = nil
	}
}

// probedNow lets others try, if to is not back.
func (e *exchange) probedNow() {
	if e.probe {
		e.to.probed.Store(false)
		e.probe = false
	}
}

func (e *exchange) rewrite(pr *httputil.ProxyRequest) {
	out := pr.Out
	hop.StripRequest(out.Header)
	e.id.headers(out.Header)
	e.span.Tell(out.Header)
	out.URL.RawQuery = pr.In.URL.RawQuery // as sent: semicolons and all
	out.Host = ""
	if !e.id.WebSocket {
		delete(out.Header, "Upgrade")
		delete(out.Header, "Connection")
	}
	out.Trailer = nil // only the names would arrive, and they may be forged ones
}

func (e *exchange) answered(res *http.Response) error {
	hop.StripResponse(res, e.host)
	hop.StripTrailer(res.Trailer)
	if res.StatusCode != http.StatusSwitchingProtocols {
		res.Body = trailed{res.Body, res}
	}
	return nil
}

// trailed is a body after which trailers come: a transport adds to them at its end.
type trailed struct {
	io.ReadCloser
	res *http.Response
}

func (t trailed) Close() error {
	err := t.ReadCloser.Close()
	hop.StripTrailer(t.res.Trailer)
	return err
}

func (e *exchange) fail(_ http.ResponseWriter, _ *http.Request, err error) { e.failed = err }

// RoundTrip sends out to an upstream that is well. Another one is tried only where
// there was no connection, so that nothing was sent.
func (e *exchange) RoundTrip(out *http.Request) (*http.Response, error) {
	pool := e.in.pool
	if out.Body != nil && out.Body != http.NoBody && e.body == nil {
		e.body = &given{ReadCloser: out.Body}
		out.Body = e.body
	}
	var tried members
	var first error
	for {
		now := e.by.now()
		i, probe, err := pool.pick(now, tried)
		if err != nil {
			e.by.counts.unwell.Add(1)
			return nil, cmp.Or(first, err)
		}
		m := pool.members[i]
		e.to, e.probe = m, probe
		m.busy.Add(1)
		res, err := m.over.RoundTrip(e.aim(out, m))
		if err == nil {
			e.span.SetInt(tracing.Status, res.StatusCode)
			e.by.note(pool, m, res.StatusCode, probe)
			e.probedNow()
			return res, nil
		}
		e.by.noteFailure(pool, m, e.blame(out, err), probe)
		e.probedNow()
		if tried = tried.with(i); !errors.As(err, new(unreached)) || out.Context().Err() != nil || tried.count() == len(pool.members) {
			return nil, cmp.Or(first, e.body.failure(err))
		}
		first = cmp.Or(first, err)
		e.release()
		e.by.counts.retries.Add(1)
	}
}

// aim is out for one upstream; each try has one of its own.
func (e *exchange) aim(out *http.Request, m *member) *http.Request {
	if e.proxied {
		out = out.WithContext(hop.Quiet(out.Context()))
	} else if len(e.in.pool.members) > 1 {
		out = out.WithContext(out.Context())
		out.URL = &url.URL{RawQuery: out.URL.RawQuery, ForceQuery: out.URL.ForceQuery}
	}
	for i, name := range replayed {
		if v, ok := out.Header[name]; ok { // by which a transport would send it twice
			delete(out.Header, name)
			out.Header[unseen[i]] = v
		}
	}
	u := out.URL
	u.Scheme, u.Host, u.Path, u.RawPath = m.scheme, m.host, m.base+e.id.Path, ""
	return out
}

// replayed are headers for which a net/http transport sends a request again by itself
// where it lost the connection, whatever the method: the instance may have done it.
// It does not see them spelled otherwise, and is alone in that.
var (
	replayed = [...]string{"Idempotency-Key", "X-Idempotency-Key"}
	unseen   = [...]string{"idempotency-key", "x-idempotency-key"}
)

// blame is what an upstream did wrong, or nothing where others did.
func (e *exchange) blame(out *http.Request, err error) failure {
	var timeout net.Error
	switch {
	case out.Context().Err() != nil, e.body.failed():
		return ""
	case errors.As(err, new(unreached)):
		return unreachable
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return silent
	}
	return broken
}

// given is a client's body. Who closes it is the proxy, when the exchange is over, and
// not a transport that could not send it.
type given struct {
	io.ReadCloser
	broke atomic.Pointer[error]
	over  atomic.Bool
}

var errOver = errors.New("the exchange is over")

// finish ends reading: a transport may go on after its answer, and the client's
// connection is by then for another request.
func (g *given) finish() { g.over.Store(true) }

func (g *given) Read(p []byte) (int, error) {
	if g.over.Load() {
		return 0, errOver
	}
	n, err := g.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		g.broke.Store(&err)
	}
	return n, err
}

// Close leaves the body open.
func (g *given) Close() error { return nil }

func (g *given) failed() bool { return g != nil && g.broke.Load() != nil }

// failure is the client's where its body broke off.
func (g *given) failure(err error) error {
	if g.failed() {
		return problem.Wrap(err, problem.BadRequest, "The body of the request broke off.")
	}
	return err
}
