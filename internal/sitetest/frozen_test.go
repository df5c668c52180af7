package sitetest

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// TestFrozenSiteSoak holds east still: its listeners accept and nothing answers.
func TestFrozenSiteSoak(t *testing.T) {
	folder := t.TempDir()
	west, file := LaunchDev(t, folder, "west")
	east, _ := LaunchDev(t, folder, "east")
	c := &crossing{stage: &stage{Client: NewClient(t, file)}}
	c.connect(t)
	c.byName(t)
	east.Signal(t, syscall.SIGSTOP)
	thawed := false
	defer func() {
		if !thawed {
			east.Signal(t, syscall.SIGCONT)
		}
	}()
	answered := make(chan Answer, 1)
	go func() {
		a, err := c.TrySend(http.MethodGet, "west", "/sample/inventory", Bearer(c.access, authContext, "acme-labs"), nil)
		if err != nil {
			a.Body = []byte(err.Error())
		}
		answered <- a
	}()
	t.Run("R13 local calls go on", func(t *testing.T) {
		start := time.Now()
		for range 10 {
			c.wantSample(t, c.access, "west", "acme")
		}
		t.Logf("ten local calls beside a frozen site took %s", time.Since(start).Round(time.Millisecond))
	})
	if soaking {
		t.Run("R13 calls to it end, and soon at once", func(t *testing.T) { c.untilRefusedAtOnce(t) })
	}
	east.Signal(t, syscall.SIGCONT)
	thawed = true
	t.Run("R13 thawed it answers", func(t *testing.T) {
		if a := <-answered; a.Status != http.StatusOK && !soaking {
			t.Errorf("the call that waited got status %d\n%s", a.Status, a.Body)
		}
		c.recovered(t)
	})
	c.Hangup()
	west.Stop(t)
	east.Stop(t)
}

func (c *crossing) untilRefusedAtOnce(t *testing.T) {
	Eventually(t, 2*time.Minute, "calls are refused at once", func() bool {
		start := time.Now()
		got := c.sample(t, http.MethodGet, "inventory", authContext, "acme-labs")
		took := time.Since(start)
		t.Logf("status %d after %s", got.Status, took.Round(time.Millisecond))
		if got.Status != http.StatusServiceUnavailable && got.Status != http.StatusGatewayTimeout || took > 35*time.Second {
			t.Errorf("status %d after %s\n%s", got.Status, took, got.Body)
		}
		return took < 200*time.Millisecond
	})
}
