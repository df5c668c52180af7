package logs

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// place is somewhere to write to.
type place struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
}

func (p *place) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	return p.text.Write(b)
}

func (p *place) lines() (lines, writes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(p.text.String(), "\n"), p.writes
}

func TestLog_LinesWaitForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to place
		log := New(&to)
		text := log.Text(slog.LevelInfo).With("site", "west").WithGroup("g")
		for range 3 {
			for range 10 {
				text.Info("request")
			}
			text.Debug("nobody asked for it")
			if n, _ := to.lines(); n%10 != 0 {
				t.Fatalf("%d lines", n)
			}
			time.Sleep(Wait)
			synctest.Wait()
		}
		if n, writes := to.lines(); n != 30 || writes != 3 {
			t.Errorf("%d lines in %d writes", n, writes)
		}
		text.Info("before")
		text.Warn("at once", "n", 1)
		if n, writes := to.lines(); n != 32 || writes != 4 {
			t.Errorf("%d lines in %d writes after a warning", n, writes)
		}
		if last := to.text.String(); !strings.Contains(last, "msg=before site=west\n") || !strings.HasSuffix(last, `msg="at once" site=west g.n=1`+"\n") {
			t.Error(last)
		}
		text.Info("last")
		if err := log.Flush(); err != nil {
			t.Fatal(err)
		}
		if n, _ := to.lines(); n != 33 {
			t.Errorf("%d lines at the end", n)
		}
		time.Sleep(10 * Wait)
		if _, writes := to.lines(); writes != 5 {
			t.Errorf("%d writes, and some of nothing", writes)
		}
	})
}

// What is held is bounded, however much comes at once.
func TestLog_R13_HoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to place
		log := New(&to)
		text := log.JSON(slog.LevelInfo)
		for range 10_000 {
			text.Info("request", "route", strings.Repeat("a", 100))
			if len(log.held) >= room {
				t.Fatal(len(log.held))
			}
		}
		if n, writes := to.lines(); n < 9_000 || writes > 100 {
			t.Errorf("%d lines in %d writes", n, writes)
		}
		_ = log.Flush()
	})
}

// A flush that was meant for earlier lines writes later ones no sooner and no later
// than their own would.
func TestLog_ManyWriteAtOnce(t *testing.T) {
	var to place
	log := New(&to)
	text := log.Text(slog.LevelInfo)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 500 {
				if text.Info("request", "i", i); i%100 == 99 {
					text.Warn("now")
				}
			}
		})
	}
	wait.Wait()
	_ = log.Flush()
	if n, _ := to.lines(); n != 8*505 {
		t.Errorf("%d lines", n)
	}
}
