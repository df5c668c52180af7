package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func newCache(t *testing.T, size int) *Cache[string, int] {
	t.Helper()
	c, err := New[string, int](size)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A value read before a change must not be kept after it: otherwise a revoked
// token that was being looked up would live on.
func TestFill_R4_doesNotKeepWhatWasReadBeforeAForgetting(t *testing.T) {
	for name, forget := range map[string]func(*Cache[string, int]){
		"forget":     func(c *Cache[string, int]) { c.Forget(func(string, int) bool { return false }) },
		"forget key": func(c *Cache[string, int]) { c.ForgetKey("other") },
		"forget tag": func(c *Cache[string, int]) { c.ForgetTag("other") },
		"flush":      func(c *Cache[string, int]) { c.Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, 4)
			v, err := c.Fill(t.Context(), "k", func() (int, error) { forget(c); return 1, nil })
			if v != 1 || err != nil {
				t.Fatalf("Fill = %d, %v", v, err)
			}
			if _, ok := c.Get("k"); ok {
				t.Error("the stale value was kept")
			}
		})
	}
}

func TestFill_keepsValuesAndNotErrors(t *testing.T) {
	c := newCache(t, 4)
	if _, err := c.Fill(t.Context(), "k", func() (int, error) { return 0, errors.New("down") }); err == nil {
		t.Fatal("the error was swallowed")
	}
	loads := 0
	for range 3 {
		if v, err := c.Fill(t.Context(), "k", func() (int, error) { loads++; return 7, nil }); v != 7 || err != nil {
			t.Fatalf("Fill = %d, %v", v, err)
		}
	}
	if loads != 1 {
		t.Errorf("loaded %d times, want once", loads)
	}
}

func TestForget_dropsOnlyWhatItNames(t *testing.T) {
	c := newCache(t, 4)
	for i, k := range []string{"a", "b"} {
		_, _ = c.Fill(t.Context(), k, func() (int, error) { return i, nil })
	}
	c.Forget(func(k string, _ int) bool { return k == "a" })
	_, a := c.Get("a")
	_, b := c.Get("b")
	if a || !b {
		t.Errorf("kept a=%v b=%v, want only b", a, b)
	}
}

func TestCache_R13_isBounded(t *testing.T) {
	c := newCache(t, 2)
	for i, k := range []string{"a", "b", "c"} {
		_, _ = c.Fill(t.Context(), k, func() (int, error) { return i, nil })
	}
	if c.Len() != 2 {
		t.Errorf("%d entries, want 2", c.Len())
	}
}

func TestForgetTag_dropsWhatBelongsToIt(t *testing.T) {
	c, err := NewTagged[string](3, func(v string) []string { return strings.Split(v, ",") })
	if err != nil {
		t.Fatal(err)
	}
	fill := func(key, value string) {
		_, _ = c.Fill(t.Context(), key, func() (string, error) { return value, nil })
	}
	kept := func() (keys []string) {
		for _, k := range []string{"a", "b", "c", "d"} {
			if _, ok := c.Get(k); ok {
				keys = append(keys, k)
			}
		}
		return keys
	}
	fill("a", "x,1")
	fill("b", "x,2")
	fill("c", "y,3")
	if c.ForgetTag("x"); !slices.Equal(kept(), []string{"c"}) {
		t.Errorf("kept %v, want c", kept())
	}
	// Entries that gave way, were dropped by key or flushed leave no tags behind.
	for _, k := range []string{"a", "b", "d", "a"} {
		fill(k, "z,"+k)
	}
	c.ForgetKey("a")
	c.Flush()
	if !c.tagged.none() {
		t.Errorf("tags left: %v", c.tagged)
	}
}

