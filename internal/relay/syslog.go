package relay

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"causeway/internal/trail"
)

// Transports of syslog.
const (
	OverTLS = "tls" // RFC 5425
	OverTCP = "tcp" // RFC 6587, with octet counting as in RFC 5425
	OverUDP = "udp" // RFC 5426
)

const (
	// syslogTimeout bounds a connection with its handshake, and a message.
	syslogTimeout = 10 * time.Second
	// unsure is how long a message may be lost with its connection: nobody
	// acknowledges one. What is younger when a connection breaks is sent again.
	unsure = 10 * time.Second
	// mostUnsure bounds what is kept for that.
	mostUnsure = 1000
	// largestDatagram is what UDP carries.
	largestDatagram = 65_000
)

// Syslog is a collector.
type Syslog struct {
	Name      string
	Transport string
	Address   string // host:port
	TLS       *tls.Config
	Format    func(trail.Record) string // the message
	Facility  int
	Host      string // this site's, for the header
	Now       func() time.Time

	mu    sync.Mutex // of what follows
	conn  net.Conn   // nil while there is none
	sent  []sent     // not longer ago than unsure
	again bool       // the connection broke: they are sent on the next
}

type sent struct {
	at   time.Time
	text string
}

// send writes one message, after those that the last connection may have lost.
func (s *Syslog) send(ctx context.Context, r trail.Record) (why string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why, err := s.ready(ctx); err != nil {
		return why, err
	}
	text := s.message(r)
	if s.Transport == OverUDP && len(text) > largestDatagram {
		text = text[:largestDatagram]
	}
	if err := s.write(ctx, text); err != nil {
		s.broke()
		return "The connection to the collector broke.", err
	}
	if s.Transport != OverUDP {
		s.forget(mostUnsure - 1)
		s.sent = append(s.sent, sent{s.Now(), text})
	}
	return "", nil
}

// resume sends what the last connection may have lost, when there is nothing else to
// send.
func (s *Syslog) resume(ctx context.Context) (why string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.again {
		return "", nil
	}
	return s.ready(ctx)
}

// forget drops what has certainly arrived, and the oldest where that is more than most.
func (s *Syslog) forget(most int) {
	now := s.Now()
	for len(s.sent) > 0 && (len(s.sent) > most || now.Sub(s.sent[0].at) > unsure) {
		s.sent = s.sent[1:]
	}
}

// ready has a connection on which nothing is owed.
func (s *Syslog) ready(ctx context.Context) (why string, err error) {
	if s.conn == nil {
		ctx, cancel := context.WithTimeout(ctx, syslogTimeout)
		defer cancel()
		conn, err := s.dial(ctx)
		if err != nil {
			return "The collector could not be reached.", err
		}
		s.conn = conn
		if s.Transport != OverUDP {
			go s.watch(conn)
		}
	}
	if !s.again {
		return "", nil
	}
	for i := range s.sent {
		if err := s.write(ctx, s.sent[i].text); err != nil {
			s.broke()
			return "The connection to the collector broke.", err
		}
		s.sent[i].at = s.Now()
	}
	s.again = false
	return "", nil
}

// watch waits for the end of a connection: collectors say nothing else. Without it
// the first message after that would be written to nobody.
func (s *Syslog) watch(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == conn {
		s.broke()
	}
}

// broke notes that there is no connection any more, and what it may have lost.
func (s *Syslog) broke() {
	if s.conn == nil {
		return
	}
	_ = s.conn.Close()
	s.conn = nil
	if !s.again {
		s.forget(mostUnsure)
	}
	s.again = len(s.sent) > 0
}

func (s *Syslog) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broke()
}

// write frames a message and sends it at once, until ctx ends: a collector that reads
// no more holds up no cell that stops.
func (s *Syslog) write(ctx context.Context, text string) error {
	conn := s.conn
	if err := conn.SetWriteDeadline(time.Now().Add(syslogTimeout)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	if s.Transport != OverUDP {
		text = strconv.Itoa(len(text)) + " " + text
	}
	_, err := io.WriteString(conn, text)
	return err
}

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{KeepAlive: 15 * time.Second}
	switch s.Transport {
	case OverTLS:
		return (&tls.Dialer{NetDialer: d, Config: s.TLS}).DialContext(ctx, "tcp", s.Address)
	case OverUDP:
		return d.DialContext(ctx, "udp", s.Address)
	}
	return d.DialContext(ctx, "tcp", s.Address)
}
