package contact

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"causeway/federation"
	"causeway/internal/pause"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	// again is how soon a site is asked once more that has just come back.
	again = time.Second
	// breather lies between two exchanges whatever the reason: others make us
	// begin one.
	breather = 500 * time.Millisecond
	// readAll is how often the whole directory of a site is read although nothing
	// was missed.
	readAll = 30 * time.Minute
)

// talker makes contact with one site, as long as this cell holds the lease.
type talker struct {
	*Service
	site  tenants.SiteID
	wake  chan struct{}
	once  bool // this is an errand
	judge judge
	held  federation.SiteAssociation // as last seen
	noted time.Time                  // the contact that is in the row

	mu    sync.Mutex
	pairs map[federation.Pair]bool // to be asked about
	whole bool                     // everything is to be asked about
	later bool                     // likewise, because of the site: no sooner than that may be

	// How far the site's directory was read, and when it was read whole.
	dirSeq  int64
	wholeAt time.Time
}

func (s *Service) newTalker(site tenants.SiteID) *talker {
	return &talker{Service: s, site: site, wake: make(chan struct{}, 1), whole: true}
}

// inquire has a pair asked about, soon.
func (t *talker) inquire(p federation.Pair) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pairs == nil {
		t.pairs = map[federation.Pair]bool{}
	}
	if t.pairs[p] = true; len(t.pairs) > maxAsked {
		t.whole, t.pairs = true, nil
	}
	signal(t.wake)
}

// inquireAll has everything asked about, soon.
func (t *talker) inquireAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whole = true
	signal(t.wake)
}

// run talks until ctx ends.
func (t *talker) run(ctx context.Context, first time.Duration) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-t.wake:
		}
		start := time.Now()
		status, err := t.turn(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			t.Log.Warn("the contact with a site could not be noted", "peer", string(t.site), "error", err)
		}
		if !pause.For(ctx, breather) {
			return
		}
		timer.Reset(max(0, t.next(status)-time.Since(start)))
	}
}

// next is when the next turn begins, from the beginning of the last.
func (t *talker) next(status federation.Status) time.Duration {
	switch {
	case t.judge.misses == 0 && t.judge.wavering(status):
		return again
	case t.judge.wavering(status):
		return jitter(t.Every / 2)
	}
	return jitter(t.Every)
}

// jitter is d, a fifth more or less: sites that were restarted together must not
// stay in step.
func jitter(d time.Duration) time.Duration { return d*4/5 + rand.N(d*2/5+1) }

// turn is one exchange and what follows from it.
func (t *talker) turn(ctx context.Context) (federation.Status, error) {
	a, err := t.Peers.Association(ctx, t.site)
	if problem.Has(err, problem.NotFound) {
		return "", nil // whoever leads will end this
	}
	if err != nil {
		return "", err
	}
	t.held = a
	h, f, sample := t.exchange(ctx, a)
	if ctx.Err() != nil {
		return a.Status, nil
	}
	t.seen(a.Site, h, f, sample, !t.once)
	if f.verdict == good {
		t.newBundle(a, h)
	}
	status, changed := t.judge.next(a.Status, f)
	if changed && t.mayBecome(a, status, f.reason) {
		err = t.setStatus(ctx, a, status, f.reason)
	} else {
		status = a.Status
	}
	if f.verdict != good {
		return status, err
	}
	return status, errors.Join(err, t.read(ctx, a, h), t.note(ctx, sample.At))
}

// note writes when the site last answered, to the minute, and how far its
// directory was read.
func (t *talker) note(ctx context.Context, at time.Time) error {
	if at = at.Truncate(time.Minute); !at.After(t.noted) {
		return nil
	}
	err := t.Store.InTx(ctx, func(tx federation.Tx) error { return tx.SetContact(t.site, at, t.dirSeq) })
	if err == nil {
		t.noted = at
	}
	return err
}

// farewell tells a site that the association with it is gone here. It would find
// out itself with its next heartbeat.
func (t *talker) farewell(ctx context.Context) {
	if t.held.Site == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	last := t.beat(t.held)
	last.Holds, last.HoldsYou = "", false
	for range 3 { // connections to it are being closed at this moment
		if _, err := t.ask(ctx, t.held, "POST", HeartbeatPath, nil, last); err == nil || !pause.For(ctx, breather) {
			return
		}
	}
}
