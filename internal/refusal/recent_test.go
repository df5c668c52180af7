package refusal

import (
	"testing"
	"time"

	"causeway/internal/fiql"
	"causeway/tenants"
)

// listed is the query of a list with a filter.
func listed(filter string, now time.Time) (q tenants.Query, before int, err error) {
	node, err := fiql.Parse(filter)
	if err != nil {
		return q, 0, err
	}
	if filter != "" {
		if q.Where, q.Args, err = fiql.Compile(node, Fields); err != nil {
			return q, 0, err
		}
	}
	before = len(q.Args)
	Recent(node, now, &q)
	return q, before, nil
}

// A list looks back a week, from where its filter ends, unless the filter itself
// says enough; what only one of several alternatives says is not enough.
func TestRecent_R13(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for filter, since := range map[string]string{
		"":                                             "2026-11-15T12:00:00Z",
		"code==forbidden":                              "2026-11-15T12:00:00Z",
		"code==forbidden;status==403":                  "2026-11-15T12:00:00Z",
		"requestId==5d0c2b6e*":                         "2026-11-15T12:00:00Z",
		"requestId!=5d0c2b6e":                          "2026-11-15T12:00:00Z",
		"requestId==5d0c2b6e,code==forbidden":          "2026-11-15T12:00:00Z",
		"(time=gt=2020-01-01T00:00:00Z,code==x)":       "2026-11-15T12:00:00Z",
		"time=lt=2026-11-01T00:00:00Z":                 "2026-10-25T00:00:00Z",
		"code==x;time=le=2026-11-01T02:00:00+02:00":    "2026-10-25T00:00:00Z",
		"time=lt=2030-01-01T00:00:00Z":                 "2026-11-15T12:00:00Z",
		"time!=2026-11-01T00:00:00Z":                   "2026-11-15T12:00:00Z",
		"requestId==5d0c2b6e":                          "",
		"code==x;requestId==5d0c2b6e":                  "",
		"time=ge=2026-01-01T00:00:00Z;code==forbidden": "",
		"time=gt=2026-01-01T00:00:00Z":                 "",
		"time==2026-01-01T00:00:00Z":                   "",
	} {
		q, _, err := listed(filter, now)
		if err != nil {
			t.Errorf("%q: %v", filter, err)
			continue
		}
		got := ""
		if n := len(q.Args); n > 0 && len(q.Where) >= 7 && q.Where[len(q.Where)-7:] == "at >= ?" {
			got = time.UnixMicro(q.Args[n-1].(int64)).UTC().Format(time.RFC3339)
		}
		if got != since {
			t.Errorf("%q is %q %v from %q on, want %q", filter, q.Where, q.Args, got, since)
		}
	}
}

// No filter is too odd to be looked at, and all keep their arguments.
func FuzzRecent(f *testing.F) {
	for _, s := range []string{"", "time=lt=2026-11-01T00:00:00Z", "a==b;(c==d,e==f)", "requestId==x;time=gt=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		q, before, err := listed(filter, time.Now())
		if err == nil && len(q.Args) < before {
			t.Errorf("%d arguments of %d", len(q.Args), before)
		}
	})
}
