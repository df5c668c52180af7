package sitetest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/store/storetest"
)

// TestHealth_R12_R14: probes tell why, strangers only whether; and a cell that stops
// says so for as long as a request is under way.
func TestHealth_R12_R14(t *testing.T) {
	came, goOn := make(chan struct{}), make(chan struct{})
	behind := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(came)
		<-goOn
	}))
	defer behind.Close()
	p := Start(t, storetest.SQLite, Adjust(func(c *config.Config) { c.Services[0].Upstream = behind.URL }), func(o *dev.Options) { o.Site = "west" })
	c, west := p.Client, p.Client.Site("west")
	get := func(url string) Answer { return c.Do(t, http.MethodGet, url, nil, nil) }

	for _, path := range []string{"/livez", "/readyz"} {
		if got := string(get(west.Ops+path).Want(t, http.StatusOK).Body); got != "ok\n" {
			t.Errorf("%s says %q", path, got)
		}
	}
	verbose := string(get(west.Ops+"/readyz?verbose").Want(t, http.StatusOK).Body)
	for _, want := range []string{"[+]serving ok in ", "[+]database ok in ", "[+]journal ok in ", "readyz check passed\n"} {
		if !strings.Contains(verbose, want) {
			t.Errorf("no %q in\n%s", want, verbose)
		}
	}
	a := get(west.API+"/lb-check").Want(t, http.StatusOK)
	if string(a.Body) != "ok\n" || len(a.Header) != 4 { // type, length, caching, date
		t.Errorf("a stranger is told %v %q", a.Header, a.Body)
	}
	for _, path := range []string{
		"/livez", "/readyz", "/readyz?verbose", "/health/peers", "/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/profile?seconds=1",
		"/debug/pprof/heap", "/debug/pprof/symbol", "/debug/pprof/trace?seconds=1", "/debug/vars",
	} {
		get(west.API+path).Want(t, http.StatusNotFound)
	}

	admin := c.Login(t, "west", "acme")
	id, _ := c.Account(t, "west", admin, "inventory-bot")
	access, _ := c.Connect(t, "west", "acme", id)
	answered := make(chan int, 1)
	go func() {
		a, _ := c.Try(http.MethodGet, west.API+"/sample/inventory", Bearer(access), nil)
		answered <- a.Status
	}()
	<-came
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		stopped <- p.StopSite(ctx, "west")
	}()
	var said Answer
	Eventually(t, 10*time.Second, "the cell says that it stops", func() bool {
		said = get(west.Ops + "/readyz")
		return said.Status == http.StatusServiceUnavailable
	})
	if !strings.Contains(string(said.Body), "[-]serving failed") || !strings.Contains(string(said.Body), "[+]database ok") {
		t.Errorf("a cell that stops says\n%s", said.Body)
	}
	get(west.Ops+"/livez").Want(t, http.StatusOK) // or it would be killed in the middle
	close(goOn)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request under way was answered with %d", status)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if res, err := http.Get(west.Ops + "/livez"); err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		t.Error("the operations listener outlives its cell")
	}
}
