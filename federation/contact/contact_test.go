package contact

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"causeway/federation"
	"causeway/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is two sites that are told of each other when the test says so.
func newPair(t *testing.T) (w, e *cell, we, ew *link) {
	t.Helper()
	w, e = newCell(west), newCell(east)
	we, ew = connect(w, e)
	w.start(t)
	e.start(t)
	return w, e, we, ew
}

// within waits until a site is seen in this way, and fails after d of the test's
// own time.
func within(t *testing.T, d time.Duration, what string, ask func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ask() {
		if time.Since(start) > d {
			t.Fatalf("not within %v: %s", d, what)
		}
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
	}
	return time.Since(start)
}

func (c *cell) sees(site tenants.SiteID, want federation.Status) func() bool {
	return func() bool { got, _ := c.status(site); return got == want }
}

// The second half of an association makes both complete within seconds, also when
// the first half has waited long (VCD-37).
func TestContact_VCD_37_ActiveAfterTheSecondPOST(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, _, _ := newPair(t)
		w.associate(east, asym)
		time.Sleep(3 * time.Minute)
		if got, reason := w.status(east); got != asym || reason != reasonDenied {
			t.Fatalf("before the other side knows: %s, %q", got, reason)
		}
		e.associate(west, asym)
		took := within(t, 5*time.Second, "both are ACTIVE", func() bool { return w.sees(east, act)() && e.sees(west, act)() })
		t.Logf("both ACTIVE after %v", took)
		if _, reason := w.status(east); reason != "" {
			t.Errorf("ACTIVE because %q", reason)
		}
	})
}

// What is removed on one side is seen by the other within a heartbeat (I6), also
// if the last word was lost.
func TestContact_I6_RemovalIsSeen(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("last word lost %v", lost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, e, we, _ := newPair(t)
				w.associate(east, act)
				e.associate(west, act)
				time.Sleep(25 * time.Second)
				limit := 2 * time.Second
				if lost {
					we.set(true)
					limit = 13 * time.Second
				}
				w.dissociate(east)
				t.Logf("seen after %v", within(t, limit, "ASYMMETRIC", e.sees(west, asym)))
			})
		})
	}
}

// A site that is silent is UNREACHABLE within 35 s, and back within seconds of its
// first answer; nothing is written meanwhile but the two changes.
func TestContact_UnreachableAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, ew := newPair(t)
		w.associate(east, act)
		e.associate(west, act)
		time.Sleep(17 * time.Second)
		before := w.written()
		we.set(true)
		ew.set(true)
		t.Logf("UNREACHABLE after %v", within(t, 35*time.Second, "UNREACHABLE", func() bool { return w.sees(east, unr)() && e.sees(west, unr)() }))
		time.Sleep(10 * time.Minute)
		we.set(false)
		ew.set(false)
		t.Logf("back after %v", within(t, 16*time.Second, "ACTIVE", func() bool { return w.sees(east, act)() && e.sees(west, act)() }))
		time.Sleep(10 * time.Minute)
		if n := w.written() - before; n != 2 {
			t.Errorf("%d changes of status for one outage", n)
		}
	})
}

// Sites whose clocks or versions do not fit say so, each for itself, and go on by
// themselves when they do again. The way's delay is no skew.
func TestContact_ErrorsSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, _ := newPair(t)
		we.took = 4 * time.Second // half of it would be a skew of 2 s if it counted
		e.setSkew(29 * time.Second)
		w.associate(east, act)
		e.associate(west, act)
		time.Sleep(time.Minute)
		if got, reason := w.status(east); got != act {
			t.Fatalf("29 s apart: %s, %q", got, reason)
		}
		e.setSkew(35 * time.Second)
		within(t, 20*time.Second, "clock", func() bool { got, reason := w.status(east); return got == fault && reason == reasonClock })
		if p := w.Known()[0]; (p.Skew - 35*time.Second).Abs() > 100*time.Millisecond {
			t.Errorf("measured %v", p.Skew)
		}
		e.setSkew(0)
		within(t, 30*time.Second, "fit again", w.sees(east, act))
	})
	synctest.Test(t, func(t *testing.T) {
		w, e := newCell(west), newCell(east, func(c *Config) { c.API = Range{41, 43} })
		connect(w, e)
		w.start(t)
		w.associate(east, act)
		e.associate(west, act)
		within(t, time.Second, "version", func() bool { got, reason := w.status(east); return got == fault && reason == reasonVersion })
	})
}

