package benchtest

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

const (
	// rounds is how often the parties take turns at least.
	rounds = 5
	// Turn is how long a party works in each round.
	Turn = 1500 * time.Millisecond
)

// Turns calls round at least five times, more by -benchtime 9x.
func Turns(b *testing.B, round func()) {
	b.Helper()
	b.ResetTimer()
	for range max(b.N, rounds) {
		round()
	}
}

// Series are the values of one figure, one for each round.
type Series []float64

func (s *Series) Add(v float64) { *s = append(*s, v) }

// Median is the middle value.
func (s Series) Median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// Per is the median of the ratios of each round.
func (s Series) Per(yardstick Series) float64 {
	var ratios Series
	for i := range s {
		ratios.Add(s[i] / yardstick[i])
	}
	return ratios.Median()
}

// Processor is the processor time that this process has used.
func Processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
