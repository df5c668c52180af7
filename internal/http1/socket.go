package http1

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Socket is a connection of the host that can be looked into without waiting.
type Socket struct {
	net.Conn
	only records // of what was read
	now  bool    // reads do not wait
	file syscall.RawConn
}

func (s *Socket) socket() *Socket { return s }

func (s *Socket) Read(p []byte) (int, error) {
	if s.now {
		return s.readNow(p)
	}
	n, err := s.Conn.Read(p)
	s.only.see(p[:n])
	return n, err
}

// Quiet reports whether nothing has come that nobody asked for: it would be taken for
// the answer to what is asked next, which may be somebody else's. It does not wait.
func (c *Conn) Quiet() bool {
	if c.in.Buffered() > 0 || c.raw.SetReadDeadline(noDeadline) != nil {
		return false
	}
	s := c.raw.socket()
	s.now = true
	var one [1]byte
	n, err := c.over.Read(one[:]) // what TLS itself says may come meanwhile
	s.now = false
	return n == 0 && errors.Is(err, errNothing) && (c.over == net.Conn(c.raw) || s.only.whole())
}

var noDeadline time.Time

// errNothing is temporary, or TLS would not go on after it.
var errNothing = os.ErrDeadlineExceeded

// readNow reads what is there.
func (s *Socket) readNow(p []byte) (n int, err error) {
	if s.file == nil {
		conn, ok := s.Conn.(syscall.Conn)
		if !ok {
			return 0, errNothing
		}
		if s.file, err = conn.SyscallConn(); err != nil {
			return 0, err
		}
	}
	var failed error
	err = s.file.Read(func(fd uintptr) bool {
		n, failed = readOnce(fd, p)
		return true
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, failed
	case n == 0:
		return 0, io.EOF
	}
	s.only.see(p[:n])
	return n, nil
}

// records follows where TLS records begin and end.
type records struct {
	head [5]byte // of the next, as far as it came
	have int
	left int // of the one that has begun
}

func (r *records) see(p []byte) {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
			continue
		}
		n := copy(r.head[r.have:], p)
		r.have += n
		p = p[n:]
		if r.have == len(r.head) {
			r.have, r.left = 0, int(binary.BigEndian.Uint16(r.head[3:]))
		}
	}
}

func (r *records) whole() bool { return r.have == 0 && r.left == 0 }
