package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"causeway/internal/journal"
	"causeway/internal/trail"
	"causeway/tenants"
)

// Trail is the store of package trail.
func (d *DB) Trail() trail.Store { return trailStore{d} }

type trailStore struct{ *DB }

// entryColumns are what the journal is indexed by besides its columns, in the words
// of migration 7: only these find the index.
var entryColumns = map[kind]struct{ actor, request string }{
	sqlite: {
		"CASE WHEN json_valid(entry) THEN json_extract(entry, '$.actor.id') END",
		"CASE WHEN json_valid(entry) THEN json_extract(entry, '$.requestId') END",
	},
	postgres: {
		`substring(entry from '"actor":\{"kind":"[^"\\]*","id":"([^"\\]*)"')`,
		`substring(entry from '\},"requestId":"([^"\\]*)"')`,
	},
}

func (s trailStore) Rows(ctx context.Context, org tenants.OrgID, by trail.Key, in trail.Range, limit int) ([]journal.Row, error) {
	return s.rows(ctx, by, in, limit, func(q *gorm.DB) *gorm.DB { return q.Where("org_id = ?", string(org)) })
}

func (s trailStore) RowsAnywhere(ctx context.Context, by trail.Key, in trail.Range, limit int) ([]journal.Row, error) {
	return s.rows(ctx, by, in, limit, func(q *gorm.DB) *gorm.DB { return q })
}

func (s trailStore) rows(ctx context.Context, by trail.Key, in trail.Range, limit int, of func(*gorm.DB) *gorm.DB) ([]journal.Row, error) {
	order := "seq"
	if in.Newest {
		order = "seq DESC"
	}
	var rows []journalRow
	if err := s.view(ctx, func(r *reader) error {
		q := of(r.db).Where("seq > ? AND seq < ?", in.Above, in.Below)
		if column := s.column(by.Of); column != "" {
			q = q.Where(column+" = ?", clean(by.ID))
		}
		return fault(q.Order(order).Limit(limit).Find(&rows).Error)
	}); err != nil {
		return nil, err
	}
	return convertAll(rows, journalRow.row)
}

// column is what an index finds rows by.
func (s trailStore) column(of trail.KeyOf) string {
	switch of {
	case trail.OfSubject:
		return "subject_id"
	case trail.OfActor:
		return entryColumns[s.kind].actor
	case trail.OfRequest:
		return entryColumns[s.kind].request
	}
	return ""
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
