package ratelimit

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"time"
)

// Budget is what one bucket holds and how fast it fills. The zero Budget
// switches the bucket off.
type Budget struct {
	// Tokens come back in each Per. A call takes one.
	Tokens int
	// Per is at least a second.
	Per time.Duration
	// Burst is how many tokens a full bucket holds; zero means Tokens. A strict
	// limit has no other Burst: at most Tokens in any Per.
	Burst int
}

// Limits are budgets by limit and bucket. What it does not name keeps its default.
type Limits map[Name]map[Kind]Budget

// Defaults returns a fresh copy of every limit's default.
func Defaults() Limits {
	all := Limits{}
	for _, s := range shapes {
		all[s.name] = map[Kind]Budget{}
		for _, b := range s.buckets {
			all[s.name][b.kind] = b.usual
		}
	}
	return all
}

// over returns the defaults with l laid over them.
func (l Limits) over(all Limits) Limits {
	for name, budgets := range l {
		if all[name] == nil {
			all[name] = map[Kind]Budget{}
		}
		maps.Copy(all[name], budgets)
	}
	return all
}

func (b Budget) off() bool { return b == Budget{} }

func (b Budget) burst() int {
	if b.Burst == 0 {
		return b.Tokens
	}
	return b.Burst
}

// every is the time in which one token comes back, rounded up so that a limit
// is never exceeded by rounding.
func (b Budget) every() time.Duration {
	return (b.Per + time.Duration(b.Tokens) - 1) / time.Duration(b.Tokens)
}

// share is one cell's part: a slower, smaller bucket. Where the number is exact
// the tokens are divided instead, because the window must stay. Both round down,
// so that the cells together never give more than the site has; but one that
// could give nothing would be useless, hence at least one.
func (b Budget) share(cells int, exact bool) Budget {
	if b.off() {
		return b
	}
	if exact {
		return Budget{Tokens: max(1, b.Tokens/cells), Per: b.Per}
	}
	return Budget{Tokens: b.Tokens, Per: b.Per * time.Duration(cells), Burst: max(1, b.burst()/cells)}
}

// outlasts reports whether b holds, and regains, at least times what small does.
func (b Budget) outlasts(small Budget, times int) bool {
	// The rates, multiplied crosswise in 128 bits: equal ones in different units
	// are equal, and nothing overflows.
	hi, lo := bits.Mul64(uint64(b.Tokens), uint64(small.Per))
	hi2, lo2 := bits.Mul64(uint64(times*small.Tokens), uint64(b.Per))
	faster := hi > hi2 || hi == hi2 && lo >= lo2
	return faster && b.burst() >= times*small.burst()
}

// Whole is b with its Burst named.
func (b Budget) Whole() Budget {
	b.Burst = b.burst()
	return b
}

func (b Budget) String() string {
	if b.off() {
		return "off"
	}
	return fmt.Sprintf("%d per %s, burst %d", b.Tokens, Span(b.Per), b.burst())
}

// Span writes whole units the way operators do: 10m, not 10m0s.
func Span(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// wholeSeconds rounds up: a client that waits too long loses a moment, one that
// comes too early is refused again.
func wholeSeconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }
