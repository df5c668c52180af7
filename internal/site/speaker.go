package site

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"causeway/federation/gossip"
	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/tenants"
)

// speaker is this cell's part in the pool of sites: the few cells that have run
// longest take part, the others wait for their turn. They miss little: where a
// peer's cells are, the association and the peer's bundle say as well.
type speaker struct {
	make func(keys [][]byte) (*gossip.Gossip, error)
	// rank is this cell's place among the site's, and most how many speak.
	rank func() int
	most int
	// head and bundle are what the first of them announces.
	head   func() int64
	bundle func() uint64
	warn   func(msg string, args ...any)
	poked  chan struct{}

	// speaks is nil while this cell does not. Requests read it, so no lock guards it.
	speaks atomic.Pointer[gossip.Gossip]

	mu      sync.Mutex // of what changes it
	keyList [][]byte
	closed  bool
}

func (s *Site) newSpeaker(c *config.Gossip, keys [][]byte) (*speaker, error) {
	p := &speaker{
		make: func(keys [][]byte) (*gossip.Gossip, error) { return s.newGossip(c, keys) },
		rank: func() int { return s.cells.Rank() }, most: s.config.Federation.Speakers,
		head: func() int64 { return s.tail.Applied() }, bundle: func() uint64 { return s.roots.Seq() },
		warn: s.log.Warn, poked: make(chan struct{}, 1), keyList: keys,
	}
	_, err := p.make(keys) // what is wrong with it shall be known before anything serves
	return p, err
}

const (
	// retrySpeaking is how soon a cell tries again that should speak and cannot.
	retrySpeaking = 5 * time.Second
	// lookAround is how late a speaker notices what nobody tells it: that another
	// root key signs from now on.
	lookAround = time.Minute
)

// run keeps to the cell's rank until ctx ends.
func (p *speaker) run(ctx context.Context) {
	for {
		again := lookAround
		if err := p.turn(); err != nil {
			p.warn("this cell should speak with other sites and cannot", "err", err)
			again = retrySpeaking
		}
		wait := time.NewTimer(again)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-p.poked:
			wait.Stop()
		case <-wait.C:
		}
	}
}

// turn begins to speak or ends it, as the cell's rank wants, and says what is new.
func (p *speaker) turn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	rank, g := p.rank(), p.speaks.Load()
	switch {
	case p.closed:
		return nil
	case rank >= p.most:
		if g != nil {
			p.speaks.Store(nil)
			_ = g.Stop() // who missed the goodbye finds out
		}
		return nil
	case g == nil:
		var err error
		if g, err = p.make(p.keyList); err != nil {
			return err
		}
		if err := g.Start(); err != nil {
			return err
		}
		p.speaks.Store(g)
	}
	if rank == 0 {
		g.Announce(p.bundle(), p.head())
	} else {
		g.Announce(0, 0) // only that it is there, should its key have changed
	}
	return nil
}

func (p *speaker) poke() {
	select {
	case p.poked <- struct{}{}:
	default: // it will look anyway
	}
}

// announcer follows the journal: peers are told that it has grown.
type announcer struct{ site *Site }

func (a announcer) Apply(journal.Row) { a.Flush() }

func (a announcer) Flush() {
	if p := a.site.gossip; p != nil {
		p.poke()
	}
}

// stop says goodbye for good.
func (p *speaker) stop() error {
	p.mu.Lock()
	p.closed = true
	g := p.speaks.Swap(nil)
	p.mu.Unlock() // a goodbye takes seconds, and whoever looks for a turn needs none
	if g == nil {
		return nil
	}
	return g.Stop()
}

func (p *speaker) candidates(site tenants.SiteID) []string {
	if g := p.speaks.Load(); g != nil {
		return g.Candidates(site)
	}
	return nil
}

// Stats are zero while this cell does not speak.
func (p *speaker) Stats() gossip.Stats {
	if g := p.speaks.Load(); g != nil {
		return g.Stats()
	}
	return gossip.Stats{}
}

func (p *speaker) setKeys(keys [][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.speaks.Load(); g != nil {
		if err := g.SetKeys(keys); err != nil {
			return err
		}
	}
	p.keyList = keys
	return nil
}

func (p *speaker) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, k := range p.keyList {
		all = append(all, gossip.Fingerprint(k))
	}
	return all
}
