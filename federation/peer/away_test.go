package peer

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// cellOf is a cell of west behind a door that can be shut. It notes which
// requests came, and answers as a cell without a database does.
func cellOf(t *testing.T, p *pair) (addr string, away *atomic.Bool, asked func() string) {
	t.Helper()
	var mu sync.Mutex
	var got []string
	var known trust
	known.set(&p.eastRoot.PublicKey)
	away = new(atomic.Bool)
	door := &Door{Identity: p.west, Allowed: known.of, Away: away.Load}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = append(got, r.URL.Path)
		mu.Unlock()
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return behindDoor(t, door, door.Handler(h)), away, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(got, " ")
	}
}

// TestDoor_R13_ACellThatIsAway: a cell that can serve nobody refuses what came to
// it and is asked nothing more; the site's other cell is, and the first one again
// when it is back.
func TestDoor_R13_ACellThatIsAway(t *testing.T) {
	p := newPair(t, http.NotFoundHandler())
	one, oneAway, askedOne := cellOf(t, p)
	two, twoAway, askedTwo := cellOf(t, p)
	to := p.target(one, two)
	ask := func(path string) int {
		t.Helper()
		w, err := p.do(get(path), to)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return w.Code
	}
	ask("/first")
	oneAway.Store(true)
	if status := ask("/refused"); status != http.StatusServiceUnavailable {
		t.Errorf("a cell that is away answers %d", status)
	}
	for range 3 {
		if status := ask("/other"); status != http.StatusOK {
			t.Errorf("the other cell answers %d", status)
		}
	}
	oneAway.Store(false)
	twoAway.Store(true)
	ask("/refused")
	if status := ask("/back"); status != http.StatusOK {
		t.Errorf("the cell that is back answers %d", status)
	}
	if got := askedOne(); got != "/first /refused /back" {
		t.Errorf("the first cell was asked %s", got)
	}
	if got := askedTwo(); got != "/other /other /other /refused" {
		t.Errorf("the second cell was asked %s", got)
	}
}

// TestDoor_R13_SaysNothingWhenShut: an alert would say that the sites are not
// associated.
func TestDoor_R13_SaysNothingWhenShut(t *testing.T) {
	p := newPair(t, http.NotFoundHandler())
	addr, away, _ := cellOf(t, p)
	away.Store(true)
	if _, err := p.do(get("/"), p.target(addr)); err == nil || Refused(err) {
		t.Errorf("%v, an alert: %v", err, Refused(err))
	}
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, _ := c.Read(make([]byte, 1)); n != 0 {
		t.Error("it says something")
	}
	away.Store(false)
	over := tls.Client(c, p.east.ClientTLS(west, NewKeys(&p.westRoot.PublicKey)))
	if over.Handshake() == nil {
		t.Error("a connection that was refused goes on")
	}
	if _, err := p.do(get("/"), p.target(addr)); err != nil {
		t.Errorf("open again: %v", err)
	}
}
