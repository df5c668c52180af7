package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"causeway/internal/journal"
)

// Table is the one of that name; nil if this version of the schema has none.
func (l *Load) Table(name string) *Table {
	for _, t := range l.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Rows writes the rows that next gives, in the order of the table's columns, until
// it gives nil.
func (l *Load) Rows(t *Table, next func() ([]any, error)) error {
	if l.db.kind == postgres {
		return l.copyFrom(t, next)
	}
	query := `INSERT INTO "` + t.Name + `" (` + strings.Join(t.quoted, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(t.quoted)-1) + ")" // #nosec G202 -- the schema's names
	insert, err := l.conn.PrepareContext(l.ctx, query)
	if err != nil {
		return fault(err)
	}
	defer insert.Close()
	for {
		row, err := next()
		if err != nil || row == nil {
			return err
		}
		if _, err := insert.ExecContext(l.ctx, row...); err != nil {
			return fmt.Errorf("writing %s: %w", t.Name, fault(err))
		}
	}
}

// copyFrom is by PostgreSQL's own way for many rows, which also writes ids that it
// would give itself.
func (l *Load) copyFrom(t *Table, next func() ([]any, error)) error {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return l.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(l.ctx, pgx.Identifier{t.Name}, names, pgx.CopyFromFunc(func() ([]any, error) {
			row, err := next()
			if err != nil || row == nil {
				return nil, err
			}
			for i, truth := range t.truth {
				if n, ok := row[i].(int64); truth && ok {
					row[i] = n != 0
				}
			}
			return row, nil
		}))
		if err != nil {
			return fmt.Errorf("writing %s: %w", t.Name, fault(err))
		}
		return nil
	})
}

// Skip leaves a wide margin in everything that is numbered: who has seen numbers of
// rows that are not in the copy (peers, whoever exports events) must not take new
// rows for those. Entries are appended to the journal behind the margin.
func (l *Load) Skip(margin int64, entries ...journal.Entry) (journal.Head, error) {
	for _, t := range l.Tables {
		if !t.counted {
			continue
		}
		if err := l.skipIDs(t.Name, margin); err != nil {
			return journal.Head{}, err
		}
	}
	var head headRow
	err := l.conn.QueryRowContext(l.ctx, "SELECT seq, hash FROM journal_head WHERE one = 1").Scan(&head.Seq, &head.Hash)
	if err != nil {
		return journal.Head{}, fault(err)
	}
	at, hash := head.Seq+margin, head.Hash
	for _, e := range entries {
		row, err := chain(headRow{Seq: at, Hash: hash}, e)
		if err != nil {
			return journal.Head{}, err
		}
		at, hash = row.Seq, row.Hash
		if err := l.exec("INSERT INTO journal (seq, at, org_id, action, subject_kind, subject_id, entry, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			row.Seq, row.At, row.OrgID, row.Action, row.SubjectKind, row.SubjectID, row.Entry, row.Prev, row.Hash); err != nil {
			return journal.Head{}, err
		}
	}
	return journal.Head{Seq: at, Hash: hash}, l.exec("UPDATE journal_head SET seq = ?, hash = ? WHERE one = 1", at, hash)
}

// skipIDs also passes the ids that are sealed and were removed by age.
func (l *Load) skipIDs(table string, margin int64) error {
	last := `SELECT COALESCE(max(id), 0) FROM "` + table + `"`
	var n, sealed int64
	if err := l.conn.QueryRowContext(l.ctx, last).Scan(&n); err != nil {
		return fault(err)
	}
	if l.Table("seals") != nil {
		if err := l.conn.QueryRowContext(l.ctx, "SELECT COALESCE(max(last), 0) FROM seals WHERE log = '"+table+"'").Scan(&sealed); err != nil {
			return fault(err)
		}
	}
	n = max(n, sealed) + margin
	if l.db.kind == postgres {
		return l.exec("SELECT setval(pg_get_serial_sequence(?, 'id'), ?)", table, n)
	}
	if err := l.exec("DELETE FROM sqlite_sequence WHERE name = ?", table); err != nil {
		return err
	}
	return l.exec("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, n)
}

func (l *Load) exec(query string, args ...any) error {
	_, err := l.conn.ExecContext(l.ctx, numbered(l.db.kind, query), args...)
	return fault(err)
}

// Whole fails if a row refers to one that is not there. PostgreSQL has looked at
// each as it was written.
func (l *Load) Whole() error {
	if l.db.kind == postgres {
		return nil
	}
	return each(l.ctx, l.conn, "PRAGMA foreign_key_check", func(scan func(...any) error) error {
		var table, parent string
		var row, key sql.NullInt64
		if err := scan(&table, &row, &parent, &key); err != nil {
			return fault(err)
		}
		return fmt.Errorf("a row of %s refers to one of %s that is not there", table, parent)
	})
}

// SchemaVersion is the version of the database; 0 is an empty one.
func (d *DB) SchemaVersion(ctx context.Context) (int64, error) { return d.schemaVersion(ctx) }
