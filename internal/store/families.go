package store

import (
	"database/sql"
	"errors"
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

// presentedColumns are what is known of a token's family and of who holds it.
const presentedColumns = `f.org_id, f.id, f.account_id, f.generation, f.current_digest, f.created_at, f.revoked_at,
	a.name, a.software_id, a.software_version, a.uri, a.role_id, a.quota_policy_id, a.created_at`

const presentedHolder = ` JOIN service_accounts a ON a.org_id = f.org_id AND a.id = f.account_id `

// selectCurrent is what nearly everybody shows: the one token that rotates.
const selectCurrent = `SELECT ` + presentedColumns + `, f.generation AS shown, 0 AS used_at, '' AS source, 0 AS retries, '' AS went_on
	FROM token_families f` + presentedHolder + `WHERE f.current_digest = ?`

// selectPresented looks among current and used tokens in one statement: between
// two, a rotation could hide the token from both. Of a used token it tells who
// went on with its successor, too.
const selectPresented = selectCurrent + `
	UNION ALL
	SELECT ` + presentedColumns + `, u.generation, u.used_at, u.source, u.retries, coalesce((SELECT n.source FROM used_tokens n
		WHERE n.org_id = u.org_id AND n.family_id = u.family_id AND n.generation = u.generation + 1), '')
	FROM used_tokens u JOIN token_families f ON f.org_id = u.org_id AND f.id = u.family_id` + presentedHolder + `WHERE u.digest = ?`

func (r *reader) RefreshToken(token oauth.Digest) (oauth.Presented, error) {
	shown, err := presented(r.db.Raw(selectCurrent, blob(token)))
	if errors.Is(err, sql.ErrNoRows) {
		shown, err = presented(r.db.Raw(selectPresented, blob(token), blob(token)))
	}
	return shown, fault(err)
}

// presented reads by hand: it is half of what a refresh asks the database.
func presented(q *gorm.DB) (oauth.Presented, error) {
	var f familyRow
	var a accountRow
	var p oauth.Presented
	var usedAt int64
	row := q.Row()
	if row == nil {
		return p, q.Error
	}
	err := row.Scan(&f.OrgID, &f.ID, &f.AccountID, &f.Generation, &f.CurrentDigest, &f.CreatedAt, &f.RevokedAt,
		&a.Name, &a.SoftwareID, &a.SoftwareVersion, &a.URI, &a.RoleID, &a.QuotaPolicyID, &a.CreatedAt,
		&p.Shown, &usedAt, &p.UsedFrom, &p.Retries, &p.WentOnFrom)
	a.OrgID, a.ID = f.OrgID, f.AccountID
	p.Family, p.Holder, p.UsedAt = f.family(), accountWithStatus{Row: a}.account(), fromMicros(usedAt)
	return p, err
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

// CountRetry holds the organization and the family: a session opened for the retry in the same
// transaction must not survive a revoke that runs meanwhile.
func (t *tx) CountRetry(org tenants.OrgID, family string, used oauth.Digest, counts bool) (bool, error) {
	if err := t.HoldOrganization(org); err != nil {
		return false, err
	}
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
