package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"causeway/internal/journal"
	"causeway/internal/relay"
	"causeway/internal/trail"
	"causeway/tenants"
)

// Relay is what the journal is handed on by.
func (d *DB) Relay() relay.Queue { return relayStore{upkeepStore{d}, trailStore{d}} }

type relayStore struct {
	upkeepStore
	trail trailStore
}

func (s relayStore) Rows(ctx context.Context, org tenants.OrgID, by trail.Key, in trail.Range, limit int) ([]journal.Row, error) {
	return s.trail.Rows(ctx, org, by, in, limit)
}

func (s relayStore) RowsAnywhere(ctx context.Context, by trail.Key, in trail.Range, limit int) ([]journal.Row, error) {
	return s.trail.RowsAnywhere(ctx, by, in, limit)
}

func (s relayStore) Hooks(ctx context.Context) (list []relay.Webhook, err error) {
	err = s.view(ctx, func(r *reader) error {
		list, err = r.Webhooks()
		return err
	})
	return list, err
}

func (s relayStore) Begin(ctx context.Context, sink string) (relay.Progress, error) {
	q := s.on(ctx, s.write).db
	if err := q.Exec(`INSERT INTO audit_sinks (sink, seq, delivered_at, failing_at, attempts, next_at, error)
		SELECT ?, seq, 0, 0, 0, 0, '' FROM journal_head WHERE one = 1 ON CONFLICT (sink) DO NOTHING`, sink).Error; err != nil {
		return relay.Progress{}, fault(err)
	}
	var row sinkRow
	err := take(s.on(ctx, s.write).db.Where("sink = ?", sink), &row)
	return row.progress(), err
}

func (s relayStore) Save(ctx context.Context, sink string, p relay.Progress) error {
	return fault(save(s.on(ctx, s.write).db, sink, p).Error)
}

func save(q *gorm.DB, sink string, p relay.Progress) *gorm.DB {
	row := newSinkRow(sink, p)
	return q.Model(&sinkRow{}).Where("sink = ? AND seq <= ?", sink, p.Seq).UpdateColumns(map[string]any{
		"seq": row.Seq, "delivered_at": row.DeliveredAt, "failing_at": row.FailingAt, "attempts": row.Attempts, "next_at": row.NextAt, "error": row.Error,
	})
}

// Bury does both or neither: a row that is behind the cursor and not aside would be
// lost. Where another cell has done it, nothing is done.
func (s relayStore) Bury(ctx context.Context, sink string, before int64, p relay.Progress, at time.Time, why string) error {
	return s.inTx(ctx, func(t *tx) error {
		moved, err := t.wrote(save(t.db.Where("seq = ?", before), sink, p))
		if err != nil || moved == 0 {
			return err
		}
		joined, err := t.exec("UPDATE audit_dead SET last = ?, amount = amount + 1, at = ?, error = ? WHERE sink = ? AND last = ? AND again = ?",
			p.Seq, micros(at), clean(why), sink, before, false)
		if err != nil || joined > 0 {
			return err
		}
		return t.create(&deadRow{Sink: sink, First: p.Seq, Last: p.Seq, Amount: 1, At: micros(at), Error: clean(why)})
	})
}

func (s relayStore) Again(ctx context.Context, sink string) ([]relay.Dead, error) {
	var rows []deadRow
	if err := s.on(ctx, s.read).db.Where("sink = ? AND again = ?", sink, true).Order("first").Limit(100).Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convert(rows, deadRow.dead), nil
}

func (s relayStore) Resent(ctx context.Context, sink string, first, upTo int64) error {
	return s.inTx(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM audit_dead WHERE sink = ? AND first = ? AND last <= ?", sink, first, upTo); err != nil {
			return err
		}
		_, err := t.exec("UPDATE audit_dead SET first = ?, amount = amount - 1 WHERE sink = ? AND first = ?", upTo+1, sink, first)
		return err
	})
}

func (s relayStore) Refused(ctx context.Context, sink string, first int64, why string) error {
	return fault(s.on(ctx, s.write).db.Exec("UPDATE audit_dead SET again = ?, error = ? WHERE sink = ? AND first = ?", false, clean(why), sink, first).Error)
}
