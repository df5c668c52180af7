package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"causeway/internal/hop"
	"causeway/internal/problem"
)

// Proxy hands requests to instances. It changes no body and streams both ways.
type Proxy struct {
	*Table
	transport http.RoundTripper
}

// NewProxy makes a Proxy over the instances of a table. ctx of each request ends
// its exchange; idle connections are kept for the next.
func NewProxy(t *Table) *Proxy {
	return &Proxy{Table: t, transport: quiet{&http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 256, // as many as requests at once, or each burst dials anew
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second,
		// Time to the first byte of the answer. The rest may stream.
		ResponseHeaderTimeout:  60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // bodies pass as they are
	}}}
}

// Close drops idle connections.
func (p *Proxy) Close() {
	if t, ok := p.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// quiet keeps interim answers away from the client.
type quiet struct{ *http.Transport }

func (t quiet) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.Transport.RoundTrip(r.WithContext(hop.Quiet(r.Context())))
}

// Serve sends r to the instance as id and copies its answer to w. An error means
// nothing was written. A refusal by the instance itself is an answer, not an
// error.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, in *Instance, id Identity) error {
	var failed error
	proxy := httputil.ReverseProxy{
		Transport:  p.transport,
		BufferPool: hop.Buffers{},
		ErrorLog:   hop.Silent,
		Rewrite: func(pr *httputil.ProxyRequest) {
			out := pr.Out
			hop.StripRequest(out.Header)
			id.headers(out.Header)
			out.URL.Scheme, out.URL.Host = in.Upstream.Scheme, in.Upstream.Host
			out.URL.Path, out.URL.RawPath = id.Path, ""
			out.URL.RawQuery = pr.In.URL.RawQuery // as sent: semicolons and all
			out.Host = ""
			if !id.WebSocket {
				out.Header.Del("Upgrade")
				out.Header.Del("Connection")
			}
			out.Trailer = nil // only the names would arrive, and they may be forged ones
		},
		ModifyResponse: func(res *http.Response) error {
			hop.StripResponse(res, r.Host)
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err },
	}
	proxy.ServeHTTP(w, r)
	return unavailable(in, failed)
}

// unavailable says which instance did not answer, and never 502: VCD's clients
// throw its body away.
func unavailable(in *Instance, err error) error {
	var timeout net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return problem.Wrap(err, problem.GatewayTimeout, "The service "+in.Name+" did not answer in time.")
	}
	return problem.Wrap(err, problem.Unavailable, "The service "+in.Name+" cannot be reached.").After(5 * time.Second)
}
