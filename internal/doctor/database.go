package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"causeway/internal/config"
	"causeway/internal/store"
)

const (
	// littleSpace is what a site of ten thousand accounts writes in some days, in
	// bytes; with leastSpace SQLite cannot even tidy up.
	littleSpace, leastSpace = 2 << 30, 256 << 20
	// smallSkew disturbs nobody; from largeSkew on, tokens are taken for expired or
	// not yet valid. Peers allow five minutes.
	smallSkew, largeSkew = 2 * time.Second, 30 * time.Second
)

// database opens it, or returns nil and says why it cannot be used.
func (e *examination) database(ctx context.Context, c *config.Config) *store.DB {
	path, isFile := c.Database.SQLite()
	if isFile {
		e.space(filepath.Dir(path))
		if _, err := os.Stat(path); err != nil { // opening would make one
			e.fail("database", absent, "There is no database at %s.", path)
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	db, err := store.Open(ctx, store.Config{URL: c.Database.URL.Reveal(), MaxConns: 2})
	switch {
	case errors.Is(err, store.ErrSchemaNewer):
		e.fail("database", advice{"A newer version of Causeway has migrated it; this one might damage what it does not know.", "Run the newer version here, too."}, "%v", err)
		return nil
	case err != nil:
		e.fail("database", absent, "The database cannot be reached: %v", err)
		return nil
	}
	if !e.usable(ctx, db) {
		db.Close()
		return nil
	}
	if !isFile {
		e.databaseClock(ctx, db)
	}
	return db
}

var absent = advice{
	"The site keeps everything there: without it a cell does not start, and one that runs answers 503.",
	"Check database.url, that the server runs, and that this machine and user may connect. A new site is made by causeway init.",
}

func (e *examination) usable(ctx context.Context, db *store.DB) bool {
	if err := db.CheckSchema(ctx); err != nil {
		e.fail("database", advice{"A cell of this version refuses to start.", "causeway migrate brings it up to date, also while cells of the version before serve. A new site is made by causeway init."}, "%v", err)
		return false
	}
	if err := db.Writable(ctx); err != nil {
		e.fail("database", advice{"Nobody can log in, no token can be renewed or revoked.", "Check whether the disk is full, the file system or the server is read-only, or a standby is asked instead of the primary."},
			"The database can be read, not written: %v", err)
		return true
	}
	e.ok("database", "The database is reached, has this version's schema and can be written.")
	return true
}

func (e *examination) space(folder string) {
	free, total, err := e.Free(folder)
	full := advice{"SQLite refuses every change when the disk is full: logins, tokens, the audit trail.", "Make room, or move the database; retention in the configuration decides how long events are kept."}
	switch {
	case err != nil:
		e.skip("disk", "The space left for the database is not known: %v", err)
	case free < leastSpace:
		e.fail("disk", full, "Only %d MiB are left of %d GiB where the database is, %s.", free>>20, total>>30, folder)
	case free < littleSpace:
		e.warn("disk", full, "%d MiB are left of %d GiB where the database is, %s.", free>>20, total>>30, folder)
	default:
		e.ok("disk", "%d GiB are left of %d GiB where the database is.", free>>30, total>>30)
	}
}

func (e *examination) databaseClock(ctx context.Context, db *store.DB) {
	theirs, err := db.Clock(ctx)
	if err != nil {
		e.skip("clock", "The database did not say what time it is: %v", err)
		return
	}
	e.clock("the database's", theirs, 0)
}

// clock compares ours with somebody else's, who may round by some time.
func (e *examination) clock(whose string, theirs time.Time, rounding time.Duration) {
	ahead := e.now().Sub(theirs).Round(time.Millisecond)
	wrong := advice{"Tokens are taken for expired or not yet valid, and other sites refuse this one.", "Have both machines follow NTP: timedatectl shows whether they do."}
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	switch {
	case ahead.Abs() > largeSkew+rounding:
		e.fail("clock", wrong, "The clock of this machine is %v %s %s.", ahead.Abs(), direction, whose)
	case ahead.Abs() > smallSkew+rounding:
		e.warn("clock", wrong, "The clock of this machine is %v %s %s.", ahead.Abs(), direction, whose)
	default:
		e.ok("clock", "The clock agrees with %s.", whose)
	}
}
