package store

import (
	"context"
	"database/sql"
	"maps"
	"time"

	"gorm.io/gorm"

	"causeway/internal/watermark"
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

// selectCurrent wants a condition. What nearly everybody shows is the one token of
// a family that rotates.
const selectCurrent = `SELECT ` + presentedColumns + `, f.current_digest AS token, f.generation AS shown, 0 AS used_at, '' AS source, 0 AS retries, '' AS went_on
	FROM token_families f` + presentedHolder + `WHERE f.current_digest `

// selectPresented looks among current and used tokens in one statement: between
// two, a rotation could hide the token from both. Of a used token it tells who
// went on with its successor, too. which is the condition on a token, given twice.
func selectPresented(which string) string {
	return selectCurrent + which + `
	UNION ALL
	SELECT ` + presentedColumns + `, u.digest, u.generation, u.used_at, u.source, u.retries, coalesce((SELECT n.source FROM used_tokens n
		WHERE n.org_id = u.org_id AND n.family_id = u.family_id AND n.generation = u.generation + 1), '')
	FROM used_tokens u JOIN token_families f ON f.org_id = u.org_id AND f.id = u.family_id` + presentedHolder + `WHERE u.digest ` + which
}

func (r *reader) RefreshToken(token oauth.Digest) (oauth.Presented, error) {
	found, err := presented(r.db.Raw(selectPresented("= ?"), blob(token), blob(token)))
	return among(found, token, err)
}

// among is what was found of one token.
func among(found map[string]oauth.Presented, token oauth.Digest, err error) (oauth.Presented, error) {
	p, ok := found[string(token)]
	if err == nil && !ok {
		err = notFound()
	}
	return p, err
}

// RefreshToken asks together with others, whatever the token: what strangers make
// up must not keep those waiting who lost an answer.
func (s oauthStore) RefreshToken(ctx context.Context, token oauth.Digest) (oauth.Presented, error) {
	p, err := s.tokens.ask(ctx, token)
	return p, fault(err)
}

type tokenJob = job[oauth.Digest, oauth.Presented]

// readTogether opens the group of tokens that are looked up.
func (d *DB) readTogether() {
	d.tokens = (&group[oauth.Digest, oauth.Presented]{pool: d.read.sql, do: d.presentedTogether}).start(d)
}

func (d *DB) presentedTogether(conn *sql.Conn, jobs []tokenJob) []answer[oauth.Presented] {
	ctx, cancel := d.whole(jobs[0].ctx)
	defer cancel()
	db := d.read.session(ctx, counted{conn, d.stats})
	found, err := presented(d.currentAmong(db, jobs))
	var rest []tokenJob // spent, or nobody's
	for _, j := range jobs {
		if _, ok := found[string(j.what)]; !ok {
			rest = append(rest, j)
		}
	}
	if err == nil && len(rest) > 0 {
		var more map[string]oauth.Presented
		more, err = presented(d.presentedAmong(db, rest))
		maps.Copy(found, more)
	}
	answers := make([]answer[oauth.Presented], len(jobs))
	for i, j := range jobs {
		answers[i].value, answers[i].err = among(found, j.what, err)
	}
	return answers
}

// currentAmong is the query for a list of tokens, in either database's words.
func (d *DB) currentAmong(db *gorm.DB, jobs []tokenJob) *gorm.DB {
	if d.kind == postgres {
		return db.Raw(selectCurrent+anyOf, arrayOf(jobs))
	}
	return db.Raw(selectCurrent+"IN (?)", listOf(jobs))
}

func (d *DB) presentedAmong(db *gorm.DB, jobs []tokenJob) *gorm.DB {
	if d.kind == postgres {
		return db.Raw(selectPresented(anyOf), arrayOf(jobs))
	}
	return db.Raw(selectPresented("IN (?)"), listOf(jobs), listOf(jobs))
}

const anyOf = "= ANY($1::bytea[])"

func arrayOf(jobs []tokenJob) [][]byte {
	return convert(jobs, func(j tokenJob) []byte { return j.what })
}

func listOf(jobs []tokenJob) []blob {
	return convert(jobs, func(j tokenJob) blob { return blob(j.what) })
}

// presented reads by hand: it is half of what a refresh asks the database. What it
// finds is told by the digest of the token.
func presented(q *gorm.DB) (map[string]oauth.Presented, error) {
	rows, err := q.Rows()
	if err != nil {
		return nil, fault(err)
	}
	defer rows.Close()
	found := map[string]oauth.Presented{}
	for rows.Next() {
		var f familyRow
		var a accountRow
		var p oauth.Presented
		var token []byte
		var usedAt int64
		if err := rows.Scan(&f.OrgID, &f.ID, &f.AccountID, &f.Generation, &f.CurrentDigest, &f.CreatedAt, &f.RevokedAt,
			&a.Name, &a.SoftwareID, &a.SoftwareVersion, &a.URI, &a.RoleID, &a.QuotaPolicyID, &a.CreatedAt,
			&token, &p.Shown, &usedAt, &p.UsedFrom, &p.Retries, &p.WentOnFrom); err != nil {
			return nil, fault(err)
		}
		a.OrgID, a.ID = f.OrgID, f.AccountID
		p.Family, p.Holder, p.UsedAt = f.family(), accountWithStatus{Row: a}.account(), fromMicros(usedAt)
		found[string(token)] = p
	}
	return found, fault(rows.Err())
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
	if t.marking {
		var live []string
		if err := t.of(org).Model(&familyRow{}).Where("account_id = ? AND revoked_at = 0", string(account)).Pluck("id", &live).Error; err != nil {
			return fault(err)
		}
		for _, id := range live {
			t.revoked = append(t.revoked, watermark.Rotation{Family: id, Generation: watermark.Revoked})
		}
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

// forgetUsedTokens deletes those of an account that is about to go: they refer to
// their family without a foreign key, which each rotation would have to check. The
// families are held first, so a rotation that runs meanwhile has
// written its used token by then, or finds nothing to rotate.
func (t *tx) forgetUsedTokens(org tenants.OrgID, account oauth.ClientID) error {
	var families []string
	err := forUpdate(t.of(org)).Model(&familyRow{}).Where("account_id = ?", string(account)).Pluck("id", &families).Error
	if err != nil || len(families) == 0 {
		return fault(err)
	}
	_, err = t.exec("DELETE FROM used_tokens WHERE org_id = ? AND family_id IN ?", string(org), families)
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
