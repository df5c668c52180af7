package sitetest

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Requests is how many requests a cell has answered, by its operations listener at
// url.
func Requests(t testing.TB, url string) (sum float64) {
	t.Helper()
	res, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if series, value, ok := strings.Cut(lines.Text(), "} "); ok && strings.HasPrefix(series, "causeway_requests_total{") {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

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
