package peer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"causeway/internal/hop"
	"causeway/internal/problem"
)

// dropping answers with the connection closed, as a cell that dies does.
func dropping(w http.ResponseWriter, drops *atomic.Int32, conns *connSet) bool {
	if drops.Add(-1) < 0 {
		return false
	}
	conns.closeAll()
	return true
}

// connSet are the connections of a server.
type connSet struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (s *connSet) follow(c net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
	}
}

func (s *connSet) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

// A read is tried once more where the connection went away before the answer
// began, with an assertion of its own; nothing else is, and nothing twice.
func TestForwardTriesAgain_R9_OnlyWhatIsSafe(t *testing.T) {
	var drops, served atomic.Int32
	var conns connSet
	var seen sync.Map // assertions
	p := newPair(t, http.NotFoundHandler())
	addr, _ := serveOn(t, &http.Server{
		TLSConfig: p.west.ServerTLS(knows(east, &p.eastRoot.PublicKey)), ConnState: conns.follow,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			served.Add(1)
			if _, twice := seen.LoadOrStore(r.Header.Get(AssertionHeader), true); twice {
				t.Error("one assertion was sent twice")
			}
			if !dropping(w, &drops, &conns) {
				io.WriteString(w, "answered")
			}
		}),
	})
	var minted atomic.Int32
	x := Exchange{Mint: func() (string, error) { return fmt.Sprint(minted.Add(1)), nil }, Principal: "somebody"}
	for _, tt := range []struct {
		method, body string
		drops, tries int32
		answered     bool
	}{
		{"GET", "", 0, 1, true},
		{"GET", "", 1, 2, true},
		{"HEAD", "", 1, 2, true},
		{"GET", "", 2, 2, false},
		{"GET", "body", 1, 1, false},
		{"POST", "", 1, 1, false},
		{"PUT", "", 1, 1, false},
		{"DELETE", "", 1, 1, false},
		{"OPTIONS", "", 1, 1, false},
	} {
		drops.Store(tt.drops)
		served.Store(0)
		w := httptest.NewRecorder()
		r := httptest.NewRequest(tt.method, "/", strings.NewReader(tt.body))
		err := p.forwarder.Forward(w, r, p.target(addr), x)
		if tt.answered != (err == nil) || served.Load() != tt.tries {
			t.Errorf("%s with body %q, %d connections lost: served %d times, %v; want %d", tt.method, tt.body, tt.drops, served.Load(), err, tt.tries)
		}
		if err != nil && !problem.Has(err, problem.SiteUnreachable) {
			t.Errorf("%s: %v", tt.method, err)
		}
	}
}

// The second try avoids the address whose connection was lost.
func TestForwardTriesAgain_R10_ElsewhereFirst(t *testing.T) {
	var conns connSet
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "good") }))
	bad, _ := serveOn(t, &http.Server{
		TLSConfig: p.west.ServerTLS(knows(east, &p.eastRoot.PublicKey)), ConnState: conns.follow,
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { conns.closeAll() }),
	})
	w, err := p.do(get("/"), p.target(bad, p.addr))
	if err != nil || w.Body.String() != "good" {
		t.Fatalf("%v %q", err, w.Body)
	}
}

// A client's credentials are for our origin only, so a Location of the peer's
// becomes one of ours; nobody else's does.
func TestForwardLocalizesLocation_R9(t *testing.T) {
	const theirs, ours = "https://east.example:8443", "https://west.example"
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.Header.Get("X-To"))
		w.Header().Set("Content-Location", theirs+"/stays")
		var status int
		fmt.Sscan(r.URL.Path[1:], &status)
		w.WriteHeader(status)
	}), func(c *Config) { c.Origin = ours })
	for _, tt := range []struct {
		status   int
		to, want string
	}{
		{303, theirs + "/cloudapi/x?a=b", ours + "/cloudapi/x?a=b"},
		{201, theirs + "/cloudapi/x", ours + "/cloudapi/x"},
		{202, "HTTPS://EAST.example:8443/api/task/1", ours + "/api/task/1"},
		{303, theirs, ours},
		{201, "/relative", "/relative"},
		{303, "/relative", "/relative"},
		{303, "https://east.example/x", ""},
		{303, "https://east.example:8443.evil/x", ""},
		{303, "https://u:p@east.example:8443/x", ""},
		{303, "http://east.example:8443/x", ""},
		{303, `https://east.example:8443\@evil/`, ""},
		{303, theirs + "/a%2Fb", ours + "/a%2Fb"},
		{201, "https://other.example/x", "https://other.example/x"},
	} {
		to := p.target()
		to.Origin = theirs
		r := get(fmt.Sprintf("/%d", tt.status))
		r.Header.Set("X-To", tt.to)
		w, err := p.do(r, to)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Location"); got != tt.want {
			t.Errorf("%d to %s: %q, want %q", tt.status, tt.to, got, tt.want)
		}
		if w.Header().Get("Content-Location") != theirs+"/stays" {
			t.Error("more than Location was changed")
		}
	}
}