// A refused handshake is an answer, silence is none.
func TestBlame_AlertIsNoSilence(t *testing.T) {
	for err, want := range map[error]verdict{
		fmt.Errorf("http2: %w", errAlert): denied, errCut: missed, &refusedError{status: 403}: denied, &refusedError{status: 404}: unfit,
		&refusedError{status: 503}: missed, &refusedError{status: 429}: missed, &refusedError{status: 400}: unfit, malformed("x"): unfit,
	} {
		if got := blame(err); got.verdict != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// Whatever a site does, the status is the one that its last findings make, and
// what is written is bounded by how often it changed.
func TestContact_FollowsAnyPeer(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			w, e, we, _ := newPair(t)
			w.associate(east, asym)
			e.associate(west, asym)
			for range 8 {
				what := rng.IntN(4)
				we.set(what == 0)
				e.lose(what == 1)
				e.setSkew(0)
				if what == 2 {
					e.setSkew(time.Hour)
				}
				was, _ := w.status(east)
				before := w.written()
				time.Sleep(45*time.Second + rand.N(time.Second))
				want := [...]federation.Status{unr, unr, fault, act}[what]
				if was == asym && want == unr {
					want = asym
				}
				if got, reason := w.status(east); got != want {
					t.Fatalf("seed %d, %d: was %s, is %s (%q), want %s", seed, what, was, got, reason, want)
				}
				if n := w.written() - before; n > 2 {
					t.Errorf("seed %d: %d changes in one state", seed, n)
				}
			}
		})
	}
}

// A site that denies and confirms the association by turns makes few changes of
// it, and is ACTIVE for good once it stays with its word.
func TestContact_R10_FlappingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, _ := newPair(t)
		we.answers(func(r *http.Request) *http.Response {
			if r.URL.Path == HeartbeatPath && we.asks[r.URL.Path]%2 == 0 {
				return response(http.StatusForbidden, nil)
			}
			return nil
		})
		w.associate(east, act)
		e.associate(west, act)
		for range 1200 {
			_, _ = w.Hear(t.Context(), east, Heartbeat{Site: east, HoldsYou: false})
			time.Sleep(500 * time.Millisecond)
		}
		if n, most := w.written(), 2*(turnsBurst+1+int(10*time.Minute/turnEvery)); n > most {
			t.Errorf("%d changes of status in ten minutes, want at most %d", n, most)
		}
		if n := we.asked(HeartbeatPath); n < 1000 {
			t.Errorf("%d exchanges prove little", n)
		}
		we.answers(nil)
		within(t, turnEvery+15*time.Second, "ACTIVE", w.sees(east, act))
		time.Sleep(time.Minute)
		if !w.sees(east, act)() {
			t.Error("ACTIVE no more")
		}
	})
}

// Of several cells one makes contact. When it ends, another goes on; and who of
// them hears that the other side has completed the association, makes it complete.
func TestContact_OneCellOfASite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e, we, ew := newPair(t)
		second := newCell(west, func(c *Config) {
			c.Store, c.Leases, c.Journal, c.Holder = w.memory, w.memory, w.memory, func() string { return "second" }
		})
		second.memory, second.wire = w.memory, we.call
		w.memory.mu.Lock()
		w.followers = append(w.followers, second.Service)
		w.memory.mu.Unlock()
		second.start(t)
		w.associate(east, asym)
		time.Sleep(time.Minute)
		if n := we.asked(HeartbeatPath); n > 8 {
			t.Errorf("%d heartbeats of one site in a minute", n)
		}
		other := second // the one without the lease is the one that the other side reaches
		if len(second.Known()) > 0 && second.Known()[0].Measured {
			other = w
		}
		if w.Known()[0].Measured == second.Known()[0].Measured {
			t.Error("not one of two cells makes contact")
		}
		ew.leadTo(other)
		e.associate(west, asym)
		within(t, 5*time.Second, "both are ACTIVE", func() bool { return w.sees(east, act)() && e.sees(west, act)() })
	})
}
