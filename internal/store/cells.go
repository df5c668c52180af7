package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm/clause"

	"causeway/internal/cells"
)

type cellRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Version   string
	StartedAt int64
	SeenAt    int64
	Applied   int64
}

func (cellRow) TableName() string { return "cells" }

// clock is the database's own, in microseconds: what cells compare with each
// other must not be measured by theirs. SQLite's is the host's, and so ours; asked
// for here it is also right where a test has its own time.
func (d *DB) clock() string {
	if d.kind == sqlite {
		return strconv.FormatInt(time.Now().UnixMicro(), 10)
	}
	return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
}

// Cells is the store of package cells.
func (d *DB) Cells() cells.Store { return cellStore{d} }

type cellStore struct{ *DB }

// on is a statement by itself, which no request waits for.
func (d *DB) on(ctx context.Context, p *pool) *reader { return &reader{p.session(Background(ctx), p)} }

func (s cellStore) Beat(ctx context.Context, c cells.Cell) error {
	err := s.on(ctx, s.write).db.Exec(`INSERT INTO cells (id, name, version, started_at, seen_at, applied)
		VALUES (?, ?, ?, ?, `+s.clock()+`, ?)
		ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, applied = excluded.applied`,
		c.ID, clean(c.Name), c.Version, micros(c.StartedAt), c.Applied).Error
	if full := isFull(err); full || err == nil {
		s.full.Store(full)
	}
	return fault(err)
}

func (s cellStore) Cells(ctx context.Context) ([]cells.Cell, error) {
	var rows []struct {
		Row    cellRow `gorm:"embedded"`
		Unseen int64
	}
	err := s.on(ctx, s.read).db.Raw("SELECT c.*, " + s.clock() + " - c.seen_at AS unseen FROM cells c ORDER BY c.name, c.started_at, c.id").Find(&rows).Error
	var all []cells.Cell
	for _, r := range rows {
		all = append(all, cells.Cell{
			ID: r.Row.ID, Name: r.Row.Name, Version: r.Row.Version, StartedAt: fromMicros(r.Row.StartedAt), Applied: r.Row.Applied,
			Unseen: time.Duration(max(0, r.Unseen)) * time.Microsecond,
		})
	}
	return all, fault(err)
}

func (s cellStore) Leave(ctx context.Context, id string) error {
	return fault(s.on(ctx, s.write).db.Delete(&cellRow{}, clause.Eq{Column: "id", Value: id}).Error)
}

func (s cellStore) ForgetCells(ctx context.Context, unseen time.Duration) (int64, error) {
	q := s.on(ctx, s.write).db.Exec("DELETE FROM cells WHERE seen_at < "+s.clock()+" - ?", unseen.Microseconds())
	return q.RowsAffected, fault(q.Error)
}
