package peer

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"time"

	"causeway/internal/hop"
	"causeway/internal/problem"
	"causeway/internal/tracing"
	"causeway/tenants"
)

// Exchange is what a request needs to cross.
type Exchange struct {
	// Mint makes the assertion, which is all that vouches for the request there, for
	// its method and r.URL.RequestURI(). Each is good for one try.
	Mint func() (string, error)
	// Principal is who asks, for the share of the peer that one may take.
	Principal string
}

// Forward sends r to its target and copies the answer to w. A request that asks to
// become a WebSocket does, if the peer agrees: who may ask is the caller's to
// decide before.
//
// An error is a *problem.Problem, or context.Canceled where the client left; then
// nothing has been written. An answer that breaks off in the middle panics with
// http.ErrAbortHandler, which is how a server tells its client that the rest is
// missing: a recovering middleware must let it pass.
func (f *Forwarder) Forward(w http.ResponseWriter, r *http.Request, to Target, x Exchange) error {
	s, err := f.site(to)
	if err != nil {
		return err
	}
	if err := s.slots.take(x.Principal); err != nil {
		return err
	}
	defer s.slots.give(x.Principal)
	var way http.RoundTripper = s
	if onlyReads(r) {
		way = readWay{s}
	}
	if err = f.once(way, w, r, to, x); mayTryAgain(r, err) {
		err = f.once(s, w, r, to, x)
	}
	return err
}

// once tries a request once.
func (f *Forwarder) once(way http.RoundTripper, w http.ResponseWriter, r *http.Request, to Target, x Exchange) (failed error) {
	assertion, err := x.Mint()
	if err != nil {
		return err
	}
	_, span := tracing.Start(r.Context(), "peer", tracing.Client)
	span.Set(tracing.Peer, string(to.Site))
	defer func() { span.EndWith(failed) }()
	accept := func(res *http.Response) error {
		span.SetInt(tracing.Status, res.StatusCode)
		return f.answered(res, r, to)
	}
	if onlyReads(r) {
		out := hop.Outgoing(r, 2)
		out.URL.Path, out.URL.RawPath = r.URL.Path, r.URL.RawPath
		rewrite(out, r, to.Site, f.cfg.Identity.site, assertion)
		span.TellPeer(out.Header)
		return pass(way, w, r, out, accept)
	}
	proxy := &httputil.ReverseProxy{
		Transport:  way,
		BufferPool: hop.Buffers{},
		ErrorLog:   hop.Silent,
		Rewrite: func(p *httputil.ProxyRequest) {
			hop.StripRequest(p.Out.Header)
			rewrite(p.Out, p.In, to.Site, f.cfg.Identity.site, assertion)
			span.TellPeer(p.Out.Header)
		},
		ModifyResponse: accept,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
	}
	proxy.ServeHTTP(w, r)
	return failed
}

// pass sends out for r, which has no body, and copies its answer to w.
func pass(way http.RoundTripper, w http.ResponseWriter, r, out *http.Request, accept func(*http.Response) error) error {
	res, err := way.RoundTrip(out)
	if err != nil {
		return err
	}
	hop.RemoveHopByHop(res.Header)
	if err := accept(res); err != nil {
		res.Body.Close()
		return err
	}
	hop.Answer(w, r, res)
	return nil
}

// answered makes of a peer's answer the client's.
func (f *Forwarder) answered(res *http.Response, r *http.Request, to Target) error {
	localized := res.Header.Get("Location")
	if to.Origin != "" {
		localize(res.Header, to.Origin, f.cfg.Origin)
	}
	moved := res.Header.Get("Location")
	if err := f.accept(res, r); err != nil {
		return err
	}
	if moved != localized {
		res.Header.Set("Location", moved) // whatever host the client calls us by
	}
	if res.StatusCode == http.StatusTooManyRequests {
		res.Header.Set(limitedByHeader, string(to.Site))
	}
	return nil
}

// rewrite makes the request that leaves. Hop-by-hop headers, also those a client named
// in Connection, and what must not cross have gone before: what is set here stays.
func rewrite(out, in *http.Request, to, self tenants.SiteID, assertion string) {
	out.Trailer = nil // a client could name any header there
	if !hop.AsksForWebSocket(in) {
		out.Header.Del("Connection")
		out.Header.Del("Upgrade")
	}
	out.Header.Del("Te")
	out.Header.Set(AssertionHeader, assertion)
	out.Header.Set("Via", viaValue(self))
	out.URL.Scheme = "https"
	out.URL.Host = string(to) // never resolved; the dialer knows where the site is
	out.Host = ""
	// The proxy drops what it cannot parse. The assertion covers the query as the
	// client sent it, and the peer parses as strictly as we do.
	out.URL.RawQuery = in.URL.RawQuery
}

// accept turns what peers only say to each other into words for a client, and
// takes out of the answer what another site has no business setting.
func (f *Forwarder) accept(res *http.Response, r *http.Request) error {
	switch res.StatusCode {
	case http.StatusMisdirectedRequest:
		return problem.Wrap(ErrMisdirected, problem.Unavailable, "The organization is not at the site that its association names.").
			After(retryMisdirected)
	case http.StatusLoopDetected:
		return problem.New(problem.Unavailable, "The other site refused the request because it has seen it before.")
	case http.StatusSwitchingProtocols:
		if hop.AsksForWebSocket(r) {
			hop.StripResponse(res, r.Host)
			renameRequestID(res.Header)
			return nil // its body is the connection, and as silent as it likes
		}
		return problem.New(problem.Unavailable, "The other site answered with a protocol nobody asked for.")
	}
	hop.StripResponse(res, r.Host)
	dropLink(res.Header)
	renameRequestID(res.Header)
	res.Body = newGuarded(res, f.cfg.IdleTimeout)
	return nil
}

// ErrMisdirected is in the refusal of a site that does not have the organization:
// what its directory said is out of date.
var ErrMisdirected = errors.New("peer: the site does not have the organization")

// retryMisdirected is about how long the directory of a site takes to be read.
const retryMisdirected = 5 * time.Second
