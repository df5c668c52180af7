package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// BenchmarkWarmRequest measures a request with a known token through the gateway
// beside the same request through a bare reverse proxy and one straight to the
// service, in turns on the same machine. x-bare is processor time of the gateway
// to that of the bare proxy, each less what client and service cost without a
// proxy. ns/op is a batch through the gateway.
func BenchmarkWarmRequest(b *testing.B) {
	p := sitetest.Start(b, storetest.SQLite)
	c := p.Client
	admin := c.Login(b, "west", "acme")
	id, _ := c.Account(b, "west", admin, "inventory-bot")
	access, _ := c.Connect(b, "west", "acme", id)

	upstream, err := url.Parse("http://127.0.0.1:" + strconv.Itoa(c.Site("west").Ports.Sample))
	if err != nil {
		b.Fatal(err)
	}
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
	})
	defer bare.Close()
	gate := httptest.NewServer(p.Site("west").Public())
	defer gate.Close()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	get := func(base string) {
		r, _ := http.NewRequest(http.MethodGet, base+"/sample/inventory", nil)
		r.Header.Set("Authorization", "Bearer "+access)
		res, err := client.Do(r)
		if err != nil {
			b.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			b.Errorf("%s: status %d", base, res.StatusCode)
		}
	}
	get(gate.URL)
	get(bare.URL)
	get(upstream.String())

	const batch = 200
	var spent [3]time.Duration // gateway, bare proxy, straight
	statements := p.Site("west").DB().Statements()
	for b.Loop() {
		for i, base := range []string{gate.URL, bare.URL, upstream.String()} {
			if i > 0 {
				b.StopTimer()
			}
			before := processorTime()
			var wait sync.WaitGroup
			for range 16 {
				wait.Go(func() {
					for range batch / 16 {
						get(base)
					}
				})
			}
			wait.Wait()
			spent[i] += processorTime() - before
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(spent[0]-spent[2])/float64(spent[1]-spent[2]), "x-bare")
	b.ReportMetric(float64(p.Site("west").DB().Statements()-statements), "statements")
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
