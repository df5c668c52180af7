package site

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/federation/fanout"
	"causeway/internal/httpapi"
)

// TestListMetrics_AreThereFromTheStart: every series exists before the first list,
// and a list changes what it should.
func TestListMetrics_AreThereFromTheStart(t *testing.T) {
	f := &fanout.Fanout{Limits: fanout.NewLimits()}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(listCollector{f.Limits})
	series := func() map[string]float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]float64{}
		for _, family := range families {
			for _, m := range family.Metric {
				name := family.GetName()
				for _, l := range m.Label {
					name += " " + l.GetValue()
				}
				all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
		return all
	}
	if all := series(); len(all) != 8 {
		t.Errorf("the series are %v", all)
	}
	for name, v := range series() {
		if v != 0 {
			t.Errorf("%s is %v before the first list", name, v)
		}
	}
	_, err := f.Read(context.Background(), fanout.Request{List: httpapi.Pages{}, Size: 25, Width: 1, Locations: []fanout.Location{{
		Ask: func(_ context.Context, _, _ int, h *fanout.Hold) ([]byte, error) { return nil, fanout.Unreadable() },
	}}})
	if err == nil {
		t.Error("a list of nothing")
	}
	if got := series()["causeway_multisite_questions_total unreadable"]; got != 1 {
		t.Errorf("one answer could not be read, and it counts %v", got)
	}
}
