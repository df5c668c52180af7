package gossip

import (
	"context"
	"time"
)

// Pauses between two announcements of one site, so that the federation's do not
// outgrow what gossip carries. A packet holds about five metas, and each is passed
// on 4·log10(n) times: among 900 members that is about three metas a second, from
// all sites together.
const (
	minPause     = time.Second
	pausePerSite = 400 * time.Millisecond
	// updateTimeout is how long memberlist may take to pass a meta on; it goes on
	// trying afterwards.
	updateTimeout = time.Second
)

// Announce says to associated sites which bundle of keys this one has and how far
// its journal is, and signs anew if the root key has changed. The first change after a pause is told at once, the next ones
// when the pool can carry them; nothing is told twice. It never blocks, and may be
// called before Start.
//
// One cell of a site is enough to announce; the others say zero, which changes
// nothing but their signature.
func (g *Gossip) Announce(bundleSeq uint64, head int64) {
	g.wanted.Store(&Hint{Site: g.cfg.Site, BundleSeq: bundleSeq, Head: head})
	poke(g.news)
}

// announce runs until ctx ends.
func (g *Gossip) announce(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.news:
		}
		if !g.update() {
			continue
		}
		pause := time.NewTimer(g.table.pause())
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// update says what is wanted, if that is new and somebody is there: what memberlist
// is told while it joins its first members, nobody hears.
func (g *Gossip) update() bool {
	w, list := g.wanted.Load(), g.members()
	if w == nil || list == nil || list.NumMembers() < 2 {
		return false // whoever comes pokes again
	}
	last := g.said.Load()
	next := last.meta
	if w.BundleSeq <= next.bundleSeq && w.Head <= next.head && g.cfg.Root().PublicKey.Equal(last.by) {
		return false
	}
	next.seq++
	next.bundleSeq, next.head = max(next.bundleSeq, w.BundleSeq), max(next.head, w.Head)
	if err := g.say(next); err != nil {
		g.cfg.Log.Warn("gossip: cannot sign what this cell says", "err", err)
		return false
	}
	if err := list.UpdateNode(updateTimeout); err != nil {
		g.cfg.Log.Debug("gossip: an update takes long", "err", err)
	}
	return true
}

// say signs m as what this cell says from now on.
func (g *Gossip) say(m meta) error {
	root := g.cfg.Root()
	raw, err := m.encode(g.cfg.label(), root)
	if err == nil {
		g.said.Store(&said{meta: m, raw: raw, by: &root.PublicKey})
	}
	return err
}

// pause is how long this site waits after an announcement.
func (t *table) pause() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(minPause, time.Duration(len(t.sites)+1)*pausePerSite)
}
