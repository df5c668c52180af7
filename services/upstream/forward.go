package upstream

import (
	"errors"
	"net/http"

	"causeway/internal/hop"
)

// forward is what httputil.ReverseProxy does with a request that does not become
// something else, without the copies that it makes for whoever may want to change
// what: they cost as much as everything else that the gateway does with a request.
// TestForward_R9_AsReverseProxy holds the two against each other.
func (e *exchange) forward(w http.ResponseWriter, r *http.Request) error {
	out := e.outgoing(r)
	if e.body != nil {
		defer e.body.finish()
	}
	res, err := e.RoundTrip(out)
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusSwitchingProtocols { // nobody asked for that
		res.Body.Close()
		return errSwitched
	}
	hop.RemoveHopByHop(res.Header)
	hop.StripResponse(res, e.host)
	hop.Answer(w, r, res)
	return nil
}

var errSwitched = errors.New("the upstream switched protocols, which nobody asked for")

// outgoing is r for the instance.
func (e *exchange) outgoing(r *http.Request) *http.Request {
	out := hop.Outgoing(r, identityHeaders)
	e.id.headers(out.Header)
	e.span.Tell(out.Header)
	if r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody { // without, a transport may send it again on another connection
		e.body = &given{ReadCloser: r.Body}
		out.Body, out.ContentLength = e.body, r.ContentLength
	}
	return out
}
