package upkeep

import (
	"fmt"
	"time"
)

// tolerated is by how much a cell's clock and the database's may differ: more
// than is ever seen where time is kept at all, and little beside what is kept.
const tolerated = 5 * time.Minute

// clock is the database's as a lease told it, and runs on by ours. Which rows
// are old is never for one cell's own clock to say: set to another day, it would
// remove what is in use at the whole site.
type clock struct{ told, at time.Time }

func (c clock) now() time.Time { return c.told.Add(time.Since(c.at)).UTC() }

// compare sets the clock of a lease beside the cell's own. Who is wrong when they
// differ cannot be known, so nothing is done by either.
func (h Held) compare(cell time.Time, told func(ahead time.Duration)) (clock, error) {
	ahead := cell.Sub(h.Now)
	if told != nil {
		told(ahead)
	}
	if ahead.Abs() > tolerated {
		return clock{}, fmt.Errorf("this cell's clock is %v ahead of the database's, and %v is tolerated", ahead.Round(time.Second), tolerated)
	}
	return clock{told: h.Now, at: time.Now()}, nil
}

// before is what k means at the earlier of both times. Rows have the times of
// the cells that wrote them, whose clocks may be behind by what is tolerated.
func (k Keep) before(cell, database time.Time) Before {
	if cell.Before(database) {
		database = cell
	}
	return k.Before(database.Add(-tolerated))
}
