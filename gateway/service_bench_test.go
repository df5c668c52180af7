package gateway_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/benchtest"
	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/hop"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// connections are those that the clients of BenchmarkServiceRequest keep.
const connections = 64

// serviceBench is a gateway with an app, and a bare proxy, in front of one instance.
type serviceBench struct {
	pair   *sitetest.Pair
	echo   *echo
	behind string
}

func newServiceBench(b *testing.B, adjust func(*config.Config)) *serviceBench {
	p := sitetest.Start(b, storetest.SQLite, sitetest.Adjust(adjust), func(o *dev.Options) { o.Site = "west" })
	behind := benchtest.Instance(b)
	return &serviceBench{p, openEchoAt(b, p.Client, behind, "echo:admin"), behind}
}

// gate is the gateway, asked by a client that does as plan says.
func (s *serviceBench) gate(b *testing.B, plan benchtest.Plan) *benchtest.Client {
	plan.Path = echoPrefix + "/private/inventory"
	return s.serve(b, s.pair.Site("west").Public(), plan)
}

// bare is the same client at the bare proxy.
func (s *serviceBench) bare(b *testing.B, plan benchtest.Plan) *benchtest.Client {
	plan.Path = "/private/inventory"
	return s.serve(b, bareProxy(s.behind), plan)
}

func (s *serviceBench) serve(b *testing.B, h http.Handler, plan benchtest.Plan) *benchtest.Client {
	server := httptest.NewUnstartedServer(h)
	if plan.CA == overTLS {
		server.StartTLS()
		plan.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	} else {
		server.Start()
	}
	b.Cleanup(server.Close)
	plan.Addr, plan.Status = server.Listener.Addr().String(), http.StatusOK
	plan.Bodies = make([]string, connections)
	plan.Header = "User-Agent: a client\r\nAccept: application/json\r\n"
	if plan.Tokens == "" {
		plan.Header += "Authorization: Bearer " + s.echo.token + "\r\n"
	}
	return benchtest.Launch(b, plan)
}

const (
	overTLS = "TLS" // in place of a plan's CA: that of the server
	turn    = time.Second / 2
)

// work is what the parties of a benchmark take in turns.
type work struct{ cpu, late []benchtest.Series }

func (s *serviceBench) work(b *testing.B, parties ...*benchtest.Client) work {
	w := work{make([]benchtest.Series, len(parties)), make([]benchtest.Series, len(parties))}
	for _, c := range parties {
		c.Run(b, turn)
	}
	db := s.pair.Site("west").DB()
	statements := db.Statements()
	benchtest.Turns(b, func() {
		for i, c := range parties {
			before := processorTime()
			r := c.Run(b, turn)
			w.cpu[i].Add(share(processorTime()-before, r.Requests))
			w.late[i].Add(float64(r.P99))
		}
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(w.cpu[0].Per(w.cpu[1]), "x-bare")
	b.ReportMetric(w.late[0].Per(w.late[1]), "p99-x-bare")
	b.ReportMetric(w.cpu[0].Median(), "cpu-µs")
	b.ReportMetric(w.cpu[1].Median(), "bare-cpu-µs")
	b.ReportMetric(float64(db.Statements()-statements), "statements")
	return w
}

// BenchmarkServiceRequest measures a request of a server-to-server app, with a known
// token, to an instance of its organization, beside the same request through a bare
// net/http server and reverse proxy. Clients and the instance are processes of their
// own: x-bare is the processor time of the gateway to that of the bare proxy.
func BenchmarkServiceRequest(b *testing.B) {
	s := newServiceBench(b, func(*config.Config) {})
	s.work(b, s.gate(b, benchtest.Plan{}), s.bare(b, benchtest.Plan{}))
}

// BenchmarkTLS is BenchmarkServiceRequest over TLS. added-x-bare is what TLS adds to a
// request of the gateway, to what it adds to one of the bare proxy.
func BenchmarkTLS(b *testing.B) {
	s := newServiceBench(b, func(*config.Config) {})
	secure := benchtest.Plan{CA: overTLS}
	w := s.work(b, s.gate(b, secure), s.bare(b, secure), s.gate(b, benchtest.Plan{}), s.bare(b, benchtest.Plan{}))
	added := func(secure, plain int) float64 {
		var each benchtest.Series
		for i := range w.cpu[secure] {
			each.Add(w.cpu[secure][i] - w.cpu[plain][i])
		}
		return each.Median()
	}
	b.ReportMetric(added(0, 2)/added(1, 3), "added-x-bare")
	b.ReportMetric(added(1, 3), "bare-added-µs")
}

// BenchmarkManyTokens is BenchmarkServiceRequest with 20,000 tokens, of which each
// request shows another and the gateway remembers all. With CAUSEWAY_SCALE=1 it is a
// million, whose signatures take minutes. token-B is the memory that one takes.
func BenchmarkManyTokens(b *testing.B) {
	n := 20_000
	if os.Getenv("CAUSEWAY_SCALE") != "" {
		n = 1_000_000
	}
	n -= n % connections
	s := newServiceBench(b, func(c *config.Config) { c.Sessions.RememberedTokens = n })
	heap() // a second collection finds what pools let go
	before := heap()
	plan := benchtest.Plan{Tokens: s.sign(b, n)}
	first := plan
	first.Each = n / connections
	if r := s.gate(b, first).Run(b, time.Hour); r.Requests != n {
		b.Fatalf("%d tokens were shown, want %d", r.Requests, n)
	}
	heap()
	each := float64(int64(heap())-int64(before)) / float64(n)
	s.work(b, s.gate(b, plan), s.bare(b, plan))
	b.ReportMetric(each, "token-B")
}

// sign writes n tokens of the app to a file.
func (s *serviceBench) sign(b *testing.B, n int) string {
	sign := signer(b, s.pair.Site("west").OAuth(), s.echo)
	tokens := make([]string, n)
	var hands sync.WaitGroup
	for some := range slices.Chunk(tokens, n/runtime.NumCPU()+1) {
		hands.Go(func() {
			for i := range some {
				some[i] = sign()
			}
		})
	}
	hands.Wait()
	file := filepath.Join(b.TempDir(), "tokens")
	must(b, os.WriteFile(file, []byte(strings.Join(tokens, "\n")), 0o600))
	return file
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
