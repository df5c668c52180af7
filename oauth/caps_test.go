package oauth_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
)

// ask opens one request from each source, a second apart.
func (w *world) ask(a oauth.ServiceAccount, sources ...string) (asked []*device) {
	w.t.Helper()
	for _, source := range sources {
		w.clock.add(time.Second)
		asked = append(asked, w.startDeviceFrom(source, a))
	}
	return asked
}

func TestDeviceCaps_R2(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, tt := range []struct {
			name    string
			sources []string // of the requests, in order
			grant   []int    // which of them are granted
			then    string   // where one more comes from
			dies    int      // which of them it pushes out, -1 for none
		}{
			{"two of one source", []string{"a"}, nil, "a", -1},
			{"a third pushes out that source's oldest", []string{"b", "a", "a", "b"}, nil, "a", 1},
			{"a third spares what was granted", []string{"a", "a"}, []int{0}, "a", 1},
			{"a third of a source whose two were granted", []string{"a", "a"}, []int{0, 1}, "a", -1},
			{"eight of an account", []string{"a", "b", "b", "c", "c", "d", "d"}, nil, "e", -1},
			{"a ninth pushes out the oldest of the busiest source", []string{"a", "b", "b", "c", "d", "e", "f", "g"}, nil, "h", 1},
			{"the elder of two that are equally busy", []string{"a", "c", "b", "b", "c", "d", "e", "f"}, nil, "h", 1},
			{"what was granted counts, but stays", []string{"a", "b", "b", "c", "d", "e", "f", "g"}, []int{1}, "h", 2},
			{"a source with nothing but granted ones is passed over", []string{"a", "b", "b", "c", "d", "e", "f", "g"}, []int{1, 2}, "h", 0},
			{"a source that has two pushes out its own, not another's", []string{"b", "b", "c", "c", "d", "d", "a", "a"}, nil, "a", 6},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				a := w.newAccount()
				w.startDevice(w.newAccount()) // another account's does not count
				asked := w.ask(a, tt.sources...)
				for _, i := range tt.grant {
					asked[i].decide(granted)
				}
				asked = append(asked, w.ask(a, tt.then)...)
				var dead []int
				for i, d := range asked {
					if !isGranted(tt.grant, i) {
						if _, err := d.poll(0); problem.Has(err, problem.InvalidGrant) {
							dead = append(dead, i)
						} else {
							wantProblem(t, err, problem.AuthorizationPending)
						}
					}
				}
				if want := fmt.Sprint(dead); want != fmt.Sprint([]int{tt.dies}) && (tt.dies >= 0 || len(dead) > 0) {
					t.Errorf("dead are %v, want %d", dead, tt.dies)
				}
				if len(tt.grant) > 0 { // fetching one closes the others, so one tells all
					_, err := asked[tt.grant[0]].poll(0)
					wantProblem(t, err, "")
				}
			})
		}
	})
}

func isGranted(grants []int, i int) bool {
	for _, g := range grants {
		if g == i {
			return true
		}
	}
	return false
}

// What was granted is never pushed out, so nothing can give way to the next.
func TestDeviceCaps_R2_AllGranted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		asked := w.ask(a, "a", "a", "b", "b", "c", "c", "d", "d")
		for _, d := range asked {
			d.decide(granted)
		}
		_, err := w.service.AuthorizeDevice(w.ctx(), from("e"), w.snapshot(), a.ID)
		wantProblem(t, err, problem.TooManyRequests)
		if p := problem.From(err); p.RetryAfter <= 0 {
			t.Error("the refusal does not say when to come again")
		}
		_, err = asked[7].poll(0)
		wantProblem(t, err, "")
		w.ask(a, "e") // there is room again
	})
}

func TestDeviceCaps_R2_ExpiredOnesDoNotCount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		w.ask(a, "a")
		w.clock.add(59 * time.Minute)
		second := w.ask(a, "a")[0]
		w.clock.add(time.Minute)
		w.ask(a, "a")
		_, err := second.poll(0)
		wantProblem(t, err, problem.AuthorizationPending)
	})
}

// However many ask at once, an administrator never has more to choose from than
// the caps allow.
func TestDeviceCaps_R2_HoldUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		var mu sync.Mutex
		var codes []string
		org := w.snapshot()
		together(24, func(i int) {
			auth, err := w.service.AuthorizeDevice(w.ctx(), from(fmt.Sprint(i%6)), org, a.ID)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			codes = append(codes, auth.UserCode)
		})
		open, most := 0, 0
		for _, code := range codes {
			if found, err := w.service.LookUp(w.ctx(), w.admin, org, code); err == nil {
				open++
				most = max(most, found.Parallel+1)
			}
		}
		if open > 8 || open == 0 || most != open {
			t.Errorf("%d requests are open, and the administrator is told of %d; want the same and at most 8", open, most)
		}
	})
}
