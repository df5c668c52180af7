package gateway

import (
	"net/http"
	"sync"
	"time"
)

// linesPerSecond is how many refusals of strangers by a limit are logged: enough to
// see a flood, and too few to fill a disk by one or to cost what the limit saves.
const linesPerSecond = 10

// strangers counts those refusals. The metrics have all of them.
type strangers struct {
	mu      sync.Mutex
	second  int64
	lines   int
	skipped int
}

// logs says whether to log r, and how many like it were not since the last line.
func (s *strangers) logs(r Record, now time.Time) (skipped int, ok bool) {
	if r.Status != http.StatusTooManyRequests || r.Principal != "" {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); second != s.second {
		s.second, s.lines = second, 0
	}
	if s.lines++; s.lines > linesPerSecond {
		s.skipped++
		return 0, false
	}
	skipped, s.skipped = s.skipped, 0
	return skipped, true
}
