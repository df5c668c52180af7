package apps

import (
	"context"
	"runtime"
	"sync"
	"time"

	"causeway/internal/problem"
)

// desk bounds the signatures that are made at once and those that wait: they take more
// of a processor than all else of an exchange, and what waits too long nobody waits
// for any more. One app leaves room for others.
type desk struct {
	seats     chan struct{} // taken while signing
	most, own int           // who is there, in all and of one app
	mu        sync.Mutex
	there     int
	of        map[ID]int
}

// How many wait at most, in all and of one app: with a millisecond for a signature no
// longer than clients do.
const mostWaiting, ownWaiting = 256, 128

func newDesk() *desk {
	seats := 4 * runtime.GOMAXPROCS(0)
	return &desk{seats: make(chan struct{}, seats), most: seats + mostWaiting, own: seats + ownWaiting, of: map[ID]int{}}
}

// sit waits for a seat. Who has no room to wait comes again: 503, since clients take
// 429 from here for the end.
func (d *desk) sit(ctx context.Context, id ID) (leave func(), err error) {
	if !d.enter(id) {
		return nil, problem.New(problem.Unavailable, "Too many tokens are asked for at once.").After(time.Second)
	}
	select {
	case d.seats <- struct{}{}:
		return func() { <-d.seats; d.exit(id) }, nil
	case <-ctx.Done():
		d.exit(id)
		return nil, problem.Wrap(ctx.Err(), problem.Unavailable, "The answer took too long.")
	}
}

func (d *desk) enter(id ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.there >= d.most || d.of[id] >= d.own {
		return false
	}
	d.there++
	d.of[id]++
	return true
}

func (d *desk) exit(id ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.there--
	if d.of[id]--; d.of[id] == 0 {
		delete(d.of, id)
	}
}
