package store

import (
	"time"

	"gorm.io/gorm"

	"causeway/federation"
)

type rootRow struct {
	ID         string `gorm:"primaryKey"`
	Sealed     []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	SignsFrom  int64
	RetiredAt  int64
	Succession string
}

func (rootRow) TableName() string { return "site_roots" }

func (r *reader) Roots() ([]federation.Root, error) {
	var rows []rootRow
	err := fault(r.db.Order("created_at, id").Find(&rows).Error)
	return convert(rows, func(r rootRow) federation.Root {
		return federation.Root{
			ID: r.ID, Sealed: r.Sealed, Succession: r.Succession,
			CreatedAt: fromMicros(r.CreatedAt), SignsFrom: fromMicros(r.SignsFrom), RetiredAt: fromMicros(r.RetiredAt),
		}
	}), err
}

func (t *tx) RenameSelf(name string) error {
	return t.must(t.self().UpdateColumns(map[string]any{"name": name, "bundle_seq": gorm.Expr("bundle_seq + 1")}))
}

// RenewBundle goes on from the clock where that is ahead: a database brought back
// from a backup has an older number.
func (t *tx) RenewBundle(at time.Time) error {
	next := gorm.Expr("CASE WHEN bundle_seq < ? THEN ? ELSE bundle_seq + 1 END", at.Unix(), at.Unix())
	return t.must(t.self().UpdateColumn("bundle_seq", next))
}

func (t *tx) self() *gorm.DB { return t.db.Model(&siteRow{}).Where("one = 1") }

func (t *tx) CreateRoot(r federation.Root) error {
	return once("The root key is there already.", t.create(&rootRow{
		ID: r.ID, Sealed: r.Sealed, Succession: r.Succession,
		CreatedAt: micros(r.CreatedAt), SignsFrom: micros(r.SignsFrom), RetiredAt: micros(r.RetiredAt),
	}))
}

func (t *tx) AdvanceRoot(id string, at time.Time) error {
	return t.must(t.livingRoot(id).UpdateColumns(map[string]any{"signs_from": micros(at), "succession": ""}))
}

func (t *tx) RetireRoot(id string, at time.Time) error {
	return t.must(t.livingRoot(id).UpdateColumns(map[string]any{"retired_at": micros(at), "sealed": []byte{}}))
}

func (t *tx) livingRoot(id string) *gorm.DB {
	return t.db.Model(&rootRow{}).Where("id = ? AND retired_at = 0", id)
}
