package peer

import "net/http"

// Fetch sends r to its target and returns the answer, whose body the caller
// closes. The headers of r go there as they are; assertion is as for Forward, and
// so are errors.
func (f *Forwarder) Fetch(r *http.Request, to Target, assertion string) (*http.Response, error) {
	s, err := f.site(to)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.Header.Set(AssertionHeader, assertion)
	out.Header.Set("Via", viaValue(f.cfg.Identity.site))
	out.URL.Scheme, out.URL.Host, out.Host = "https", string(to.Site), "" // never resolved
	out.RequestURI = ""
	res, err := s.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if err := f.accept(res, r); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}
