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

	"causeway/gateway"
	"causeway/internal/benchtest"
	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// deviceForm asks for nobody's account.
const deviceForm = "client_id=" + nobody

// oneDeviceRequest leaves a source one device request a day, and who has a session as
// many calls as they like.
func oneDeviceRequest(c *config.Config) {
	once := config.Budget{Tokens: 1, Per: 24 * time.Hour}
	c.Limits.DeviceAuthorization.Source, c.Limits.DeviceAuthorization.ClientAtSource = once, once
	c.Limits.Management.Account = config.Budget{Tokens: 100_000, Per: time.Second}
	c.Limits.Management.Org = config.Budget{Tokens: 1_000_000, Per: time.Second}
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
	held := taken()
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
	held = taken() - held
	t.Logf("beside device requests p99 %s of %d calls, beside bare ones %s of %d: %.2f times; idle %s; %d MB more of the system",
		p99(beside), len(beside), p99(besideBare), len(besideBare), p99(beside).Seconds()/p99(besideBare).Seconds(), p99(idle), held>>20)
	if most := 1.3; turns > 1 && p99(beside).Seconds() > most*p99(besideBare).Seconds() {
		t.Errorf("others wait more than %.1f times as long as beside an endpoint that does nothing", most)
	}
	if held > 128<<20 {
		t.Errorf("the process has taken %d MB more", held>>20)
	}
}

// taken is what the process has of the system, which other tests have made use of.
func taken() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
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
// with that of answers by the same web framework that decide nothing, in turns on
// kept connections: x-answer is the ratio to 1 KiB of JSON, x-empty to no header
// and no body at all. All include reading the request and writing the answer; the
// client is another process. Prompt are as many as are told at once in a second,
// held is a flood whose refusals wait, and so do the answers beside it: what waits
// in vain is woken one by one, which costs each the same.
func BenchmarkRefusedDevice(b *testing.B) {
	b.Run("prompt", func(b *testing.B) {
		compareRefusals(b, gateway.PromptRefusals*9/10/yardClients, func() func(*gin.Context) { return func(*gin.Context) {} })
	})
	b.Run("held", func(b *testing.B) {
		compareRefusals(b, 0, func() func(*gin.Context) {
			pace := &gateway.Pace{}
			return func(c *gin.Context) { pace.Hold(c.Request.Context()) }
		})
	})
}

// compareRefusals has each connection make so many requests in a turn, 0 as many
// as it can.
func compareRefusals(b *testing.B, each int, holding func() func(*gin.Context)) {
	_, gate := flooded(b)
	holdJSON, holdEmpty, body := holding(), holding(), make([]byte, 1024)
	places := [][2]string{
		{gate.Listener.Addr().String(), "/oauth/tenant/acme/device_authorization"},
		{bareEndpoint(b, func(c *gin.Context) {
			holdJSON(c)
			c.Data(http.StatusTooManyRequests, "application/json", body)
		}), "/"},
		{bareEndpoint(b, func(c *gin.Context) {
			holdEmpty(c)
			c.Status(http.StatusTooManyRequests)
		}), "/"},
	}
	clients, cost := make([]*benchtest.Client, len(places)), make([]benchtest.Series, len(places))
	const turn = time.Second / 3
	for i, at := range places {
		plan := flood(at[0], at[1], http.StatusTooManyRequests, yardClients)
		plan.Each = each
		clients[i] = benchtest.Launch(b, plan)
		clients[i].Run(b, turn) // connected, and what a site does first is done
	}
	benchtest.Turns(b, func() {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // refusals are counted by the second
		for i, c := range clients {
			before := processorTime()
			n := c.Run(b, turn).Requests
			cost[i].Add(share(processorTime()-before, n))
		}
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(cost[0].Median(), "µs-refused")
	b.ReportMetric(cost[1].Median(), "µs-answer")
	b.ReportMetric(cost[2].Median(), "µs-empty")
	b.ReportMetric(cost[0].Per(cost[1]), "x-answer")
	b.ReportMetric(cost[0].Per(cost[2]), "x-empty")
}
