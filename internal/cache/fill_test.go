package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"causeway/internal/problem"
)

// source is a database that answers when it is let.
type source struct {
	value atomic.Int64
	reads atomic.Int64
	let   chan struct{}
}

// read reads first and answers later.
func (s *source) read() (int, error) {
	v := int(s.value.Load())
	s.reads.Add(1)
	<-s.let
	return v, nil
}

// answer is what one call of Fill gave.
type answer struct {
	v   int
	err error
}

// ask calls Fill in the background and returns when it waits or has answered.
func ask(ctx context.Context, c *Cache[string, int], load func() (int, error)) <-chan answer {
	got := make(chan answer, 1)
	go func() {
		v, err := c.Fill(ctx, "k", load)
		got <- answer{v, err}
	}()
	synctest.Wait()
	return got
}

func want(t *testing.T, got <-chan answer, v int) {
	t.Helper()
	if a := <-got; a.v != v || a.err != nil {
		t.Errorf("Fill = %d, %v; want %d", a.v, a.err, v)
	}
}

// An edit that empties the memory of every organization must not send each
// request of a busy one to the database.
func TestFill_R13_ManyAtOnceReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newCache(t, 4), &source{let: make(chan struct{})}
		s.value.Store(7)
		var all []<-chan answer
		for range 20 {
			all = append(all, ask(t.Context(), c, s.read))
		}
		close(s.let)
		for _, got := range all {
			want(t, got, 7)
		}
		if n := s.reads.Load(); n != 1 {
			t.Errorf("%d reads, want 1", n)
		}
		if v, ok := c.Get("k"); v != 7 || !ok {
			t.Error("what was read is not kept")
		}
	})
}

// Who asks after a forgetting waits for nobody who began to read before it, and
// what such a one still brings is neither kept nor in the way.
func TestFill_R4_WhoAsksAfterAForgettingReadsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, 4)
		before, after := &source{let: make(chan struct{})}, &source{let: make(chan struct{})}
		before.value.Store(1)
		after.value.Store(2)
		old := ask(t.Context(), c, before.read)
		alsoOld := ask(t.Context(), c, before.read)
		c.ForgetKey("k")
		first := ask(t.Context(), c, after.read)
		close(before.let)
		want(t, old, 1)
		want(t, alsoOld, 1)
		if _, ok := c.Get("k"); ok {
			t.Error("what was read before the forgetting is kept")
		}
		second := ask(t.Context(), c, after.read)
		close(after.let)
		want(t, first, 2)
		want(t, second, 2)
		if n := after.reads.Load(); n != 1 {
			t.Errorf("%d reads after the forgetting, want 1", n)
		}
		if v, ok := c.Get("k"); v != 2 || !ok {
			t.Error("what was read after the forgetting is not kept")
		}
	})
}

// A late answer from before a forgetting replaces nothing that is newer.
func TestFill_R4_ALateAnswerReplacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, late := newCache(t, 4), &source{let: make(chan struct{})}
		old := ask(t.Context(), c, late.read)
		c.Flush()
		if v, err := c.Fill(t.Context(), "k", func() (int, error) { return 2, nil }); v != 2 || err != nil {
			t.Fatalf("Fill = %d, %v", v, err)
		}
		close(late.let)
		<-old
		if v, _ := c.Get("k"); v != 2 {
			t.Errorf("kept %d, want 2", v)
		}
	})
}

func TestFill_ErrorsAreForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, let, reads, down := newCache(t, 4), make(chan struct{}), 0, errors.New("down")
		load := func() (int, error) { reads++; <-let; return 0, down }
		one, two := ask(t.Context(), c, load), ask(t.Context(), c, load)
		close(let)
		for _, got := range []<-chan answer{one, two} {
			if a := <-got; !errors.Is(a.err, down) {
				t.Errorf("got %v", a.err)
			}
		}
		if _, ok := c.Get("k"); ok || reads != 1 {
			t.Errorf("kept: %v, %d reads", ok, reads)
		}
	})
}

