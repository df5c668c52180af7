package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"causeway/internal/benchtest"
	"causeway/internal/dev"
	"causeway/internal/hop"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// connections are those that the clients of BenchmarkServiceRequest keep.
const connections = 64

// BenchmarkServiceRequest measures a request of a server-to-server app, with a known
// token, to an instance of its organization, beside the same request through a bare
// net/http server and reverse proxy. Clients and the instance are processes of their
// own: x-bare is the processor time of the gateway to that of the bare proxy.
func BenchmarkServiceRequest(b *testing.B) {
	p := sitetest.Start(b, storetest.SQLite, func(o *dev.Options) { o.Site = "west" })
	behind := benchtest.Instance(b)
	e := openEchoAt(b, p.Client, behind, "echo:admin")
	bare := httptest.NewServer(bareProxy(behind))
	b.Cleanup(bare.Close)
	gate := httptest.NewServer(p.Site("west").Public())
	b.Cleanup(gate.Close)
	plan := func(server *httptest.Server, path string) *benchtest.Client {
		return benchtest.Launch(b, benchtest.Plan{
			Addr: server.Listener.Addr().String(), Path: path, Bodies: make([]string, connections), Status: http.StatusOK,
			Header: "Authorization: Bearer " + e.token + "\r\nUser-Agent: a client\r\nAccept: application/json\r\n",
		})
	}
	parties := []*benchtest.Client{plan(gate, echoPrefix+"/private/inventory"), plan(bare, "/private/inventory")}
	for _, c := range parties {
		c.Run(b, time.Second/4)
	}
	statements := p.Site("west").DB().Statements()
	var cpu, late [2]benchtest.Series
	for b.Loop() {
		for i, c := range parties {
			before := processorTime()
			r := c.Run(b, time.Second/4)
			cpu[i].Add(share(processorTime()-before, r.Requests))
			late[i].Add(float64(r.P99))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(cpu[0].Per(cpu[1]), "x-bare")
	b.ReportMetric(late[0].Per(late[1]), "p99-x-bare")
	b.ReportMetric(cpu[0].Median(), "cpu-µs")
	b.ReportMetric(cpu[1].Median(), "bare-cpu-µs")
	b.ReportMetric(float64(p.Site("west").DB().Statements()-statements), "statements")
}

// bareProxy does nothing but pass on, with a transport like ours.
func bareProxy(behind string) http.Handler {
	to, err := url.Parse(behind)
	if err != nil {
		panic(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:  &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		BufferPool: hop.Buffers{},
	}
}
