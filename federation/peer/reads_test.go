package peer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
)

// warm asks until a connection for reads is free.
func (p *pair) warm(t *testing.T, to Target) *site {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if _, err := p.do(get("/warm"), to); err != nil {
			t.Fatal(err)
		}
		s, err := p.forwarder.site(to)
		if err != nil {
			t.Fatal(err)
		}
		s.reads.mu.Lock()
		free := len(s.reads.idle)
		s.reads.mu.Unlock()
		if free > 0 {
			return s
		}
	}
	t.Fatal("no connection for reads")
	return nil
}

func echoProto(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }

// Only what may be tried again goes where it may have to be.
func TestReads_R9_OnlyWhatMayBeTriedAgain(t *testing.T) {
	p := newPair(t, http.HandlerFunc(echoProto))
	to := p.target()
	p.warm(t, to)
	event := get("/")
	event.Header.Set("Accept", "text/event-stream")
	for want, requests := range map[string][]*http.Request{
		"HTTP/1.1": {get("/"), get("/a%2Fb?x=1;y")},
		"HTTP/2.0": {
			httptest.NewRequest("GET", "/", strings.NewReader("body")), httptest.NewRequest("POST", "/", nil),
			httptest.NewRequest("DELETE", "/", nil), event,
		},
	} {
		for _, r := range requests {
			if w, err := p.do(r, to); err != nil || w.Body.String() != want {
				t.Errorf("%s %s: %q, %v; want %s", r.Method, r.URL, w.Body, err, want)
			}
		}
	}
	w, err := p.do(httptest.NewRequest("HEAD", "/", nil), to)
	if err != nil || w.Header().Get("Content-Length") != "8" || w.Body.Len() > 0 {
		t.Errorf("HEAD: %v %q, %v", w.Header(), w.Body, err)
	}
	if w, err := p.do(get("/"), to); err != nil || w.Body.String() != "HTTP/1.1" {
		t.Errorf("after it: %q, %v", w.Body, err)
	}
}

// However many are under way, there are no more connections than allowed, and all
// come back.
func TestReads_R13_Bounded(t *testing.T) {
	arrived, release := make(chan bool), make(chan bool)
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			arrived <- true
			<-release
		}
	}), func(c *Config) { c.MaxInFlight = 16 * maxReads })
	s := p.warm(t, p.target())
	var wait sync.WaitGroup
	for range 2 * maxReads {
		p.warm(t, p.target())
		wait.Go(func() {
			if w, err := p.do(get("/hang"), p.target()); err != nil || w.Code != http.StatusOK {
				t.Error(w.Code, err)
			}
		})
		<-arrived
		s.reads.mu.Lock()
		open := s.reads.open
		s.reads.mu.Unlock()
		if open > maxReads {
			t.Fatalf("%d connections", open)
		}
		if open == maxReads {
			break
		}
	}
	if w, err := p.do(get("/"), p.target()); err != nil || w.Code != http.StatusOK {
		t.Errorf("one more: %d, %v", w.Code, err)
	}
	close(release)
	wait.Wait()
	s.reads.wantFree(t)
}

func (r *reads) wantFree(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	open := r.open
	if r.making {
		open--
	}
	if len(r.idle) != open {
		t.Errorf("%d of %d connections are free", len(r.idle), open)
	}
}

// Nothing that the other site plants comes through, and no more of its head than
// is allowed.
func TestReads_R9_HostileAnswers(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/early":
			for range 10 {
				w.Header().Set("Link", "planted")
				w.WriteHeader(http.StatusEarlyHints)
			}
			w.Header().Del("Link")
		case "/huge":
			w.Header().Set("X-Huge", strings.Repeat("x", 2*maxHeaders))
		case "/switch":
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
			c.Close()
		case "/trailer":
			w.Header().Set("Trailer", "Set-Cookie")
			io.WriteString(w, "body")
			w.Header().Set("Set-Cookie", "planted")
		case "/two":
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, strings.Repeat("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none", 2))
			c.Close()
		}
	}))
	to := p.target()
	for path, want := range map[string]problem.Code{
		"/huge": problem.SiteUnreachable, "/switch": problem.Unavailable,
	} {
		p.warm(t, to)
		_, err := p.do(get(path), to)
		wantProblem(t, err, want)
	}
	for path, want := range map[string]string{"/trailer": "body", "/two": "one"} {
		p.warm(t, to)
		w, err := p.do(get(path), to)
		if err != nil || w.Body.String() != want || len(w.Result().Trailer) > 0 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %q, %v, %v", path, w.Body, w.Result().Header, err)
		}
		if w, err := p.do(get("/"), to); err != nil || w.Body.Len() > 0 {
			t.Errorf("after %s: %q, %v", path, w.Body, err)
		}
	}
	p.warm(t, to)
	if w, err := p.do(get("/early"), to); err != nil || w.Header().Get("Link") != "" {
		t.Errorf("interim answers: %v, %v", w.Header(), err) // net/http takes more of them, by HTTP/2
	}
}

