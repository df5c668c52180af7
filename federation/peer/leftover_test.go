package peer

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// What a site says unasked after an answer is the answer to nothing else, wherever it
// waits: in a buffer, in TLS, on its way.
func TestReads_R1_R9_LeftoversAnswerNobody(t *testing.T) {
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
	sized := func(n int) string { // an answer of n bytes
		const head = "HTTP/1.1 200 OK\r\nContent-Length: "
		body := n - len(head) - 4 - len(strconv.Itoa(n))
		return head + strconv.Itoa(body) + strings.Repeat(" ", len(strconv.Itoa(n))-len(strconv.Itoa(body))) + "\r\n\r\n" + strings.Repeat("x", body)
	}
	written := make(chan bool, 1000)
	var poisoned atomic.Int32
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" || r.URL.Path == "/warm" {
			io.WriteString(w, "right")
			return
		}
		defer func() { written <- true }()
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return // HTTP/2
		}
		poisoned.Add(1)
		t.Cleanup(func() { c.Close() })
		switch r.URL.Path {
		case "/buffer":
			io.WriteString(c, sized(1000)+poison)
		case "/tls":
			io.WriteString(c, sized(4096)+poison)
		case "/record":
			io.WriteString(c, sized(4096))
			io.WriteString(c, poison)
		case "/part": // of a record
			io.WriteString(c, sized(4096))
			c.(interface{ NetConn() net.Conn }).NetConn().Write([]byte{23, 3, 3, 0})
		}
	}))
	to := p.target()
	for _, path := range []string{"/buffer", "/tls", "/record", "/part"} {
		poisoned.Store(0)
		for range 5 {
			p.warm(t, to)
			w, err := p.do(get(path), to)
			if err != nil || strings.Contains(w.Body.String(), "POISON") {
				t.Fatalf("%s: %.80q, %v", path, w.Body, err)
			}
			<-written
			for range 3 {
				if w, err := p.do(get("/"), to); err != nil || w.Body.String() != "right" {
					t.Errorf("after %s somebody else is answered %.20q, %v", path, w.Body, err)
				}
			}
		}
		if poisoned.Load() == 0 {
			t.Errorf("%s was never asked where it matters", path)
		}
	}
}

// Where nothing is left a connection is used again, whatever TLS says between.
func TestReads_R13_UsedAgain(t *testing.T) {
	addrs := make(chan string, 1)
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			addrs <- r.RemoteAddr
		}
		io.WriteString(w, "right")
	}))
	to := p.target()
	p.warm(t, to)
	seen := map[string]bool{}
	for range 50 {
		if _, err := p.do(get("/"), to); err != nil {
			t.Fatal(err)
		}
		seen[<-addrs] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d connections for one read after the other", len(seen))
	}
}
