package refusal

import (
	"sync"
	"time"
)

// window counts by key within one minute, in fixed memory.
type window[K comparable] struct {
	most int

	mu    sync.Mutex
	begun time.Time
	seen  map[K]int
}

func newWindow[K comparable](most int) *window[K] { return &window[K]{most: most, seen: map[K]int{}} }

// allows counts key, and says whether it came no more often than allowed. When
// there are more keys than are told apart, new ones share what one may.
func (w *window[K]) allows(now time.Time, key K) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.begun) >= time.Minute || now.Before(w.begun) {
		w.begun = now
		clear(w.seen)
	}
	if _, known := w.seen[key]; !known && len(w.seen) >= remembered {
		key = *new(K)
	}
	w.seen[key]++
	return w.seen[key] <= w.most
}