// An answer that breaks off is not whole, and one that nobody waits for ends there.
func TestReads_R9_R10_Ends(t *testing.T) {
	gone := make(chan bool)
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/part":
			w.Header().Set("Content-Length", "10")
			fallthrough
		case "/chunks":
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/hang":
			gone <- true
			<-r.Context().Done()
			gone <- true
		case "/silent":
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}), func(c *Config) { c.IdleTimeout = 50 * time.Millisecond })
	to := p.target()
	for _, path := range []string{"/part", "/chunks", "/silent"} {
		s := p.warm(t, to)
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s ends with %v", path, v)
				}
			}()
			_ = p.forwarder.Forward(bareWriter{httptest.NewRecorder()}, get(path).WithContext(served()), to, Exchange{Mint: minted("a")})
		}()
		s.reads.wantFree(t)
	}
	p.warm(t, to)
	ctx, leave := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := p.do(get("/hang").WithContext(ctx), to)
		done <- err
	}()
	<-gone
	leave()
	<-gone
	if err := <-done; err != context.Canceled {
		t.Errorf("a client that left is told %v", err)
	}
}

// served is the context of a request that a server serves: only then does a reverse
// proxy break off.
func served() context.Context {
	return context.WithValue(context.Background(), http.ServerContextKey, &http.Server{})
}

type bareWriter struct{ http.ResponseWriter }

// A connection that is not used for long is closed, and no proof is used longer
// than it is good.
func TestReads_R10_R13_NotForEver(t *testing.T) {
	p := newPair(t, http.HandlerFunc(echoProto))
	to := p.target()
	p.warm(t, to)
	p.clock.add(LeafLife/2 + time.Minute)
	if w, err := p.do(get("/"), to); err != nil || w.Body.String() != "HTTP/2.0" {
		t.Errorf("with another leaf: %q, %v", w.Body, err)
	}
	s := p.warm(t, to)
	s.reads.mu.Lock()
	for _, c := range s.reads.idle {
		c.idle = time.Now().Add(-idleRead)
	}
	s.reads.mu.Unlock()
	s.reads.old()
	s.reads.mu.Lock()
	if n := len(s.reads.idle); n > 0 || s.reads.open > 0 && !s.reads.making {
		t.Errorf("%d idle, %d open", n, s.reads.open)
	}
	s.reads.mu.Unlock()
	s = p.warm(t, to)
	s.reads.mu.Lock()
	s.reads.led = time.Now().Add(-leadEvery - time.Second)
	s.reads.mu.Unlock()
	for _, want := range []string{"HTTP/2.0", "HTTP/1.1"} {
		if w, err := p.do(get("/"), to); err != nil || w.Body.String() != want {
			t.Errorf("%q, %v; want %s", w.Body, err, want)
		}
	}
	p.forwarder.Forget(west)
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	if open := len(s.conns.open); open > 0 {
		t.Errorf("%d connections to a site that is no longer associated", open)
	}
}

// A cell that is gone, or says that it takes no more, costs a read nothing: it goes
// to the other, and so does what comes after it.
func TestReads_R10_R13_ElsewhereThen(t *testing.T) {
	p := newPair(t, http.NotFoundHandler())
	one, oneAway, _ := cellOf(t, p)
	two, twoAway, _ := cellOf(t, p)
	to := p.target(one, two)
	ask := func() string {
		w, err := p.do(get("/"), to)
		return fmt.Sprint(w.Code, err)
	}
	for range 3 {
		for _, away := range []interface{ Store(bool) }{oneAway, twoAway} {
			p.warm(t, to)
			away.Store(true)
			got := []string{ask(), ask(), ask()}
			away.Store(false)
			if got[1] != "200 <nil>" || got[2] != "200 <nil>" {
				t.Errorf("after a cell said that it is away: %q", got)
			}
		}
	}
}
