package store

import (
	"context"
	"database/sql"
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

// selectCurrent wants a condition. What nearly everybody shows is the one token of
// a family that rotates.
const selectCurrent = `SELECT ` + presentedColumns + `, f.generation AS shown, 0 AS used_at, '' AS source, 0 AS retries, '' AS went_on
	FROM token_families f` + presentedHolder

// selectPresented looks among current and used tokens in one statement: between
// two, a rotation could hide the token from both. Of a used token it tells who
// went on with its successor, too.
const selectPresented = selectCurrent + `WHERE f.current_digest = ?
	UNION ALL
	SELECT ` + presentedColumns + `, u.generation, u.used_at, u.source, u.retries, coalesce((SELECT n.source FROM used_tokens n
		WHERE n.org_id = u.org_id AND n.family_id = u.family_id AND n.generation = u.generation + 1), '')
	FROM used_tokens u JOIN token_families f ON f.org_id = u.org_id AND f.id = u.family_id` + presentedHolder + `WHERE u.digest = ?`

func (r *reader) RefreshToken(token oauth.Digest) (oauth.Presented, error) {
	found, err := presented(r.db.Raw(selectPresented, blob(token), blob(token)))
	if err == nil && len(found) == 0 {
		err = notFound()
	}
	if err != nil {
		return oauth.Presented{}, err
	}
	return found[0], nil
}

// RefreshToken asks for tokens that rotate together with others; one that is not
// among them asks alone.
func (s oauthStore) RefreshToken(ctx context.Context, token oauth.Digest) (oauth.Presented, error) {
	p, err := s.tokens.ask(ctx, token)
	return p, fault(err)
}

// currentAmong is the list of tokens, in either database's words.
var currentAmong = map[kind]string{sqlite: "WHERE f.current_digest IN (?)", postgres: "WHERE f.current_digest = ANY($1::bytea[])"}

type tokenJob = job[oauth.Digest, oauth.Presented]

// readTogether opens the group of tokens that are looked up.
func (d *DB) readTogether() {
	g := &group[oauth.Digest, oauth.Presented]{pool: d.read.sql, do: d.current, alone: d.anyGeneration}
	d.tokens = g.start(d)
}

// list is the tokens that jobs ask for, as the database takes lists.
func (d *DB) list(jobs []tokenJob) any {
	if d.kind == sqlite {
		return convert(jobs, func(j tokenJob) blob { return blob(j.what) })
	}
	return convert(jobs, func(j tokenJob) []byte { return j.what })
}

// current reads those that rotate. A token that is not among them is looked for
// alone: it may be spent, or nobody's.
func (d *DB) current(conn *sql.Conn, jobs []tokenJob) []answer[oauth.Presented] {
	ctx, cancel := d.whole(jobs[0].ctx)
	defer cancel()
	found, err := presented(d.read.session(ctx, counted{conn, d.stats}).Raw(selectCurrent+currentAmong[d.kind], d.list(jobs)))
	byDigest := make(map[string]oauth.Presented, len(found))
	for _, p := range found {
		byDigest[string(p.Current)] = p
	}
	answers := make([]answer[oauth.Presented], len(jobs))
	for i, j := range jobs {
		p, ok := byDigest[string(j.what)]
		answers[i] = answer[oauth.Presented]{value: p, err: err, alone: err == nil && !ok}
	}
	return answers
}

func (d *DB) anyGeneration(ctx context.Context, token oauth.Digest) (p oauth.Presented, err error) {
	err = d.view(ctx, func(r *reader) error {
		p, err = r.RefreshToken(token)
		return err
	})
	return p, err
}

// presented reads by hand: it is half of what a refresh asks the database.
func presented(q *gorm.DB) (all []oauth.Presented, err error) {
	rows, err := q.Rows()
	if err != nil {
		return nil, fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		var f familyRow
		var a accountRow
		var p oauth.Presented
		var usedAt int64
		if err := rows.Scan(&f.OrgID, &f.ID, &f.AccountID, &f.Generation, &f.CurrentDigest, &f.CreatedAt, &f.RevokedAt,
			&a.Name, &a.SoftwareID, &a.SoftwareVersion, &a.URI, &a.RoleID, &a.QuotaPolicyID, &a.CreatedAt,
			&p.Shown, &usedAt, &p.UsedFrom, &p.Retries, &p.WentOnFrom); err != nil {
			return nil, fault(err)
		}
		a.OrgID, a.ID = f.OrgID, f.AccountID
		p.Family, p.Holder, p.UsedAt = f.family(), accountWithStatus{Row: a}.account(), fromMicros(usedAt)
		all = append(all, p)
	}
	return all, fault(rows.Err())
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
