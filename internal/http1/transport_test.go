package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/http1"
)

// net/http's transport writes a line for each answer that nobody asked for.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// upstream answers requests with the bytes that it is given.
type upstream struct {
	*testing.T
	net.Listener
	conns atomic.Int32 // that came
	asked atomic.Int32 // requests
	// answer writes the answer to the n-th request on a connection, and reports
	// whether the connection goes on.
	answer func(c net.Conn, r *http.Request, n int) bool
}

func newUpstream(t *testing.T, answer func(c net.Conn, r *http.Request, n int) bool) *upstream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{T: t, Listener: l, answer: answer}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			u.conns.Add(1)
			serving.Go(func() { u.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return u
}

func (u *upstream) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for n := 1; ; n++ {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		u.asked.Add(1)
		if !u.answer(c, r, n) {
			return
		}
	}
}

// newTransport is one as the gateway's, to which t's end is the end.
func newTransport(t testing.TB) *http1.Transport {
	tr := &http1.Transport{Other: newOther()}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func newOther() *http.Transport {
	return &http.Transport{
		DialContext:  (&net.Dialer{}).DialContext,
		MaxIdleConns: 8, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second,
		ResponseHeaderTimeout: 10 * time.Second, MaxResponseHeaderBytes: 4 << 10, DisableCompression: true,
	}
}

func (u *upstream) request(method, path, body string) *http.Request {
	r, err := http.NewRequestWithContext(u.Context(), method, "http://"+u.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		u.Fatal(err)
	}
	if body == "" {
		r.Body = nil
	}
	r.GetBody = nil // as requests that pass by
	return r
}

// outcome is all that somebody learns of an exchange.
func outcome(rt http.RoundTripper, r *http.Request) string {
	res, err := rt.RoundTrip(r)
	if err != nil {
		return "no answer"
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%s %d %v %q broken=%t %v", res.Proto, res.StatusCode, res.Header, body, err != nil, res.Trailer)
}

// answers are what servers may say, and what attackers make them say.
var answers = map[string]string{
	"sized":              "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	"empty":              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"chunked":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"trailers":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
	"to the end":         "HTTP/1.1 200 OK\r\n\r\nabc",
	"HTTP/1.0":           "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	"HTTP/1.0, kept":     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
	"closed":             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
	"no content":         "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
	"not modified":       "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: x\r\n\r\n",
	"early hints":        "HTTP/1.1 103 Early Hints\r\nLink: planted\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	"go on":              "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	"two":                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON",
	"short":              "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
	"short chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
	"chunked and sized":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
	"same length twice":  "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
	"negative":           "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
	"signed":             "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
	"unknown coding":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"space before colon": "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
	"folded":             "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 3\r\n\r\nabc",
	"no colon":           "HTTP/1.1 200 OK\r\nX-A\r\n\r\nabc",
	"no status":          "HTTP/1.1\r\n\r\n",
	"HTTP/2":             "HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	"nothing":            "",
	"noise":              "\x00\x01\x02\r\n\r\n",
	"half a head":        "HTTP/1.1 200 OK\r\nContent-Le",
	"a long head":        "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 8<<10) + "\r\nContent-Length: 3\r\n\r\nabc",
	"gzip":               "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
}

// TestTransport_R9_AsNetHTTP sends the same requests by net/http's transport, and
// compares what somebody learns.
func TestTransport_R9_AsNetHTTP(t *testing.T) {
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
				said := answer
				if r.Method == http.MethodHead {
					said, _, _ = strings.Cut(said, "abc")
				}
				io.WriteString(c, said)
				return false
			})
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
				body := ""
				if method == http.MethodPost {
					body = "a body"
				}
				ours, theirs := newTransport(t), newOther() // without a connection that is just being closed
				got, want := outcome(ours, u.request(method, "/", body)), outcome(theirs, u.request(method, "/", body))
				theirs.CloseIdleConnections()
				if got != want {
					t.Errorf("%s\n got %s\nwant %s", method, got, want)
				}
			}
		})
	}
}

