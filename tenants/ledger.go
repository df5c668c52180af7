package tenants

import (
	"context"
	"slices"
	"sync"
	"time"

	"causeway/internal/problem"
)

const (
	// maxOpen bounds the attempts under way together with those not yet
	// written. Who comes then is turned away, whoever it is: an attempt that is
	// not counted would be a guess for nothing.
	maxOpen = 4096
	// maxWrite is how long one outcome may take to be written.
	maxWrite = 5 * time.Second
)

// ledger writes how attempts to log in ended after they were answered: a write
// shows in the time of an answer, and would tell who exists. They are written
// one after the other, in the order in which they were put.
type ledger struct {
	store  Store
	lost   func(error)
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	open    int
	queue   []outcome
	byWhom  map[attempt][]outcome // the queue once more, and what is being written
	writing bool
	stopped bool
}

func newLedger(store Store, lost func(error)) *ledger {
	l := &ledger{store: store, lost: lost, byWhom: map[attempt][]outcome{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// enter makes room for the outcome of one attempt.
func (l *ledger) enter() (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped || l.open+len(l.queue) >= maxOpen {
		return nil, problem.New(problem.Unavailable, "Too many logins at this moment.").After(time.Second)
	}
	l.open++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open--
	}, nil
}

// waiting are the outcomes that the database may not know yet. It may just have
// learned of the first, which then counts twice for an instant: better than not
// at all.
func (l *ledger) waiting(a attempt) []outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.byWhom[a])
}

// put has o written.
func (l *ledger) put(o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, o)
	l.byWhom[o.attempt] = append(l.byWhom[o.attempt], o)
	if !l.writing {
		l.writing = true
		l.done.Go(l.write)
	}
}

// write ends when nothing is left to write.
func (l *ledger) write() {
	for {
		o, ok := l.next()
		if !ok {
			return
		}
		l.commit(o)
		l.written(o)
	}
}

func (l *ledger) next() (outcome, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue, l.writing = nil, false
		return outcome{}, false
	}
	o := l.queue[0]
	l.queue = l.queue[1:]
	return o, true
}

// commit gives an outcome up that cannot be written: without the database nobody
// logs in either.
func (l *ledger) commit(o outcome) {
	ctx, cancel := context.WithTimeout(l.ctx, maxWrite)
	defer cancel()
	if err := l.store.InTx(ctx, o.write); err != nil && !problem.Has(err, problem.NotFound) { // deleted meanwhile
		l.lost(err)
	}
}

func (l *ledger) written(o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byWhom[o.attempt] = l.byWhom[o.attempt][1:]; len(l.byWhom[o.attempt]) == 0 {
		delete(l.byWhom, o.attempt)
	}
}

// stop waits until all is written, or ctx ends.
func (l *ledger) stop(ctx context.Context) error {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	defer context.AfterFunc(ctx, l.cancel)()
	l.done.Wait()
	l.cancel()
	return ctx.Err()
}
