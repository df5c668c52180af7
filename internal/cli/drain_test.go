package cli_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"causeway/internal/localca"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// balancer sends requests to the cells that wanted them when it last looked, and has
// no second try: what a cell breaks is a failed request.
type balancer struct {
	cells []*behind
	turn  atomic.Int64
}

// behind is a cell as the balancer sees it.
type behind struct {
	*httputil.ReverseProxy
	looks string // where it says whether it wants requests
	wants atomic.Bool
}

// add takes a cell in. Over HTTP/2 net/http would try again what a cell that stops
// did not take, over HTTP/1 it cannot: a POST has no second body.
func (b *balancer) add(t *testing.T, c *sitetest.Cell, looks string) *behind {
	t.Helper()
	to, err := url.Parse(c.Public())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	one := &behind{looks: looks, ReverseProxy: &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}}
	b.cells = append(b.cells, one)
	return one
}

var looker = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
	DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
}}

func (c *behind) look() bool {
	answer, err := looker.Get(c.looks)
	if err == nil {
		answer.Body.Close()
	}
	wants := err == nil && answer.StatusCode == http.StatusOK
	c.wants.Store(wants)
	return wants
}

func (b *balancer) watch(end <-chan struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			for _, c := range b.cells {
				c.look()
			}
		}
	}
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first := int(b.turn.Add(1))
	for i := range b.cells {
		if c := b.cells[(first+i)%len(b.cells)]; c.wants.Load() {
			c.ServeHTTP(w, r)
			return
		}
	}
	http.Error(w, "no cell wants requests", http.StatusServiceUnavailable)
}

// workers post to an instance without a pause.
type workers struct {
	asked atomic.Int64
	end   chan struct{}
	all   sync.WaitGroup
}

func (w *workers) start(t *testing.T, url, token string) {
	for range 4 {
		w.all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-w.end:
					return
				default:
				}
				if err := post(client, url, token); err != nil {
					t.Errorf("after %d requests: %v", w.asked.Load(), err)
					return
				}
				w.asked.Add(1)
			}
		})
	}
}

// more waits until requests have been answered that began after now.
func (w *workers) more(t *testing.T) {
	t.Helper()
	goal := w.asked.Load() + 50
	sitetest.Eventually(t, 30*time.Second, "requests go on", func() bool { return t.Failed() || w.asked.Load() >= goal })
}

func post(client *http.Client, url, token string) error {
	const said = "what an instance is asked to do"
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(said))
	if err != nil {
		return err
	}
	r.Header = sitetest.Bearer(token)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || string(body) != said) {
		err = fmt.Errorf("status %d: %.200s", answer.StatusCode, body)
	}
	return err
}

// shownFor is the name in the certificate that a cell shows to who connects now.
func shownFor(t *testing.T, c *sitetest.Cell) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.Public(), "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return strings.Join(conn.ConnectionState().PeerCertificates[0].DNSNames, " ")
}

