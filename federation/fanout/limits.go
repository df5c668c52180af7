package fanout

import (
	"context"
	"sync"

	"causeway/tenants"
)

// Bounds of what lists read at many locations may cost a cell.
const (
	// inCell and perPeer bound the requests under way: one slow site must not keep
	// the requests to all others waiting.
	inCell  = 256
	perPeer = 32
)

// Limits bounds the requests to peers that a cell has under way for lists, and
// the answers that it holds.
type Limits struct {
	counts
	room  room
	cell  chan struct{}
	mu    sync.Mutex
	peers map[tenants.SiteID]*bound
}

// bound is kept while somebody is or waits in it.
type bound struct {
	slots chan struct{}
	users int
}

// NewLimits makes the bounds of one cell.
func NewLimits() *Limits {
	return &Limits{cell: make(chan struct{}, inCell), peers: map[tenants.SiteID]*bound{}, room: room{of: map[tenants.OrgID]int{}}}
}

// enter waits for a place among the requests to a peer and then of the cell: who
// waits for a slow peer keeps nobody else waiting. leave gives both back.
func (l *Limits) enter(ctx context.Context, peer tenants.SiteID) (leave func(), err error) {
	if peer == "" {
		return func() {}, nil
	}
	b := l.join(peer)
	if err := take(ctx, b.slots); err != nil {
		l.part(peer, b)
		return nil, err
	}
	if err := take(ctx, l.cell); err != nil {
		<-b.slots
		l.part(peer, b)
		return nil, err
	}
	return func() {
		<-l.cell
		<-b.slots
		l.part(peer, b)
	}, nil
}

func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Limits) join(peer tenants.SiteID) *bound {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.peers[peer]
	if b == nil {
		b = &bound{slots: make(chan struct{}, perPeer)}
		l.peers[peer] = b
	}
	b.users++
	return b
}

func (l *Limits) part(peer tenants.SiteID, b *bound) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.users--; b.users == 0 {
		delete(l.peers, peer)
	}
}
