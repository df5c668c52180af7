package memnet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Link is one direction between two places.
type Link struct {
	Latency time.Duration // one way
	Jitter  time.Duration // added at random, up to this much
	// Loss is how many of a hundred packets are lost. A stream sends again what
	// is lost, which costs retransmit each time.
	Loss float64
	Cut  bool
	// Bandwidth in bytes per second; 0 is without limit. Packets are not slowed.
	Bandwidth int
}

// retransmit is what a lost segment delays a stream by (RFC 6298's least
// timeout, as systems have it).
const retransmit = 200 * time.Millisecond

// Network joins hosts. Hosts of one place reach each other at once.
type Network struct {
	seed uint64

	mu      sync.Mutex
	hosts   map[netip.Addr]*Host
	shared  map[netip.Addr]*share
	links   map[path]*link
	all     Link          // where nothing else is set
	changed chan struct{} // closed and replaced when a link changes
}

// path is a direction between two places.
type path struct{ from, to string }

type link struct {
	Link
	chance *rand.Rand
	free   time.Time // when what was sent before has passed, with a bandwidth
}

// New makes a network without hosts.
func New(seed uint64) *Network {
	return &Network{
		seed: seed, hosts: map[netip.Addr]*Host{}, shared: map[netip.Addr]*share{},
		links: map[path]*link{}, changed: make(chan struct{}),
	}
}

// SetAll sets every link between different places that is not set by itself.
func (n *Network) SetAll(l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = l
	n.announce()
}

// Change changes one direction between two places. What is under way arrives as
// it would have.
func (n *Network) Change(from, to string, change func(*Link)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.link(from, to)
	change(&l.Link)
	n.announce()
}

// Reset breaks the streams between two places.
func (n *Network) Reset(a, b string) {
	n.mu.Lock()
	var broken []*Conn
	for _, h := range n.hosts {
		for c := range h.conns {
			if c.place == a && c.peer.place == b || c.place == b && c.peer.place == a {
				broken = append(broken, c)
			}
		}
	}
	n.mu.Unlock()
	for _, c := range broken {
		c.reset(false)
	}
}

// announce wakes whoever waits for a link to change. The lock is held.
func (n *Network) announce() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// link finds or makes a direction. The lock is held.
func (n *Network) link(from, to string) *link {
	p := path{from, to}
	l := n.links[p]
	if l == nil {
		l = &link{Link: n.all, chance: rand.New(rand.NewPCG(n.seed, hash(from+"\x00"+to)))}
		n.links[p] = l
	}
	return l
}

// hash is FNV-1a, so that a link's chances do not depend on which was used first.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(s) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// packet says whether and when a packet arrives.
func (n *Network) packet(from, to string) (after time.Duration, arrives bool) {
	if from == to {
		return 0, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.link(from, to)
	if l.Cut || l.Loss > 0 && l.chance.Float64()*100 < l.Loss {
		return 0, false
	}
	return l.delay(), true
}

func (l *link) delay() time.Duration {
	if l.Jitter <= 0 {
		return l.Latency
	}
	return l.Latency + time.Duration(l.chance.Int64N(int64(l.Jitter)))
}

// segment says when size bytes of a stream arrive, cuts not counted.
func (n *Network) segment(from, to string, size int) time.Time {
	now := time.Now()
	if from == to {
		return now
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.link(from, to)
	if l.Bandwidth > 0 {
		if l.free.Before(now) {
			l.free = now
		}
		l.free = l.free.Add(time.Duration(size) * time.Second / time.Duration(l.Bandwidth))
		now = l.free
	}
	at := now.Add(l.delay())
	for range 10 { // beyond that it is not a link any more
		if l.Loss <= 0 || l.chance.Float64()*100 >= l.Loss {
			break
		}
		at = at.Add(retransmit)
	}
	return at
}

// open says whether a direction is not cut, and what is closed when that may
// have changed.
func (n *Network) open(from, to string) (bool, <-chan struct{}) {
	if from == to {
		return true, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.link(from, to).Cut, n.changed
}

// Host adds a host, or starts one again that crashed.
func (n *Network) Host(place string, addr netip.Addr) (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.hosts[addr]; h != nil && !h.dead() || n.shared[addr] != nil {
		return nil, fmt.Errorf("memnet: %s is taken", addr)
	}
	h := &Host{
		net: n, place: place, addr: addr, gone: make(chan struct{}), nextPort: 40_000,
		listeners: map[uint16]*Listener{}, packets: map[uint16]*Transport{}, conns: map[*Conn]struct{}{},
	}
	n.hosts[addr] = h
	return h, nil
}

// share is an address behind which hosts take turns.
type share struct {
	members []netip.Addr
	next    int
}

// Share makes an address lead to members in turn, those first that listen.
func (n *Network) Share(addr netip.Addr, members ...netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shared[addr] = &share{members: members}
}

// find is the host behind an address, nil where no machine answers.
func (n *Network) find(to netip.AddrPort) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.shared[to.Addr()]
	if s == nil {
		return n.hosts[to.Addr()]
	}
	var found *Host
	for range s.members {
		s.next = (s.next + 1) % len(s.members)
		h := n.hosts[s.members[s.next]]
		if h != nil && h.listeners[to.Port()] != nil {
			return h
		}
		if h != nil {
			found = h // refuses
		}
	}
	return found
}

// listener is who listens on a port now, or nil.
func (h *Host) listener(port uint16) *Listener {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.listeners[port]
}

var errRefused = errors.New("connection refused")
