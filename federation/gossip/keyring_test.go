package gossip

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"
)

// manyKeys are n keys of which no two are the same.
func manyKeys(n int) [][]byte {
	var keys [][]byte
	for i := range n {
		keys = append(keys, bytes.Repeat([]byte{byte(i + 1)}, keySize))
	}
	return keys
}

// TestKeysChangeLive_R11 walks two members through a rotation, one after the
// other, as operators do; at no step do they lose each other.
func TestKeysChangeLive_R11(t *testing.T) {
	keysOf := manyKeys(2)
	before, after := keysOf[0], keysOf[1]
	rootA, rootB := newKey(t), newKey(t)
	k := keys{siteA: rootA, siteB: rootB}
	a := start(t, siteA, rootA, k, func(c *Config) { c.Keys = [][]byte{before} })
	b := start(t, siteB, rootB, k, with(seeds(a), func(c *Config) { c.Keys = [][]byte{before} }))
	both := func() bool { return a.Stats().Members == 1 && b.Stats().Members == 1 }
	a.eventually(t, "they know each other", both)
	steps := [][][]byte{{before, after}, {after, before}, {after}}
	for i, keys := range steps {
		for _, n := range []*node{a, b} {
			if err := n.SetKeys(keys); err != nil {
				t.Fatal(err)
			}
			// Long enough for a probe of each, which a lost key would fail.
			for end := time.Now().Add(250 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if !both() {
					t.Fatalf("step %d: %+v and %+v", i+1, a.Stats(), b.Stats())
				}
			}
		}
	}
	if want := []string{Fingerprint(after)}; !slices.Equal(a.Keys(), want) || !slices.Equal(b.Keys(), want) {
		t.Errorf("%v and %v, want %v", a.Keys(), b.Keys(), want)
	}
	late := start(t, siteC, newKey(t), k, with(seeds(a), func(c *Config) { c.Keys = [][]byte{before} }))
	if _, err := late.list.Join([]string{"seed/" + a.Addr()}); err == nil {
		t.Error("the old key still opens the pool")
	}
	// Who missed the rotation comes back by itself when its file is right.
	if err := late.SetKeys([][]byte{after}); err != nil {
		t.Fatal(err)
	}
	late.eventually(t, "it has joined again", func() bool { return late.Stats().Members == 2 })
}

func TestKeysAreChecked_R11(t *testing.T) {
	k := manyKeys(maxKeys + 1)
	ring, err := newKeyring(k[:2])
	if err != nil {
		t.Fatal(err)
	}
	had := ring.fingerprints()
	for name, bad := range map[string][][]byte{"none": nil, "too many": k, "short": {k[0], k[1][:31]}, "twice": {k[0], k[0]}} {
		if err := ring.set(bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if !slices.Equal(ring.fingerprints(), had) {
		t.Error("a refused change has changed something")
	}
	if f := Fingerprint(k[0]); len(f) != 16 || f == Fingerprint(k[1]) || bytes.Contains(k[0], []byte(f)) {
		t.Errorf("fingerprint %q", f)
	}
	// Any change from any to any.
	var wait sync.WaitGroup
	for i := range maxKeys {
		wait.Go(func() {
			for j := range maxKeys {
				_ = ring.set([][]byte{k[i], k[(i+j+1)%len(k)]})
			}
		})
	}
	wait.Wait()
	if err := ring.set(k[2:4]); err != nil || !slices.Equal(ring.fingerprints(), []string{Fingerprint(k[2]), Fingerprint(k[3])}) {
		t.Errorf("%v, %v", ring.fingerprints(), err)
	}
}
