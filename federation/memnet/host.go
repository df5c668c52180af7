package memnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Host has one address, listens and connects.
type Host struct {
	net   *Network
	place string
	addr  netip.Addr

	gone chan struct{} // closed by Crash

	// Under net's lock.
	nextPort  uint16
	listeners map[uint16]*Listener
	packets   map[uint16]*Transport
	conns     map[*Conn]struct{}

	streamed, packed atomic.Int64
}

// Addr is the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

// Sent is how many bytes have left the host, in streams and in packets.
func (h *Host) Sent() (streams, packets int64) { return h.streamed.Load(), h.packed.Load() }

// Crash ends everything on the host as a killed process does: connections are
// reset and new ones refused. What still runs of it reaches nobody, also when
// there is a new host at its address.
func (h *Host) Crash() {
	h.net.mu.Lock()
	if !h.dead() {
		close(h.gone)
	}
	var conns []*Conn
	for c := range h.conns {
		conns = append(conns, c)
	}
	listeners, packets := h.listeners, h.packets
	h.listeners, h.packets = map[uint16]*Listener{}, map[uint16]*Transport{}
	h.net.mu.Unlock()
	for _, l := range listeners {
		l.end()
	}
	for _, t := range packets {
		t.end()
	}
	for _, c := range conns {
		c.reset(true)
	}
}

// Listen is as net.ListenConfig's, for "tcp". Port 0 takes a free one.
func (h *Host) Listen(_ context.Context, network, addr string) (net.Listener, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	port := ap.Port()
	if port == 0 {
		port = h.freePort()
	}
	if h.dead() {
		return nil, net.ErrClosed
	}
	if h.listeners[port] != nil || ap.Addr() != h.addr && !ap.Addr().IsUnspecified() {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("%s is not free at %s", addr, h.addr)}
	}
	l := &Listener{host: h, at: netip.AddrPortFrom(h.addr, port), accept: make(chan net.Conn, backlog), closed: make(chan struct{})}
	h.listeners[port] = l
	return l, nil
}

// freePort is a number that nobody listens on. The network's lock is held.
func (h *Host) freePort() uint16 {
	for {
		if h.nextPort++; h.nextPort == 0 {
			h.nextPort = 40_000
		}
		if h.listeners[h.nextPort] == nil && h.packets[h.nextPort] == nil {
			return h.nextPort
		}
	}
}

// giveUp is when a system stops asking an address that does not answer (Linux,
// after six tries).
const giveUp = 127 * time.Second

// Dial is as net.Dialer's DialContext, for addresses. It takes a round trip, and
// where nothing answers it takes until ctx ends or a system would give up.
func (h *Host) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, giveUp)
	defer cancel()
	c, err := h.dial(ctx, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, addr string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if h.dead() {
		return nil, net.ErrClosed
	}
	target := h.net.find(to)
	if target == nil {
		return nil, h.wait(ctx, nil, nil)
	}
	if err := h.handshake(ctx, target.place); err != nil {
		return nil, err
	}
	l := target.listener(to.Port())
	if l == nil {
		return nil, errRefused
	}
	if h.dead() { // meanwhile
		return nil, net.ErrClosed
	}
	near, far := h.connect(target, l.at)
	select {
	case l.accept <- far:
		return near, nil
	case <-l.closed:
	default: // its backlog is full
	}
	near.reset(false)
	return nil, errRefused
}

func (h *Host) dead() bool {
	select {
	case <-h.gone:
		return true
	default:
		return false
	}
}

// handshake waits until both directions are open, and a round trip.
func (h *Host) handshake(ctx context.Context, place string) error {
	for {
		there, changed := h.net.open(h.place, place)
		back, _ := h.net.open(place, h.place)
		if there && back {
			break
		}
		if err := h.wait(ctx, changed, nil); err != nil {
			return err
		}
	}
	wait := time.Until(h.net.segment(h.place, place, 0)) + time.Until(h.net.segment(place, h.place, 0))
	if wait <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	return h.wait(ctx, nil, t.C)
}

// wait is nil when something happened, and not that nobody waits any more.
func (h *Host) wait(ctx context.Context, changed <-chan struct{}, over <-chan time.Time) error {
	select {
	case <-changed:
	case <-over:
	case <-ctx.Done():
		return ctx.Err()
	case <-h.gone:
		return net.ErrClosed
	}
	return nil
}

// backlog is how many connections wait to be accepted.
const backlog = 128

// Listener is a net.Listener.
type Listener struct {
	host   *Host
	at     netip.AddrPort
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Addr is where it listens.
func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// Close refuses new connections, and resets those nobody accepted.
func (l *Listener) Close() error {
	n := l.host.net
	n.mu.Lock()
	if l.host.listeners[l.at.Port()] == l {
		delete(l.host.listeners, l.at.Port())
	}
	n.mu.Unlock()
	l.end()
	return nil
}

func (l *Listener) end() {
	l.once.Do(func() { close(l.closed) })
	for {
		select {
		case c := <-l.accept:
			c.(*Conn).reset(true)
		default:
			return
		}
	}
}
