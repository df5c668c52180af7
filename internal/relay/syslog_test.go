package relay_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/relay"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/trail"
)

// collector is a syslog server that reads octet-counted messages (RFC 5425 §4.3.1).
type collector struct {
	t *testing.T
	net.Listener

	mu       sync.Mutex
	messages []string
	conns    []net.Conn
}

// newCollector listens at addr, with TLS if there is a configuration of it.
func newCollector(t *testing.T, addr string, secure *tls.Config) *collector {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	c := &collector{t: t, Listener: l}
	t.Cleanup(c.stop)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, conn)
			c.mu.Unlock()
			go c.read(conn)
		}
	}()
	return c
}

func (c *collector) read(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		count, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(count, " "))
		if err != nil || n < 1 || n > 1<<20 {
			c.t.Errorf("a frame begins with %q", count)
			return
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		c.mu.Lock()
		c.messages = append(c.messages, string(text))
		c.mu.Unlock()
	}
}

// stop ends the collector and its connections.
func (c *collector) stop() {
	_ = c.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.messages...)
}

var form = regexp.MustCompile(`^<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z west\.example causeway - user\.updated \[audit@32473 seq="(\d+)" hash="[0-9a-f]{64}" actor="Jane" actorId="u" subjectId="s" source="192\.0\.2\.1"\] \x{FEFF}(\{.*\})$`)

// seqs are the rows that messages are about, which must have the form of RFC 5424.
func (c *collector) seqs() (list []int64) {
	for _, m := range c.got() {
		parts := form.FindStringSubmatch(m)
		var r trail.Record
		if parts == nil {
			c.t.Errorf("not the form: %q", m)
			continue
		}
		if err := json.Unmarshal([]byte(parts[2]), &r); err != nil || strconv.FormatInt(r.Seq, 10) != parts[1] {
			c.t.Errorf("%v in %q", err, m)
		}
		list = append(list, r.Seq)
	}
	return list
}

func (w *world) collector(transport, address string, secure *tls.Config) *relay.Syslog {
	return &relay.Syslog{
		Name: "siem", Transport: transport, Address: address, TLS: secure, Facility: 13, Host: "west.example", Now: w.clock,
		Format: func(r trail.Record) string {
			text, err := json.Marshal(r)
			w.ok(err)
			return string(text)
		},
	}
}

// A collector gets what happens from the first start on, in order; what it may have
// lost with a connection comes again, and what happened while it was away comes then.
func TestSyslog_OverTLS(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	secure := &tls.Config{Certificates: certified.TLS.Certificates}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.record(3) // before anybody asked for it
		first := newCollector(t, "127.0.0.1:0", secure)
		address := first.Addr().String()
		d, stop := w.deliver("one", func(c *relay.Config) {
			c.Syslog = []*relay.Syslog{w.collector(relay.OverTLS, address, &tls.Config{RootCAs: pool, ServerName: "example.com"})}
		})
		w.until("the start", func() bool { p, err := db.Relay().Begin(t.Context(), "syslog:siem"); return err == nil && p.Seq == 3 })
		w.record(2)
		w.until("two messages", func() bool { return len(first.got()) == 2 })
		first.stop()
		w.record(2)
		w.until("a failure", func() bool { w.pass(1); return d.Count(relay.KindSyslog, relay.Retried) > 0 })
		second := newCollector(t, address, secure)
		w.until("all the others", func() bool {
			w.pass(1e9)
			list := second.seqs()
			return len(list) > 0 && list[len(list)-1] == 7
		})
		if got := fmt.Sprint(first.seqs(), second.seqs()); got != "[4 5] [4 5 6 7]" {
			t.Errorf("it got %s", got)
		}
		stop()
		w.record(1)
		w.deliver("two", func(c *relay.Config) {
			c.Syslog = []*relay.Syslog{w.collector(relay.OverTLS, address, &tls.Config{RootCAs: pool, ServerName: "example.com"})}
		})
		w.until("what the next cell sends", func() bool { list := second.seqs(); return list[len(list)-1] == 8 })
	})
}

// A collector that is somebody else gets nothing.
func TestSyslog_R12_StrangersGetNothing(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	w := newWorld(t, storetest.New(t, storetest.SQLite))
	stranger := newCollector(t, "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	d, _ := w.deliver("one", func(c *relay.Config) {
		c.Syslog = []*relay.Syslog{w.collector(relay.OverTLS, stranger.Addr().String(), &tls.Config{ServerName: "example.com"})}
	})
	w.until("the start", func() bool { p, err := w.db.Relay().Begin(t.Context(), "syslog:siem"); return err == nil && p.Seq == 0 })
	w.record(1)
	w.until("a failure", func() bool { return d.Count(relay.KindSyslog, relay.Retried) > 0 })
	if got := stranger.got(); len(got) > 0 {
		t.Errorf("it got %q", got)
	}
}

// UDP has a message in each datagram, and TCP the same frames as TLS.
func TestSyslog_OverUDPAndTCP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.New(t, storetest.SQLite))
	plain := newCollector(t, "127.0.0.1:0", nil)
	datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
	w.ok(err)
	t.Cleanup(func() { _ = datagrams.Close() })
	udp := w.collector(relay.OverUDP, datagrams.LocalAddr().String(), nil)
	udp.Name = "other"
	d, _ := w.deliver("one", func(c *relay.Config) {
		c.Syslog = []*relay.Syslog{w.collector(relay.OverTCP, plain.Addr().String(), nil), udp}
	})
	for _, sink := range []string{"syslog:siem", "syslog:other"} {
		_, err := w.db.Relay().Begin(t.Context(), sink)
		w.ok(err)
	}
	w.record(1)
	w.until("both", func() bool { return d.Count(relay.KindSyslog, relay.Delivered) == 2 && len(plain.seqs()) == 1 })
	buffer := make([]byte, 64<<10)
	n, _, err := datagrams.ReadFrom(buffer)
	if w.ok(err); form.FindStringSubmatch(string(buffer[:n])) == nil {
		t.Errorf("the datagram is %q", buffer[:n])
	}
}

// A collector that reads no more holds up no cell that stops.
func TestSyslog_R14_WhoReadsNoMoreHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.New(t, storetest.SQLite))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.ok(err)
	t.Cleanup(func() { _ = l.Close() })
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := l.Accept(); err == nil {
			accepted <- conn
		}
	}()
	full := w.collector(relay.OverTCP, l.Addr().String(), nil)
	full.Format = func(trail.Record) string { return strings.Repeat("x", 64<<20) } // more than the way holds
	_, err = w.db.Relay().Begin(t.Context(), "syslog:siem")
	w.ok(err)
	d, stop := w.deliver("one", func(c *relay.Config) { c.Syslog = []*relay.Syslog{full} })
	w.record(1)
	conn := <-accepted
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1)) // it has begun to write
	w.ok(err)
	start := time.Now()
	stop()
	if took := time.Since(start); took > 5*time.Second || d.Count(relay.KindSyslog, relay.Delivered) > 0 {
		t.Errorf("the stop took %s; delivered %d", took, d.Count(relay.KindSyslog, relay.Delivered))
	}
}
