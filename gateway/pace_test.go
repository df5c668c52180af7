package gateway

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// took is how long a refusal was held.
func (p *pace) took(ctx context.Context) time.Duration {
	start := time.Now()
	p.hold(ctx)
	return time.Since(start)
}

// The refusals of a flood wait, those of a second's first do not.
func TestPace_R13_HoldsAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		for range 2 {
			for n := range promptRefusals {
				if d := p.took(t.Context()); d != 0 {
					t.Fatalf("refusal %d waited %s", n, d)
				}
			}
			if d := p.took(t.Context()); d != heldFor {
				t.Errorf("one more waited %s, want %s", d, heldFor)
			}
			time.Sleep(time.Second)
		}
	})
}

// Who has left is not waited for, and a fixed number waits.
func TestPace_R13_BoundsWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{second: time.Now().Unix(), told: promptRefusals}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range mostHeld {
			all.Go(func() { p.hold(ctx) })
		}
		synctest.Wait()
		if d := p.took(t.Context()); d != 0 {
			t.Errorf("when all places are taken one waited %s", d)
		}
		start := time.Now()
		cancel()
		all.Wait()
		if d := time.Since(start); d != 0 || p.held != 0 {
			t.Errorf("%d are held %s after they left", p.held, d)
		}
	})
}
