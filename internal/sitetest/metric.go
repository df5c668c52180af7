package sitetest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Metric is what this cell's operations listener says of a series, given by its
// name and labels as Prometheus writes them; empty if it says nothing.
func (c *Cell) Metric(t testing.TB, series string) string {
	t.Helper()
	a := NewClient(t, c.File).Do(t, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", c.base+2), nil, nil)
	for line := range strings.Lines(string(a.Body)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			return value
		}
	}
	return ""
}
