package store

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/trail"
	"causeway/tenants"
)

// Trail is the store of package trail.
func (d *DB) Trail() trail.Store { return trailStore{d} }

type trailStore struct{ *DB }

func (s trailStore) Before(ctx context.Context, org tenants.OrgID, seq int64, limit int) ([]journal.Row, error) {
	return s.backwards(ctx, limit, "org_id = ? AND seq < ?", string(org), seq)
}

func (s trailStore) BeforeAnywhere(ctx context.Context, seq int64, limit int) ([]journal.Row, error) {
	return s.backwards(ctx, limit, "seq < ?", seq)
}

func (s trailStore) backwards(ctx context.Context, limit int, where string, args ...any) ([]journal.Row, error) {
	var rows []journalRow
	if err := s.view(ctx, func(r *reader) error {
		return fault(r.db.Where(where, args...).Order("seq DESC").Limit(limit).Find(&rows).Error)
	}); err != nil {
		return nil, err
	}
	return convertAll(rows, journalRow.row)
}

func (s trailStore) When(ctx context.Context, seq int64) (time.Time, error) {
	var row journalRow
	err := s.view(ctx, func(r *reader) error { return take(r.db.Select("at").Where("seq = ?", seq), &row) })
	return fromMicros(row.At), err
}

func (s trailStore) Counts(ctx context.Context, org tenants.OrgID, since time.Time, span time.Duration, most int) (map[int64]int, error) {
	var list []struct {
		Span int64
		N    int
	}
	if err := s.view(ctx, func(r *reader) error {
		return fault(r.db.Raw(`SELECT at / ? AS span, count(*) AS n
			FROM (SELECT at FROM journal WHERE org_id = ? ORDER BY seq DESC LIMIT ?) a WHERE at >= ? GROUP BY 1`,
			span.Microseconds(), string(org), most, micros(since)).Find(&list).Error)
	}); err != nil {
		return nil, err
	}
	counts := map[int64]int{}
	for _, one := range list {
		counts[one.Span] = one.N
	}
	return counts, nil
}
