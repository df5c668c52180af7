package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/benchtest"
	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// deviceForm asks for nobody's account.
const deviceForm = "client_id=" + nobody

// oneDeviceRequest leaves a source one device request a day.
func oneDeviceRequest(c *config.Config) {
	once := config.Budget{Tokens: 1, Per: 24 * time.Hour}
	c.Limits.DeviceAuthorization.Source, c.Limits.DeviceAuthorization.ClientAtSource = once, once
}

// flooded is a site whose caller has no device request left.
func flooded(t testing.TB) (p *sitetest.Pair, gate *httptest.Server) {
	p = sitetest.Start(t, storetest.SQLite, sitetest.Adjust(oneDeviceRequest), func(o *dev.Options) { o.Site = "west" })
	gate = httptest.NewServer(p.Site("west").Public())
	t.Cleanup(gate.Close)
	res, err := http.PostForm(gate.URL+"/oauth/tenant/acme/device_authorization", map[string][]string{"client_id": {nobody}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return p, gate
}

func flood(addr string, path string, status, connections int) benchtest.Plan {
	return benchtest.Plan{Addr: addr, Path: path, Bodies: slices.Repeat([]string{deviceForm}, connections), Status: status}
}

// TestDeviceFlood_R13Soak sends device requests over kept connections as fast as
// they are answered. Every one is, the cell keeps its memory, and who has a session
// goes on working: as fast as beside the same flood of an endpoint of the same web
// framework, in the same process, that does nothing.
func TestDeviceFlood_R13Soak(t *testing.T) {
	connections, turn, least, turns := 64, time.Second/2, 200, 1
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		connections, turn, least, turns = 512, 5*time.Second, 10_000, 3
	}
	p, gate := flooded(t)
	token := p.Client.Login(t, "west", "acme")
	call := func() time.Duration {
		begin := time.Now()
		a, err := p.Client.TrySend(http.MethodGet, "west", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), nil)
		if err != nil || a.Status != http.StatusOK {
			t.Errorf("a call beside the flood: %d, %v", a.Status, err)
		}
		return time.Since(begin)
	}
	var idle []time.Duration
	for range 200 {
		idle = append(idle, call())
	}
	ours := benchtest.Launch(t, flood(gate.Listener.Addr().String(), "/oauth/tenant/acme/device_authorization", http.StatusTooManyRequests, connections))
	bare := benchtest.Launch(t, flood(bareEndpoint(t, func(c *gin.Context) { c.Status(http.StatusTooManyRequests) }), "/", http.StatusTooManyRequests, connections))
	var beside, besideBare []time.Duration
	for range turns {
		r, took := meanwhile(t, ours, turn, call)
		if beside = append(beside, took...); r.Requests < least || r.Elapsed > turn+5*time.Second {
			t.Errorf("%d answers in %s, want %d", r.Requests, r.Elapsed, least)
		}
		n := r.Requests
		r, took = meanwhile(t, bare, turn, call)
		besideBare = append(besideBare, took...)
		t.Logf("%d device requests refused, %d bare ones", n, r.Requests)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("beside device requests p99 %s of %d calls, beside bare ones %s of %d: %.2f times; idle %s; %d MB of the system",
		p99(beside), len(beside), p99(besideBare), len(besideBare), p99(beside).Seconds()/p99(besideBare).Seconds(), p99(idle), m.Sys>>20)
	if most := 1.3; turns > 1 && p99(beside).Seconds() > most*p99(besideBare).Seconds() {
		t.Errorf("others wait more than %.1f times as long as beside an endpoint that does nothing", most)
	}
	if m.Sys > 256<<20 {
		t.Errorf("the process has taken %d MB", m.Sys>>20)
	}
}

// meanwhile calls one after the other while client floods.
func meanwhile(t *testing.T, client *benchtest.Client, turn time.Duration, call func() time.Duration) (r benchtest.Result, took []time.Duration) {
	over, others := make(chan struct{}), sync.WaitGroup{}
	others.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				took = append(took, call())
			}
		}
	})
	r = client.Run(t, turn)
	close(over)
	others.Wait()
	return r, took
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100].Round(10 * time.Microsecond)
}

// BenchmarkRefusedDevice compares the processor time of a refused device request
// with that of an empty answer by the same web framework, in turns on kept
// connections; both include reading the request and writing the answer. x-empty is
// the ratio. The client is another process.
func BenchmarkRefusedDevice(b *testing.B) {
	_, gate := flooded(b)
	engine := gin.New()
	engine.POST("/empty", func(c *gin.Context) { c.Status(http.StatusTooManyRequests) })
	bare := httptest.NewServer(engine)
	defer bare.Close()
	refused := benchtest.Launch(b, flood(gate.Listener.Addr().String(), "/oauth/tenant/acme/device_authorization", http.StatusTooManyRequests, 16))
	empty := benchtest.Launch(b, flood(bare.Listener.Addr().String(), "/empty", http.StatusTooManyRequests, 16))
	const turn = time.Second / 2
	var spent [2]time.Duration
	var requests [2]int
	for b.Loop() {
		for i, c := range []*benchtest.Client{refused, empty} {
			before := processorTime()
			requests[i] += c.Run(b, turn).Requests
			spent[i] += processorTime() - before
		}
	}
	each := func(i int) float64 { return float64(spent[i].Microseconds()) / float64(requests[i]) }
	b.ReportMetric(each(0), "µs-refused")
	b.ReportMetric(each(1), "µs-empty")
	b.ReportMetric(each(0)/each(1), "x-empty")
}
