package peer

import (
	"net/http"
	"net/http/httputil"
	"time"

	"causeway/internal/hop"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Forward sends r to its target and copies the answer to w. assertion, minted
// for r.Method and r.URL.RequestURI(), is all that vouches for it there.
//
// An error is a *problem.Problem, or context.Canceled where the client left; then
// nothing has been written. An answer that breaks off in the middle panics with
// http.ErrAbortHandler, which is how a server tells its client that the rest is
// missing: a recovering middleware must let it pass.
func (f *Forwarder) Forward(w http.ResponseWriter, r *http.Request, to Target, assertion string) error {
	s, err := f.site(to)
	if err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return problem.New(problem.Unavailable, "Too many requests to this site are under way.").After(time.Second)
	}
	var failed error
	proxy := &httputil.ReverseProxy{
		Transport:  s,
		BufferPool: hop.Buffers{},
		ErrorLog:   hop.Silent,
		Rewrite: func(p *httputil.ProxyRequest) {
			rewrite(p, to.Site, f.cfg.Identity.site, assertion)
		},
		ModifyResponse: func(res *http.Response) error {
			return f.accept(res, r)
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
	}
	proxy.ServeHTTP(w, r)
	return failed
}

// rewrite makes the request that leaves. The proxy has already removed the
// hop-by-hop headers, also those a client named in Connection: what is set here
// stays.
func rewrite(p *httputil.ProxyRequest, to, self tenants.SiteID, assertion string) {
	out := p.Out
	hop.StripRequest(out.Header)
	out.Trailer = nil // a client could name any header there
	out.Header.Del("Connection")
	out.Header.Del("Upgrade")
	out.Header.Del("Te")
	out.Header.Set(AssertionHeader, assertion)
	out.Header.Set("Via", viaValue(self))
	out.URL.Scheme = "https"
	out.URL.Host = string(to) // never resolved; the dialer knows where the site is
	out.Host = ""
	// The proxy drops what it cannot parse. The assertion covers the query as the
	// client sent it, and the peer parses as strictly as we do.
	out.URL.RawQuery = p.In.URL.RawQuery
}

// accept turns what peers only say to each other into words for a client, and
// takes out of the answer what another site has no business setting.
func (f *Forwarder) accept(res *http.Response, r *http.Request) error {
	switch res.StatusCode {
	case http.StatusMisdirectedRequest:
		return problem.New(problem.Unavailable, "The organization is not at the site that its association names.")
	case http.StatusLoopDetected:
		return problem.New(problem.Unavailable, "The other site refused the request because it has seen it before.")
	case http.StatusSwitchingProtocols:
		return problem.New(problem.Unavailable, "The other site answered with a protocol nobody asked for.")
	}
	hop.StripResponse(res, r.Host)
	dropLink(res.Header)
	renameRequestID(res.Header)
	res.Body = newGuarded(res, f.cfg.IdleTimeout)
	return nil
}
