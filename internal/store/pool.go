package store

import (
	"context"
	"database/sql"
	"sync/atomic"

	"gorm.io/gorm"
)

// stats counts what is sent to the database. Every statement of gorm, raw ones
// included, goes through a counted connection.
type stats struct{ request, background atomic.Int64 }

type backgroundKey struct{}

// Background marks ctx as work that no request waits for: following the
// journal, flushing last uses. Its statements are counted apart.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

func (s *stats) count(ctx context.Context) {
	if ctx.Value(backgroundKey{}) != nil {
		s.background.Add(1)
		return
	}
	s.request.Add(1)
}

// Statements is how many statements requests have sent, the opening of each
// transaction included. Pings and migrations do not count.
func (d *DB) Statements() int64 { return d.stats.request.Load() }

// BackgroundStatements is the same for contexts marked by [Background].
func (d *DB) BackgroundStatements() int64 { return d.stats.background.Load() }

// pool is a connection pool and gorm on top of it.
type pool struct {
	counted
	sql  *sql.DB
	gorm *gorm.DB
}

// GetDBConn lets gorm find the pool behind the counter.
func (p *pool) GetDBConn() (*sql.DB, error) { return p.sql, nil }

// session is gorm on conn, for statements that end with ctx.
func (p *pool) session(ctx context.Context, conn gorm.ConnPool) *gorm.DB {
	g := p.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	g.Statement.ConnPool = conn
	return g
}

// counted counts the statements on a pool, a connection or a transaction.
type counted struct {
	conn  gorm.ConnPool
	stats *stats
}

func (c counted) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.conn.PrepareContext(ctx, query)
}

func (c counted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.stats.count(ctx)
	return c.conn.ExecContext(ctx, query, args...)
}

func (c counted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.stats.count(ctx)
	return c.conn.QueryContext(ctx, query, args...)
}

func (c counted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.stats.count(ctx)
	return c.conn.QueryRowContext(ctx, query, args...)
}
