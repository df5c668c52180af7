package links

import (
	"sync"

	"causeway/tenants"
)

// reason is why a bundle is asked for; the lesser goes first.
type reason int

const (
	news     reason = iota // the site says that there is one, or gossip does
	due                    // its hint has run out
	stranger               // a key was shown in the site's name that we do not know
)

type want struct {
	why  reason
	seq  uint64 // of the news
	turn uint64
}

// wants are the sites whose bundles are to be asked for: each once, however often
// it is said and by whom, so that nobody crowds out another.
type wants struct {
	more chan struct{} // something was added

	mu      sync.Mutex
	turn    uint64
	waiting map[tenants.SiteID]want
	busy    map[tenants.SiteID]bool // being asked
}

func newWants() *wants {
	return &wants{more: make(chan struct{}, 1), waiting: map[tenants.SiteID]want{}, busy: map[tenants.SiteID]bool{}}
}

// add says that a site's bundle is wanted. What was wanted of it before is wanted
// once, for the better reason.
func (w *wants) add(site tenants.SiteID, why reason, seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held, ok := w.waiting[site]
	if !ok {
		w.turn++
		held = want{why: why, turn: w.turn}
	}
	w.waiting[site] = want{why: min(held.why, why), seq: max(held.seq, seq), turn: held.turn}
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// take is what to ask for next, of a site that is not being asked: the best reason,
// and of those who waits longest. Its taker calls done.
func (w *wants) take() (site tenants.SiteID, next want, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, held := range w.waiting {
		if !w.busy[id] && (!ok || held.before(next)) {
			site, next, ok = id, held, true
		}
	}
	if ok {
		delete(w.waiting, site)
		w.busy[site] = true
	}
	return site, next, ok
}

func (w want) before(other want) bool {
	if w.why != other.why {
		return w.why < other.why
	}
	return w.turn < other.turn
}

// done says that a site is asked no more.
func (w *wants) done(site tenants.SiteID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, site)
}
