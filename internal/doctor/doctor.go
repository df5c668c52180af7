package doctor

import (
	"context"
	"time"

	"causeway/internal/config"
	"causeway/internal/secret"
	"causeway/internal/store"
)

// patience is for one exchange with whoever is asked.
const patience = 5 * time.Second

// Options are what an examination may be told besides the configuration.
type Options struct {
	// File the configuration came from, whose mode is looked at; may be empty.
	File string
	Now  func() time.Time // nil is time.Now
	// Free tells how much of the disk that holds a path is left, in bytes; nil asks
	// the system.
	Free func(path string) (free, total uint64, err error)
}

func begin(o Options) *examination {
	e := &examination{Options: o, now: o.Now}
	if e.now == nil {
		e.now = time.Now
	}
	if e.Free == nil {
		e.Free = freeSpace
	}
	return e
}

// Misconfigured is what a configuration that cannot be used comes to: one finding
// for each fault. Nothing else can be examined then.
func Misconfigured(faults []string) []Finding {
	e := begin(Options{})
	for _, f := range faults {
		e.fail("configuration", advice{
			"No cell starts with it, and a reload is refused.",
			"Correct it: causeway config reference describes every setting.",
		}, "%s", f)
	}
	return e.found
}

// Cell examines a cell on its machine, running or not, and the site around it. c is
// valid.
func Cell(ctx context.Context, c *config.Config, o Options) []Finding {
	e := begin(o)
	e.ok("configuration", "The configuration is valid.")
	e.files(c)
	e.certificate(c)
	running := e.listeners(ctx, c)
	db := e.database(ctx, c)
	if db != nil {
		defer db.Close()
		e.watermark(ctx, c, db)
	}
	keys := e.masterKey(ctx, c, db)
	if !running {
		e.skip("gossip", "No cell runs here, so that nothing is known of its pools.")
	} else {
		e.pools(ctx, c)
	}
	e.upstreams(ctx, c, db)
	e.neighbours(ctx, c, db, keys)
	e.front(ctx, c, db)
	return e.found
}

// masterKey tells whether what the database keeps sealed can be opened.
func (e *examination) masterKey(ctx context.Context, c *config.Config, db *store.DB) *secret.Keys {
	keys, err := c.Keys.Master(false).Load(ctx)
	if err != nil {
		e.fail("master key", advice{
			"Without it no token can be signed and no other site will know this one.",
			"Bring the site's master key back, from its backup or its vault; a new one opens nothing.",
		}, "The master key cannot be read: %v", err)
		return nil
	}
	if db == nil {
		e.skip("master key", "It can be read; whether it opens this site's keys only the database could tell.")
		return nil
	}
	opened, err := unseal(ctx, db, keys)
	if err != nil {
		e.fail("master key", advice{
			"The site cannot prove who it is: neither its clients nor other sites would be served.",
			"Set the master key that was in use when the site was made; key and database belong together, also in backups.",
		}, "The master key does not open what the database keeps: %v", err)
		return nil
	}
	e.ok("master key", "The master key opens all %d keys that the database keeps.", opened)
	return keys
}
