package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	pg "gorm.io/driver/postgres"
)

// postgresDefaults are session settings unless the URL says otherwise. They
// bound what one stuck client or statement can hold up.
var postgresDefaults = map[string]string{
	"application_name":                    "causeway",
	"timezone":                            "UTC",
	"statement_timeout":                   "30s",
	"lock_timeout":                        "10s",
	"idle_in_transaction_session_timeout": "60s",
	// Our statements find their rows by indexes whatever their arguments are, so
	// one plan serves all. Left alone, PostgreSQL plans lists anew for each call
	// once tables are large, and that takes several times as long as running them.
	"plan_cache_mode": "force_generic_plan",
	// Such a plan of a list expects more rows than a page has, and compiling it would
	// take longer than all else.
	"jit": "off",
}

// openPostgres opens two pools through pgx. Views have their own, so that a
// View within a transaction cannot wait for a connection that only other
// transactions, waiting likewise, could give back. Statements are prepared once
// per connection by pgx itself; gorm's PrepareStmt would prepare them again in
// every transaction, which costs a round trip each.
func (d *DB) openPostgres(ctx context.Context, c Config) error {
	d.kind, d.stats.longest = postgres, longest
	conns := c.MaxConns
	cfg, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return err // pgx leaves the password out
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	for k, v := range postgresDefaults {
		if _, ok := cfg.RuntimeParams[k]; !ok {
			cfg.RuntimeParams[k] = v
		}
	}
	if c.ReadOnly {
		cfg.RuntimeParams["default_transaction_read_only"] = "on"
	}
	d.migrationPool = func() (*sql.DB, error) { return unhurried(cfg), nil }
	d.listening, d.quiet = cfg, listenQuiet
	if conns <= 0 {
		conns = 16
	}
	if d.write, err = d.postgresPool(ctx, cfg, max(1, (conns+1)/2)); err != nil {
		return err
	}
	if d.read, err = d.postgresPool(ctx, cfg, max(1, conns/2)); err != nil {
		return err
	}
	d.rotateTogether(d.commitPostgres)
	d.useTogether(d.usePostgres)
	d.readTogether()
	d.noteTogether()
	return nil
}

func (d *DB) postgresPool(ctx context.Context, cfg *pgx.ConnConfig, conns int) (*pool, error) {
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	p := d.newPool(db)
	if err := db.PingContext(ctx); err != nil {
		return nil, fault(err)
	}
	var err error
	p.gorm, err = newGorm(pg.New(pg.Config{Conn: db}))
	return p, err
}

// unhurried is a pool of one connection for migrations, which may take long.
func unhurried(cfg *pgx.ConnConfig) *sql.DB {
	c := cfg.Copy()
	c.RuntimeParams["statement_timeout"], c.RuntimeParams["idle_in_transaction_session_timeout"] = "0", "0"
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(1)
	return db
}

// onPostgres tells which dialect a statement has to speak.
func (r *reader) onPostgres() bool { return r.db.Name() == string(postgres) }

// filled is the condition of an index that leaves out rows without a digest. It is
// written out: a parameter would say nothing to who plans before it is known, and
// the whole table would be read.
func (r *reader) filled(column string) string {
	if r.onPostgres() {
		return column + " <> ''"
	}
	return column + " <> x''"
}
