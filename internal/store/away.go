package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// away connects to a database that can be taken away and come back: its
// connections are given up while it is, and no new ones made.
type away struct {
	driver driver.Driver
	dsn    string
	gone   func() bool
}

// awayConn is what SQLite's connections can do, as database/sql asks for it.
type awayConn struct {
	sqliteConn
	gone func() bool
}

type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
}

func (a away) Connect(context.Context) (driver.Conn, error) {
	if a.gone() {
		return nil, driver.ErrBadConn
	}
	c, err := a.driver.Open(a.dsn)
	if err != nil {
		return nil, err
	}
	whole, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("store: a connection to SQLite cannot do what it could"), c.Close())
	}
	return awayConn{whole, a.gone}, nil
}

func (a away) Driver() driver.Driver { return a.driver }

// ResetSession is asked before a connection is used again.
func (c awayConn) ResetSession(context.Context) error {
	if c.gone() {
		return driver.ErrBadConn
	}
	return nil
}

// openAway is sql.Open, for a database that gone takes away; nil never does.
func openAway(name, dsn string, gone func() bool) (*sql.DB, error) {
	db, err := sql.Open(name, dsn)
	if err != nil || gone == nil {
		return db, err
	}
	return sql.OpenDB(away{db.Driver(), dsn, gone}), db.Close()
}
