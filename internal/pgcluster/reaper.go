package pgcluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// stopWithin is longer than both of the reaper's own waits together.
const stopWithin = 45 * time.Second

// reap waits until its input closes, then stops the server and removes the
// directory. It is a process of its own so that who started it may be
// killed and leaves nothing behind either. $1 is pg_ctl, $2 the cluster's directory.
const reap = `cat >/dev/null
"$1" stop -s -D "$2/data" -m fast -t 30 2>/dev/null || "$1" stop -s -D "$2/data" -m immediate -t 10 2>/dev/null
rm -rf "$2"`

func (c *Cluster) startReaper() error {
	cmd := c.as.command(context.Background(), "/bin/sh", "-c", reap, "reaper", filepath.Join(c.bin, "pg_ctl"), c.dir)
	cmd.Dir = "/" // not the directory that it removes
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.reaper, c.alive = cmd, alive
	return nil
}

// Stop ends the server, if it runs, and removes every trace of it.
func (c *Cluster) Stop() error {
	if err := c.alive.Close(); err != nil {
		return err
	}
	timer := time.AfterFunc(stopWithin, func() { _ = syscall.Kill(-c.reaper.Process.Pid, syscall.SIGKILL) })
	defer timer.Stop()
	_ = c.reaper.Wait() // judged by what is left
	if c.exited != nil {
		select {
		case <-c.exited:
		default:
			_ = c.server.Process.Kill()
			<-c.exited
		}
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("the cluster's directory stays behind: %w", err)
	}
	return nil
}
