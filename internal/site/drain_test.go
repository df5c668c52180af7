package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrain_R14_SaysSoFirstAndServesMeanwhile(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s, start := &Site{}, time.Now()
			if s.staying(t.Context()) != nil {
				t.Error("it stops before it is told to")
			}
			drained := make(chan time.Duration, 1)
			go func() { s.Drain(t.Context(), delay); drained <- time.Since(start) }()
			synctest.Wait()
			if s.staying(t.Context()) == nil || s.Ready() {
				t.Error("it does not say that it stops")
			}
			if took := <-drained; took != delay {
				t.Errorf("it drained for %s, want %s", took, delay)
			}
		})
	}
}

// Clients of a cell that stops come back over another connection, and none is closed
// under a request of theirs.
func TestDrain_R14_ConnectionsEndWithAnAnswer(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			s := &Site{}
			server := httptest.NewUnstartedServer(s.farewell(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Upgrade") != "" && w.Header().Get("Connection") != "" {
					t.Error("the answer to an upgrade says that the connection ends")
				}
			})))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			reused := func(header http.Header) (again bool) {
				t.Helper()
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { again = c.Reused }})
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header = header
				answer, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if want := map[bool]int{false: 1, true: 2}[http2]; answer.ProtoMajor != want {
					t.Fatalf("answered by %s", answer.Proto)
				}
				return again
			}
			reused(nil)
			if !reused(nil) {
				t.Error("connections do not last while the cell serves")
			}
			s.leaving.Store(true)
			reused(nil) // this one is told
			if reused(nil) {
				t.Error("a connection lasts although its cell stops")
			}
			if !http2 {
				reused(http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}})
			}
		})
	}
}

// held is a server with a stream and a WebSocket that end when they are told to: the
// stream by a closed connection, the WebSocket by its hand.
type held struct {
	*server
	begun, socket chan struct{}
}

func newHeld(t *testing.T) *held {
	h := &held{begun: make(chan struct{}, 2), socket: make(chan struct{})}
	h.server = serveOn(t, listenLoopback(t), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			h.begun <- struct{}{}
			<-r.Context().Done()
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		h.begun <- struct{}{}
		<-h.socket
	}))
	return h
}

func (h *held) ask(t *testing.T, path string) {
	t.Helper()
	fmt.Fprintf(dial(t, h.server), "GET %s HTTP/1.1\r\nHost: west\r\n\r\n", path)
	<-h.begun
}

func TestStop_R14_WebSocketsMayFinish(t *testing.T) {
	h := newHeld(t)
	h.ask(t, "/socket")
	hungUp := false
	stopped := make(chan error, 1)
	go func() { stopped <- h.stop(t.Context(), func() { hungUp = true }) }()
	select {
	case <-stopped:
		t.Fatal("it stopped while a WebSocket was open")
	case <-time.After(freshGrace): // when net/http has long been done
	}
	close(h.socket)
	if err := <-stopped; err != nil || hungUp {
		t.Errorf("stop: %v; hung up: %v", err, hungUp)
	}
}

func TestStop_R14_WhatTakesTooLongIsCutAndSaid(t *testing.T) {
	h := newHeld(t)
	h.ask(t, "/stream")
	h.ask(t, "/socket")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := h.stop(ctx, func() { close(h.socket) }); !errors.Is(err, ErrCut) || !strings.Contains(err.Error(), "public listener: 2 requests") {
		t.Errorf("stop: %v", err)
	}
	if n := h.underway.Load(); n != 0 {
		t.Errorf("%d requests outlive their server", n)
	}
}
