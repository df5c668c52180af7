package gateway

import (
	"net/http"
	"testing"
	"time"
)

// A flood is seen in the log and does not fill it, and nobody else's line is lost.
func TestStrangers_R13_AFloodDoesNotFillTheLog(t *testing.T) {
	var s strangers
	now := time.Unix(1_700_000_000, 0)
	flood := Record{Status: http.StatusTooManyRequests}
	for second := range 3 {
		logged, told := 0, 0
		for range 1000 {
			if skipped, ok := s.logs(flood, now); ok {
				logged++
				told += skipped
			}
			for _, other := range []Record{
				{Status: http.StatusTooManyRequests, Principal: "user:ada"}, {Status: http.StatusOK}, {Status: http.StatusUnauthorized},
			} {
				if _, ok := s.logs(other, now); !ok {
					t.Fatalf("%+v is not logged", other)
				}
			}
			now = now.Add(time.Millisecond)
		}
		want := 0
		if second > 0 {
			want = 1000 - linesPerSecond
		}
		if logged != linesPerSecond || told != want {
			t.Errorf("second %d: %d lines that tell of %d others, want %d and %d", second, logged, told, linesPerSecond, want)
		}
	}
}
