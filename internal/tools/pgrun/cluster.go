package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	readyWithin = time.Minute
	readyPoll   = 20 * time.Millisecond
	connectTry  = 5 * time.Second
	// portTries is for the port that somebody takes between our look and
	// PostgreSQL's bind.
	portTries = 3
)

// cluster is a running throw-away PostgreSQL.
type cluster struct {
	bin, dir string
	as       *account
	dsn      string
	server   *exec.Cmd
	exited   chan struct{} // closed when server has ended
	reaper   *exec.Cmd
	alive    io.Closer // the reaper acts when this closes, also by our death
}

// start makes a cluster with the programs of bin and waits until it answers.
func start(ctx context.Context, bin string, durable bool) (*cluster, error) {
	as, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := as.tempDir()
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin, dir: dir, as: as}
	if err := c.startReaper(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := c.bringUp(ctx, durable); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (c *cluster) bringUp(ctx context.Context, durable bool) error {
	password := rand.Text()
	if err := c.initdb(ctx, password); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for try := 1; ; try++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		if err := c.serve(port, durable); err != nil {
			return err
		}
		c.dsn = dsn(port, password)
		if err = c.waitReady(ctx); err == nil {
			return nil
		}
		if try == portTries || ctx.Err() != nil {
			return fmt.Errorf("%w\n%s", err, c.log())
		}
	}
}

// initdb lets only the holder of the password in over TCP: other users of this
// machine can reach the port, and a superuser runs programs as the server. The
// socket needs none, its directory is private.
func (c *cluster) initdb(ctx context.Context, password string) error {
	secret := filepath.Join(c.dir, "password")
	if err := c.as.writeFile(secret, password); err != nil {
		return err
	}
	cmd := c.command(ctx, "initdb", "-D", c.data(), "-U", "postgres", "--pwfile", secret,
		"--auth-local=trust", "--auth-host=scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return os.Remove(secret)
}

func (c *cluster) serve(port int, durable bool) error {
	logFile, err := os.OpenFile(c.logPath(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close() // the server has its own copy
	// Not bound to a context: only the reaper stops the server.
	c.server = c.command(context.Background(), "postgres", append([]string{"-D", c.data()}, settings(c.dir, port, durable)...)...)
	c.server.Stdout, c.server.Stderr = logFile, logFile
	if err := c.server.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	c.exited = exited
	go func(server *exec.Cmd) {
		_ = server.Wait() // its log says why
		close(exited)
	}(c.server)
	return nil
}

func settings(dir string, port int, durable bool) []string {
	onDisk := "off" // nobody will want this data after a crash
	if durable {
		onDisk = "on"
	}
	var args []string
	for _, s := range []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(port),
		"unix_socket_directories=" + dir,
		"max_connections=300", // one pool per parallel test
		"fsync=" + onDisk,
		"full_page_writes=" + onDisk,
		"synchronous_commit=" + onDisk,
		"timezone=UTC",
		"log_timezone=UTC",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// waitReady returns when a connection works, or as soon as the server has died.
func (c *cluster) waitReady(ctx context.Context) error {
	for {
		err := c.try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.exited:
			return errors.New("postgres ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("postgres was not ready in %s: %w", readyWithin, err)
		case <-time.After(readyPoll):
		}
	}
}

func (c *cluster) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTry)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.dsn)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (c *cluster) data() string    { return filepath.Join(c.dir, "data") }
func (c *cluster) logPath() string { return filepath.Join(c.dir, "log") }

// log returns the end of the server's log, for an error message.
func (c *cluster) log() string {
	text, err := os.ReadFile(c.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

func dsn(port int, password string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
