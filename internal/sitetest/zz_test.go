package sitetest

import (
	"syscall"
	"testing"
	"time"
	"fmt"
)

func TestZZFrozen(t *testing.T) {
	folder := t.TempDir()
	w, file := LaunchDev(t, folder, "west")
	e, _ := LaunchDev(t, folder, "east")
	c := &crossing{stage: &stage{Client: NewClient(t, file)}}
	c.connect(t)
	c.byName(t)
	e.Signal(t, syscall.SIGSTOP)
	for i := range 9 {
		st := time.Now()
		a := c.sample(t, "GET", "inventory", authContext, "acme-labs")
		fmt.Println(i, a.Status, time.Since(st), a.Header.Get("Retry-After"), string(a.Body))
		st = time.Now()
		c.wantSample(t, c.access, "west", "acme")
		fmt.Println("   local", time.Since(st))
	}
	e.Signal(t, syscall.SIGCONT)
	st := time.Now()
	Eventually(t, time.Minute, "x", func() bool { return c.sample(t, "GET", "inventory", authContext, "acme-labs").Status == 200 })
	fmt.Println("back", time.Since(st))
	c.Hangup()
	w.Stop(t)
	e.Stop(t)
}
