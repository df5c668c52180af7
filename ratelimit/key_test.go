package ratelimit

import (
	"hash/maphash"
	"net/netip"
	"testing"
)

func TestSourceAndNetwork(t *testing.T) {
	for _, tt := range []struct{ addr, source, network string }{
		{"192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"},
		{"::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"},
		{"64:ff9b::192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"},
		{"64:ff9b:1::192.0.2.77", "64:ff9b:1::/64", "64:ff9b:1::/48"}, // local use: not the well-known prefix
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"},
		{"fe80::1%eth0", "fe80::/64", "fe80::/48"},
		{"::1", "::/64", "::/48"},
	} {
		a := netip.MustParseAddr(tt.addr)
		if got := SourceOf(a).String(); got != tt.source {
			t.Errorf("SourceOf(%s) = %s, want %s", a, got, tt.source)
		}
		if got := NetworkOf(a).String(); got != tt.network {
			t.Errorf("NetworkOf(%s) = %s, want %s", a, got, tt.network)
		}
	}
	if SourceOf(netip.Addr{}).IsValid() || NetworkOf(netip.Addr{}).IsValid() {
		t.Error("an invalid address has a source")
	}
}

// Buckets of different owners must not be one: neither the pairs, whose parts
// could be read in another order, nor sources that only look alike.
func TestKeysDoNotRunTogether(t *testing.T) {
	seed := maphash.MakeSeed()
	seen := map[uint64]string{}
	put := func(what string, hash uint64) {
		if was, ok := seen[hash]; ok {
			t.Errorf("%s and %s share a bucket", what, was)
		}
		seen[hash] = what
	}
	for _, s := range []string{"1.2.3.4", "1.2.3.5", "1:2:3:4::", "1:2:3:5::", "::", "0.0.0.0"} {
		for _, id := range []string{"a", "b", "", "1.2.3.4"} {
			m := mark(seed, []Key{addr(s), Client(id)})
			h, _ := m.of(seed, PerClientAtSource)
			put(s+"+"+id, h)
		}
		m := mark(seed, []Key{addr(s)})
		put(s, m.source)
	}
	put("invalid", mark(seed, []Key{Source(netip.Addr{})}).source+1) // :: and invalid may share
}

func FuzzSourceOf(f *testing.F) {
	f.Add([]byte{192, 0, 2, 1})
	f.Add([]byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		s, n := SourceOf(a), NetworkOf(a)
		if !s.IsValid() || !n.IsValid() || !n.Contains(s.Addr()) || s.Bits() <= n.Bits() {
			t.Errorf("%s: source %s, network %s", a, s, n)
		}
	})
}
