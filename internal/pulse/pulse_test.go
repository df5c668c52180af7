package pulse

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// cell is what a pulse looks at.
type cell struct {
	*prometheus.Registry
	requests *prometheus.CounterVec
	fresh    prometheus.Gauge
	took     *prometheus.HistogramVec
	fails    atomic.Bool
}

func newCell() *cell {
	c := &cell{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests"}, []string{"where", "status"}),
		fresh:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "fresh"}),
		took:     prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "took", Buckets: []float64{1, 2, 4}}, []string{"where"}),
	}
	c.took.WithLabelValues("here")
	c.MustRegister(c.requests, c.fresh, c.took)
	return c
}

func (c *cell) Gather() ([]*dto.MetricFamily, error) {
	if c.fails.Load() {
		return nil, errors.New("no")
	}
	return c.Registry.Gather()
}

var series = []Series{
	{Name: "good", Family: "requests", Labels: map[string]string{"status": "2xx"}},
	{Name: "here", Family: "requests", Labels: map[string]string{"where": "here", "status": "2xx"}},
	{Name: "bad", Family: "requests", Labels: map[string]string{"status": "5xx"}},
	{Name: "fresh", Family: "fresh", Kind: Level},
	{Name: "absent", Family: "nowhere", Kind: Level},
	{Name: "took", Family: "took", Kind: Spread},
}

// run has a pulse of c in fake time.
func run(t *testing.T, f func(t *testing.T, c *cell, p *Pulse)) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell()
		p, err := New(Config{Gather: c.Gather, Series: series, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		f(t, c, p)
		cancel()
		<-done
	})
}

func look(t *testing.T, p *Pulse, span Span, most int) View {
	t.Helper()
	v, err := p.Look(span, most)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func same(t *testing.T, what string, got []float64, want ...float64) {
	t.Helper()
	equal := len(got) == len(want)
	for i := 0; equal && i < len(got); i++ {
		equal = math.Abs(got[i]-want[i]) < 1e-9 || math.IsNaN(got[i]) && math.IsNaN(want[i])
	}
	if !equal {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestRates(t *testing.T) {
	run(t, func(t *testing.T, c *cell, p *Pulse) {
		time.Sleep(time.Second)
		c.requests.WithLabelValues("here", "2xx").Add(20)
		c.requests.WithLabelValues("peer", "2xx").Add(10)
		time.Sleep(10 * time.Second)
		c.requests.WithLabelValues("here", "2xx").Add(5)
		time.Sleep(4 * time.Second) // half a step, which counts for who looks now
		v := look(t, p, Hour, 100)
		same(t, "good", v.Line("good"), 3, 1)
		same(t, "here", v.Line("here"), 2, 1)
		same(t, "bad", v.Line("bad"), 0, 0)
		if v.Total("good") != 35 || v.Ends[1].Sub(v.From) != 15*time.Second {
			t.Errorf("%v in %v", v.Total("good"), v.Ends[1].Sub(v.From))
		}
		same(t, "put together", look(t, p, Hour, 1).Line("good"), 35./15)
	})
}

// A counter that begins again counts on; what came before a failed reading is not
// lost.
func TestRates_ResetsAndFailures(t *testing.T) {
	run(t, func(t *testing.T, c *cell, p *Pulse) {
		c.requests.WithLabelValues("here", "2xx").Add(100)
		time.Sleep(11 * time.Second)
		c.requests.Reset()
		c.requests.WithLabelValues("here", "2xx").Add(30)
		time.Sleep(10 * time.Second)
		c.fails.Store(true)
		c.requests.WithLabelValues("here", "2xx").Add(40)
		time.Sleep(10 * time.Second)
		if _, err := p.Look(Hour, 10); err == nil {
			t.Error("looked at nothing")
		}
		c.fails.Store(false)
		time.Sleep(9 * time.Second)
		same(t, "good", look(t, p, Hour, 100).Line("good"), 10, 3, 2)
	})
}

func TestLevels(t *testing.T) {
	run(t, func(t *testing.T, c *cell, p *Pulse) {
		for _, level := range []float64{1, 0, 1, math.NaN()} {
			c.fresh.Set(level)
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		v := look(t, p, Hour, 100)
		same(t, "fresh", v.Line("fresh"), 1, 0, 1, math.NaN())
		same(t, "absent", v.Line("absent"), math.NaN(), math.NaN(), math.NaN(), math.NaN())
		same(t, "put together", look(t, p, Hour, 1).Line("fresh"), 2./3)
	})
}

func TestQuantiles(t *testing.T) {
	run(t, func(t *testing.T, c *cell, p *Pulse) {
		time.Sleep(11 * time.Second)
		for _, v := range []float64{.5, .5, 3, 3} {
			c.took.WithLabelValues("here").Observe(v)
		}
		time.Sleep(10 * time.Second)
		c.took.WithLabelValues("peer").Observe(1000)
		time.Sleep(time.Second)
		v := look(t, p, Hour, 100)
		same(t, "median", v.Quantile("took", .5), math.NaN(), 1, 4)
		same(t, "most", v.Quantile("took", .75), math.NaN(), 3, 4)
	})
}

// What is remembered does not grow, and goes back an hour and a day.
func TestBounds(t *testing.T) {
	run(t, func(t *testing.T, c *cell, p *Pulse) {
		c.requests.WithLabelValues("here", "2xx").Add(1_000_000)
		time.Sleep(30*time.Hour + time.Second) // apart from any sample, the last step ends now
		hour, day := look(t, p, Hour, 1000), look(t, p, Day, 1000)
		if n := len(hour.Ends); n != fineKept || hour.Ends[n-1].Sub(hour.From) != (fineKept-1)*fineEvery+time.Second {
			t.Errorf("the hour has %d steps from %v", n, hour.From)
		}
		if n := len(day.Ends); n != coarse {
			t.Errorf("the day has %d steps", n)
		}
		if len(p.fine.kept) != fineKept || len(p.long.kept) != coarse {
			t.Error("the memory has grown")
		}
		if v := look(t, p, Day, 60); len(v.Ends) > 60 || v.Total("good") != 0 {
			t.Errorf("%d steps with %v", len(v.Ends), v.Total("good"))
		}
	})
}

// Nobody is shown steps of negative length.
func TestClockSetBack(t *testing.T) {
	now := time.Now()
	c := newCell()
	p, err := New(Config{Gather: c.Gather, Series: series, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Hour)
	if err := p.take(); err != nil {
		t.Fatal(err)
	}
	if v := look(t, p, Hour, 10); len(v.Ends) != 0 {
		t.Errorf("%v", v.Ends)
	}
}
