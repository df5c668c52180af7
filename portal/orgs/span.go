package orgs

import (
	"strconv"
	"strings"
	"time"

	"causeway/ratelimit"
)

const (
	day     = 24 * time.Hour
	maxDays = 36_500
)

// parseSpan reads a span of time as people write it: 90s, 10m, 1h30m, 7d. It is
// never negative.
func parseSpan(text string) (time.Duration, bool) {
	text = strings.ReplaceAll(text, " ", "")
	var days int
	if before, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(before, 10, 32)
		if err != nil || n > maxDays {
			return 0, false
		}
		if days, text = int(n), after; text == "" {
			return time.Duration(days) * day, true
		}
	}
	rest, err := time.ParseDuration(text)
	if err != nil || rest < 0 || rest > time.Duration(maxDays-days)*day {
		return 0, false
	}
	return time.Duration(days)*day + rest, true
}

// spanText writes what parseSpan reads.
func spanText(d time.Duration) string {
	if d != 0 && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return ratelimit.Span(d)
}
