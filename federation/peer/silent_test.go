package peer

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/http1"
)

// A site that leaves everything unanswered is quiet after a while; one that answers
// anything on any connection is not (R10).
func TestConns_R10_Silence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := &conns{open: map[*conn]keyID{}}
		var there []net.Conn
		for range 2 {
			here, other := net.Pipe()
			c := &conn{Socket: http1.Socket{Conn: here}, set: set, pinged: true}
			set.open[c] = keyID{}
			there = append(there, other)
			go func() {
				for b := make([]byte, 1); ; {
					if _, err := c.Read(b); err != nil {
						return
					}
				}
			}()
			t.Cleanup(func() { here.Close(); other.Close() })
		}
		say := func(c *conn) {
			go func() { _, _ = c.Write([]byte("?")) }()
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		if set.silent() {
			t.Fatal("quiet, and nobody has asked anything")
		}
		upgraded := &conn{set: set}
		upgraded.sent.Store(time.Now().Add(-time.Hour).UnixNano())
		set.open[upgraded] = keyID{}
		if set.silent() {
			t.Error("quiet, because nobody speaks on a WebSocket")
		}
		delete(set.open, upgraded)
		for c := range set.open {
			say(c)
		}
		for _, tt := range []struct {
			after time.Duration
			want  bool
		}{{silence, false}, {time.Millisecond, true}, {time.Minute, true}} {
			time.Sleep(tt.after)
			if set.silent() != tt.want {
				t.Errorf("%s later it is quiet: %v", tt.after, !tt.want)
			}
		}
		if _, err := there[0].Write([]byte("!")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if set.silent() {
			t.Error("quiet, although one connection answers")
		}
		time.Sleep(silence + time.Millisecond)
		if !set.silent() {
			t.Error("not quiet, although nothing has come since")
		}
	})
}

// An answer may take its time as long as pings are answered, and not when they are
// not: then it is lost with what pings (R10).
func TestConns_R10_SilenceBesideAnAnswer(t *testing.T) {
	long := time.Now().Add(-time.Minute).UnixNano()
	set := &conns{}
	add := func(pinged bool, addr string) *conn {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		c := &conn{Socket: http1.Socket{Conn: near}, set: set, addr: addr, pinged: pinged, asked: !pinged}
		c.read.Store(long)
		if set.open == nil {
			set.open = map[*conn]keyID{}
		}
		set.open[c] = keyID{}
		return c
	}
	lead, asked, other := add(true, "one"), add(false, "one"), add(false, "two")
	asked.sent.Store(long)
	lead.read.Store(time.Now().UnixNano())
	if set.silent() {
		t.Error("quiet, although pings are answered")
	}
	lead.read.Store(long)
	if !set.silent() {
		t.Error("not quiet, although neither pings nor the question are answered")
	}
	lead.sent.Store(long)
	lead.Close()
	if !asked.gone.Load() || other.gone.Load() {
		t.Errorf("closed where no ping was answered: %v, elsewhere: %v", asked.gone.Load(), other.gone.Load())
	}
	if set.silent() {
		t.Error("quiet, although nothing is pinged")
	}
	idle, talks := add(true, "two"), add(false, "two")
	talks.read.Store(time.Now().UnixNano())
	idle.Close()
	if talks.gone.Load() || other.gone.Load() {
		t.Error("a connection that was not waited for took others with it")
	}
}

// Who finds a site quiet spares others the wait: the breaker opens at once, and not
// for longer than after any first failure.
func TestBreaker_R10_TripsOnce(t *testing.T) {
	now := time.Now()
	b := breaker{now: func() time.Time { return now }}
	b.trip()
	now = now.Add(time.Second)
	b.trip()
	if open, wait := b.state(); !open || wait != shortestPause-time.Second {
		t.Errorf("open %v, for %s", open, wait)
	}
	now = now.Add(shortestPause)
	if _, _, ok := b.allow(); !ok {
		t.Error("nobody may find out whether the site is back")
	}
}
