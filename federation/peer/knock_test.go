package peer

import (
	"net/http"
	"testing"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Whoever finds out whether a site is back does not wait for the breaker, and
// closes it for everybody.
func TestKnocker_R10_ClosesTheBreaker(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	dead := p.target(deadAddr(t))
	for range breakAfter {
		if _, err := p.do(get("/x"), dead); !problem.Has(err, problem.SiteUnreachable) {
			t.Fatal(err)
		}
	}
	if open, _ := p.forwarder.State(p.west.site); !open {
		t.Fatal("the breaker is closed after failures")
	}
	k, err := p.forwarder.Knocker(p.target())
	if err != nil {
		t.Fatal(err)
	}
	r := get("https://" + string(p.west.site) + "/x")
	r.RequestURI = ""
	res, err := k.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if open, _ := p.forwarder.State(p.west.site); open {
		t.Error("the breaker is open after an answer")
	}
}

// A site that does not know us says so in the handshake, and that can be told
// from silence: the association is half made, not the site gone.
func TestKnocker_RefusalIsNoSilence(t *testing.T) {
	p := newPair(t, http.NotFoundHandler())
	addr, _ := serve(t, p.west.ServerTLS(func(tenants.SiteID) Keys { return nil }), http.NotFoundHandler())
	k, err := p.forwarder.Knocker(p.target(addr))
	if err != nil {
		t.Fatal(err)
	}
	r := get("https://" + string(p.west.site) + "/x")
	r.RequestURI = ""
	_, err = k.RoundTrip(r)
	if !Refused(err) {
		t.Errorf("refused by the other end: %v", err)
	}
}
