package pgcluster

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

// Cluster is a throw-away PostgreSQL.
type Cluster struct {
	bin, dir string
	as       *account
	port     int
	password string
	durable  bool
	server   *exec.Cmd
	exited   chan struct{} // closed when server has ended
	reaper   *exec.Cmd
	alive    io.Closer // the reaper acts when this closes, also by our death
}

// Start makes a cluster with the programs of bin and waits until it answers. One
// that is durable writes as production does: fsync, full page writes, synchronous
// commit.
func Start(ctx context.Context, bin string, durable bool) (*Cluster, error) {
	c, err := prepare(bin, durable)
	if err != nil {
		return nil, err
	}
	c.password = rand.Text()
	err = c.initdb(ctx)
	if err == nil {
		err = c.bringUp(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// prepare makes the directory, which is removed with this process.
func prepare(bin string, durable bool) (*Cluster, error) {
	as, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := as.tempDir()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, as: as, durable: durable}
	if err := c.startReaper(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// bringUp serves at a port that is free.
func (c *Cluster) bringUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for try := 1; ; try++ {
		var err error
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err := c.serve(); err != nil {
			return err
		}
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
func (c *Cluster) initdb(ctx context.Context) error {
	secret := filepath.Join(c.dir, "password")
	if err := c.as.writeFile(secret, c.password); err != nil {
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

func (c *Cluster) serve() error {
	logFile, err := os.OpenFile(c.logPath(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close() // the server has its own copy
	// Not bound to a context: only the reaper stops the server.
	c.server = c.command(context.Background(), "postgres", append([]string{"-D", c.data()}, c.settings()...)...)
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

func (c *Cluster) settings() []string {
	onDisk := "off" // nobody will want this data after a crash
	if c.durable {
		onDisk = "on"
	}
	var args []string
	for _, s := range []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(c.port),
		"unix_socket_directories=" + c.dir,
		"max_connections=500", // one pool per parallel test, and what killed cells leave behind for a moment
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
func (c *Cluster) waitReady(ctx context.Context) error {
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

func (c *Cluster) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTry)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL())
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (c *Cluster) data() string    { return filepath.Join(c.dir, "data") }
func (c *Cluster) logPath() string { return filepath.Join(c.dir, "log") }

// log returns the end of the server's log, for an error message.
func (c *Cluster) log() string {
	text, err := os.ReadFile(c.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// URL is a superuser's of the database postgres.
func (c *Cluster) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", c.password),
		Host:     c.Addr(),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Addr is where it listens, on loopback.
func (c *Cluster) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
