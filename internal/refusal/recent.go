package refusal

import (
	"strings"
	"time"

	"causeway/internal/fiql"
	"causeway/tenants"
)

// looksBack is how far a list looks back unless its filter says.
const looksBack = 7 * 24 * time.Hour

// Recent keeps a list from reading through all that is kept, which behind a flood
// takes seconds. A filter that says from when on, or names the request, is taken
// as it is.
func Recent(filter fiql.Node, now time.Time, q *tenants.Query) {
	until, bounded := until(filter, now)
	if bounded {
		return
	}
	if q.Where != "" {
		q.Where = "(" + q.Where + ") AND "
	}
	q.Where += "at >= ?"
	q.Args = append(q.Args, until.Add(-looksBack).UnixMicro())
}

// until is up to when a filter selects, by those of its conditions that all
// must hold; bounded, that these say enough already.
func until(filter fiql.Node, now time.Time) (last time.Time, bounded bool) {
	last = now
	all, ok := filter.(fiql.And)
	if !ok {
		all = fiql.And{filter}
	}
	for _, n := range all {
		c, ok := n.(fiql.Comparison)
		if !ok {
			continue
		}
		switch {
		case c.Selector == "requestId" && c.Op == fiql.Equal && !strings.Contains(c.Value, "*"):
			return last, true
		case c.Selector != "time":
		case c.Op == fiql.Greater, c.Op == fiql.GreaterOrEqual, c.Op == fiql.Equal:
			return last, true
		case c.Op == fiql.Less, c.Op == fiql.LessOrEqual:
			if at, err := time.Parse(time.RFC3339, c.Value); err == nil && at.Before(last) {
				last = at
			}
		}
	}
	return last, false
}
