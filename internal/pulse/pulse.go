package pulse

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// How often is looked, and how much is remembered.
const (
	fineEvery = 10 * time.Second
	fineKept  = 360 // an hour
	perCoarse = 30  // fine ones, five minutes
	coarse    = 288 // a day
)

// Config wires a Pulse.
type Config struct {
	Gather func() ([]*dto.MetricFamily, error)
	Series []Series
	Now    func() time.Time
	Log    *slog.Logger
}

// Pulse remembers samples. Run takes them.
type Pulse struct {
	c       Config
	columns []column
	width   int
	begun   time.Time

	mu   sync.Mutex
	raw  []float64 // as last read
	last sample    // since begun: counters without resets
	fine ring
	long ring
	mean mean // of levels since the last long sample
	n    int
}

// sample is all series at one time. Counters only grow, and levels are means over
// the time since the sample before.
type sample struct {
	at     time.Time
	values []float64
}

// New takes the first sample, from which all others count.
func New(c Config) (*Pulse, error) {
	families, err := gather(c.Gather)
	if err != nil {
		return nil, err
	}
	p := &Pulse{c: c, begun: c.Now()}
	for _, s := range c.Series {
		col := column{Series: s, first: p.width}
		if s.Kind == Spread {
			col.bounds = bounds(families[s.Family])
		}
		p.columns = append(p.columns, col)
		p.width += col.width()
	}
	p.fine, p.long = newRing(fineKept, p.width), newRing(coarse, p.width)
	p.raw, p.mean = make([]float64, p.width), newMean(p.width)
	p.last = sample{p.begun, make([]float64, p.width)}
	p.read(families, p.raw)
	p.follow(p.last.values, p.raw, p.raw)
	p.fine.add(p.last)
	p.long.add(p.last)
	return p, nil
}

func gather(from func() ([]*dto.MetricFamily, error)) (map[string]*dto.MetricFamily, error) {
	list, err := from()
	if err != nil {
		return nil, err
	}
	families := make(map[string]*dto.MetricFamily, len(list))
	for _, f := range list {
		families[f.GetName()] = f
	}
	return families, nil
}

func (p *Pulse) read(families map[string]*dto.MetricFamily, row []float64) {
	for _, c := range p.columns {
		c.read(families[c.Family], row)
	}
}

// follow moves a sample on from the readings before to those now. A counter that
// fell began again at zero.
func (p *Pulse) follow(values, before, now []float64) {
	for _, c := range p.columns {
		for i := c.first; i < c.first+c.width(); i++ {
			switch {
			case c.Kind == Level:
				values[i] = now[i]
			case now[i] < before[i]:
				values[i] += now[i]
			default:
				values[i] += now[i] - before[i]
			}
		}
	}
}

// Run takes samples until ctx ends.
func (p *Pulse) Run(ctx context.Context) {
	tick := time.NewTicker(fineEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := p.take(); err != nil {
				p.c.Log.Warn("this cell's numbers could not be read", "err", err)
			}
		}
	}
}

// next is a sample of this moment, and what was read for it; p.mu is held.
func (p *Pulse) next() (sample, []float64, error) {
	families, err := gather(p.c.Gather)
	if err != nil {
		return sample{}, nil, err
	}
	now := make([]float64, p.width)
	p.read(families, now)
	s := sample{p.c.Now(), slices.Clone(p.last.values)}
	p.follow(s.values, p.raw, now)
	return s, now, nil
}

func (p *Pulse) take() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, raw, err := p.next()
	if err != nil || !s.at.After(p.last.at) { // a clock that was set back: wait for it
		return err
	}
	p.last, p.raw = s, raw
	p.fine.add(s)
	p.mean.add(p.columns, s.values)
	if p.n++; p.n%perCoarse == 0 {
		p.long.add(sample{s.at, p.mean.take(p.columns, s.values)})
	}
	return nil
}

// ring keeps the newest samples.
type ring struct {
	kept []sample
	n    int // that were ever added
}

func newRing(size, width int) ring {
	r := ring{kept: make([]sample, size)}
	for i := range r.kept {
		r.kept[i].values = make([]float64, width)
	}
	return r
}

func (r *ring) add(s sample) {
	at := &r.kept[r.n%len(r.kept)]
	at.at = s.at
	copy(at.values, s.values)
	r.n++
}

// all copies the samples, the oldest first.
func (r *ring) all() (list []sample) {
	for i := max(0, r.n-len(r.kept)); i < r.n; i++ {
		s := r.kept[i%len(r.kept)]
		list = append(list, sample{s.at, slices.Clone(s.values)})
	}
	return list
}

// mean is that of levels over several samples. What is unknown does not count.
type mean struct{ sum, n []float64 }

func newMean(width int) mean { return mean{make([]float64, width), make([]float64, width)} }

func (m mean) add(columns []column, values []float64) {
	for _, c := range columns {
		if v := values[c.first]; c.Kind == Level && !math.IsNaN(v) {
			m.sum[c.first] += v
			m.n[c.first]++
		}
	}
}

// take is values with the means in the place of levels, and begins anew.
func (m mean) take(columns []column, values []float64) []float64 {
	out := slices.Clone(values)
	for _, c := range columns {
		if c.Kind == Level {
			out[c.first] = m.sum[c.first] / m.n[c.first] // 0/0 is NaN: unknown
			m.sum[c.first], m.n[c.first] = 0, 0
		}
	}
	return out
}
