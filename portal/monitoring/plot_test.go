package monitoring

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/refusal"
	"causeway/portal/texts"
)

// plotOf has a step every ten seconds.
func plotOf(values ...float64) plot {
	p := plot{From: time.Unix(0, 0), Form: "15:04:05", Lines: []line{{Label: "a", Values: values}}}
	for i := range values {
		p.Ends = append(p.Ends, time.Unix(int64(i+1)*10, 0))
	}
	return p
}

func TestPlot(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name   string
		values []float64
		path   string
		top    string
	}{
		{"nothing", []float64{0}, "M44 144H434", "1"},
		{"a step each", []float64{0, 4}, "M44 144H239L239 10H434", "4"},
		{"a gap", []float64{4, nan, 2}, "M44 10H174M304 77H434", "4"},
		{"unknown", []float64{nan, math.Inf(1)}, "", "1"},
		{"a round top", []float64{0.03}, "M44 43.5H434", "0.04"},
		{"large", []float64{4100}, "M44 34.1H434", "5000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plotOf(tt.values...)
			if got := p.Path(p.Lines[0]); got != tt.path {
				t.Errorf("drawn as %s, want %s", got, tt.path)
			}
			if rows := p.Rows(); rows[2].Label != tt.top {
				t.Errorf("the scale ends at %s, want %s", rows[2].Label, tt.top)
			}
			if n := len(p.Table()); n != len(tt.values) {
				t.Errorf("%d rows", n)
			}
		})
	}
	if p := plotOf(); p.Columns() != nil || len(p.Table()) != 0 || p.Lines[0].Latest() != "–" {
		t.Error("a plot of no steps")
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.001234: "0.001", 0.125: "0.12", 3: "3", 99.94: "99.9", 1234.6: "1235", math.NaN(): "–", math.Inf(1): "–"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

func FuzzPath(f *testing.F) {
	f.Add(0., 1., 2.)
	f.Add(math.NaN(), math.Inf(1), -5.)
	f.Fuzz(func(t *testing.T, a, b, c float64) {
		p := plotOf(a, b, c)
		text := p.Path(p.Lines[0])
		if strings.ContainsAny(text, "NIae") || xml.EscapeText(&strings.Builder{}, []byte(text)) != nil {
			t.Errorf("%v %v %v are drawn as %s", a, b, c, text)
		}
	})
}

// Every action, code and fact has words.
func TestWords(t *testing.T) {
	all, err := texts.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range journal.Actions() {
		if !all.Has("audit.did." + string(a)) {
			t.Errorf("%s has no words", a)
		}
	}
	for _, c := range refusal.Codes() {
		if !all.Has("explain.code." + c) {
			t.Errorf("%s has no words", c)
		}
	}
	for _, d := range drawings {
		for _, key := range append([]string{"about", "unit"}, d.lines...) {
			if !all.Has("numbers." + d.id + "." + key) {
				t.Errorf("%s of %s has no words", key, d.id)
			}
		}
	}
}

func FuzzReadTime(f *testing.F) {
	for _, s := range []string{"", "2026-11-22", "2026-11-22T14:30", "2026-11-22 14:30:05", "2026-11-22T14:30:05+02:00", "yesterday", "0000-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := readTime(s)
		if again, ok2 := readTime(at.Format(time.RFC3339)); ok && s != "" && (!ok2 || !again.Equal(at.Truncate(time.Second))) {
			t.Errorf("%q is %v, and that is %v", s, at, again)
		}
	})
}
