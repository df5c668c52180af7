package store

import (
	"database/sql"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// What only this package's tests may do.

// SQL is the pool under gorm, to look at rows and to damage them.
func (d *DB) SQL() *sql.DB { return d.write.sql }

// SetLongest is how long what is remote may take from now on.
func (d *DB) SetLongest(l time.Duration) { d.stats.longest = l }

// SetListenQuiet is how long a listener believes in a silent connection from now on.
func (d *DB) SetListenQuiet(l time.Duration) { d.quiet = l }

// OnPostgres tells the tests which dialect to speak.
func (d *DB) OnPostgres() bool { return d.kind == postgres }

// Quiet reports whether gorm has been forbidden to log.
func (d *DB) Quiet() bool {
	return d.write.gorm.Logger == logger.Discard && d.read.gorm.Logger == logger.Discard
}

// Spy tells f every statement that goes through gorm from now on.
func (d *DB) Spy(f func(query string, args []any)) error {
	tell := func(g *gorm.DB) { f(g.Statement.SQL.String(), g.Statement.Vars) }
	var err error
	for _, p := range []*pool{d.write, d.read} {
		c := p.gorm.Callback()
		for _, e := range []error{
			c.Query().Register("spy", tell), c.Create().Register("spy", tell), c.Update().Register("spy", tell),
			c.Delete().Register("spy", tell), c.Raw().Register("spy", tell), c.Row().Register("spy", tell),
		} {
			if e != nil {
				err = e
			}
		}
	}
	return err
}
