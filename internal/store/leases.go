package store

import (
	"context"

	"causeway/internal/upkeep"
)

// Hold is one statement that changes a row only if the lease is free or the
// holder's own, so of several cells that ask at once one gets it.
func (s upkeepStore) Hold(ctx context.Context, l upkeep.Lease) (upkeep.Held, error) {
	q := s.on(ctx, s.write).db.Exec(`INSERT INTO leases (name, holder, until, progress) VALUES (?, ?, `+s.clock()+` + ?, '')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until < `+s.clock(), l.Name, l.Holder, l.For.Microseconds())
	if q.Error != nil {
		return upkeep.Held{}, fault(q.Error)
	}
	var row struct {
		Progress string
		At       int64
	}
	err := take(s.on(ctx, s.write).db.Raw("SELECT progress, "+s.clock()+" AS at FROM leases WHERE name = ?", l.Name), &row)
	return upkeep.Held{Ours: q.RowsAffected == 1, Progress: row.Progress, Now: fromMicros(row.At)}, err
}

func (s upkeepStore) Keep(ctx context.Context, l upkeep.Lease) (bool, error) {
	q := s.on(ctx, s.write).db.Exec("UPDATE leases SET until = "+s.clock()+" + ?, progress = ? WHERE name = ? AND holder = ?",
		l.For.Microseconds(), l.Progress, l.Name, l.Holder)
	return q.RowsAffected == 1, fault(q.Error)
}
