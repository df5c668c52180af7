package tenants_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"causeway/ratelimit"
	"causeway/tenants"
)

// goneStore says nothing until its caller gives up.
type goneStore struct{ tenants.Store }

func (goneStore) View(ctx context.Context, _ func(tenants.Reader) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestLimits_R13_NobodyWaitsForADatabaseThatIsGone: a load ends by itself, and who
// waits for one under way ends with its own context.
func TestLimits_R13_NobodyWaitsForADatabaseThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter, err := ratelimit.New(ratelimit.Config{})
		if err != nil {
			t.Fatal(err)
		}
		limits, start := tenants.NewLimits(goneStore{}, limiter), time.Now()
		first := make(chan time.Duration)
		go func() {
			_ = limits.Load(context.Background())
			first <- time.Since(start)
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := limits.Load(ctx); err == nil || time.Since(start) != time.Second {
			t.Errorf("behind another: %v after %v", err, time.Since(start))
		}
		if took := <-first; took > 10*time.Second {
			t.Errorf("a load took %v", took)
		}
	})
}
