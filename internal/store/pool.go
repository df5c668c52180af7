package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"causeway/internal/tracing"
)

// stats counts what is sent to the database, and bounds it. Every statement of gorm, raw ones
// included, goes through a counted connection.
type stats struct {
	request, background atomic.Int64
	// longest is how long a statement may take that no request waits for; 0 is
	// without end.
	longest time.Duration
}

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

// bounded ends ctx after longest if nobody waits who would give up. When packets
// are swallowed nothing fails by itself for a quarter of an hour, and the work of
// every loop would stand still for as long.
func (c counted) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ends := ctx.Deadline(); ends || c.stats.longest == 0 || ctx.Value(backgroundKey{}) == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.stats.longest)
}

func (c counted) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.conn.PrepareContext(ctx, query)
}

func (c counted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.stats.count(ctx)
	ctx, end := c.bounded(ctx)
	defer end()
	span := statement(ctx, query)
	result, err := c.conn.ExecContext(ctx, query, args...)
	span.EndWith(err)
	return result, err
}

func (c counted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.stats.count(ctx)
	ctx, end := c.bounded(ctx)
	span := statement(ctx, query)
	rows, err := c.conn.QueryContext(ctx, query, args...)
	span.EndWith(err) // with the first row; what reads them shows in the step around
	if err != nil {
		end() // else rows are read until then
	}
	return rows, err
}

func (c counted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.stats.count(ctx)
	ctx, _ = c.bounded(ctx)
	span := statement(ctx, query)
	row := c.conn.QueryRowContext(ctx, query, args...)
	span.EndWith(row.Err())
	return row
}

// statement is a step of a trace. Of the text it says the first word alone: the rest
// names tables, and where gorm or we put a value into it, that too.
func statement(ctx context.Context, query string) tracing.Span {
	_, span := tracing.Start(ctx, "statement", tracing.Client)
	if span.On() {
		word, _, _ := strings.Cut(strings.TrimSpace(query), " ")
		if word = strings.ToUpper(word); slices.Contains(operations, word) {
			span.Set(tracing.Operation, word)
		}
	}
	return span
}

var operations = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}

// Pools says how the connections for transactions and those for views are used.
func (d *DB) Pools() (write, read sql.DBStats) { return d.write.sql.Stats(), d.read.sql.Stats() }
