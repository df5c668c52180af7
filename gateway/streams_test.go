package gateway_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// streams is an instance at both sites that takes and gives as much as one likes.
type streams struct {
	*world
	token    string
	received atomic.Int64
	next     chan string // events to send
	east     string      // the organization at east
}

func startStreams(t *testing.T) *streams {
	t.Helper()
	s := &streams{next: make(chan string)}
	instance := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(instance.Close)
	s.world = start(t, "sqlite", sitetest.Adjust(func(c *config.Config) {
		c.Services[0].Upstream = instance.URL
		for _, r := range []config.ServiceRoute{
			{Method: "GET", Path: "/sample/events"}, {Method: "GET", Path: "/sample/down"}, {Method: "PUT", Path: "/sample/up"},
			{Method: "WEBSOCKET", Path: "/sample/socket"}, {Method: "GET", Path: "/sample/plain"},
		} {
			r.Right = c.Services[0].Routes[0].Right
			c.Services[0].Routes = append(c.Services[0].Routes, r)
		}
	}))
	admin := s.c.Login(t, "west", "acme")
	id, _ := s.c.Account(t, "west", admin, "inventory-bot")
	s.token, _ = s.c.Connect(t, "west", "acme", id)
	s.east = string(s.orgAt("east", "acme").Org)
	return s
}

func (s *streams) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/sample/up":
		n, _ := io.Copy(io.Discard, r.Body)
		s.received.Store(n)
	case "/sample/down":
		var n int64
		_, _ = fmt.Sscan(r.URL.Query().Get("size"), &n)
		_, _ = io.CopyN(w, zeros{}, n)
	case "/sample/events":
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for event := range s.next {
			fmt.Fprintf(w, "data: %s\n\n", event)
			_ = http.NewResponseController(w).Flush()
		}
	case "/sample/socket", "/sample/plain":
		if r.Header.Get("Upgrade") == "" {
			_, _ = io.WriteString(w, "not a socket")
			return
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprintf(rw, "%s heard %s", r.Header.Get("X-Causeway-Site"), line)
			_ = rw.Flush()
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// dial speaks HTTP/1.1 with west, as a WebSocket client does.
func (s *streams) dial(t *testing.T, head string) (*bufio.Reader, net.Conn) {
	t.Helper()
	u, err := url.Parse(s.c.Site("west").API)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) // what is tested comes behind
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET %s\r\nAuthorization: Bearer %s\r\n\r\n", strings.ReplaceAll(head, "\n", "\r\n"), s.token)
	return bufio.NewReader(c), c
}

// A WebSocket goes through the gateway and through a peer where the instance's
// rule says so, and anywhere else the request is answered as what it is without.
func TestWebSocket_R9_HereAndThroughAPeer(t *testing.T) {
	s := startStreams(t)
	const upgrade = "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	for name, tt := range map[string]struct {
		path, context, site string
		status              int
	}{
		"here":              {"/sample/socket", "", "west", 101},
		"through a peer":    {"/sample/socket", "\n" + httpapi.HeaderTenantContext + ": " + s.east, "east", 101},
		"no rule":           {"/sample/plain", "", "", 200},
		"no rule at a peer": {"/sample/plain", "\n" + httpapi.HeaderTenantContext + ": " + s.east, "", 200},
	} {
		br, c := s.dial(t, tt.path+" HTTP/1.1\nHost: west"+upgrade+tt.context)
		res, err := http.ReadResponse(br, nil)
		if err != nil || res.StatusCode != tt.status {
			t.Errorf("%s: %v %v", name, res, err)
			continue
		}
		if tt.status != 101 {
			continue
		}
		for range 3 {
			fmt.Fprint(c, "hello\n")
			line, err := br.ReadString('\n')
			if err != nil || !strings.HasSuffix(line, " heard hello\n") || !strings.HasPrefix(line, bare(s.c.Site(tt.site).ID)) {
				t.Errorf("%s: %q %v", name, line, err)
			}
		}
		c.Close()
	}
}

// Each event arrives before the next is made.
func TestEvents_ThroughAPeer_AtOnce(t *testing.T) {
	s := startStreams(t)
	br, _ := s.dial(t, "/sample/events HTTP/1.1\nHost: west\nAccept: text/event-stream\n"+httpapi.HeaderTenantContext+": "+s.east)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	lines := bufio.NewReader(res.Body)
	for _, event := range []string{"one", "two", "three"} {
		s.next <- event
		if line, err := lines.ReadString('\n'); line != "data: "+event+"\n" {
			t.Fatalf("%q %v", line, err)
		}
		_, _ = lines.ReadString('\n')
	}
	close(s.next)
}

// What is as large as it likes passes through two sites in bounded memory: both
// are in this process, with the client and the instance.
func TestTransfer_R9_BoundedMemorySoak(t *testing.T) {
	size := int64(32 << 20)
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		size = 1 << 30
	}
	s := startStreams(t)
	header := sitetest.Bearer(s.token, httpapi.HeaderTenantContext, s.east)
	client := sitetest.Trusting(t, s.c.File.CA)
	client.Timeout = 0
	send := func(method, path string, body io.Reader, length int64) int64 {
		r, err := http.NewRequestWithContext(t.Context(), method, s.c.Site("west").API+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header, r.ContentLength = header.Clone(), length
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		n, err := io.Copy(io.Discard, res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%d after %d bytes: %v", res.StatusCode, n, err)
		}
		return n
	}
	send("GET", "/sample/down?size=1", nil, 0)
	stop, peak := make(chan bool), make(chan uint64)
	before := heap()
	go func() {
		var most uint64
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(50 * time.Millisecond):
				most = max(most, heap())
			}
		}
	}()
	start := time.Now()
	send("PUT", "/sample/up", io.LimitReader(zeros{}, size), size)
	if got := s.received.Load(); got != size {
		t.Errorf("%d bytes went up", got)
	}
	if got := send("GET", fmt.Sprintf("/sample/down?size=%d", size), nil, 0); got != size {
		t.Errorf("%d bytes came down", got)
	}
	took := time.Since(start)
	stop <- true
	growth := int64(<-peak) - int64(before)
	t.Logf("%d MiB each way in %s, live memory grew by %.1f MiB at most", size>>20, took.Round(time.Millisecond), float64(growth)/(1<<20))
	if growth > 16<<20 {
		t.Errorf("live memory grew by %d bytes", growth)
	}
}

// heap is what a collection found alive: neither what is garbage then nor what
// is allocated between its end and the question, which is much on a busy machine.
func heap() uint64 {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
