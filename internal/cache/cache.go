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

	flights map[K]*flight[V] // the loads that others may wait for

	tags   func(V) []string
	tagged map[string]members[K]
}

// New makes a cache of at most size entries; the least recently used gives way.
func New[K comparable, V any](size int) (*Cache[K, V], error) {
	return NewTagged[K](size, func(V) []string { return nil })
}

// NewTagged is New for values that are forgotten by what they belong to: tags
// names that, and must always say the same of one value. Forgetting by tag costs
// what it forgets, however much else is kept.
func NewTagged[K comparable, V any](size int, tags func(V) []string) (*Cache[K, V], error) {
	c := &Cache[K, V]{flights: map[K]*flight[V]{}, tags: tags, tagged: map[string]members[K]{}}
	var err error
	c.lru, err = lru.NewLRU(size, c.untag)
	return c, err
}

func (c *Cache[K, V]) add(key K, v V) {
	c.lru.Remove(key) // with the tags of what was kept
	c.lru.Add(key, v)
	for _, tag := range c.tags(v) {
		c.tagged[tag] = c.tagged[tag].with(key)
	}
}

// untag is told of every entry that goes.
func (c *Cache[K, V]) untag(key K, v V) {
	for _, tag := range c.tags(v) {
		if left := c.tagged[tag].without(key); left.none() {
			delete(c.tagged, tag)
		} else {
			c.tagged[tag] = left
		}
	}
}

// Get returns the value kept for key.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(key)
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

// ForgetTag drops the entries whose tags hold this one.
func (c *Cache[K, V]) ForgetTag(tag string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, key := range c.tagged[tag].keys() {
		c.lru.Remove(key)
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
