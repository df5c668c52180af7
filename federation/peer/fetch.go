package peer

import (
	"net/http"

	"causeway/internal/tracing"
)

// Fetch sends r to its target and returns the answer, whose body the caller
// closes. The headers of r go there as they are; assertion is as for Forward, and
// so are errors.
func (f *Forwarder) Fetch(r *http.Request, to Target, assertion string) (res *http.Response, err error) {
	s, err := f.site(to)
	if err != nil {
		return nil, err
	}
	_, span := tracing.Start(r.Context(), "peer", tracing.Client)
	span.Set(tracing.Peer, string(to.Site))
	defer func() { span.EndWith(err) }() // the body is read meanwhile, or later
	out := r.Clone(r.Context())
	out.Header.Set(AssertionHeader, assertion)
	out.Header.Set("Via", viaValue(f.cfg.Identity.site))
	out.URL.Scheme, out.URL.Host, out.Host = "https", string(to.Site), "" // never resolved
	out.RequestURI = ""
	span.TellPeer(out.Header)
	res, err = s.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	span.SetInt(tracing.Status, res.StatusCode)
	if err := f.accept(res, r); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}
