package pulse

import (
	"math"
	"time"
)

// Span is how much of the past is looked at.
type Span int

const (
	Hour Span = iota
	Day
)

// View is a part of the past in steps.
type View struct {
	Begun time.Time // since when this cell counts
	From  time.Time // of the first step
	Ends  []time.Time
	// of each step by a series' name
	lines  map[string][]float64
	totals map[string]float64
	steps  map[string][][]float64 // of histograms: their buckets
	bounds map[string][]float64
}

// Line is a series by step: a rate per second, or a mean level. NaN is unknown.
func (v View) Line(name string) []float64 { return v.lines[name] }

// Total is how much a counter counted in all steps.
func (v View) Total(name string) float64 { return v.totals[name] }

// Quantile is a quantile of a histogram by step, NaN where nothing was observed.
func (v View) Quantile(name string, q float64) []float64 {
	line := make([]float64, len(v.steps[name]))
	for i, counts := range v.steps[name] {
		line[i] = quantile(q, v.bounds[name], counts)
	}
	return line
}

// Look is the past hour or day up to this moment in most steps or fewer. The moment
// is read for whoever looks, and not remembered.
func (p *Pulse) Look(span Span, most int) (View, error) {
	p.mu.Lock()
	now, _, err := p.next()
	list := p.fine.all()
	length := time.Duration(fineKept) * fineEvery
	if span == Day {
		list, length = p.long.all(), coarse*perCoarse*fineEvery
	}
	p.mu.Unlock()
	if err != nil {
		return View{}, err
	}
	if now.at.After(list[len(list)-1].at) {
		list = append(list, now)
	}
	for len(list) > 1 && now.at.Sub(list[0].at) > length {
		list = list[1:] // a clock that was set forward, or a cell that slept
	}
	return p.view(list, most), nil
}

// view puts samples together to at most as many steps.
func (p *Pulse) view(list []sample, most int) View {
	v := View{
		Begun: p.begun, From: list[0].at, lines: map[string][]float64{}, totals: map[string]float64{},
		steps: map[string][][]float64{}, bounds: map[string][]float64{},
	}
	together := max(1, (len(list)-1+most-1)/most)
	for i := 0; i < len(list)-1; i += together {
		end := min(i+together, len(list)-1)
		v.Ends = append(v.Ends, list[end].at)
		v.step(p.columns, list[i:end+1])
	}
	return v
}

// step adds what was from the first to the last of some samples.
func (v *View) step(columns []column, list []sample) {
	first, last := list[0], list[len(list)-1]
	seconds := last.at.Sub(first.at).Seconds()
	for _, c := range columns {
		switch c.Kind {
		case Rate:
			n := last.values[c.first] - first.values[c.first]
			v.lines[c.Name] = append(v.lines[c.Name], n/seconds)
			v.totals[c.Name] += n
		case Level:
			v.lines[c.Name] = append(v.lines[c.Name], level(c.first, list[1:]))
		case Spread:
			counts := make([]float64, c.width())
			for i := range counts {
				counts[i] = last.values[c.first+i] - first.values[c.first+i]
			}
			v.steps[c.Name], v.bounds[c.Name] = append(v.steps[c.Name], counts), c.bounds
		}
	}
}

func level(at int, list []sample) float64 {
	sum, n := 0., 0.
	for _, s := range list {
		if value := s.values[at]; !math.IsNaN(value) {
			sum, n = sum+value, n+1
		}
	}
	return sum / n // 0/0 is NaN: unknown
}