// The one who loads may leave, or end in a way of its own: the others do not fail
// with it, and do not wait for ever.
func TestFill_R13_OthersGoOnWithoutTheOneWhoLoads(t *testing.T) {
	for name, end := range map[string]func() (int, error){
		"the client left":     func() (int, error) { return 0, fmt.Errorf("read: %w", context.Canceled) },
		"the goroutine ended": func() (int, error) { runtime.Goexit(); return 0, nil }, // as a panic does
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCache(t, 4)
				ctx, cancel := context.WithCancel(t.Context())
				ask(ctx, c, func() (int, error) { <-ctx.Done(); return end() })
				other := ask(t.Context(), c, func() (int, error) { return 3, nil })
				cancel()
				want(t, other, 3)
			})
		})
	}
}

func TestFill_WhoWaitsMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newCache(t, 4), &source{let: make(chan struct{})}
		loads := ask(t.Context(), c, s.read)
		ctx, cancel := context.WithCancel(t.Context())
		waits := ask(ctx, c, s.read)
		cancel()
		if a := <-waits; !errors.Is(a.err, context.Canceled) || !problem.Has(a.err, problem.Unavailable) {
			t.Errorf("got %v", a.err)
		}
		close(s.let)
		want(t, loads, 0)
	})
}

// What somebody made is kept like what somebody read: not when anything was forgotten
// since they began.
func TestKeep_R4_OnlyIfNothingWasForgottenSince(t *testing.T) {
	for name, forget := range map[string]func(*Cache[string, int]){
		"nothing":     nil,
		"another key": func(c *Cache[string, int]) { c.ForgetKey("other") },
		"a tag":       func(c *Cache[string, int]) { c.ForgetTag("other") },
		"some":        func(c *Cache[string, int]) { c.Forget(func(string, int) bool { return false }) },
		"everything":  func(c *Cache[string, int]) { c.Flush() },
	} {
		c := newCache(t, 4)
		epoch := c.Epoch()
		if forget != nil {
			forget(c)
		}
		c.Keep(epoch, "k", 1)
		if _, kept := c.Get("k"); kept != (forget == nil) {
			t.Errorf("%s was forgotten: kept is %v", name, kept)
		}
	}
}

// Whoever asks after a change was forgotten sees the change, however many read,
// change and forget at the same time.
func TestFill_R4_NobodyGetsWhatWasForgottenBefore(t *testing.T) {
	for name, forget := range map[string]func(*Cache[string, int]){
		"key":   func(c *Cache[string, int]) { c.ForgetKey("k") },
		"tag":   func(c *Cache[string, int]) { c.ForgetTag("all") },
		"flush": func(c *Cache[string, int]) { c.Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := NewTagged[string](4, func(int) []string { return []string{"all"} })
			if err != nil {
				t.Fatal(err)
			}
			var value, forgotten atomic.Int64
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(func() {
					for forgotten.Load() < 2000 {
						atLeast := int(forgotten.Load())
						v, err := c.Fill(context.Background(), "k", func() (int, error) { return int(value.Load()), nil })
						if err != nil || v < atLeast {
							t.Errorf("Fill = %d, %v after %d was forgotten", v, err, atLeast)
							return
						}
					}
				})
			}
			for n := range int64(2000) {
				value.Store(n + 1)
				forget(c)
				forgotten.Store(n + 1)
			}
			wait.Wait()
		})
	}
}

// Who needs more than what is kept reads for all who want the same, and takes
// nothing from those who are content: not while it reads, and not if that fails.
func TestRefill_R13_TakesNothingFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newCache(t, 4), &source{let: make(chan struct{})}
		_, _ = c.Fill(t.Context(), "k", func() (int, error) { return 7, nil })
		kept := func(v int) {
			t.Helper()
			if got, ok := c.Get("k"); got != v || !ok {
				t.Errorf("%d, %v is kept, want %d", got, ok, v)
			}
		}
		_, err := c.Refill(t.Context(), "k", func() (int, error) { return 0, errors.New("down") })
		if err == nil {
			t.Error("the error was swallowed")
		}
		kept(7)
		s.value.Store(8)
		for range 10 {
			go func() {
				if v, err := c.Refill(t.Context(), "k", s.read); v != 8 || err != nil {
					t.Errorf("Refill = %d, %v", v, err)
				}
			}()
		}
		synctest.Wait()
		kept(7)
		close(s.let)
		synctest.Wait()
		kept(8)
		if n := s.reads.Load(); n != 1 {
			t.Errorf("ten who asked at once made %d reads", n)
		}
	})
}