// TestDrain_R14_NoRequestFails reads configuration and certificate of two cells anew
// and restarts them one after the other, while posts go through a balancer that
// follows what the cells say of themselves and repeats nothing.
func TestDrain_R14_NoRequestFails(t *testing.T) {
	instance := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // a stream without an end
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(instance.Close)
	database := storetest.EmptyURL(t, storetest.Postgres)
	one := sitetest.NewCell(t, database, fmt.Sprintf(`services:
  - name: echo
    prefix: /echo
    upstream: %q
    routes:
      - {method: POST, path: /echo/work, right: "Catalog: View Private and Shared Catalogs"}
      - {method: GET, path: /echo/events, right: "Catalog: View Private and Shared Catalogs"}
limits:
  management: {account: {tokens: 100000, per: 1s}, org: {tokens: 1000000, per: 1s}}
`, instance.URL))
	folder := filepath.Dir(one.Config)
	ca, err := localca.Load(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certify := func(host string) {
		t.Helper()
		if err := ca.Issue(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"), []string{host, "localhost"}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	certify("first.example")
	cells := []*sitetest.Cell{one, one.Another(t, database)}
	for _, c := range cells {
		c.Adjust(t, "drain_delay: 0s", "drain_delay: 2s\n  drain_timeout: 2s")
		c.Adjust(t, "public:\n", fmt.Sprintf("public:\n  certificate: %s/tls.crt\n  key: %s/tls.key\n", folder, folder))
	}
	one.Init(t)
	b := &balancer{}
	b.add(t, cells[0], cells[0].Operations()+"/readyz")
	b.add(t, cells[1], cells[1].Public()+"/lb-check")
	processes := make([]*sitetest.Process, len(cells))
	start := func(i int) {
		t.Helper()
		processes[i] = cells[i].Begin(t)
		cells[i].Ready(t, processes[i])
		sitetest.Eventually(t, 20*time.Second, "the cell wants requests", b.cells[i].look)
	}
	start(0)
	start(1)
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	client := one.Client(t)
	token := client.Login(t, sitetest.SiteName, sitetest.System)
	client.Hangup()

	load := &workers{end: make(chan struct{})}
	load.all.Go(func() { b.watch(load.end) })
	load.start(t, front.URL+"/echo/work", token)
	load.more(t)
	certify("second.example")
	for i, c := range cells {
		if shows := shownFor(t, c); !strings.Contains(shows, "first.example") {
			t.Errorf("it shows the certificate of %s before it was told to", shows)
		}
		c.Adjust(t, "tokens: 100000", "tokens: 200000")
		processes[i].Signal(t, syscall.SIGHUP)
		processes[i].AwaitErr(t, 20*time.Second, func(log string) bool { return strings.Contains(log, "was reloaded") })
		if shows := shownFor(t, c); !strings.Contains(shows, "second.example") {
			t.Errorf("after the reload it shows the certificate of %s", shows)
		}
		old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		if conn, err := tls.Dial("tcp", strings.TrimPrefix(c.Public(), "https://"), old); err == nil {
			conn.Close()
			t.Error("after the reload it speaks TLS 1.1")
		}
		load.more(t)
	}
	for i := range cells {
		processes[i].Stop(t)
		if log := processes[i].Err(); strings.Contains(log, "were cut") {
			t.Errorf("it cut requests\n%s", log)
		}
		load.more(t)
		start(i)
		load.more(t)
	}
	close(load.end)
	load.all.Wait()
	t.Logf("%d requests, of which none may fail", load.asked.Load())

	// How long it drains is read anew, too, and a second signal ends it at once.
	cells[0].Adjust(t, "drain_delay: 2s", "drain_delay: 10m")
	processes[0].Signal(t, syscall.SIGHUP)
	processes[0].AwaitErr(t, 20*time.Second, func(log string) bool { return strings.Contains(log, "was reloaded") })
	processes[0].Signal(t, syscall.SIGTERM)
	sitetest.Eventually(t, 20*time.Second, "it says that it stops", func() bool { return !b.cells[0].look() })
	if err := post(looker, cells[0].Public()+"/echo/work", token); err != nil {
		t.Errorf("it does not serve while it drains: %v", err)
	}
	processes[0].Signal(t, syscall.SIGTERM)
	if code := processes[0].Exit(t, 20*time.Second); code == 0 {
		t.Error("it went on to drain after the second signal")
	}

	// A stream without an end is cut, and said so; that is no failure.
	events, err := http.NewRequest(http.MethodGet, cells[1].Public()+"/echo/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	events.Header = sitetest.Bearer(token)
	stream, err := looker.Transport.RoundTrip(events)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	processes[1].Stop(t)
	if _, err := io.ReadAll(stream.Body); err == nil {
		t.Error("the stream ended as if it were whole")
	}
	if log := processes[1].Err(); !strings.Contains(log, "public listener: 1 requests were cut") || !hasLine(log, "msg=request", "method=GET", "route=instance") {
		t.Errorf("the log does not say what was cut\n%s", log)
	}
}
