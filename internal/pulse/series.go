package pulse

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// Kind is what a series is made of.
type Kind int

const (
	Rate   Kind = iota // of a counter, per second
	Level              // of a gauge: the mean
	Spread             // of a histogram: its quantiles
)

// Series is what is remembered: the sum of a family's metrics that have all of
// Labels. A counter that is not there yet is zero; a gauge, unknown.
type Series struct {
	Name   string // for whoever reads it
	Family string
	Labels map[string]string
	Kind   Kind
}

// column is where a series stands in a sample.
type column struct {
	Series
	first  int
	bounds []float64 // of a histogram's buckets; the last is infinite
}

func (c column) width() int { return max(1, len(c.bounds)) }

// read sums what a family says of the series into row.
func (c column) read(family *dto.MetricFamily, row []float64) {
	out := row[c.first : c.first+c.width()]
	for i := range out {
		out[i] = 0
	}
	known := false
	for _, m := range family.GetMetric() {
		if !c.has(m) {
			continue
		}
		known = true
		switch c.Kind {
		case Rate:
			out[0] += m.GetCounter().GetValue()
		case Level:
			out[0] += m.GetGauge().GetValue()
		case Spread:
			c.addBuckets(m.GetHistogram(), out)
		}
	}
	if c.Kind == Level && !known {
		out[0] = math.NaN()
	}
}

func (c column) addBuckets(h *dto.Histogram, out []float64) {
	for i, bound := range c.bounds {
		count := h.GetSampleCount() // of the infinite one, which is not told
		for _, b := range h.GetBucket() {
			if b.GetUpperBound() == bound {
				count = b.GetCumulativeCount()
				break
			}
		}
		out[i] += float64(count)
	}
}

func (c column) has(m *dto.Metric) bool {
	found := 0
	for _, pair := range m.GetLabel() {
		if want, ok := c.Labels[pair.GetName()]; ok {
			if pair.GetValue() != want {
				return false
			}
			found++
		}
	}
	return found == len(c.Labels)
}

// bounds are those of a histogram's buckets, which all of a family share.
func bounds(family *dto.MetricFamily) (list []float64) {
	if all := family.GetMetric(); len(all) > 0 {
		for _, b := range all[0].GetHistogram().GetBucket() {
			if !math.IsInf(b.GetUpperBound(), 1) {
				list = append(list, b.GetUpperBound())
			}
		}
	}
	return append(list, math.Inf(1))
}

// quantile is where in cumulative counts of buckets the part q of all lies, NaN of
// nothing. Beyond the last bound it is not known, and the last bound is said.
func quantile(q float64, bounds, counts []float64) float64 {
	if len(counts) == 0 || counts[len(counts)-1] <= 0 {
		return math.NaN()
	}
	rank, low, below := q*counts[len(counts)-1], 0., 0.
	for i, n := range counts {
		if n >= rank {
			if math.IsInf(bounds[i], 1) {
				return low
			}
			return low + (bounds[i]-low)*(rank-below)/(n-below)
		}
		low, below = bounds[i], n
	}
	return low
}
