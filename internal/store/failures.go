package store

import (
	"time"

	"gorm.io/gorm/clause"

	"causeway/tenants"
)

type failuresRow struct {
	OrgID       string `gorm:"primaryKey"`
	UserID      string `gorm:"primaryKey"`
	Source      string `gorm:"primaryKey"`
	Failures    int
	LastAt      int64
	LockedUntil int64
}

func (failuresRow) TableName() string { return "login_failures" }

func (r *reader) LoginFailures(org tenants.OrgID, user tenants.UserID, source string) (tenants.LoginFailures, error) {
	var row failuresRow
	err := take(r.of(org).Where("user_id = ? AND source = ?", string(user), source), &row)
	return tenants.LoginFailures{
		Org: tenants.OrgID(row.OrgID), User: tenants.UserID(row.UserID), Source: row.Source, Failures: row.Failures,
		LastAt: fromMicros(row.LastAt), LockedUntil: fromMicros(row.LockedUntil),
	}, err
}

func (r *reader) LockedSources(org tenants.OrgID, user tenants.UserID, now time.Time) (int, error) {
	var n int64
	err := r.of(org).Model(&failuresRow{}).Where("user_id = ? AND locked_until > ?", string(user), micros(now)).Count(&n).Error
	return int(n), fault(err)
}

func (t *tx) PutLoginFailures(f tenants.LoginFailures) error {
	row := failuresRow{
		OrgID: string(f.Org), UserID: string(f.User), Source: f.Source, Failures: f.Failures,
		LastAt: micros(f.LastAt), LockedUntil: micros(f.LockedUntil),
	}
	if _, err := t.wrote(t.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row)); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM login_failures WHERE org_id = ? AND user_id = ? AND source NOT IN (
		SELECT source FROM login_failures WHERE org_id = ? AND user_id = ? ORDER BY locked_until > ? DESC, last_at DESC, source LIMIT ?)`,
		row.OrgID, row.UserID, row.OrgID, row.UserID, row.LastAt, tenants.SourcesPerUser)
	return err
}

func (t *tx) ClearLoginFailures(org tenants.OrgID, user tenants.UserID, source string) error {
	q := t.of(org).Where("user_id = ?", string(user))
	if source != "" {
		q = q.Where("source = ?", source)
	}
	_, err := t.wrote(q.Delete(&failuresRow{}))
	return err
}
