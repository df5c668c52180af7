package refusal

import (
	"sync"
	"time"
)

// window counts by key within one minute, in fixed memory.
type window struct {
	most int

	mu    sync.Mutex
	begun time.Time
	seen  map[string]int
}

func newWindow(most int) *window { return &window{most: most, seen: map[string]int{}} }

// allows counts key, and says whether it came no more often than allowed. When
// there are more keys than are told apart, new ones share what one may.
func (w *window) allows(now time.Time, key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.begun) >= time.Minute || now.Before(w.begun) {
		w.begun = now
		clear(w.seen)
	}
	if _, known := w.seen[key]; !known && len(w.seen) >= remembered {
		key = ""
	}
	w.seen[key]++
	return w.seen[key] <= w.most
}
