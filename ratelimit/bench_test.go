package ratelimit

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// plenty is a limiter whose buckets never run dry.
func plenty(b *testing.B) *Limiter {
	l, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	much := Budget{Tokens: maxTokens, Per: time.Second}
	for _, lim := range l.limits {
		for _, t := range lim.tables {
			t.set(much, false, defaultMaxKeys, l.clock())
		}
		if lim.site != nil && lim.name != Management {
			lim.site.set(Budget{Tokens: 100 * maxTokens, Per: time.Second}, l.now())
		}
	}
	return l
}

// BenchmarkSpend is what the limiter adds to a request.
func BenchmarkSpend(b *testing.B) {
	sources := make([]netip.Addr, 1<<16)
	names := make([]string, 1<<10)
	for i := range sources {
		sources[i] = netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})
	}
	for i := range names {
		names[i] = fmt.Sprintf("7f3c4a52-0000-4000-8000-%012d", i)
	}
	device := func(l *Limiter, i int) error {
		return l.Spend(DeviceAuthorization, Source(sources[i&0xffff]), Client(names[i&0x3ff]), Org(names[i&0xff]))
	}
	manage := func(l *Limiter, i int) error {
		return l.Spend(Management, Account(names[i&0x3ff]), Org(names[i&0xff]))
	}
	for _, bb := range []struct {
		name string
		call func(*Limiter, int) error
	}{
		{"management", manage},
		{"device", device},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l := plenty(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_ = bb.call(l, i)
			}
		})
		b.Run(bb.name+"_parallel", func(b *testing.B) {
			l := plenty(b)
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := int(next.Add(1 << 14)); pb.Next(); i++ {
					_ = bb.call(l, i)
				}
			})
		})
	}
	b.Run("device_refused", func(b *testing.B) {
		l, err := New(Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			_ = device(l, 1)
		}
	})
	b.Run("source_check_refused", func(b *testing.B) {
		l, err := New(Config{Limits: Limits{TokenFailure: {PerSource: {Tokens: 1, Per: time.Hour}, PerNetwork: {Tokens: 2, Per: time.Hour}}}})
		if err != nil {
			b.Fatal(err)
		}
		_ = l.Spend(TokenFailure, Source(sources[0]))
		b.ReportAllocs()
		for b.Loop() {
			_ = l.Check(TokenFailure, Source(sources[0]))
		}
	})
}

// BenchmarkSpendFullTable is the worst case: every key is new, no bucket idle.
func BenchmarkSpendFullTable(b *testing.B) {
	l, err := New(Config{Limits: Limits{TokenFailure: {
		PerSource: {Tokens: 1, Per: time.Hour}, PerNetwork: {Tokens: 2, Per: time.Hour},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < 4*defaultMaxKeys; i++ {
		_ = l.Spend(TokenFailure, source6(i<<16))
	}
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		_ = l.Spend(TokenFailure, source6(i<<16|1))
	}
}

// BenchmarkQuotas is what counting adds to a call of an instance.
func BenchmarkQuotas(b *testing.B) {
	q := NewQuotas(QuotaConfig{})
	much := Quota{Requests: 1 << 40, RequestsPer: time.Hour, Concurrent: 1 << 20, Bytes: 1 << 50, BytesPer: time.Hour}
	for name, claims := range map[string][]Claim{
		"none": {{}, {}}, "account": {of("ada", much), {}}, "both": {of("ada", much), {Key: Org("acme"), Quota: much}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				u, err := q.Begin(claims...)
				if err != nil {
					b.Fatal(err)
				}
				u.Count(1 << 10)
				u.Done()
			}
		})
	}
}
