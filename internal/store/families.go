package store

import (
	"time"

	"gorm.io/gorm"

	"causeway/oauth"
	"causeway/tenants"
)

type familyRow struct {
	OrgID         string `gorm:"primaryKey"`
	ID            string `gorm:"primaryKey"`
	AccountID     string
	Generation    int
	CurrentDigest []byte
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	RevokedAt     int64
}

func (familyRow) TableName() string { return "token_families" }

func (r familyRow) family() oauth.Family {
	return oauth.Family{
		ID: r.ID, Org: tenants.OrgID(r.OrgID), Account: oauth.ClientID(r.AccountID), Generation: r.Generation,
		Current: r.CurrentDigest, CreatedAt: fromMicros(r.CreatedAt), RevokedAt: fromMicros(r.RevokedAt),
	}
}

type usedTokenRow struct {
	Digest     []byte `gorm:"primaryKey"`
	OrgID      string
	FamilyID   string
	Generation int
	UsedAt     int64
	Source     string
	Retries    int
}

func (usedTokenRow) TableName() string { return "used_tokens" }

type presentedRow struct {
	Row     familyRow `gorm:"embedded"`
	Shown   int
	UsedAt  int64
	Source  string
	Retries int
}

// RefreshToken looks among current and used tokens in one statement: between
// two, a rotation could hide the token from both.
func (r *reader) RefreshToken(token oauth.Digest) (oauth.Presented, error) {
	const columns = "f.org_id, f.id, f.account_id, f.generation, f.current_digest, f.created_at, f.revoked_at"
	const query = `SELECT ` + columns + `, f.generation AS shown, 0 AS used_at, '' AS source, 0 AS retries
		FROM token_families f WHERE f.current_digest = ?
		UNION ALL
		SELECT ` + columns + `, u.generation, u.used_at, u.source, u.retries
		FROM used_tokens u JOIN token_families f ON f.org_id = u.org_id AND f.id = u.family_id WHERE u.digest = ?`
	var row presentedRow
	err := take(r.db.Raw(query, blob(token), blob(token)), &row)
	return oauth.Presented{
		Family: row.Row.family(), Shown: row.Shown, UsedAt: fromMicros(row.UsedAt), UsedFrom: row.Source, Retries: row.Retries,
	}, err
}

func newFamilyRow(f oauth.Family) familyRow {
	return familyRow{
		OrgID: string(f.Org), ID: f.ID, AccountID: string(f.Account), Generation: f.Generation,
		CurrentDigest: f.Current, CreatedAt: micros(f.CreatedAt), RevokedAt: micros(f.RevokedAt),
	}
}

func (t *tx) CreateFamily(f oauth.Family) error {
	row := newFamilyRow(f)
	return t.create(&row)
}

// RevokeFamilies also ends the sessions of those families, in this order: a
// rotation that got in first has committed its session when the first statement
// returns, and one that comes later finds the family revoked.
func (t *tx) RevokeFamilies(org tenants.OrgID, account oauth.ClientID, now time.Time) error {
	if err := t.LockServiceAccount(org, account); err != nil {
		return err
	}
	if _, err := t.wrote(t.of(org).Model(&familyRow{}).
		Where("account_id = ? AND revoked_at = 0", string(account)).
		UpdateColumn("revoked_at", micros(now))); err != nil {
		return err
	}
	_, err := t.wrote(t.liveOf(org, tenants.KindServiceAccount, string(account), now).
		Where("family_id <> ''").UpdateColumn("ended_at", micros(now)))
	return err
}

// CountRetry holds the family: a session opened for the retry in the same
// transaction must not survive a revoke that runs meanwhile.
func (t *tx) CountRetry(org tenants.OrgID, family string, used oauth.Digest, counts bool) (bool, error) {
	var row familyRow
	if err := take(forUpdate(t.of(org)).Where("id = ?", family), &row); err != nil {
		return false, err
	}
	if row.RevokedAt != 0 {
		return false, nil
	}
	more := 0
	if counts {
		more = 1
	}
	n, err := t.wrote(t.of(org).Model(&usedTokenRow{}).
		Where("digest = ? AND family_id = ? AND generation = ?", blob(used), family, row.Generation-1).
		UpdateColumn("retries", gorm.Expr("retries + ?", more)))
	return n == 1, err
}
