package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	glebarez "github.com/glebarez/sqlite"
)

// busyTimeout is how long SQLite itself waits for another process.
const busyTimeout = 5 * time.Second

// openSQLite opens one writing connection and a few that only read. One writer
// is all SQLite has; queueing for it in Go honours contexts and is fair, which
// SQLite's own waiting is not.
func (d *DB) openSQLite(ctx context.Context, path string, c Config) error {
	if path == "" || strings.ContainsAny(path, "?#") {
		return errors.New("a SQLite URL is sqlite:// and the path of a file, without parameters")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	d.kind, d.path = sqlite, path
	writing := []string{"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
	if c.ReadOnly {
		_, err = os.Stat(path)
		writing = []string{"query_only(1)"}
	} else {
		err = privateFile(path)
	}
	if err != nil {
		return err
	}
	readers := c.MaxConns
	if readers <= 0 {
		readers = 4
	}
	// FULL: with NORMAL a power cut may take back the last commits, and an old
	// refresh token would be valid again.
	d.migrationPool = func() (*sql.DB, error) {
		return sqlitePool(path, 1, c.Away, writing...)
	}
	write, err := d.migrationPool() // of the same kind
	if err != nil {
		return err
	}
	d.write = d.newPool(write)
	if err := d.waitForWAL(ctx); err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	read, err := sqlitePool(path, readers, c.Away, "foreign_keys(1)", "query_only(1)")
	if err != nil {
		return err
	}
	d.read = d.newPool(read)
	for _, p := range []*pool{d.write, d.read} {
		if p.gorm, err = newGorm(&glebarez.Dialector{Conn: p.sql}); err != nil {
			return fmt.Errorf("opening %s: %w", path, err)
		}
	}
	d.rotateTogether(d.commitSQLite)
	d.useTogether(d.useSQLite)
	d.readTogether()
	d.noteTogether()
	return nil
}

// privateFile makes sure the database exists and is ours alone: SQLite would
// create it by the umask, and gives its -wal and -shm files the same mode.
func privateFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func sqlitePool(path string, conns int, away func() bool, pragmas ...string) (*sql.DB, error) {
	v := url.Values{"_txlock": {"immediate"}}
	v.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	for _, p := range pragmas {
		v.Add("_pragma", p)
	}
	dsn := (&url.URL{Scheme: "file", Path: path, RawQuery: v.Encode()}).String()
	db, err := openAway(glebarez.DriverName, dsn, away)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// waitForWAL makes the first connection. Turning a new file to WAL needs it for
// a moment alone, and SQLite does not wait for that when two processes start at once.
func (d *DB) waitForWAL(ctx context.Context) error {
	for end := time.Now().Add(busyTimeout); ; {
		err := d.write.sql.PingContext(ctx)
		if err == nil || !isRetryable(err) || time.Now().After(end) {
			return fault(err)
		}
		select {
		case <-ctx.Done():
			return fault(ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
