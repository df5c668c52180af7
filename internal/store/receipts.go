package store

import (
	"context"

	"causeway/internal/journal"
	"causeway/internal/receipts"
	"causeway/tenants"
)

// Receipts is the store of package receipts.
func (d *DB) Receipts() receipts.Store { return receiptStore{d} }

type receiptStore struct{ *DB }

func (s receiptStore) Recorded(ctx context.Context, org tenants.OrgID, seq int64) (journal.Row, error) {
	return s.recorded(ctx, "org_id = ? AND seq = ?", string(org), seq)
}

func (s receiptStore) RecordedAnywhere(ctx context.Context, seq int64) (journal.Row, error) {
	return s.recorded(ctx, "seq = ?", seq)
}

func (s receiptStore) recorded(ctx context.Context, where string, args ...any) (journal.Row, error) {
	var row journalRow
	if err := s.view(ctx, func(r *reader) error { return take(r.db.Where(where, args...), &row) }); err != nil {
		return journal.Row{}, err
	}
	return row.row()
}
