// Package cache holds bounded memory of what was read from the database. It
// owns one rule: what was read before a change is never kept after it.
package cache

import (
	"errors"
	"hash/maphash"
	"iter"
	"slices"
	"sync"
)

// Cache maps keys to values that the journal can make untrue. It is safe for
// concurrent use.
//
// A cell may keep a million tokens, so what an entry takes besides key and value is
// small: about 50 bytes, 35 for a tag of its own and 10 for one that many have, none
// of which the collector has to go through.
type Cache[K comparable, V any] struct {
	mu    sync.Mutex
	seed  maphash.Seed
	ring  ring[K, V]
	found map[uint64]place // by the key's hash; of two keys with one hash the later is kept
	epoch uint64           // counts forgettings

	flights map[K]*flight[V] // the loads that others may wait for

	tags   func(V) []string
	tagged tagged
}

// New makes a cache of at most size entries; the least recently used gives way.
func New[K comparable, V any](size int) (*Cache[K, V], error) {
	return NewTagged[K](size, func(V) []string { return nil })
}

// NewTagged is New for values that are forgotten by what they belong to: tags
// names that, and must always say the same of one value. Forgetting by tag costs
// what it forgets, however much else is kept.
func NewTagged[K comparable, V any](size int, tags func(V) []string) (*Cache[K, V], error) {
	if size < 1 || size > maxSize {
		return nil, errors.New("cache: the size must be between 1 and 1,000,000,000")
	}
	c := &Cache[K, V]{seed: maphash.MakeSeed(), ring: ring[K, V]{size: size}, flights: map[K]*flight[V]{}, tags: tags}
	c.clear()
	return c, nil
}

func (c *Cache[K, V]) clear() {
	c.ring = ring[K, V]{size: c.ring.size}
	c.found = map[uint64]place{}
	c.tagged = newTagged()
}

// at is the entry of key, or nil.
func (c *Cache[K, V]) at(key K) (place, *entry[K, V]) {
	if at := c.found[maphash.Comparable(c.seed, key)]; at != nowhere {
		if e := c.ring.at(at); e.key == key {
			return at, e
		}
	}
	return nowhere, nil
}

func (c *Cache[K, V]) get(key K) (v V, ok bool) {
	at, e := c.at(key)
	if e == nil {
		return v, false
	}
	c.ring.use(at)
	return e.value, true
}

func (c *Cache[K, V]) add(key K, v V) {
	hash := maphash.Comparable(c.seed, key)
	c.drop(c.found[hash])
	if c.ring.full() {
		c.drop(c.ring.oldest)
	}
	at := c.ring.add(key, v)
	c.found[hash] = at
	for _, tag := range c.tags(v) {
		c.tagged.add(c.hash(tag), at)
	}
}

// drop removes an entry with its tags.
func (c *Cache[K, V]) drop(at place) {
	if !c.ring.keeps(at) {
		return
	}
	e := c.ring.at(at)
	for _, tag := range c.tags(e.value) {
		c.tagged.remove(c.hash(tag), at)
	}
	delete(c.found, maphash.Comparable(c.seed, e.key))
	c.ring.remove(at)
}

func (c *Cache[K, V]) hash(tag string) uint64 { return maphash.String(c.seed, tag) }

// Get returns the value kept for key.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(key)
}

// Each calls see for every entry that is kept all the while. Requests get what they
// ask for meanwhile.
func (c *Cache[K, V]) Each(see func(K, V)) {
	for chunk := range c.chunks() {
		for _, e := range chunk {
			see(e.key, e.value)
		}
	}
}

// chunks are copies of the entries, some at a time.
func (c *Cache[K, V]) chunks() iter.Seq[[]entry[K, V]] {
	return func(yield func([]entry[K, V]) bool) {
		for i := 0; ; i++ {
			c.mu.Lock()
			chunk, ok := c.ring.chunk(i)
			c.mu.Unlock()
			if !ok || !yield(chunk) {
				return
			}
		}
	}
}

// Forget drops the entries for which drop reports true.
func (c *Cache[K, V]) Forget(drop func(K, V) bool) {
	c.forgetting()
	for chunk := range c.chunks() {
		for _, e := range chunk {
			if drop(e.key, e.value) {
				c.remove(e.key)
			}
		}
	}
}

// ForgetTag drops the entries whose tags hold this one. It lets requests in between:
// all tokens of a site may have been signed by the key that is retired.
func (c *Cache[K, V]) ForgetTag(tag string) {
	c.forgetting()
	c.mu.Lock()
	found := c.tagged.of(c.hash(tag))
	c.mu.Unlock()
	for some := range slices.Chunk(found, chunkSize) {
		c.dropAll(some) // and what has come to their places since, which is read again
	}
}

func (c *Cache[K, V]) dropAll(places []place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range places {
		c.drop(at)
	}
}

// ForgetKey drops one entry.
func (c *Cache[K, V]) ForgetKey(key K) {
	c.forgetting()
	c.remove(key)
}

func (c *Cache[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, _ := c.at(key)
	c.drop(at)
}

// forgetting says that what is being read may be from before a change.
func (c *Cache[K, V]) forgetting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
}

// Flush drops everything.
func (c *Cache[K, V]) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.clear()
}

// Len is the number of entries kept.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.found)
}
