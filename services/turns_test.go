package services

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/tenants"
)

// crowd is a queue of many accounts, the oldest first.
type crowd struct {
	mu  sync.Mutex
	all []Delivery
}

func (c *crowd) DueHooks(_ context.Context, now, later time.Time, most int, not []InstanceID) (taken []Delivery, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.all {
		d := &c.all[i]
		if len(taken) < most && d.Hook.State == HookPending && !d.Hook.Next.After(now) && !slices.Contains(not, d.Instance) {
			taken = append(taken, *d)
			d.Hook.Next = later
		}
	}
	return taken, nil
}

func (c *crowd) SettleHook(_ context.Context, _ tenants.OrgID, account, key string, h Hook) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.all {
		if d := &c.all[i]; d.ID == account && d.Hook.Key == key {
			d.Hook = h
		}
	}
	return nil
}

// newCrowd is a stand whose queue has many accounts of an instance that serve answers
// for, and behind them one of another instance.
func newCrowd(t *testing.T, many int, serve http.HandlerFunc) (*Deliverer, *crowd, chan bool) {
	t.Helper()
	s := newStand(t, http.StatusOK)
	slow := httptest.NewServer(serve)
	t.Cleanup(slow.Close)
	told := make(chan bool, 1)
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told <- true }))
	t.Cleanup(well.Close)
	c := &crowd{}
	for i := range many + 1 {
		d := s.one
		d.ID, d.Hook.Key, d.URL = fmt.Sprint("account", i), fmt.Sprint("key", i), slow.URL
		if i == many {
			d.Instance, d.URL = "another", well.URL
		}
		c.all = append(c.all, d)
	}
	s.d.Hooks = c
	return s.d, c, told
}

// An instance that does not answer, with however many accounts to be told of, holds up
// nobody, and is called no more than a few times at once.
func TestHook_CSP18_R13_SilentInstancesHoldUpNobody(t *testing.T) {
	t.Parallel()
	let := make(chan struct{})
	var mu sync.Mutex
	under, most := 0, 0
	d, _, told := newCrowd(t, 10*hooksAtOnce, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		under++
		most = max(most, under)
		mu.Unlock()
		<-let
		mu.Lock()
		under--
		mu.Unlock()
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	<-told
	cancel()
	close(let)
	<-done
	mu.Lock()
	defer mu.Unlock()
	if most > hooksOfOne {
		t.Errorf("%d calls of one instance at once", most)
	}
}

// One that fails rests, and is told of everything in the end.
func TestHook_CSP18_R13_FailingInstancesRest(t *testing.T) {
	t.Parallel()
	const many = 2 * hooksAtOnce
	var mu sync.Mutex
	calls, status := 0, http.StatusInternalServerError
	d, c, told := newCrowd(t, many, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		w.WriteHeader(status)
	})
	at := now
	d.Now = func() time.Time { return at }
	all := func() {
		for d.round(t.Context()) > 0 {
		}
	}
	all()
	<-told
	mu.Lock()
	if calls > hooksOfOne {
		t.Errorf("an instance that fails was called %d times", calls)
	}
	status = http.StatusOK
	mu.Unlock()
	at = at.Add(hookPause)
	all()
	for _, one := range c.all {
		if one.Hook.State != HookProvisioned {
			t.Errorf("%s: %+v", one.ID, one.Hook)
		}
	}
}

// No instance is remembered for ever.
func TestTurns_R13_Bounded(t *testing.T) {
	t.Parallel()
	var s turns
	for i := range 100 {
		id := InstanceID(fmt.Sprint(i))
		if !s.take(id, now) {
			t.Fatal("no turn")
		}
		s.give(id, i%2 == 0, now)
	}
	if n, not := s.free(now); n != hooksAtOnce || len(not) != 50 || len(s.of) != 50 {
		t.Errorf("%d are free, %d rest, %d are known", n, len(not), len(s.of))
	}
	if n, not := s.free(now.Add(hookPause)); n != hooksAtOnce || len(not) != 0 || len(s.of) != 0 {
		t.Errorf("then %d are free, %d rest, %d are known", n, len(not), len(s.of))
	}
}
