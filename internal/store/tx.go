package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"causeway/internal/journal"
	"causeway/internal/tracing"
	"causeway/internal/watermark"
	"causeway/oauth"
	"causeway/tenants"
)

const (
	// attempts bounds how often a transaction is run again after a conflict.
	// Conflicts are deadlocks and redemptions that meet; each round at least
	// one of the parties gets through.
	attempts = 10
	// longest is how long a transaction may take from begin to commit, which is
	// not cut short by the caller, see [DB.once], and a statement that no request
	// waits for.
	longest = 30 * time.Second
)

// reader reads; each statement on its own, or within the transaction it is part of.
type reader struct{ db *gorm.DB }

// tx reads and writes in one transaction.
type tx struct {
	reader
	failed  error                            // the first failed write
	held    map[oauth.ClientID]tenants.OrgID // accounts that are locked
	entries []journal.Entry                  // appended just before the commit
	marking bool                             // a watermark is kept
	revoked []watermark.Rotation             // to be marked before the commit
}

func (d *DB) view(ctx context.Context, f func(*reader) error) error {
	return f(&reader{d.read.session(ctx, d.read)})
}

// inTx runs f in a transaction, again after a conflict, and returns when this
// cell's followers have applied what it wrote to the journal.
func (d *DB) inTx(ctx context.Context, f func(*tx) error) error {
	var seq int64
	err := d.retry(ctx, func() (err error) {
		seq, err = d.once(ctx, f)
		return err
	})
	if err != nil {
		return err
	}
	d.committed(ctx, seq)
	return nil
}

// retry runs f again while it fails by a conflict with others.
func (d *DB) retry(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if isFull(err) {
			d.full.Store(true)
		}
		if err == nil || !isRetryable(err) || n == attempts || ctx.Err() != nil {
			return fault(err)
		}
		d.log.DebugContext(ctx, "database conflict, trying again", "attempt", n)
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(time.Duration(n) * 5 * time.Millisecond)):
		}
	}
}

// once runs f in one transaction and returns the last journal sequence it
// wrote, or 0. Waiting for a connection and f's statements end with ctx, but
// the commit does not: cut short, it could have happened and be reported as failed.
func (d *DB) once(ctx context.Context, f func(*tx) error) (seq int64, err error) {
	ctx, span := tracing.Start(ctx, "transaction", tracing.Internal)
	defer func() { span.EndWith(err) }()
	ctx, end := d.within(ctx)
	defer end()
	conn, err := d.write.sql.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	whole, cancel := d.whole(ctx)
	defer cancel()
	d.stats.count(ctx)
	stx, err := conn.BeginTx(whole, nil)
	if err != nil {
		return 0, err
	}
	done := false
	defer func() {
		if !done { // also when f panics
			_ = stx.Rollback()
		}
	}()
	within := ctx
	if d.kind == sqlite {
		within = whole
	}
	t := &tx{reader: reader{d.write.session(within, counted{stx, d.stats})}, held: map[oauth.ClientID]tenants.OrgID{}, marking: d.marks != nil}
	if err := t.run(f); err != nil {
		return 0, err
	}
	if seq, err = t.appendJournal(); err != nil {
		return 0, err
	}
	if d.marks != nil {
		if err := d.marks.note(whole, t.revoked, watermark.Changes(t.entries, seq)); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	done = true
	if err := stx.Commit(); err != nil {
		d.abandon(whole, conn)
		return 0, err
	}
	return seq, nil
}

// within ends with ctx or after longest: PostgreSQL's own bounds are of no use when
// it is gone and nobody says so. On SQLite nothing is remote.
func (d *DB) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.kind == sqlite {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.stats.longest)
}

// whole is the context of what must not be cut short by its caller. On SQLite
// nothing is remote, and it never ends: the driver reports a statement whose
// context ends just before it starts as done.
func (d *DB) whole(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if d.kind == sqlite {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.stats.longest)
}

// run calls f. A failed write wins over what f made of it if trying again may
// help, and if f made nothing of it.
func (t *tx) run(f func(*tx) error) error {
	err := f(t)
	if t.failed != nil && (err == nil || isRetryable(t.failed)) {
		return t.failed
	}
	return err
}

// abandon ends a transaction whose commit failed: SQLite may leave it open, and
// database/sql would hand the connection on as it is.
func (d *DB) abandon(ctx context.Context, conn *sql.Conn) {
	if d.kind == sqlite {
		_, _ = conn.ExecContext(ctx, "ROLLBACK")
	}
}

// committed tells the followers about a commit and waits for those of this
// cell. The commit stands whatever becomes of the waiting.
func (d *DB) committed(ctx context.Context, seq int64) {
	if seq == 0 {
		return
	}
	journal.Committed(ctx, seq)
	if d.wake != nil {
		d.wake(seq)
	}
	if t := d.tail.Load(); t != nil {
		t.Wake()
		if err := t.WaitFor(ctx, seq); err != nil {
			d.log.WarnContext(ctx, "committed, but this cell has not followed the journal yet", "seq", seq, "error", err)
		}
	}
}

// of begins a statement that sees one organization.
func (r *reader) of(org tenants.OrgID) *gorm.DB { return r.db.Where("org_id = ?", string(org)) }

// take reads one row into dst.
func take(q *gorm.DB, dst any) error { return fault(q.Take(dst).Error) }

// wrote checks a writing statement: an error ends the transaction.
func (t *tx) wrote(q *gorm.DB) (rows int64, err error) {
	if q.Error != nil {
		if t.failed == nil {
			t.failed = q.Error
		}
		return 0, fault(q.Error)
	}
	return q.RowsAffected, nil
}

// create inserts a row.
func (t *tx) create(row any) error {
	_, err := t.wrote(t.db.Create(row))
	return err
}

// must turns "no row changed" into NotFound.
func (t *tx) must(q *gorm.DB) error {
	n, err := t.wrote(q)
	if err == nil && n == 0 {
		return notFound()
	}
	return err
}

// exec runs a writing statement.
func (t *tx) exec(query string, args ...any) (int64, error) {
	return t.wrote(t.db.Exec(query, args...))
}
