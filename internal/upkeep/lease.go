package upkeep

import (
	"context"
	"errors"
	"time"
)

// Lease is a piece of work, and who does it.
type Lease struct {
	Name   string
	Holder string
	For    time.Duration // by the database's clock; free for others afterwards
	// Progress is for the next holder: what [Leases.Hold] returns of it is what
	// the last one kept.
	Progress string
}

// Leases are kept in the database.
type Leases interface {
	// Hold takes a lease that is free or the holder's own and returns its
	// progress. False is: another cell has it.
	Hold(ctx context.Context, l Lease) (progress string, held bool, err error)
	// Keep makes the holder's lease last again, and stores the progress. False is:
	// it was lost. A lease For zero is given back.
	Keep(ctx context.Context, l Lease) (bool, error)
}

// errLost is what a run ends with whose lease another cell has taken meanwhile.
var errLost = errors.New("another cell has taken over")
