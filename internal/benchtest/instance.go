package benchtest

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// asInstance makes a test binary an instance to stand behind proxies.
const asInstance = "CAUSEWAY_BENCH_INSTANCE"

// Instance starts a server in another process that answers everything with 1 KiB of
// JSON, and returns its URL. What it reads costs the proxies before it nothing.
func Instance(b testing.TB) string {
	b.Helper()
	return "http://" + Process(b, asInstance, 1).Said
}

// stand is the instance's side: its address, then answers until in ends.
func stand(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	body := []byte(`{"text":"` + strings.Repeat("0123456789abcdef", 63) + `"}`)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	go func() { _ = s.Serve(l) }()
	if err := ready(l.Addr().String(), in, out); err != nil {
		return err
	}
	return s.Close()
}
