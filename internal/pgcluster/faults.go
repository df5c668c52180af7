package pgcluster

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// Kill ends the server as a power cut does: nobody writes anything any more.
func (c *Cluster) Kill() {
	_ = c.server.Process.Signal(syscall.SIGKILL) // its children see that it is gone
	<-c.exited
}

// Halt stops the server in order: clients are sent away.
func (c *Cluster) Halt(ctx context.Context) error {
	out, err := c.command(ctx, "pg_ctl", "stop", "-s", "-D", c.data(), "-m", "fast").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_ctl stop: %w\n%s", err, out)
	}
	<-c.exited
	return nil
}

// Resume starts what was stopped or killed, at the same address, and waits until it
// answers. As any supervisor does, it tries again while children of a server that was
// killed have not yet seen that it is gone.
func (c *Cluster) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if err := c.serve(); err != nil {
			return err
		}
		err := c.waitReady(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !strings.Contains(c.log(), "is still in use") {
			return fmt.Errorf("%w\n%s", err, c.log())
		}
	}
}

// Standby makes a copy that follows c, and has a durable c wait for it with every commit. c is
// away for a moment: what is copied is whole, without a backup's tools.
func (c *Cluster) Standby(ctx context.Context) (*Cluster, error) {
	s, err := prepare(c.bin, c.durable)
	if err != nil {
		return nil, err
	}
	s.password = c.password
	if err := s.follow(ctx, c); err != nil {
		_ = s.Stop() // the first fault is the cause
		return nil, err
	}
	return s, nil
}

func (c *Cluster) follow(ctx context.Context, primary *Cluster) error {
	if err := primary.Halt(ctx); err != nil {
		return err
	}
	if out, err := c.as.command(ctx, "cp", "-a", primary.data(), c.data()).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w\n%s", err, out)
	}
	if err := primary.Resume(ctx); err != nil {
		return err
	}
	if err := c.as.writeFile(filepath.Join(c.data(), "standby.signal"), ""); err != nil {
		return err
	}
	// The primary's socket asks for no password, and its directory is ours.
	upstream := fmt.Sprintf("primary_conninfo = 'host=%s port=%d user=postgres application_name=standby'\n", primary.dir, primary.port)
	if err := c.as.writeFile(filepath.Join(c.data(), "postgresql.auto.conf"), upstream); err != nil {
		return err
	}
	if err := c.bringUp(ctx); err != nil {
		return err
	}
	if err := primary.awaitStandby(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, c.log())
	}
	return nil
}

func (c *Cluster) awaitStandby(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	// Until then commits are not waited for.
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for inStep := false; !inStep; {
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync') FROM pg_sleep(0.02)").Scan(&inStep)
		if err != nil {
			return fmt.Errorf("no standby is in step: %w", err)
		}
	}
	return nil
}

// Promote makes a standby the primary. It commits by itself from then on.
func (c *Cluster) Promote(ctx context.Context) error {
	out, err := c.command(ctx, "pg_ctl", "promote", "-s", "-D", c.data(), "-w").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_ctl promote: %w\n%s", err, out)
	}
	return nil
}

// URLOf is the URL of a database of c or, where c does not take writes, of others.
func (c *Cluster) URLOf(database string, others ...*Cluster) string {
	hosts := []string{c.Addr()}
	for _, o := range others {
		hosts = append(hosts, o.Addr())
	}
	return fmt.Sprintf("postgres://postgres:%s@%s/%s?sslmode=disable&target_session_attrs=read-write&connect_timeout=2", c.password, strings.Join(hosts, ","), database)
}
