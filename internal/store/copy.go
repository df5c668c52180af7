package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrNotEmpty is a database that already holds something.
var ErrNotEmpty = errors.New("the database is not empty")

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func each(ctx context.Context, conn querier, query string, f func(scan func(...any) error) error) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return fault(rows.Err())
}

// Snapshot is the database as it was at one moment. Writers go on meanwhile.
type Snapshot struct {
	Schema    int64 // version
	Tables    []*Table
	Watermark string // that the journal names; "" is none

	conn *sql.Conn
	kind kind
}

// OnSnapshot runs f on a snapshot. It uses a connection of its own and holds no
// lock that a writer waits for; SQLite's log of writes grows until f returns.
func (d *DB) OnSnapshot(ctx context.Context, f func(*Snapshot) error) error {
	begin := map[kind]string{sqlite: "BEGIN", postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}[d.kind]
	return d.copying(ctx, begin, func(conn *sql.Conn) error {
		s := &Snapshot{conn: conn, kind: d.kind}
		// The first statement is what makes the snapshot.
		if err := conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&s.Schema); err != nil {
			return fault(err)
		}
		var err error
		if s.Tables, err = d.tables(ctx, conn); err != nil {
			return err
		}
		if s.Watermark, _, err = namedWatermark(ctx, conn); err != nil {
			return err
		}
		return f(s)
	})
}

// copying runs f in a transaction that may take long, and ends it by a rollback
// unless f has committed.
func (d *DB) copying(ctx context.Context, begin string, f func(*sql.Conn) error) error {
	db, err := d.migrationPool()
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fault(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return fault(err)
	}
	err = f(conn)
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // after a commit there is nothing to undo
	return err
}

// Count is how many rows a table has.
func (s *Snapshot) Count(ctx context.Context, t *Table) (n int64, err error) {
	err = s.conn.QueryRowContext(ctx, `SELECT count(*) FROM "`+t.Name+`"`).Scan(&n)
	return n, fault(err)
}

// Rows tells f each row of a table: of each column a string, an int64, bytes, or
// nil. f must not keep the row; no column of bytes is without a value.
func (s *Snapshot) Rows(ctx context.Context, t *Table, f func(row []any) error) error {
	row, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range row {
		into[i] = &row[i]
	}
	return each(ctx, s.conn, "SELECT "+strings.Join(t.quoted, ", ")+` FROM "`+t.Name+`"`, func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return fault(err)
		}
		for i, c := range t.Columns {
			v, err := neutral(row[i], c.Kind)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", t.Name, c.Name, err)
			}
			row[i] = v
		}
		return f(row)
	})
}

// neutral is a value as both databases have it.
func neutral(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		if kind == "bytes" { // how a driver may tell of none
			return []byte{}, nil
		}
		return nil, nil
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		return n, nil
	case int64:
		if kind == "int" {
			return v, nil
		}
	case string:
		switch {
		case kind == "text" && !utf8.ValidString(v):
			return nil, errors.New("holds text that is not UTF-8")
		case kind == "text":
			return v, nil
		case kind == "bytes": // SQLite keeps what it was given
			return []byte(v), nil
		}
	case []byte:
		if kind == "bytes" {
			return notNull(v), nil
		}
		return neutral(string(v), kind)
	}
	return nil, fmt.Errorf("holds a %T instead of %s", v, kind)
}

// Load is a database that is being filled, in one transaction.
type Load struct {
	Tables []*Table

	ctx  context.Context
	conn *sql.Conn
	db   *DB
}

// Empty is ErrNotEmpty if the database holds anything.
func (d *DB) Empty(ctx context.Context) error {
	_, current, err := d.versions(ctx)
	if err != nil {
		return err
	}
	return d.holdsNothing(ctx, d.write.sql, current)
}

// Fill lets f fill a database of a version of the schema, all or nothing. A database
// that holds anything is ErrNotEmpty, a version that this binary does not know
// ErrSchemaNewer.
func (d *DB) Fill(ctx context.Context, schema int64, f func(*Load) error) error {
	known, current, err := d.versions(ctx)
	if err != nil {
		return err
	}
	if schema > known {
		return fmt.Errorf("%w (the backup is of version %d, this binary knows %d)", ErrSchemaNewer, schema, known)
	}
	// Before migrating, which could take a version back.
	if err := d.holdsNothing(ctx, d.write.sql, current); err != nil {
		return err
	}
	if err := d.MigrateTo(ctx, schema); err != nil {
		return err
	}
	return d.copying(ctx, map[kind]string{sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN"}[d.kind], func(conn *sql.Conn) error {
		l := &Load{ctx: ctx, conn: conn, db: d}
		var err error
		if l.Tables, err = d.tables(ctx, conn); err != nil {
			return err
		}
		if err := l.takeAlone(); err != nil {
			return err
		}
		if err := f(l); err != nil {
			return err
		}
		_, err = conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
		return fault(err)
	})
}

// foreign are the tables of a database that goose has not been to.
var foreign = map[kind]string{
	sqlite:   "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
	postgres: "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
}

// holdsNothing is ErrNotEmpty if there is a site, anything in its journal, or
// something else's table.
func (d *DB) holdsNothing(ctx context.Context, conn rowQuerier, current int64) error {
	query, what := foreign[d.kind], "it holds tables that are not Causeway's"
	if current > 0 {
		query, what = "SELECT (SELECT count(*) FROM site) + (SELECT count(*) FROM organizations) + (SELECT COALESCE(max(seq), 0) FROM journal_head)", "it holds a site"
	}
	var n int64
	err := conn.QueryRowContext(ctx, query).Scan(&n)
	if err == nil && n > 0 {
		return fmt.Errorf("%w: %s", ErrNotEmpty, what)
	}
	return fault(err)
}

type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// takeAlone keeps everybody else out until the end, and looks again whether the
// database is empty: a cell that was started meanwhile may have made a site in it.
// The row that the schema begins with goes.
func (l *Load) takeAlone() error {
	if l.db.kind == postgres { // SQLite has let nobody else in since it began
		var names []string
		for _, t := range l.Tables {
			names = append(names, `"`+t.Name+`"`)
		}
		if err := l.exec("LOCK TABLE " + strings.Join(names, ", ") + " IN ACCESS EXCLUSIVE MODE"); err != nil {
			return err
		}
	}
	if err := l.db.holdsNothing(l.ctx, l.conn, 1); err != nil {
		return err
	}
	if err := l.exec("DELETE FROM journal_head"); err != nil {
		return err
	}
	for _, t := range l.Tables {
		var some bool
		if err := l.conn.QueryRowContext(l.ctx, `SELECT EXISTS (SELECT 1 FROM "`+t.Name+`")`).Scan(&some); err != nil { // #nosec G202 -- the schema's names
			return fault(err)
		}
		if some {
			return fmt.Errorf("%w: there are rows in %s", ErrNotEmpty, t.Name)
		}
	}
	return nil
}