func FuzzLocalize(f *testing.F) {
	for _, s := range []string{"https://east.example/x", "//east.example", "https://east.example?x", "https://east.example#f", "https:east.example", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, location string) {
		rest, under := cutOrigin(location, "https://east.example")
		if under && rest != "" && rest[0] != '/' && rest[0] != '?' {
			t.Fatalf("%q becomes %q", location, "https://west.example"+rest)
		}
	})
}

// The peer's 429 stays one, says that it is the peer's, and is no reason to break.
func TestForwardPassesLimits_R13(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	for range 2 * breakAfter {
		w, err := p.do(get("/"), p.target())
		if err != nil || w.Code != 429 || w.Header().Get("Retry-After") != "7" || w.Header().Get("X-Causeway-Limited-By") != string(west) {
			t.Fatalf("%d %v %v", w.Code, w.Header(), err)
		}
	}
	if open, _ := p.forwarder.State(west); open {
		t.Error("a limit opened the breaker")
	}
}

// One principal whose requests hang leaves room for others at the same peer.
func TestForwardSlots_R13_OnePrincipalDoesNotTakeThePeer(t *testing.T) {
	arrived, release := make(chan bool, 10), make(chan bool)
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			arrived <- true
			<-release
		}
	}), func(c *Config) { c.MaxInFlight, c.MaxPerPrincipal = 4, 2 })
	ask := func(path, who string) error {
		return p.forwarder.Forward(httptest.NewRecorder(), get(path), p.target(), Exchange{Mint: minted("a"), Principal: who})
	}
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() { _ = ask("/hang", "greedy") })
		<-arrived
	}
	wantProblem(t, ask("/", "greedy"), problem.TooManyRequests)
	if err := ask("/", "other"); err != nil {
		t.Errorf("another principal: %v", err)
	}
	for _, who := range []string{"b", "c"} {
		wait.Go(func() { _ = ask("/hang", who) })
		<-arrived
	}
	wantProblem(t, ask("/", "other"), problem.Unavailable)
	close(release)
	wait.Wait()
	if err := ask("/", "greedy"); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// A WebSocket crosses on a connection of its own, with the assertion, and ends
// with the request that it came by.
func TestForwardUpgrades_R9_OnlyWebSockets(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.Header.Get(AssertionHeader) != "a" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %v", r.Proto, r.Header)
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\nSet-Cookie: planted=1\r\n\r\n", r.Header.Get("Upgrade"))
		rw.Flush()
		line, _ := rw.ReadString('\n')
		fmt.Fprintf(rw, "heard %s", line)
		rw.Flush()
	}))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.forwarder.Forward(w, r, p.target(), Exchange{Mint: minted("a")}); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	defer front.Close()
	c, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: west\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nAuthorization: Bearer x\r\n\r\n")
	br := bufio.NewReader(c)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Set-Cookie") != "" {
		t.Fatalf("%v %+v", err, res)
	}
	io.WriteString(c, "hello\n")
	if line, err := br.ReadString('\n'); line != "heard hello\n" {
		t.Fatalf("%q %v", line, err)
	}
	for _, r := range []*http.Request{
		{Method: "POST", Header: http.Header{"Connection": {"upgrade"}, "Upgrade": {"websocket"}}},
		{Method: "GET", Header: http.Header{"Connection": {"upgrade"}, "Upgrade": {"h2c"}}},
		{Method: "GET", Header: http.Header{"Upgrade": {"websocket"}}},
	} {
		if hop.AsksForWebSocket(r) {
			t.Errorf("%+v becomes a WebSocket", r)
		}
	}
}
