package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// waiting is how many packets a member has not yet read; more are dropped, as a
// socket does.
const waiting = 1024

// Transport is what memberlist sends and listens through. It never waits for
// another member: two that did for each other would stand still.
type Transport struct {
	host    *Host
	at      netip.AddrPort
	streams net.Listener
	packets chan *memberlist.Packet
	opened  chan net.Conn
	ctx     context.Context
	cancel  context.CancelFunc
	once    sync.Once
	accept  sync.WaitGroup
}

// Transport listens for packets and streams on one port; 0 takes a free one.
func (h *Host) Transport(port int) (*Transport, error) {
	l, err := h.Listen(context.Background(), "tcp", netip.AddrPortFrom(h.addr, uint16(port)).String())
	if err != nil {
		return nil, err
	}
	at := l.(*Listener).at
	t := &Transport{host: h, at: at, streams: l, packets: make(chan *memberlist.Packet, waiting), opened: make(chan net.Conn)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	h.net.mu.Lock()
	h.packets[at.Port()] = t
	h.net.mu.Unlock()
	t.accept.Go(t.pass)
	return t, nil
}

// pass hands accepted streams over until Shutdown.
func (t *Transport) pass() {
	for {
		c, err := t.streams.Accept()
		if err != nil {
			return
		}
		select {
		case t.opened <- c:
		case <-t.ctx.Done():
			_ = c.Close() // nobody reads any more
			return
		}
	}
}

// FinalAdvertiseAddr is where others reach this member.
func (t *Transport) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	if ip == "" {
		return t.at.Addr().AsSlice(), int(t.at.Port()), nil
	}
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, 0, err
	}
	return a.AsSlice(), port, nil
}

// GetAutoBindPort is the port it listens on.
func (t *Transport) GetAutoBindPort() int { return int(t.at.Port()) }

// WriteTo sends a packet, which may arrive.
func (t *Transport) WriteTo(b []byte, addr string) (time.Time, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return time.Time{}, err
	}
	if t.ctx.Err() != nil {
		return time.Time{}, net.ErrClosed
	}
	t.host.packed.Add(int64(len(b)))
	n := t.host.net
	n.mu.Lock()
	target := n.hosts[to.Addr()]
	n.mu.Unlock()
	if target == nil {
		return time.Now(), nil
	}
	after, arrives := n.packet(t.host.place, target.place)
	if !arrives {
		return time.Now(), nil
	}
	p := &memberlist.Packet{Buf: append([]byte(nil), b...), From: net.UDPAddrFromAddrPort(t.at)}
	if after <= 0 {
		target.deliver(to.Port(), p)
	} else {
		time.AfterFunc(after, func() { target.deliver(to.Port(), p) })
	}
	return time.Now(), nil
}

func (h *Host) deliver(port uint16, p *memberlist.Packet) {
	h.net.mu.Lock()
	t := h.packets[port]
	h.net.mu.Unlock()
	if t == nil {
		return
	}
	p.Timestamp = time.Now()
	select {
	case t.packets <- p:
	default:
	}
}

func (t *Transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return t.WriteTo(b, a.Addr)
}

func (t *Transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

func (t *Transport) StreamCh() <-chan net.Conn { return t.opened }

// DialTimeout connects to another member, for at most timeout.
func (t *Transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	c, err := t.host.Dial(ctx, "tcp", addr)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("memnet: no answer from %s in %v", addr, timeout)
	}
	return c, err
}

func (t *Transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(a.Addr, timeout)
}

// Shutdown ends it and waits.
func (t *Transport) Shutdown() error {
	n := t.host.net
	n.mu.Lock()
	if t.host.packets[t.at.Port()] == t {
		delete(t.host.packets, t.at.Port())
	}
	n.mu.Unlock()
	err := t.streams.Close()
	t.end()
	t.accept.Wait()
	return err
}

func (t *Transport) end() { t.once.Do(t.cancel) }
