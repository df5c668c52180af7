package cache

import (
	"context"

	"causeway/internal/problem"
)

// flight is a load under way. Everything but epoch is for those who saw done
// closed.
type flight[V any] struct {
	epoch uint64 // when it began to read
	done  chan struct{}
	// landed says that the answer is about the key. It is not when the one who
	// loads gave up: that is no reason for others to.
	landed bool
	v      V
	err    error
}

// Fill returns the value kept for key or the one that load reads. Of many calls
// at once one loads and the others wait for it, so that what everybody has to
// read again is read once: but nobody gets what was read before a forgetting that
// came before their own call. The value is not kept when anything was forgotten
// while load ran: it may have been read before the change. Errors are not kept.
func (c *Cache[K, V]) Fill(ctx context.Context, key K, load func() (V, error)) (V, error) {
	return c.fill(ctx, key, load, false)
}

// Refill is Fill for who wants more than what is kept: it reads, and others have the
// kept value meanwhile, and still if load fails.
func (c *Cache[K, V]) Refill(ctx context.Context, key K, load func() (V, error)) (V, error) {
	return c.fill(ctx, key, load, true)
}

func (c *Cache[K, V]) fill(ctx context.Context, key K, load func() (V, error), again bool) (V, error) {
	for {
		c.mu.Lock()
		if v, ok := c.get(key); ok && !again {
			c.mu.Unlock()
			return v, nil
		}
		f := c.flights[key]
		if f == nil || f.epoch != c.epoch {
			f = &flight[V]{epoch: c.epoch, done: make(chan struct{})}
			c.flights[key] = f // an older one is for those who wait already
			c.mu.Unlock()
			return c.fly(ctx, key, f, load)
		}
		c.mu.Unlock()
		select {
		case <-f.done:
			if f.landed {
				return f.v, f.err
			}
		case <-ctx.Done():
			var none V
			return none, problem.Wrap(ctx.Err(), problem.Unavailable, "The answer took too long.")
		}
	}
}

// Epoch is for who makes what others would have to read; see [Cache.Keep].
func (c *Cache[K, V]) Epoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// Keep keeps a value that nobody had to read: whoever wrote it knows it. All it was
// made from was read or written after epoch was taken, and when anything has been
// forgotten since then it is not kept.
func (c *Cache[K, V]) Keep(epoch uint64, key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch == epoch {
		c.add(key, v)
	}
}

// fly loads for everybody who waits for f, and lets them go even if load panics.
func (c *Cache[K, V]) fly(ctx context.Context, key K, f *flight[V], load func() (V, error)) (V, error) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[key] == f {
			delete(c.flights, key)
		}
		if f.landed && f.err == nil && c.epoch == f.epoch {
			c.add(key, f.v)
		}
		close(f.done)
	}()
	f.v, f.err = load()
	f.landed = f.err == nil || ctx.Err() == nil
	return f.v, f.err
}
