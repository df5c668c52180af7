package site

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// freshGrace is how long, while we stop, a connection on which nothing was asked
// yet may still bring a request. net/http alone would wait more than five
// seconds for it; browsers and probes keep such connections in hand for nothing.
const freshGrace = 500 * time.Millisecond

// ErrCut is part of what [Site.Stop] returns when there was no more time to wait for.
var ErrCut = errors.New("requests were cut that did not finish in time")

// lastLine is how long requests that were cut have to say so in the log.
const lastLine = time.Second

// server is one listener with its limits. Handlers that stream lift the read and
// write timeouts for their own exchange.
type server struct {
	name     string
	listener net.Listener
	http     *http.Server
	fresh    sync.Map     // connections that brought no request yet
	underway atomic.Int64 // requests; WebSockets are, too, which net/http lets go of
	failed   func(error)
	done     chan error // nil until it serves
}

func newServer(name string, l net.Listener, h http.Handler, tlsConfig *tls.Config, logger *slog.Logger, failed func(error)) *server {
	s := &server{name: name, listener: l, failed: failed}
	s.http = &http.Server{
		Handler:           s.count(h),
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          log.New(debugLines{logger.With("listener", name)}, "", 0),
		ConnState:         s.follow,
	}
	return s
}

func (s *server) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.underway.Add(1)
		defer s.underway.Add(-1)
		h.ServeHTTP(w, r)
	})
}

func (s *server) follow(c net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.fresh.Store(c, nil)
	} else {
		s.fresh.Delete(c)
	}
}

func (s *server) dropFresh() {
	s.fresh.Range(func(c, _ any) bool {
		_ = c.(net.Conn).Close() // who kept it in hand finds out
		return true
	})
}

func (s *server) start() {
	s.done = make(chan error, 1)
	go func() {
		var err error
		if s.http.TLSConfig != nil {
			err = s.http.ServeTLS(s.listener, "", "")
		} else {
			err = s.http.Serve(s.listener)
		}
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		if err != nil {
			s.failed(fmt.Errorf("%s listener: %w", s.name, err))
		}
		s.done <- err
	}()
}

// stop lets requests under way finish until ctx ends. Then it cuts them: closes their
// connections, and has hangUp end WebSockets, whose connections are not the server's.
func (s *server) stop(ctx context.Context, hangUp func()) error {
	if s.done == nil { // another listener failed before this one served
		return s.listener.Close()
	}
	drop := time.AfterFunc(freshGrace, s.dropFresh)
	defer drop.Stop()
	err := s.http.Shutdown(ctx)
	if err == nil {
		err = s.finished(ctx)
	}
	if err != nil && ctx.Err() != nil {
		err = s.cut(ctx, hangUp)
	}
	return errors.Join(err, <-s.done)
}

func (s *server) cut(ctx context.Context, hangUp func()) (err error) {
	if n := s.underway.Load(); n > 0 {
		err = fmt.Errorf("%s listener: %d %w", s.name, n, ErrCut)
	}
	hangUp()
	err = errors.Join(err, s.http.Close())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLine)
	defer cancel()
	_ = s.finished(last) // who does not hear of it has no line in the log
	return err
}

// finished waits, as net/http does, until no request is under way.
func (s *server) finished(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.underway.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// debugLines takes what net/http says about broken handshakes and scanners:
// strangers cause it, so it must not fill the log.
type debugLines struct{ log *slog.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.log.Debug("http", "line", string(line))
	return len(line), nil
}
