package contact

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/federation"
	"causeway/internal/pause"
	"causeway/tenants"
)

// visited is a cell without the lease, and the questions that it asks of others.
type visited struct {
	*cell
	mu    sync.Mutex
	slow  map[tenants.SiteID]bool // which never answer
	asked map[tenants.SiteID]int
	now   int // under way
	most  int
}

func newVisited(t *testing.T, sites int) *visited {
	t.Helper()
	v := &visited{cell: newCell(west), slow: map[tenants.SiteID]bool{}, asked: map[tenants.SiteID]int{}}
	v.holder = "another"
	v.wire = v.call
	for i := range sites {
		v.associate(siteOf(i), act)
	}
	v.start(t)
	return v
}

func siteOf(i int) tenants.SiteID {
	return tenants.SiteID(fmt.Sprintf("33333333-0000-4000-8000-%012d", i))
}

func (v *visited) call(a federation.SiteAssociation, r *http.Request) (*http.Response, error) {
	v.mu.Lock()
	v.asked[a.Site]++
	v.now++
	v.most = max(v.most, v.now)
	slow := v.slow[a.Site]
	v.mu.Unlock()
	defer func() { v.mu.Lock(); v.now--; v.mu.Unlock() }()
	wait := 100 * time.Millisecond
	if slow {
		wait = time.Hour
	}
	if !pause.For(r.Context(), wait) {
		return nil, r.Context().Err()
	}
	return response(http.StatusServiceUnavailable, nil), nil
}

func (v *visited) askedOf(i int) int { v.mu.Lock(); defer v.mu.Unlock(); return v.asked[siteOf(i)] }

// hear has a site say that it has something to tell.
func (v *visited) hear(t *testing.T, i int) {
	t.Helper()
	if _, err := v.Hear(context.Background(), siteOf(i), Heartbeat{Site: siteOf(i)}); err != nil {
		t.Fatal(err)
	}
}

// TestErrands_R10_ASlowSiteHoldsUpNobody: the sites that answer are asked at once,
// whoever does not, and never too many at a time.
func TestErrands_R10_ASlowSiteHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisited(t, 40)
		const slow = 10
		for i := range slow {
			v.slow[siteOf(i)] = true
		}
		for i := range 40 {
			v.hear(t, i)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		for i := slow; i < 40; i++ {
			if v.askedOf(i) == 0 {
				t.Errorf("site %d has not been asked for 4 s", i)
			}
		}
		if v.most > errandsAtOnce {
			t.Errorf("%d sites were asked at once", v.most)
		}
	})
}

// TestMisled_I6: a site that does not have an organization when a request comes for
// it is asked about just that, whichever cell the request went through, and though
// its directory has nothing new.
func TestMisled_I6(t *testing.T) {
	for _, leads := range []bool{true, false} {
		t.Run(fmt.Sprintf("leads %v", leads), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, e, we, _ := newAssociated(t)
				other := w
				if !leads {
					other = newCell(west, func(c *Config) {
						c.Store, c.Leases, c.Journal, c.Holder = w.memory, w.memory, w.memory, func() string { return "second" }
					})
					other.memory, other.wire = w.memory, we.call
					other.start(t)
				}
				w.pair(orgW, orgE, east, true)
				e.pair(orgE, orgW, west, true)
				time.Sleep(time.Minute) // all has been read
				e.memory.mu.Lock()
				delete(e.orgs, federation.Pair{Local: orgE, Remote: orgW}) // and not a word in the journal
				e.memory.mu.Unlock()
				time.Sleep(30 * time.Second)
				if !w.holds(pairW, act)() {
					t.Fatal("it is found out without being asked about")
				}
				for range 10 {
					other.Misled(east, pairW)
				}
				within(t, 3*time.Second, "ASYMMETRIC", w.holds(pairW, asym))
			})
		})
	}
}

// TestErrands_R10_OneOfASite: a site that has much to tell is asked once at a time
// and not in a hurry, and once more if it told something while it was asked.
func TestErrands_R10_OneOfASite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisited(t, 1)
		v.hear(t, 0)
		time.Sleep(50 * time.Millisecond) // it is being asked
		for range 10 {
			v.hear(t, 0)
		}
		time.Sleep(10 * time.Second)
		if n := v.askedOf(0); n != 2 || v.most != 1 {
			t.Errorf("asked %d times, %d at once; want once for what came first, once for the rest", n, v.most)
		}
		for range 100 {
			time.Sleep(250 * time.Millisecond)
			v.hear(t, 0)
		}
		if n := v.askedOf(0) - 2; n > int(25*time.Second/breather) || n < 20 {
			t.Errorf("asked %d times in 25 s", n)
		}
	})
}
