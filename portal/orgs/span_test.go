package orgs

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "1h 30m": 90 * time.Minute,
		"7d": 7 * day, "1d12h": 36 * time.Hour, "0d": 0, "0s": 0, "36500d": 36500 * day,
	} {
		if got, ok := parseSpan(text); !ok || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "soon", "1", "-1s", "-1d", "1d-2h", "d", "1dd", "1w", "36501d", "9999999h", "1d2d", "+1d", "1.5d", "36500d1h"} {
		if got, ok := parseSpan(text); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"90s", "1h30m", "7d", "1d12h", "-1d", "1.5h", "1µs", "999999999999d", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := parseSpan(text)
		if d < 0 || d > maxDays*day {
			t.Fatalf("%q is %v", text, d)
		}
		if again, ok2 := parseSpan(spanText(d)); ok && (!ok2 || again != d) {
			t.Fatalf("%q is %v, written %q and read as %v", text, d, spanText(d), again)
		}
	})
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1: "-1", -123456: "-123,456"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}
