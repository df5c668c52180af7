package upkeep

import (
	"context"
	"errors"
	"time"
)

// Lease is a piece of work, and who does it.
type Lease struct {
	Name     string
	Holder   string
	For      time.Duration // by the database's clock; free for others afterwards
	Progress string        // for the next holder
}

// Held is what became of asking for a lease.
type Held struct {
	Ours     bool      // else another cell has it
	Progress string    // what the last holder kept
	Now      time.Time // by the database's clock
}

// Leases are kept in the database.
type Leases interface {
	// Hold takes a lease that is free or the holder's own.
	Hold(ctx context.Context, l Lease) (Held, error)
	// Keep makes the holder's lease last again, and stores the progress. False is:
	// it was lost. A lease For zero is given back.
	Keep(ctx context.Context, l Lease) (bool, error)
}

// errLost is what a run ends with whose lease another cell has taken meanwhile.
var errLost = errors.New("another cell has taken over")
