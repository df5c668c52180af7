package monitoring

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/internal/pulse"
	"causeway/internal/refusal"
	"causeway/portal/ui"
)

// numbersPage is some plots.
type numbersPage struct {
	Day    bool
	Begun  time.Time // of the counting; zero for a tenant's own
	Span   string    // address of the other span
	Live   int       // seconds
	Plots  []plot
	OfSite bool
}

// steps is how many a plot has: enough to see a peak, and few enough to read.
const steps = 40

// numbers shows the provider what this cell counts, and a tenant what is kept of its
// own organization: the counters tell no organizations apart.
func (p *Pages) numbers(s *ui.Screen) error {
	if !s.Provider() {
		return p.ownNumbers(s)
	}
	page := numbersPage{Day: s.Query("span") == "day", Live: 10, OfSite: true, Span: s.Path("monitor/numbers")}
	span, form := pulse.Hour, "15:04:05"
	if page.Day {
		span, form = pulse.Day, "Mon 15:04"
	} else {
		page.Span += "?span=day"
	}
	v, err := p.Pulse.Look(span, steps)
	if err != nil {
		return err
	}
	page.Begun = v.Begun
	for _, one := range drawings {
		page.Plots = append(page.Plots, one.plot(s, v, form))
	}
	page.Plots[1].Lines = refusals(s, v)
	if len(page.Plots[1].Lines) == 0 {
		page.Plots[1].Note = s.T("numbers.norefusals")
	}
	return s.Show("monitoring/numbers", "numbers.title", page)
}

// drawing is a plot by the series that it shows.
type drawing struct {
	id        string
	lines     []string
	quantiles map[string]float64 // of the series "took"
}

var drawings = []drawing{
	{id: "requests", lines: []string{"answers.2xx", "answers.3xx", "answers.4xx", "answers.5xx"}},
	{id: "refusals"}, // by those that there are
	{id: "latency", lines: []string{"p50", "p90", "p99"}, quantiles: map[string]float64{"p50": .5, "p90": .9, "p99": .99}},
	{id: "device", lines: []string{"device_authorization.allowed", "device_authorization.refused", "token_poll.allowed", "user_code.allowed"}},
	{id: "tokens", lines: []string{"login.allowed", "token_refresh.allowed", "token_refresh.refused", "token_failure.allowed"}},
	{id: "peers", lines: []string{"peer", "crossing.allowed", "crossing.refused", "asked"}},
	{id: "database", lines: []string{"statements"}},
	{id: "cells", lines: []string{"cells", "fresh"}},
}

func (d drawing) plot(s *ui.Screen, v pulse.View, form string) plot {
	out := frame(s, d.id, form, v.From, v.Ends)
	for i, name := range d.lines {
		values := v.Line(name)
		if q, ok := d.quantiles[name]; ok {
			values = thousandfold(v.Quantile("took", q))
		}
		out.Lines = append(out.Lines, line{Label: s.T("numbers." + d.id + "." + name), Class: class(i), Values: values})
	}
	return out
}

func frame(s *ui.Screen, id, form string, from time.Time, ends []time.Time) plot {
	p := plot{ID: id, Title: s.T("numbers." + id), About: s.T("numbers." + id + ".about"), Unit: s.T("numbers." + id + ".unit"), Form: form, From: from, Ends: ends}
	if len(ends) == 0 {
		p.Note = s.T("numbers.early")
	}
	return p
}

func class(i int) string { return fmt.Sprint("line", i%6+1) }

// thousandfold makes milliseconds of seconds.
func thousandfold(list []float64) []float64 {
	for i := range list {
		list[i] *= 1000
	}
	return list
}

// mostReasons is how many reasons have lines of their own.
const mostReasons = 5

// refusals are the lines of what was refused, by reason.
func refusals(s *ui.Screen, v pulse.View) []line {
	values, totals := map[string][]float64{}, map[string]float64{}
	for _, c := range problem.Codes() {
		if n := v.Total("refused." + string(c)); n > 0 {
			values[string(c)], totals[string(c)] = v.Line("refused."+string(c)), n
		}
	}
	return byReason(s, values, totals)
}

// byReason are the lines of the most frequent reasons, and one of all others.
func byReason(s *ui.Screen, values map[string][]float64, totals map[string]float64) (lines []line) {
	codes := slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b))
	})
	var rest []float64
	for i, code := range codes {
		if i < mostReasons {
			lines = append(lines, line{Label: codeWords(s, code), Class: class(i), Values: values[code]})
			continue
		}
		rest = sum(rest, values[code])
	}
	if rest != nil {
		lines = append(lines, line{Label: s.T("numbers.others"), Class: class(mostReasons), Values: rest})
	}
	return lines
}

func sum(a, b []float64) []float64 {
	out := slices.Clone(b)
	for i := range a {
		out[i] += a[i]
	}
	return out
}

// hours is how far a tenant's plots go back.
const hours = 24

func (p *Pages) ownNumbers(s *ui.Screen) error {
	ctx, org, now := s.Request.Context(), s.Org().ID, p.Now()
	first := now.Truncate(time.Hour).Add(-(hours - 1) * time.Hour)
	changes, err := p.Trail.Counts(ctx, org, first, time.Hour)
	if err != nil {
		return err
	}
	counts, err := p.Refusals.Counts(ctx, org, first, time.Hour)
	if err != nil {
		return err
	}
	page := numbersPage{Live: 60}
	var ends []time.Time
	for i := range hours {
		ends = append(ends, first.Add(time.Duration(i+1)*time.Hour))
	}
	done := frame(s, "changes", "Mon 15:04", first, ends)
	done.Lines = []line{{Label: s.T("numbers.changes.line"), Class: class(0), Values: make([]float64, hours)}}
	span := first.Unix() / 3600
	for hour, n := range changes {
		put(done.Lines[0].Values, hour-span, float64(n))
	}
	refused := frame(s, "ownrefusals", "Mon 15:04", first, ends)
	if refused.Lines = byCode(s, counts, span); len(refused.Lines) == 0 {
		refused.Note = s.T("numbers.norefusals")
	}
	page.Plots = []plot{refused, done}
	return s.Show("monitoring/numbers", "numbers.title", page)
}

// byCode are the lines of counts.
func byCode(s *ui.Screen, counts []refusal.Count, span int64) []line {
	values, totals := map[string][]float64{}, map[string]float64{}
	for _, c := range counts {
		if values[c.Code] == nil {
			values[c.Code] = make([]float64, hours)
		}
		put(values[c.Code], c.Span-span, float64(c.N))
		totals[c.Code] += float64(c.N)
	}
	return byReason(s, values, totals)
}

func put(values []float64, at int64, v float64) {
	if at >= 0 && at < int64(len(values)) {
		values[at] += v
	}
}
