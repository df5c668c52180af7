package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/oauth"
	"causeway/tenants"
)

// Config says which database to open.
type Config struct {
	// URL is sqlite:///absolute/path.db, sqlite://relative/path.db or
	// postgres://user@host/database. A PostgreSQL URL may hold a password, so it
	// appears in no error and no log.
	URL string
	Log *slog.Logger // nil logs nothing
	// MaxConns bounds the connections of this process: on PostgreSQL half of them
	// for transactions and half for views, zero is 16; on SQLite those that read,
	// zero is 4, and the one writer comes on top.
	MaxConns int
	// ReadOnly has the database refuse to be changed, and makes no file.
	ReadOnly bool
	// Wake is told the journal sequence of each commit of this process, so that
	// it can hint other cells. It must not block.
	Wake func(seq int64)
	// Away takes a SQLite database away while it is true, for rehearsals; nil never
	// does. It must not block.
	Away func() bool
}

// DB is an open database.
type DB struct {
	kind  kind
	write *pool // transactions and rotations
	read  *pool // views
	path  string
	log   *slog.Logger
	wake  func(int64)
	tail  atomic.Pointer[journal.Tail]
	stats *stats
	full  atomic.Bool // the last that was heard of the disk
	marks *Watermark  // nil: none are kept
	close []func() error
	// What is done together with others.
	rotations *group[oauth.Rotation, opening]
	tokens    *group[oauth.Digest, oauth.Presented]
	uses      *group[oauth.TokenUse, opening]
	notes     *group[oauth.Event, struct{}]
	// What the databases do each in their own way.
	migrationPool func() (*sql.DB, error)
	listening     *pgx.ConnConfig // nil: nobody notifies
	quiet         time.Duration   // see listenQuiet
}

// kind is which database this is.
type kind string

const (
	sqlite   kind = "sqlite"
	postgres kind = "postgres"
)

// Open connects to the database and checks that this binary knows its schema.
// It does not migrate.
func Open(ctx context.Context, c Config) (*DB, error) {
	d := &DB{log: c.Log, wake: c.Wake, stats: &stats{}}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	var err error
	switch scheme, rest, _ := strings.Cut(c.URL, "://"); scheme {
	case "sqlite":
		err = d.openSQLite(ctx, rest, c)
	case "postgres", "postgresql":
		err = d.openPostgres(ctx, c)
	default:
		return nil, errors.New("the database URL must begin with sqlite:// or postgres://")
	}
	if err == nil {
		err = d.refuseNewerSchema(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.stats.request.Store(0) // the drivers' own questions
	return d, nil
}

// Close waits for running statements and closes all connections.
func (d *DB) Close() error {
	var errs []error
	for _, f := range d.close {
		errs = append(errs, f())
	}
	d.close = nil
	return errors.Join(errs...)
}

// Ping asks the database for a sign of life; its statements are not counted.
func (d *DB) Ping(ctx context.Context) error {
	return fault(d.write.sql.PingContext(ctx))
}

// Follow attaches the tail of this cell: from now on a transaction that wrote
// to the journal returns after the tail has applied it.
func (d *DB) Follow(t *journal.Tail) { d.tail.Store(t) }

// Tenants is the store of package tenants.
func (d *DB) Tenants() tenants.Store { return tenantStore{d} }

// OAuth is the store of package oauth.
func (d *DB) OAuth() oauth.Store { return oauthStore{d} }

// Federation is the store of package federation.
func (d *DB) Federation() federation.Store { return federationStore{d} }

// Journal is where a tail reads.
func (d *DB) Journal() journal.Source { return journalSource{d} }

type (
	tenantStore     struct{ *DB }
	oauthStore      struct{ *DB }
	federationStore struct{ *DB }
	journalSource   struct{ *DB }
)

func (s tenantStore) View(ctx context.Context, f func(tenants.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s tenantStore) InTx(ctx context.Context, f func(tenants.Tx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

func (s oauthStore) View(ctx context.Context, f func(oauth.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s oauthStore) InTx(ctx context.Context, f func(oauth.Tx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

func (s federationStore) View(ctx context.Context, f func(federation.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s federationStore) InTx(ctx context.Context, f func(federation.Tx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

// newGorm puts gorm on a pool. It logs nothing: its log lines hold values, and
// values are names, addresses and digests.
func newGorm(dialector gorm.Dialector) (*gorm.DB, error) {
	return gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction:   true,
		QueryFields:              true, // a column that a newer version adds changes no plan of ours
		DisableAutomaticPing:     true,
		DisableNestedTransaction: true,
		Logger:                   logger.Discard,
	})
}

// newPool wraps db and registers its closing.
func (d *DB) newPool(db *sql.DB) *pool {
	d.close = append(d.close, db.Close)
	return &pool{sql: db, counted: counted{conn: db, stats: d.stats}}
}

// Writable finds out whether the database takes changes, and changes nothing.
func (d *DB) Writable(ctx context.Context) error {
	return d.inTx(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM cells WHERE id = ''") // no cell is called so
		return err
	})
}

// Full reports whether the database's disk was full when a cell last wrote to it.
// That is told from memory; a cell beats every few seconds.
func (d *DB) Full() bool { return d.full.Load() }

// Clock is the database's own time. SQLite's is this machine's.
func (d *DB) Clock(ctx context.Context) (time.Time, error) {
	var now int64
	err := d.on(ctx, d.read).db.Raw("SELECT " + d.clock()).Find(&now).Error
	return fromMicros(now), fault(err)
}
