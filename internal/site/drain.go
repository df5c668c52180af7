package site

import (
	"context"
	"net/http"
	"time"
)

// Drain has this cell say that it is about to stop, to balancers, to the pool of
// sites and to clients, and goes on serving until delay is over or ctx ends: by then
// nobody sends it anything new. Stop is next.
func (s *Site) Drain(ctx context.Context, delay time.Duration) {
	s.leaving.Store(true)
	if delay <= 0 {
		return
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		s.leaveSites()
	}()
	over := time.NewTimer(delay)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	<-left
}

// farewell asks clients of a cell that is about to stop to bring their next request
// over another connection: HTTP/1 by the header, HTTP/2 by the GOAWAY that net/http
// makes of it. A connection that is closed while it is idle could swallow a request
// that is on its way.
func (s *Site) farewell(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.leaving.Load() && r.Header.Get("Upgrade") == "" { // whose answer says something else there
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
