package refusal

import (
	"maps"
	"strconv"
	"sync"
	"time"

	"causeway/tenants"
)

// Suppressed is the code of a row that stands for many: refusals beyond the
// bounds. Its other fields are those of the first of them.
const Suppressed = "suppressed"

// The facts of such a row.
const (
	FactCount = "suppressed" // how many, with the one that is shown
	FactUntil = "until"      // RFC 3339
	FactCode  = "code"       // of the one that is shown
)

// noteEvery is how often an organization gets such a row at most.
const noteEvery = time.Minute

// tally counts what is suppressed, by organization, in fixed memory.
type tally struct {
	mu    sync.Mutex
	byOrg map[tenants.OrgID]*uncounted
}

type uncounted struct {
	first Refusal
	until time.Time
	count uint64
}

// add counts one more; first makes the row if it is the first.
func (t *tally) add(org tenants.OrgID, at time.Time, first func() Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byOrg[org] == nil && len(t.byOrg) >= remembered {
		org = tenants.SystemOrgID
	}
	u := t.byOrg[org]
	if u == nil {
		u = &uncounted{first: first()}
		u.first.Org = org
		t.byOrg[org] = u
	}
	u.until, u.count = at, u.count+1
}

// take returns the rows that may be written now. What may not is counted on.
func (t *tally) take(may func() bool) []job {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []job
	for org, u := range t.byOrg {
		if !may() {
			break
		}
		rows = append(rows, job{refusal: u.row()})
		delete(t.byOrg, org)
	}
	return rows
}

func (u *uncounted) row() Refusal {
	r := u.first
	facts := maps.Clone(r.Facts)
	if facts == nil {
		facts = map[string]string{}
	}
	facts[FactCode], facts[FactCount] = r.Code, strconv.FormatUint(u.count, 10)
	facts[FactUntil] = u.until.UTC().Format(time.RFC3339)
	r.Code, r.Facts = Suppressed, facts
	return r
}
