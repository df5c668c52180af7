package site

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// server is one listener with its limits. Handlers that stream lift the read and
// write timeouts for their own exchange.
type server struct {
	name     string
	listener net.Listener
	http     *http.Server
	done     chan error
}

func newServer(name string, l net.Listener, h http.Handler, tlsConfig *tls.Config, logger *slog.Logger) *server {
	return &server{name: name, listener: l, done: make(chan error, 1), http: &http.Server{
		Handler:           h,
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          log.New(debugLines{logger.With("listener", name)}, "", 0),
	}}
}

func (s *server) start() {
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
		s.done <- err
	}()
}

// stop lets requests under way finish until ctx ends.
func (s *server) stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return errors.Join(err, <-s.done)
}

// debugLines takes what net/http says about broken handshakes and scanners:
// strangers cause it, so it must not fill the log.
type debugLines struct{ log *slog.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.log.Debug("http", "line", string(line))
	return len(line), nil
}
