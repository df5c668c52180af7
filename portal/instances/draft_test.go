package instances

import (
	"slices"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "10": 10 * time.Second, "0.5": 500 * time.Millisecond, "500ms": 500 * time.Millisecond, "2m": 2 * time.Minute,
		"1 m 30 s": 90 * time.Second, "168h": mostSpan,
	} {
		if got, ok := span(text); !ok || got != want {
			t.Errorf("%q is %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"-1", "-1s", "soon", "1e300", "NaN", "Inf", "169h", "999999999h", "10 parsecs"} {
		if got, ok := span(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
	for d, want := range map[time.Duration]string{0: "", 10 * time.Second: "10s", 2 * time.Minute: "2m", time.Hour: "1h", 90 * time.Second: "1m30s"} {
		if got := spanText(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	if got := lines(" a\r\nb,c\n\n d\t"); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("%q", got)
	}
}

// FuzzSpan: what is read is in bounds, and is read again as it is written.
func FuzzSpan(f *testing.F) {
	for _, seed := range []string{"10s", "0.5", "1m30s", "1e9", "-1", "168h", "0x1p-2", "1_0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := span(text)
		if !ok {
			return
		}
		if d < 0 || d > mostSpan {
			t.Fatalf("%q is %v", text, d)
		}
		if again, ok := span(spanText(d)); !ok || again != d {
			t.Errorf("%q is %v, which is written %q and read as %v", text, d, spanText(d), again)
		}
	})
}