// TestTransport_R9_WhatIsSent compares the requests as they arrive, to the byte, but for
// the order of headers.
func TestTransport_R9_WhatIsSent(t *testing.T) {
	raw := make(chan string, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			said := make([]byte, 1<<10)
			n, _ := io.ReadAtLeast(c, said, len("GET / HTTP/1.1\r\n\r\n"))
			raw <- string(said[:n])
			io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			c.Close()
		}
	}()
	ours, theirs := newTransport(t), newOther()
	for _, change := range []func(*http.Request){
		func(*http.Request) {},
		func(r *http.Request) { r.Header["User-Agent"] = nil },
		func(r *http.Request) { r.Host = "elsewhere.example.com" },
		func(r *http.Request) { r.URL.RawQuery = "a=1;b=2" },
		func(r *http.Request) { r.URL.ForceQuery = true },
		func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a b/c", "/a%20b/c" },
		func(r *http.Request) { r.Header["x-lower"] = []string{"1", "2"} },
		func(r *http.Request) { r.Method = http.MethodDelete },
		func(r *http.Request) { r.Method, r.ContentLength = http.MethodPut, 0 },
	} {
		var said [2]string
		for i, rt := range []http.RoundTripper{ours, theirs} {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/a", nil)
			r.Header.Set("Authorization", "Bearer x")
			change(r)
			outcome(rt, r)
			said[i] = http1.Unordered(<-raw)
		}
		if said[0] != said[1] {
			t.Errorf("ours\n%s\ntheirs\n%s", said[0], said[1])
		}
	}
}

// What comes unasked after an answer is the answer to nothing else (R1, R9).
func TestTransport_R1_R9_LeftoversAnswerNobody(t *testing.T) {
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
	said := make(chan struct{})
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		switch r.URL.Path {
		case "/together":
			io.WriteString(c, answers["sized"]+poison)
		case "/later":
			io.WriteString(c, answers["sized"])
			io.WriteString(c, poison)
			said <- struct{}{}
		default:
			io.WriteString(c, answers["sized"])
		}
		return true
	})
	tr := newTransport(t)
	for _, path := range []string{"/together", "/later"} {
		for range 3 {
			outcome(tr, u.request(http.MethodGet, path, ""))
			if path == "/later" {
				<-said
			}
			if got := outcome(tr, u.request(http.MethodGet, "/", "")); !strings.Contains(got, `"abc"`) {
				t.Errorf("after %s: %s", path, got)
			}
		}
	}
}

// A connection that the other end closes at that moment costs nobody an answer, and
// what may not be sent twice is not (R4).
func TestTransport_R4_SentAgain(t *testing.T) {
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		if n == 1 {
			io.WriteString(c, answers["sized"])
			return true
		}
		if r.URL.Path == "/half" {
			io.WriteString(c, answers["half a head"])
		}
		return false
	})
	tests := []struct {
		method, path, body string
		asked              int32 // the first on the connection that is kept, and so often again
		conns              int32
		answered           bool
	}{
		{http.MethodGet, "/", "", 3, 2, true},
		{http.MethodHead, "/", "", 3, 2, true},
		{http.MethodGet, "/half", "", 2, 1, false},
		{http.MethodPost, "/", "body", 2, 1, false},
		{http.MethodPost, "/", "", 2, 1, false},
		{http.MethodDelete, "/", "", 2, 1, false},
		{http.MethodGet, "/", "body", 2, 1, false},
	}
	for _, tt := range tests {
		tr := newTransport(t)
		u.asked.Store(0)
		u.conns.Store(0)
		outcome(tr, u.request(http.MethodGet, "/", ""))
		got := outcome(tr, u.request(tt.method, tt.path, tt.body))
		if conns := u.conns.Load(); conns != tt.conns {
			t.Errorf("%s %s %q: %d connections, want %d", tt.method, tt.path, tt.body, conns, tt.conns)
		}
		if asked := u.asked.Load(); asked != tt.asked || (got != "no answer") != tt.answered {
			t.Errorf("%s %s %q: asked %d times, want %d: %s", tt.method, tt.path, tt.body, asked, tt.asked, got)
		}
	}
}

// An idle connection that was closed meanwhile is not used, whatever the method.
func TestTransport_R13_ClosedMeanwhile(t *testing.T) {
	last := make(chan net.Conn, 1)
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		last <- c
		io.WriteString(c, answers["sized"])
		return true
	})
	tr := newTransport(t)
	for range 5 {
		if got := outcome(tr, u.request(http.MethodPost, "/", "body")); !strings.Contains(got, `"abc"`) {
			t.Fatal(got)
		}
		(<-last).Close()
	}
	if n := u.asked.Load(); n != 5 {
		t.Errorf("asked %d times", n)
	}
}

