package peer

import "net/http"

// Knocker is [Forwarder.RoundTripper] for who finds out whether a site can be
// reached: it tries whatever the breaker says, and tells the breaker. Its callers
// are few and come at their own pace.
func (f *Forwarder) Knocker(to Target) (http.RoundTripper, error) {
	s, err := f.site(to)
	return knocker{s}, err
}

type knocker struct{ *site }

func (k knocker) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := k.send(r)
	k.breaker.report(false, judge(r.Context(), err))
	if err != nil {
		return nil, explain(r.Context(), err)
	}
	return res, nil
}
