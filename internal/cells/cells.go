package cells

import (
	"context"
	"time"
)

// Cell is one process that serves the site.
type Cell struct {
	ID        string // new at each start
	Name      string // host and public port, for people
	Version   string
	StartedAt time.Time
	Applied   int64 // journal sequence up to which its followers know everything
	// Unseen is how long it has been silent, by the database's clock: those of
	// cells may differ.
	Unseen time.Duration
}

// Store keeps the cells of a site.
type Store interface {
	// Beat writes that a cell is there: one statement, outside the journal.
	Beat(ctx context.Context, c Cell) error
	// Cells lists who has not left, by name and start.
	Cells(ctx context.Context) ([]Cell, error)
	// Leave removes a cell.
	Leave(ctx context.Context, id string) error
	// ForgetCells removes who has been silent for longer, and counts them.
	ForgetCells(ctx context.Context, unseen time.Duration) (int64, error)
}

// Forgotten is how long a cell that left without a word is listed.
const Forgotten = time.Hour
