package http1_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// Upstreams by https are those that their certificates name, and their connections
// are used again (R8).
func TestTransport_R8_HTTPS(t *testing.T) {
	var conns atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || r.ProtoMajor != 1 {
			t.Errorf("it came by %s, TLS %v", r.Proto, r.TLS != nil)
		}
		io.WriteString(w, "abc")
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that clients break off
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())

	ask := func(config *tls.Config) string {
		tr := newTransport(t)
		tr.Other.TLSClientConfig = config
		var last string
		for range 3 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res, err := tr.RoundTrip(r); err != nil {
				last = "no answer"
			} else {
				body, _ := io.ReadAll(res.Body)
				last = string(body)
			}
		}
		return last
	}
	if got := ask(&tls.Config{RootCAs: known}); got != "abc" || conns.Load() != 1 {
		t.Errorf("%q over %d connections", got, conns.Load())
	}
	for _, config := range []*tls.Config{nil, {}} {
		if got := ask(config); got != "no answer" {
			t.Errorf("an authority that nobody knows: %q", got)
		}
	}
	if got := ask(&tls.Config{RootCAs: known, ServerName: "elsewhere.test"}); got != "no answer" {
		t.Errorf("a certificate for another name: %q", got)
	}
}
