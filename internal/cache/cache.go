// Package cache holds bounded memory of what was read from the database. It
// owns one rule: what was read before a change is never kept after it.
package cache

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache maps keys to values that the journal can make untrue. It is safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	mu    sync.Mutex
	lru   *lru.LRU[K, V]
	epoch uint64 // counts forgettings
}

// New makes a cache of at most size entries; the least recently used gives way.
func New[K comparable, V any](size int) (*Cache[K, V], error) {
	l, err := lru.NewLRU[K, V](size, nil)
	if err != nil {
		return nil, err
	}
	return &Cache[K, V]{lru: l}, nil
}

// Get returns the value kept for key.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(key)
}

// Fill returns the value kept for key or the one that load reads. The value is
// not kept when anything was forgotten while load ran: it may have been read
// before the change. Errors are not kept.
func (c *Cache[K, V]) Fill(key K, load func() (V, error)) (V, error) {
	c.mu.Lock()
	v, ok := c.lru.Get(key)
	epoch := c.epoch
	c.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := load()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch == epoch {
		c.lru.Add(key, v)
	}
	return v, nil
}

// Each calls see for every entry. see must not use the cache.
func (c *Cache[K, V]) Each(see func(K, V)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.lru.Keys() {
		if v, ok := c.lru.Peek(k); ok {
			see(k, v)
		}
	}
}

// Forget drops the entries for which drop reports true.
func (c *Cache[K, V]) Forget(drop func(K, V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, k := range c.lru.Keys() {
		if v, ok := c.lru.Peek(k); ok && drop(k, v) {
			c.lru.Remove(k)
		}
	}
}

// ForgetKey drops one entry.
func (c *Cache[K, V]) ForgetKey(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.lru.Remove(key)
}

// Flush drops everything.
func (c *Cache[K, V]) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.lru.Purge()
}

// Len is the number of entries kept.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Len()
}
