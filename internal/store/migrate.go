package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"causeway/migrations"
)

var (
	// ErrSchemaNewer is a database that a newer version of Causeway has migrated.
	ErrSchemaNewer = errors.New("the database schema is newer than this version of causeway")
	// ErrSchemaOlder is a database that has yet to be migrated.
	ErrSchemaOlder = errors.New("the database schema is older than this version of causeway needs: run causeway migrate")
)

// Migration is one version of the schema.
type Migration struct {
	Version   int64
	Name      string // of its file
	What      string
	Kind      migrations.Kind
	AppliedAt time.Time // zero while pending
}

// Migrate brings the schema to this binary's version. Any number of processes
// may call it at once: one works, the others wait and find nothing to do.
func (d *DB) Migrate(ctx context.Context) error {
	if err := d.CheckSchema(ctx); !errors.Is(err, ErrSchemaOlder) {
		return err
	}
	return d.migrate(ctx, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// ErrNothingApplied is a database without a version to take back.
var ErrNothingApplied = errors.New("the database has no schema: there is no version to take back")

// MigrateDown takes the last version back, unless allowed objects: it is asked
// under the lock, with the version and when that was applied.
func (d *DB) MigrateDown(ctx context.Context, allowed func(Migration) error) (Migration, error) {
	var last Migration
	err := d.migrate(ctx, func(p *goose.Provider) error {
		all, err := d.MigrationStatus(ctx)
		if err != nil {
			return err
		}
		applied := slices.DeleteFunc(all, func(m Migration) bool { return m.AppliedAt.IsZero() })
		if len(applied) == 0 {
			return ErrNothingApplied
		}
		last = applied[len(applied)-1]
		if err := allowed(last); err != nil {
			return err
		}
		_, err = p.Down(ctx)
		return err
	})
	return last, err
}

// MigrateTo brings the schema up or down to a version; 0 drops everything.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	return d.migrate(ctx, func(p *goose.Provider) error {
		current, err := d.schemaVersion(ctx)
		if err != nil {
			return err
		}
		if version < current {
			_, err = p.DownTo(ctx, version)
		} else if version > current {
			_, err = p.UpTo(ctx, version)
		}
		return err
	})
}

func (d *DB) migrate(ctx context.Context, run func(*goose.Provider) error) error {
	if err := d.refuseNewerSchema(ctx); err != nil {
		return err
	}
	db, err := d.migrationPool()
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := d.provider(db)
	if err != nil {
		return err
	}
	if err := run(p); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	// Somebody newer may have held the lock before us.
	return d.refuseNewerSchema(ctx)
}

// CheckSchema is nil when the schema is exactly this binary's, else
// ErrSchemaNewer or ErrSchemaOlder.
func (d *DB) CheckSchema(ctx context.Context) error {
	if err := d.refuseNewerSchema(ctx); err != nil {
		return err
	}
	known, current, err := d.versions(ctx)
	if err == nil && current < known {
		err = fmt.Errorf("%w (it is version %d, this binary's is %d)", ErrSchemaOlder, current, known)
	}
	return err
}

func (d *DB) refuseNewerSchema(ctx context.Context) error {
	known, current, err := d.versions(ctx)
	if err == nil && current > known {
		err = fmt.Errorf("%w (it is version %d, this binary knows %d)", ErrSchemaNewer, current, known)
	}
	return err
}

// MigrationStatus lists this binary's versions and when each was applied.
func (d *DB) MigrationStatus(ctx context.Context) ([]Migration, error) {
	current, err := d.schemaVersion(ctx)
	if err != nil {
		return nil, err
	}
	p, err := d.provider(d.write.sql)
	if err != nil {
		return nil, err
	}
	changes, err := migrations.Changes()
	if err != nil {
		return nil, err
	}
	list := func(s *goose.Source, at time.Time) Migration {
		c := changes[s.Version]
		return Migration{Version: s.Version, Name: path.Base(s.Path), What: c.What, Kind: c.Kind, AppliedAt: at}
	}
	var all []Migration
	if current == 0 { // asking goose would create its table
		for _, s := range p.ListSources() {
			all = append(all, list(s, time.Time{}))
		}
		return all, nil
	}
	status, err := p.Status(ctx)
	for _, s := range status {
		all = append(all, list(s.Source, s.AppliedAt.UTC()))
	}
	return all, fault(err)
}

func (d *DB) versions(ctx context.Context) (known, current int64, err error) {
	p, err := d.provider(d.write.sql)
	if err != nil {
		return 0, 0, err
	}
	sources := p.ListSources()
	current, err = d.schemaVersion(ctx)
	return sources[len(sources)-1].Version, current, err
}

// hasVersions asks whether goose has been here.
var hasVersions = map[kind]string{
	sqlite:   "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'",
	postgres: "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'goose_db_version'",
}

// schemaVersion reads goose's table; 0 is an empty database.
func (d *DB) schemaVersion(ctx context.Context) (int64, error) {
	var n int64
	if err := d.write.sql.QueryRowContext(ctx, hasVersions[d.kind]).Scan(&n); err != nil || n == 0 {
		return 0, fault(err)
	}
	err := d.write.sql.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&n)
	return n, fault(err)
}

func (d *DB) provider(db *sql.DB) (*goose.Provider, error) {
	dialect, files, dir := goose.DialectPostgres, migrations.Postgres, "postgres"
	locking := goose.WithLocker(&fileLock{path: d.path})
	if d.kind == sqlite {
		dialect, files, dir = goose.DialectSQLite3, migrations.SQLite, "sqlite"
	} else {
		// Ask each second for up to five minutes.
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, err
		}
		locking = goose.WithSessionLocker(l)
	}
	sub, err := fs.Sub(files, dir)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, sub, locking, goose.WithDisableGlobalRegistry(true), goose.WithSlog(d.log))
}

// fileLock lets one process at a time migrate a SQLite database. It is an
// exclusive transaction on a second, empty database beside the first: the same
// on every system, and gone with the process that held it.
type fileLock struct {
	path string
	db   *sql.DB
	tx   *sql.Tx
}

// Lock implements lock.Locker.
func (l *fileLock) Lock(ctx context.Context, _ *sql.DB) (err error) {
	file := l.path + ".migrate"
	if err := privateFile(file); err != nil {
		return err
	}
	if l.db, err = sqlitePool(file, 1, nil, "locking_mode(NORMAL)"); err != nil {
		return err
	}
	for {
		if l.tx, err = l.db.BeginTx(context.WithoutCancel(ctx), nil); err == nil || !isRetryable(err) {
			break
		}
		if ctx.Err() != nil {
			err = ctx.Err()
			break
		}
	}
	if err != nil {
		return errors.Join(err, l.db.Close())
	}
	return nil
}

// Unlock implements lock.Locker.
func (l *fileLock) Unlock(context.Context, *sql.DB) error {
	return errors.Join(l.tx.Rollback(), l.db.Close())
}
