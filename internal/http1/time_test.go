package http1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/http1"
)

// inside is a transport to a server in the same bubble of time.
func inside(t *testing.T, serve func(c net.Conn, in *bufio.Reader)) (tr *http1.Transport, dialed *atomic.Int32) {
	dialed = new(atomic.Int32)
	tr = newTransport(t)
	tr.Other.DialContext = func(context.Context, string, string) (net.Conn, error) {
		dialed.Add(1)
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			serve(far, bufio.NewReader(far))
		}()
		return near, nil
	}
	return tr, dialed
}

func request(t *testing.T, method string, body io.Reader, length int64) *http.Request {
	r, err := http.NewRequestWithContext(t.Context(), method, "http://upstream.example.com/", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = length
	return r
}

// An answer has to begin in time, from when the request is sent; it may take its time
// to its end, and so may a client with a body.
func TestTransport_R13_Patience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const long = time.Minute
		tr, _ := inside(t, func(c net.Conn, in *bufio.Reader) {
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodDelete {
					time.Sleep(long)
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
				time.Sleep(long)
				io.WriteString(c, "bc")
			}
		})
		defer tr.CloseIdleConnections()
		for _, body := range []string{"", "body"} {
			begin := time.Now()
			_, err := tr.RoundTrip(request(t, http.MethodDelete, strings.NewReader(body), int64(len(body))))
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(begin) != tr.Other.ResponseHeaderTimeout {
				t.Errorf("%q: silence for %s: %v", body, time.Since(begin), err)
			}
		}
		for range 2 { // the second on a connection that was used
			if got := outcome(tr, request(t, http.MethodGet, nil, 0)); !strings.Contains(got, `"abc" broken=false`) {
				t.Errorf("a slow answer: %s", got)
			}
			if got := outcome(tr, request(t, http.MethodPost, &slow{left: 4, each: long}, 4)); !strings.Contains(got, `"abc" broken=false`) {
				t.Errorf("a slow client: %s", got)
			}
		}
	})
}

// slow is a client's body that comes byte by byte.
type slow struct {
	left int
	each time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.each)
	s.left--
	p[0] = 'x'
	return 1, nil
}

// What nobody used for long is closed, whoever still uses another.
func TestTransport_R13_IdleOnesAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int32
		held := make(chan struct{})
		tr, dialed := inside(t, func(c net.Conn, in *bufio.Reader) {
			open.Add(1)
			defer open.Add(-1)
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if r.Method == http.MethodOptions {
					<-held
				}
				io.WriteString(c, answers["sized"])
			}
		})
		idle := tr.Other.IdleConnTimeout
		two := make(chan string)
		for range 2 {
			go func() { two <- outcome(tr, request(t, http.MethodOptions, nil, 0)) }()
		}
		synctest.Wait()
		close(held)
		<-two
		<-two
		if open.Load() != 2 || dialed.Load() != 2 {
			t.Fatalf("%d are open, %d were made", open.Load(), dialed.Load())
		}
		for range 3 { // one stays in use
			time.Sleep(idle / 2)
			outcome(tr, request(t, http.MethodGet, nil, 0))
		}
		synctest.Wait()
		if open.Load() != 1 || dialed.Load() != 2 {
			t.Errorf("%d are open, %d were made", open.Load(), dialed.Load())
		}
		time.Sleep(idle + time.Second)
		synctest.Wait()
		if open.Load() != 0 {
			t.Errorf("%d are open", open.Load())
		}
	})
}

// FuzzAnswer gives both transports the same bytes.
func FuzzAnswer(f *testing.F) {
	for _, answer := range answers {
		f.Add([]byte(answer), false)
		f.Add([]byte(answer), true)
	}
	f.Fuzz(func(t *testing.T, answer []byte, head bool) {
		if len(answer) > 3<<10 || strings.Count(string(answer), "HTTP/1.1 1") > 2 {
			return // limits of heads differ by what a buffer holds
		}
		dial := func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				if _, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
					far.Write(answer)
				}
			}()
			return near, nil
		}
		ours, theirs := newTransport(t), newOther()
		ours.Other.DialContext, theirs.DialContext = dial, dial
		defer theirs.CloseIdleConnections()
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		got, want := outcome(ours, request(t, method, nil, 0)), outcome(theirs, request(t, method, nil, 0))
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", answer, got, want)
		}
	})
}
