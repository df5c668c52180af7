package cache

import (
	"errors"
	"slices"
	"strings"
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
	if len(c.tagged) != 0 {
		t.Errorf("tags left: %v", c.tagged)
	}
}
