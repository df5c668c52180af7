package contact

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"causeway/federation"
	"causeway/internal/pause"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

const (
	// leaseFor outlives one renewal that fails. A cell that dies leaves the other
	// sites uncontacted for as long; theirs go on, and are answered.
	leaseFor   = 30 * time.Second
	leaseEvery = 10 * time.Second
)

// lead holds the lease where there is anybody to contact, and the crew that
// makes contact with it.
func (s *Service) lead(ctx context.Context) {
	l := &leader{Service: s, ends: map[tenants.SiteID]func(){}}
	defer l.resign(ctx)
	renew := time.NewTimer(0)
	defer renew.Stop()
	for {
		fresh := false
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
		case <-s.due:
			fresh = true
		}
		if err := l.step(ctx, fresh); err != nil && ctx.Err() == nil {
			s.Log.Warn("could not look after the contact with other sites", "error", err)
			signal(s.due)
			if !pause.For(ctx, time.Second) {
				return
			}
		}
		renew.Reset(leaseEvery)
	}
}

// leader is lead's own state.
type leader struct {
	*Service
	sites map[tenants.SiteID]bool // nil until first read
	ours  bool
	ends  map[tenants.SiteID]func() // ends a talker and waits for it
	byes  sync.WaitGroup
}

func (l *leader) step(ctx context.Context, fresh bool) error {
	if fresh || l.sites == nil {
		if err := l.readSites(ctx); err != nil {
			return err
		}
	}
	if len(l.sites) == 0 && !l.ours {
		return nil
	}
	held, err := l.Leases.Hold(ctx, l.lease(leaseFor))
	if err != nil {
		return err // who contacts meanwhile does no harm: nothing can be written
	}
	if l.ours && !held.Ours {
		l.unmeasure()
	}
	l.ours = held.Ours
	l.man(ctx)
	return nil
}

func (l *leader) readSites(ctx context.Context) error {
	sites := map[tenants.SiteID]bool{}
	err := l.Store.View(ctx, func(r federation.Reader) error {
		list, err := r.SiteAssociations()
		for _, a := range list {
			sites[a.Site] = true
		}
		return err
	})
	if err == nil {
		l.sites = sites
		l.keepKnown(sites)
	}
	return err
}

// man has a talker for each site, or for none.
func (l *leader) man(ctx context.Context) {
	for site, end := range l.ends {
		if !l.ours || !l.sites[site] {
			end()
			delete(l.ends, site)
		}
	}
	if !l.ours {
		return
	}
	for site := range l.sites {
		if l.ends[site] == nil {
			l.ends[site] = l.start(ctx, site)
		}
	}
}

// spread lies between the first heartbeats to two sites, on average: those to
// many do not all come at once.
const spread = 30 * time.Millisecond

func (l *leader) start(ctx context.Context, site tenants.SiteID) (end func()) {
	t := l.newTalker(site)
	l.mu.Lock()
	l.crew[site] = t
	l.mu.Unlock()
	own, cancel := context.WithCancel(ctx)
	first, done := rand.N(spread*time.Duration(len(l.sites))), make(chan struct{})
	go func() {
		defer close(done)
		t.run(own, first)
	}()
	return func() {
		cancel()
		<-done
		l.mu.Lock()
		delete(l.crew, site)
		l.mu.Unlock()
		if l.ours && !l.sites[site] && ctx.Err() == nil {
			l.byes.Go(func() { t.farewell(ctx) })
		}
	}
}

// resign ends the crew and gives the lease to others.
func (l *leader) resign(ctx context.Context) {
	for _, end := range l.ends {
		end()
	}
	l.byes.Wait()
	if l.ours {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = l.Leases.Keep(last, l.lease(0)) // or it frees itself
	}
}

func (l *leader) lease(d time.Duration) upkeep.Lease {
	return upkeep.Lease{Name: "contact", Holder: l.Holder(), For: d}
}
