package oauth

import (
	"fmt"
	"testing"
	"time"

	"causeway/tenants"
)

// However many organizations reach their limits, a fixed number is remembered, and
// who is not is counted before as well. Those whose time has come make room.
func TestRefreshLimit_R13_BoundedMemory(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	r := &refreshes{
		limit: func(tenants.OrgID, ClientID) (time.Duration, error) { return time.Minute, nil },
		now:   func() time.Time { return now }, reached: map[tenants.OrgID]time.Time{},
	}
	org := func(i int) tenants.OrgID { return tenants.OrgID(fmt.Sprint(i)) }
	for i := range mostReached {
		r.add(org(i), "app")
	}
	if r.near(org(mostReached), now) {
		t.Error("an organization that reached nothing is near")
	}
	r.add(org(mostReached), "app")
	if len(r.reached) != mostReached || !r.near(org(mostReached), now) || !r.near(org(0), now) {
		t.Errorf("%d are remembered", len(r.reached))
	}
	now = now.Add(time.Minute + time.Millisecond)
	if r.near(org(0), now) || r.near(org(mostReached), now) {
		t.Error("the minute is over")
	}
	if r.add(org(mostReached+1), "app"); len(r.reached) != 1 || !r.near(org(mostReached+1), now) {
		t.Errorf("%d are remembered after a minute", len(r.reached))
	}
}