// Whatever comes and goes, the cache holds what a plain list in the order of use would,
// and forgets by tag what has the tag.
func TestCache_R4_IsWhatAListWouldBe(t *testing.T) {
	const size = 700 // more than a chunk
	type value struct {
		n    int
		tags string
	}
	c, err := NewTagged[int](size, func(v value) []string { return strings.Split(v.tags, ",") })
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var list []int // the least recently used first
	values := map[int]value{}
	lose := func(key int) {
		delete(values, key)
		list = slices.DeleteFunc(list, func(k int) bool { return k == key })
	}
	for step := range 40_000 {
		key := r.IntN(2 * size)
		switch n := r.IntN(1000); {
		case n < 600:
			fresh := value{step, fmt.Sprintf("a%d,b%d,c%d", key, r.IntN(size/2), r.IntN(3))}
			got, err := c.Fill(t.Context(), key, func() (value, error) { return fresh, nil })
			kept, ok := values[key]
			if !ok {
				kept = fresh
			}
			if err != nil || got != kept {
				t.Fatalf("step %d: %v, want %v (%v)", step, got, kept, err)
			}
			if lose(key); len(list) == size {
				lose(list[0])
			}
			list, values[key] = append(list, key), kept
		case n < 900:
			got, ok := c.Get(key)
			kept, want := values[key]
			if got != kept || ok != want {
				t.Fatalf("step %d: %v %v, want %v %v", step, got, ok, kept, want)
			}
			if want {
				lose(key)
				list, values[key] = append(list, key), kept
			}
		case n < 998:
			tag := fmt.Sprintf("%c%d", 'a'+rune(r.IntN(2)), r.IntN(2*size))
			if c.ForgetTag(tag); tag != "" {
				for key, v := range values {
					if slices.Contains(strings.Split(v.tags, ","), tag) {
						lose(key)
					}
				}
			}
		case n == 998:
			c.ForgetTag("c1")
			for key, v := range values {
				if strings.HasSuffix(v.tags, ",c1") {
					lose(key)
				}
			}
		default:
			odd := func(key int, _ value) bool { return key%2 == 1 }
			c.Forget(odd)
			for key, v := range values {
				if odd(key, v) {
					lose(key)
				}
			}
		}
		if c.Len() != len(values) {
			t.Fatalf("step %d: %d entries, want %d", step, c.Len(), len(values))
		}
	}
	seen := map[int]value{}
	c.Each(func(key int, v value) { seen[key] = v })
	if len(values) < size/4 || !maps.Equal(seen, values) {
		t.Errorf("%d entries at the end, want %d", len(seen), len(values))
	}
	c.Flush()
	if c.Len() != 0 || !c.tagged.none() {
		t.Error("something is left after a flush")
	}
}

// Others that come, or a flush, while a tag of many is being forgotten are no trouble,
// and nothing that had the tag at its beginning is left.
func TestForgetTag_R4_WhileOthersComeAndGo(t *testing.T) {
	const size = 5000
	c, err := NewTagged[int](size, func(v int) []string { return []string{"all", fmt.Sprint("own ", v)} })
	if err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		for key := range size {
			c.mu.Lock()
			c.add(key, round)
			c.mu.Unlock()
		}
		var others sync.WaitGroup
		if round%2 == 1 {
			others.Go(func() { c.Flush() })
		}
		others.Go(func() {
			for key := range 100 {
				_, _ = c.Fill(t.Context(), size+key, func() (int, error) { return -1, nil })
			}
		})
		c.ForgetTag("all")
		c.Each(func(key, v int) {
			if v == round {
				t.Errorf("round %d: %d is left", round, key)
			}
		})
		others.Wait()
		if c.Len() > 100 {
			t.Fatalf("%d entries are left", c.Len())
		}
	}
	c.Flush()
	if !c.tagged.none() {
		t.Error("tags are left")
	}
}

// Of two tags, or keys, with one hash nothing is kept too long: an entry may go that
// could have stayed.
func TestCache_R4_OneHashOfTwo(t *testing.T) {
	tags := newTagged()
	for _, at := range []place{1, 2, 2, 3} {
		tags.add(7, at)
	}
	tags.remove(7, 2)
	if got := tags.of(7); !slices.Equal(slices.Sorted(slices.Values(got)), []place{1, 3}) {
		t.Errorf("the tag has %v", got)
	}
	c := newCache(t, 4)
	c.add("a", 1)
	c.found[maphash.Comparable(c.seed, "b")] = c.found[maphash.Comparable(c.seed, "a")] // as if they had one
	if v, ok := c.Get("b"); ok {
		t.Errorf("b is %d, which is a's", v)
	}
	c.add("b", 2)
	if v, ok := c.Get("b"); v != 2 || !ok {
		t.Errorf("b is %d, %v", v, ok)
	}
	if _, ok := c.Get("a"); ok {
		t.Error("both are kept in one place")
	}
}

// A cell remembers a million tokens in 256 MiB: 268 bytes each, of which key, pointer
// and what it points to are 104.
func TestCache_R13_AnEntryTakesLittle(t *testing.T) {
	const n = 100_000
	type key [32]byte
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c, err := NewTagged[key](n, func(v int) []string {
		return []string{fmt.Sprintf("own %d", v), fmt.Sprintf("of a few %d", v/100), "of all"}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var k key
		binary.LittleEndian.PutUint64(k[:], uint64(i))
		c.add(k, i)
	}
	each := float64(heap()-before) / n
	if c.Len() != n || each > 40+124 {
		t.Errorf("%d entries of %.0f bytes", c.Len(), each)
	}
	t.Logf("%.0f bytes each with key and value, which are 40", each)
}