// A connection on which an answer was left, or whose end was announced, is for nobody
// else, even if both ends hold it open.
func TestTransport_R1_R9_NotForTheNext(t *testing.T) {
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		switch r.URL.Path {
		case "/left":
			io.WriteString(c, answers["short"])
		case "/ends":
			io.WriteString(c, answers["closed"])
		default:
			io.WriteString(c, answers["sized"])
		}
		return true
	})
	for _, path := range []string{"/left", "/ends"} {
		u.conns.Store(0)
		tr := newTransport(t)
		res, err := tr.RoundTrip(u.request(http.MethodGet, path, ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		if path == "/ends" { // to its end
			_, _ = io.ReadAll(res.Body)
		}
		res.Body.Close()
		if got := outcome(tr, u.request(http.MethodGet, "/", "")); !strings.Contains(got, `"abc"`) || u.conns.Load() != 2 {
			t.Errorf("after %s, over %d connections: %s", path, u.conns.Load(), got)
		}
	}
}

// One after the other use one connection; as many are kept as may be.
func TestTransport_R13_UsedAgain(t *testing.T) {
	came, together := make(chan struct{}), make(chan struct{})
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		if r.URL.Path == "/together" {
			came <- struct{}{}
			<-together
		}
		io.WriteString(c, answers["chunked"])
		return true
	})
	tr := newTransport(t)
	for range 20 {
		outcome(tr, u.request(http.MethodGet, "/", ""))
		outcome(tr, u.request(http.MethodPost, "/", "body"))
	}
	if n := u.conns.Load(); n != 1 {
		t.Errorf("%d connections for one request after the other", n)
	}
	for round := range 2 {
		var asking sync.WaitGroup
		for range 6 {
			asking.Go(func() { outcome(tr, u.request(http.MethodGet, "/together", "")) })
		}
		for range 6 {
			<-came
		}
		for range 6 {
			together <- struct{}{}
		}
		asking.Wait()
		if n, want := u.conns.Load(), []int32{6, 8}[round]; n != want {
			t.Errorf("round %d: %d connections, want %d: 4 are kept", round, n, want)
		}
	}
}

// Who goes away takes the connection along; who has gone after the end does not.
func TestTransport_R13_GoneAway(t *testing.T) {
	reached, gone := make(chan struct{}), make(chan error, 1)
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		switch r.URL.Path {
		case "/silent":
			reached <- struct{}{}
			_, err := c.Read(make([]byte, 1))
			gone <- err
			return false
		case "/body":
			io.WriteString(c, answers["short"])
			reached <- struct{}{}
			_, err := c.Read(make([]byte, 1))
			gone <- err
			return false
		}
		io.WriteString(c, answers["sized"])
		return true
	})
	tr := newTransport(t)
	for _, path := range []string{"/silent", "/body"} {
		ctx, cancel := context.WithCancel(t.Context())
		asked := make(chan error)
		go func() {
			res, err := tr.RoundTrip(u.request(http.MethodGet, path, "").WithContext(ctx))
			if err == nil {
				defer res.Body.Close()
				_, err = io.ReadAll(res.Body)
			}
			asked <- err
		}()
		<-reached
		cancel()
		if err := <-asked; err == nil {
			t.Errorf("%s: an answer for nobody", path)
		}
		if err := <-gone; err == nil {
			t.Errorf("%s: the connection goes on", path)
		}
	}
	u.conns.Store(0)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		outcome(tr, u.request(http.MethodGet, "/", "").WithContext(ctx))
		cancel()
	}
	if n := u.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// What is long, or not known to be short, goes by net/http.
func TestTransport_R13_LongBodies(t *testing.T) {
	var arrived atomic.Int64
	u := newUpstream(t, func(c net.Conn, r *http.Request, n int) bool {
		arrived.Store(r.ContentLength)
		io.WriteString(c, answers["sized"])
		return true
	})
	var other atomic.Int32
	tr := newTransport(t)
	dial := tr.Other.DialContext
	tr.Other.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		other.Add(1)
		return dial(ctx, network, addr)
	}
	ask := func(body io.Reader, length int64) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+u.Addr().String(), body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		return outcome(tr, r)
	}
	for _, tt := range []struct{ length, conns int }{{http1.MaxBody, 1}, {http1.MaxBody, 1}, {http1.MaxBody + 1, 2}, {-1, 2}} {
		got := ask(io.LimitReader(zeros{}, int64(max(tt.length, 5))), int64(tt.length))
		if !strings.Contains(got, `"abc"`) || int(arrived.Load()) != tt.length || int(other.Load()) != tt.conns {
			t.Errorf("%d bytes: %d arrived, %d connections in all, want %d: %s", tt.length, arrived.Load(), other.Load(), tt.conns, got)
		}
	}
	if got := ask(io.MultiReader(strings.NewReader("ab"), broken{}), 5); got != "no answer" {
		t.Errorf("a body that breaks off: %s", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the client left") }
