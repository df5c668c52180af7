package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func host(t *testing.T, n *Network, place, addr string) *Host {
	t.Helper()
	h, err := n.Host(place, netip.MustParseAddr(addr))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// pair is a network of two places, and a stream between them.
func pair(t *testing.T, l Link) (n *Network, a, b *Host, near, far net.Conn) {
	t.Helper()
	n = New(1)
	n.SetAll(l)
	a, b = host(t, n, "a", "10.0.0.1"), host(t, n, "b", "10.0.0.2")
	in, err := b.Listen(t.Context(), "tcp", "10.0.0.2:80")
	if err != nil {
		t.Fatal(err)
	}
	if near, err = a.Dial(t.Context(), "tcp", "10.0.0.2:80"); err != nil {
		t.Fatal(err)
	}
	if far, err = in.Accept(); err != nil {
		t.Fatal(err)
	}
	return n, a, b, near, far
}

func cut(l *Link)  { l.Cut = true }
func heal(l *Link) { l.Cut = false }

func read(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("read %q, %v; want %q", b, err, want)
	}
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func took(t *testing.T, from time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(from); got != want {
		t.Fatalf("it took %v, want %v", got, want)
	}
}

func TestStream_TakesAsLongAsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := time.Now()
		_, _, _, near, far := pair(t, Link{Latency: 40 * time.Millisecond})
		took(t, from, 80*time.Millisecond) // to connect
		write(t, near, "one")
		write(t, near, "two")
		read(t, far, "onetwo")
		took(t, from, 120*time.Millisecond)
		near.Close()
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Fatal(err)
		}
		took(t, from, 160*time.Millisecond)
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	})
}

func TestStream_StallsWhileCutAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, _, near, far := pair(t, Link{})
		n.Change("a", "b", cut)
		from := time.Now()
		write(t, near, "late")
		write(t, far, "the other direction is open")
		read(t, near, "the other direction is open")
		took(t, from, 0)
		time.AfterFunc(time.Minute, func() { n.Change("a", "b", heal) })
		read(t, far, "late")
		took(t, from, time.Minute)
	})
}

func TestStream_LossAndBandwidthCostTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, _, near, far := pair(t, Link{})
		n.Change("a", "b", func(l *Link) { l.Bandwidth = 1000 })
		from := time.Now()
		write(t, near, string(make([]byte, 2000)))
		read(t, far, string(make([]byte, 2000)))
		took(t, from, 2*time.Second)
		n.Change("b", "a", func(l *Link) { l.Loss = 50 })
		from = time.Now()
		for range 100 {
			write(t, far, "x")
			read(t, near, "x")
		}
		if d := time.Since(from); d < 5*time.Second || d > 60*time.Second {
			t.Fatalf("100 bytes at half the loss took %v", d)
		}
	})
}

func TestDial_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b, _, _ := pair(t, Link{Latency: time.Millisecond})
		for name, tt := range map[string]struct {
			addr string
			cut  bool
			want error
		}{
			"nobody there":    {"10.0.0.9:80", false, context.DeadlineExceeded},
			"cut":             {"10.0.0.2:80", true, context.DeadlineExceeded},
			"nobody listens":  {"10.0.0.2:81", false, errRefused},
			"not an address":  {"b.example:80", false, nil},
			"cut and refused": {"10.0.0.2:81", true, context.DeadlineExceeded},
		} {
			n.Change("b", "a", func(l *Link) { l.Cut = tt.cut })
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			from := time.Now()
			_, err := a.Dial(ctx, "tcp", tt.addr)
			cancel()
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", name, err)
			}
			if tt.want == context.DeadlineExceeded {
				took(t, from, 3*time.Second)
			}
		}
		n.Change("b", "a", heal)
		b.Crash()
		if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:80"); !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
		again := host(t, n, "b", "10.0.0.2")
		if _, err := again.Listen(t.Context(), "tcp", "10.0.0.2:80"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:80"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Dial(t.Context(), "tcp", "10.0.0.2:80"); !errors.Is(err, net.ErrClosed) {
			t.Fatal("a ghost connects:", err)
		}
	})
}

func TestCrash_IsToldOnlyOverAnOpenLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, b, near, far := pair(t, Link{})
		n.Change("a", "b", cut)
		n.Change("b", "a", cut)
		b.Crash()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		write(t, near, "nobody says no")
		if err := near.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		near.SetReadDeadline(time.Time{})
		n.Change("b", "a", heal)
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
	})
}

func TestReset_BreaksStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, _, near, far := pair(t, Link{})
		n.Reset("b", "a")
		for _, c := range []net.Conn{near, far} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
		}
	})
}

func TestShare_TakesTurnsAmongWhoListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		client, one, two := host(t, n, "a", "10.0.0.1"), host(t, n, "b", "10.0.1.1"), host(t, n, "b", "10.0.1.2")
		shared := netip.MustParseAddr("10.0.1.100")
		n.Share(shared, one.Addr(), two.Addr())
		met := map[string]int{}
		dial := func() {
			c, err := client.Dial(t.Context(), "tcp", "10.0.1.100:80")
			if err != nil {
				t.Fatal(err)
			}
			met[c.RemoteAddr().String()]++
		}
		for _, h := range []*Host{one, two} {
			if _, err := h.Listen(t.Context(), "tcp", "0.0.0.0:80"); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			dial()
		}
		one.Crash()
		for range 4 {
			dial()
		}
		if met["10.0.1.1:80"] != 2 || met["10.0.1.2:80"] != 6 {
			t.Fatal(met)
		}
	})
}

func TestPackets_AreDroppedNeverWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetAll(Link{Latency: 5 * time.Millisecond})
		a, b := host(t, n, "a", "10.0.0.1"), host(t, n, "b", "10.0.0.2")
		from, err := a.Transport(0)
		if err != nil {
			t.Fatal(err)
		}
		defer from.Shutdown()
		to, err := b.Transport(7947)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Shutdown()
		send := func(count int) (arrived int) {
			for range count {
				if _, err := from.WriteTo([]byte("x"), "10.0.0.2:7947"); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			for {
				select {
				case <-to.PacketCh():
					arrived++
				default:
					return arrived
				}
			}
		}
		if got := send(2 * waiting); got != waiting {
			t.Errorf("%d of %d packets wait for a member that does not read", got, 2*waiting)
		}
		n.Change("a", "b", func(l *Link) { l.Loss = 30 })
		if got := send(1000); got < 600 || got > 800 {
			t.Errorf("%d of 1000 arrive at a loss of 30 %%", got)
		}
		n.Change("a", "b", cut)
		if got := send(10); got != 0 {
			t.Errorf("%d packets cross a cut link", got)
		}
		start := time.Now()
		if _, err := from.DialTimeout("10.0.0.2:7947", 3*time.Second); err == nil {
			t.Error("connected through a cut link")
		}
		took(t, start, 3*time.Second)
		if _, packed := a.Sent(); packed != 2*waiting+1010 {
			t.Errorf("%d bytes are counted", packed)
		}
	})
}
