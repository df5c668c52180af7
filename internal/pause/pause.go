// Package pause waits between tries, and no longer than somebody wants the result.
package pause

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends, and reports whether ctx still lives.
func For(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d) // at once for nothing and less
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
