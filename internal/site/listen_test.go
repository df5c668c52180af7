package site

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"causeway/internal/localca"
)

// serve starts a server on loopback.
func serve(t *testing.T, h http.Handler) *server {
	t.Helper()
	return serveOn(t, listenLoopback(t), h)
}

func serveOn(t *testing.T, l net.Listener, h http.Handler) *server {
	t.Helper()
	folder := t.TempDir()
	ca, err := localca.Load(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Issue(folder+"/cert.pem", folder+"/key.pem", []string{"127.0.0.1"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(folder+"/cert.pem", folder+"/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer("public", l, h, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		slog.New(slog.DiscardHandler), func(err error) { t.Errorf("the listener failed: %v", err) })
	s.start()
	return s
}

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t *testing.T, s *server) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", s.listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func stopSoon(t *testing.T, s *server) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	start := time.Now()
	if err := s.stop(ctx, func() {}); err != nil {
		t.Errorf("stop: %v", err)
	}
	return time.Since(start)
}

func TestR14StopDoesNotWaitForConnectionsWithoutARequest(t *testing.T) {
	s := serve(t, http.NotFoundHandler())
	dial(t, s)
	if took := stopSoon(t, s); took > 4*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

func TestR14StopLetsRequestsUnderWayFinish(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-end
		fmt.Fprint(w, "done")
	}))
	conn := dial(t, s)
	fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n")
	<-begun
	go func() {
		time.Sleep(2 * freshGrace) // long past the moment when the others are dropped
		close(end)
	}()
	if took := stopSoon(t, s); took < 2*freshGrace {
		t.Errorf("the stop took %s and did not wait", took)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || len(answer) < 4 || string(answer[len(answer)-4:]) != "done" {
		t.Errorf("the answer is %q, %v", answer, err)
	}
}

func TestStopOfAServerThatNeverServed(t *testing.T) {
	l := listenLoopback(t)
	stopSoon(t, newServer("public", l, http.NotFoundHandler(), nil, slog.New(slog.DiscardHandler), func(error) {}))
	if again, err := net.Listen("tcp", l.Addr().String()); err != nil {
		t.Errorf("the port is still taken: %v", err)
	} else {
		again.Close()
	}
}
