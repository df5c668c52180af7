package memnet

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// sendBuffer is how much a stream holds that has not been read. Until then Write
// does not wait: the users of a connection hold locks while they write, and a
// bubble's time stands still while anybody waits for a lock.
const sendBuffer = 64 << 20

// Conn is one end of a stream.
type Conn struct {
	host          *Host
	place         string
	local, remote netip.AddrPort
	peer          *Conn
	in            *flow // what the other end wrote
	read, write   deadline
}

// connect makes both ends of a stream.
func (h *Host) connect(to *Host, at netip.AddrPort) (near, far *Conn) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	from := netip.AddrPortFrom(h.addr, h.freePort())
	near = &Conn{host: h, place: h.place, local: from, remote: at}
	far = &Conn{host: to, place: to.place, local: at, remote: from, peer: near}
	near.peer = far
	near.in, far.in = newFlow(h.net, to.place, h.place), newFlow(h.net, h.place, to.place)
	h.conns[near], to.conns[far] = struct{}{}, struct{}{}
	return near, far
}

// Read waits for what has arrived.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b, &c.read)
	return n, c.explain("read", err)
}

// Write hands over to the link.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.peer.in.write(b, &c.write)
	c.host.streamed.Add(int64(n))
	return n, c.explain("write", err)
}

func (c *Conn) explain(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// Close ends both directions; the other end still reads what was written.
func (c *Conn) Close() error {
	c.forget()
	c.in.fail(net.ErrClosed, false, true)
	c.peer.in.finish()
	return nil
}

// reset breaks both ends at once, or the far one as soon as it can be told.
func (c *Conn) reset(away bool) {
	c.forget()
	c.peer.forget()
	c.in.fail(syscall.ECONNRESET, false, away)
	c.peer.in.fail(syscall.ECONNRESET, away, false)
}

func (c *Conn) forget() {
	c.host.net.mu.Lock()
	defer c.host.net.mu.Unlock()
	delete(c.host.conns, c)
}

func (c *Conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *Conn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return nil
}

func (c *Conn) SetReadDeadline(t time.Time) error {
	c.read.set(t)
	return nil
}

func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.write.set(t)
	return nil
}

// flow is one direction of a stream.
type flow struct {
	net      *Network
	from, to string

	mu      sync.Mutex
	chunks  []chunk
	size    int
	last    time.Time // when the latest chunk arrives: nothing overtakes
	ended   bool      // no more will be written
	err     error     // it is broken, and whose end learns it over the link:
	reader  bool
	writer  bool
	changed chan struct{} // closed and replaced at each change
}

type chunk struct {
	at time.Time
	b  []byte
}

func newFlow(n *Network, from, to string) *flow {
	return &flow{net: n, from: from, to: to, changed: make(chan struct{})}
}

// announce wakes readers and writers. The lock is held.
func (f *flow) announce() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *flow) fail(err error, reader, writer bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err, f.reader, f.writer, f.chunks = err, reader, writer, nil
		f.announce()
	}
}

func (f *flow) finish() {
	at := f.net.segment(f.from, f.to, 0)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.push(at, nil)
		f.ended = true
	}
}

// push adds a chunk; an empty one is the end. The lock is held.
func (f *flow) push(at time.Time, b []byte) {
	if at.Before(f.last) {
		at = f.last
	}
	f.last = at
	f.chunks, f.size = append(f.chunks, chunk{at, b}), f.size+len(b)
	f.announce()
}

func (f *flow) write(b []byte, d *deadline) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	at := f.net.segment(f.from, f.to, len(b))
	for {
		back, _ := f.net.open(f.to, f.from)
		over := d.over()
		f.mu.Lock()
		err, room, changed := f.refuses(back), f.size < sendBuffer, f.changed
		if err == nil && over {
			err = os.ErrDeadlineExceeded
		}
		if err == nil && room {
			f.push(at, append([]byte(nil), b...))
			f.mu.Unlock()
			return len(b), nil
		}
		f.mu.Unlock()
		if err != nil {
			return 0, err
		}
		select {
		case <-changed:
		case <-d.done():
		}
	}
}

// refuses is why nothing can be written. The lock is held.
func (f *flow) refuses(back bool) error {
	switch {
	case f.ended:
		return net.ErrClosed
	case f.err == nil || f.writer && !back:
		return nil
	case f.err == net.ErrClosed:
		return syscall.EPIPE // the other end has closed
	}
	return f.err
}

func (f *flow) read(b []byte, d *deadline) (int, error) {
	for {
		if d.over() {
			return 0, os.ErrDeadlineExceeded
		}
		open, cut := f.net.open(f.from, f.to)
		n, wait, changed, err := f.take(b, open)
		if n > 0 || err != nil {
			return n, err
		}
		if open {
			cut = nil
		}
		pause(wait, changed, cut, d.done())
	}
}

// take copies what has arrived, or says for how long to wait; 0 is for a change.
func (f *flow) take(b []byte, open bool) (n int, wait time.Duration, changed <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil && (open || !f.reader) {
		return 0, 0, nil, f.err
	}
	if len(f.chunks) == 0 || !open {
		return 0, 0, f.changed, nil
	}
	if wait = time.Until(f.chunks[0].at); wait > 0 {
		return 0, wait, f.changed, nil
	}
	if f.chunks[0].b == nil {
		return 0, 0, nil, io.EOF
	}
	for n < len(b) && len(f.chunks) > 0 && f.chunks[0].b != nil && time.Until(f.chunks[0].at) <= 0 {
		m := copy(b[n:], f.chunks[0].b)
		n += m
		if f.chunks[0].b = f.chunks[0].b[m:]; len(f.chunks[0].b) == 0 {
			f.chunks = f.chunks[1:]
		}
	}
	if full := f.size >= sendBuffer; full {
		defer f.announce()
	}
	f.size -= n
	return n, 0, nil, nil
}

// pause waits for the first of what is given.
func pause(wait time.Duration, a, b, c <-chan struct{}) {
	var over <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
	case <-a:
	case <-b:
	case <-c:
	}
}

// deadline is a moment that can be moved, and wakes who waits for it.
type deadline struct {
	mu    sync.Mutex
	at    time.Time
	timer *time.Timer
	moved chan struct{} // closed when at has come or was moved
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	d.wake()
	if !t.IsZero() {
		d.timer = time.AfterFunc(max(0, time.Until(t)), func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.wake()
		})
	}
}

// wake closes moved. The lock is held.
func (d *deadline) wake() {
	if d.moved != nil {
		close(d.moved)
		d.moved = nil
	}
}

func (d *deadline) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

func (d *deadline) done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.moved == nil {
		d.moved = make(chan struct{})
	}
	moved := d.moved
	if !d.at.IsZero() && !time.Now().Before(d.at) {
		d.wake() // its timer has run already
	}
	return moved
}
