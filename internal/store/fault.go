package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	gosqlite "github.com/glebarez/go-sqlite"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	sqlite3 "modernc.org/sqlite/lib"

	"causeway/internal/problem"
)

const (
	absent      = "There is no such object, or it may not be seen."
	unavailable = "The database cannot be reached now."
	noRoom      = "The database's disk is full: nothing can be changed now, what is there can be read."
)

func notFound() error { return problem.New(problem.NotFound, absent) }

// fault makes a Problem of what a database said. Anything it does not know
// stays as it is and becomes an internal error at the edge.
func fault(err error) error {
	switch {
	case err == nil || problem.As(err) != nil:
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return problem.Wrap(err, problem.NotFound, absent)
	case isLiveFamily(err):
		return problem.Wrap(err, problem.Conflict, "The account has a live token already.")
	case isUnique(err):
		return problem.Wrap(err, problem.DuplicateName, "An object with this name exists already.").In("name")
	case isForeignKey(err):
		return problem.Wrap(err, problem.NotFound, absent)
	case isEncoding(err):
		return problem.Wrap(err, problem.BadRequest, "The text holds characters that cannot be stored.")
	case isFull(err):
		return problem.Wrap(err, problem.Unavailable, noRoom)
	case isUnavailable(err):
		return problem.Wrap(err, problem.Unavailable, unavailable)
	}
	return err
}

// pgCode is PostgreSQL's SQLSTATE, or empty.
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// sqliteCode is SQLite's extended result code, or 0; its low byte is the
// primary code.
func sqliteCode(err error) int {
	var e *gosqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func isUnique(err error) bool {
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return pgCode(err) == "23505"
}

func isForeignKey(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY || pgCode(err) == "23503"
}

func isEncoding(err error) bool {
	switch pgCode(err) {
	case "22021", "22P05":
		return true
	}
	return false
}

// isLiveFamily reports whether err comes from the index token_families_live,
// which allows an account one live family. SQLite names columns, not the index.
func isLiveFamily(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.ConstraintName == "token_families_live"
	}
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE &&
		strings.Contains(err.Error(), "token_families.org_id, token_families.account_id")
}

// isRetryable reports whether the transaction certainly did not happen and may
// succeed when it is run again.
func isRetryable(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	switch pgCode(err) {
	case "40001", "40P01": // serialization failure, deadlock
		return true
	case "23505":
		// Two redemptions for one account met: the one that runs again sees the
		// other's family and revokes it. SQLite lets no two meet.
		return isLiveFamily(err)
	}
	return false
}

// isFull reports whether there was no room on the database's disk.
func isFull(err error) bool {
	return sqliteCode(err)&0xff == sqlite3.SQLITE_FULL || pgCode(err) == "53100"
}

// isUnavailable reports whether the database could not be asked: connection
// lost, out of resources, standby, shut down, or no answer in time.
func isUnavailable(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
		return true
	}
	if code := pgCode(err); len(code) == 5 {
		switch code[:2] {
		case "08", "53", "57", "58": // connection, resources, intervention or cancelled, system
			return true
		}
		switch code {
		case "25006", "40001", "40P01", "55P03", "3D000", "28P01", "28000": // standby, conflicts, lock timeout, no database, no login
			return true
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "sql: database is closed") || strings.Contains(err.Error(), "conn closed")
}
