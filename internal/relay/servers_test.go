package relay_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// plain is a server without TLS, which nobody may call.
type plain struct {
	*httptest.Server
	asked atomic.Int64
}

func newPlain(t *testing.T) *plain {
	p := &plain{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { p.asked.Add(1) }))
	t.Cleanup(p.Close)
	return p
}

// newHandlers is a server with one behaviour for each path.
func newHandlers(t *testing.T, says map[string]http.HandlerFunc) *httptest.Server {
	mux := http.NewServeMux()
	for path, say := range says {
		mux.HandleFunc(path, say)
	}
	s := httptest.NewTLSServer(mux)
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s
}
