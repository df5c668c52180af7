package store

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"causeway/oauth"
	"causeway/tenants"
)

type sessionRow struct {
	ID         string `gorm:"primaryKey"`
	OrgID      string
	Kind       string
	Principal  string
	Name       string
	SoftwareID string
	RoleID     string
	Quota      string
	FamilyID   string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	ExpiresAt  int64
	LastUsed   int64
	EndedAt    int64

	LegacyDigest blob
}

func (sessionRow) TableName() string { return "sessions" }

func newSessionRow(s oauth.Session) sessionRow {
	return sessionRow{
		ID: string(s.ID), OrgID: string(s.Org), Kind: string(s.Kind), Principal: s.Principal, Name: s.Name,
		SoftwareID: s.SoftwareID, RoleID: string(s.Role), Quota: s.Quota, FamilyID: s.Family, CreatedAt: micros(s.CreatedAt),
		ExpiresAt: micros(s.ExpiresAt), LastUsed: micros(s.LastUsed), EndedAt: micros(s.EndedAt),
		LegacyDigest: blob(s.Legacy),
	}
}

func (r sessionRow) session() oauth.Session {
	return oauth.Session{
		ID: tenants.SessionID(r.ID), Org: tenants.OrgID(r.OrgID), Kind: tenants.PrincipalKind(r.Kind), Principal: r.Principal,
		Name: r.Name, SoftwareID: r.SoftwareID, Role: tenants.RoleID(r.RoleID), Quota: r.Quota, Family: r.FamilyID,
		CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt), LastUsed: fromMicros(r.LastUsed),
		EndedAt: fromMicros(r.EndedAt),
	}
}

const readSession = `SELECT id, org_id, kind, principal, name, software_id, role_id, quota, family_id, created_at, expires_at, last_used, ended_at
	FROM sessions WHERE id = `

// Session goes past gorm, which takes as long as the read does: who shows a token for
// the first time waits for this and for the signature's check.
func (r *reader) Session(id tenants.SessionID) (oauth.Session, error) {
	query := readSession + "?"
	if r.onPostgres() {
		query = readSession + "$1"
	}
	var s sessionRow
	err := r.db.Statement.ConnPool.QueryRowContext(r.db.Statement.Context, query, string(id)).Scan(
		&s.ID, &s.OrgID, &s.Kind, &s.Principal, &s.Name, &s.SoftwareID, &s.RoleID, &s.Quota, &s.FamilyID, &s.CreatedAt, &s.ExpiresAt, &s.LastUsed, &s.EndedAt)
	return s.session(), fault(err)
}

func (r *reader) LiveSession(org tenants.OrgID, id tenants.SessionID, now time.Time) error {
	return take(r.of(org).Where("id = ? AND ended_at = 0 AND expires_at > ?", string(id), micros(now)), &sessionRow{})
}

// SessionByLegacy looks in the index of opaque tokens.
func (r *reader) SessionByLegacy(token oauth.Digest) (oauth.Session, error) {
	var row sessionRow
	err := take(r.db.Where("legacy_digest = ? AND "+r.filled("legacy_digest"), blob(token)), &row)
	return row.session(), err
}

// selectSessions needs the organization, the time and the time of the last use
// that counts. A user's role is what it is now.
const selectSessions = `SELECT s.id, s.org_id, s.kind, s.principal, s.name, s.software_id, COALESCE(u.role_id, s.role_id) AS role_id,
		s.family_id, s.created_at, s.expires_at, s.last_used
	FROM sessions s LEFT JOIN users u ON u.org_id = s.org_id AND u.id = s.principal AND s.kind IN ('user', 'apiToken')
	WHERE s.org_id = ? AND s.ended_at = 0 AND s.expires_at > ? AND s.last_used > ?`

func (r *reader) Sessions(org tenants.OrgID, live oauth.Live, q tenants.Query) ([]oauth.Session, int, error) {
	l := listing{
		base: selectSessions, args: []any{string(org), micros(live.Now), micros(live.UsedAfter)},
		columns: "id, kind, principal, name, role_id, created_at",
		hidden:  "org_id, software_id, family_id, expires_at, last_used",
		order:   "created_at DESC, id", unique: "id",
	}
	if live.Principal != "" {
		l.base += " AND s.kind = ? AND s.principal = ?"
		l.args = append(l.args, string(live.Kind), live.Principal)
	}
	rows, total, err := page[sessionRow](r, l, q)
	return convert(rows, sessionRow.session), total, err
}

// CreateSession holds what the session stands on, the organization and the family
// or the user, and wants it alive: whoever ends it at the same time either is
// waited for or sees the session.
func (t *tx) CreateSession(s oauth.Session) error {
	if err := t.holdOwner(s); err != nil {
		return err
	}
	row := newSessionRow(s)
	return t.create(&row)
}

// EndSession ends a session once; ending it again keeps the first time.
func (t *tx) EndSession(org tenants.OrgID, id tenants.SessionID, now time.Time) error {
	n, err := t.wrote(t.of(org).Model(&sessionRow{}).Where("id = ? AND ended_at = 0", string(id)).
		UpdateColumn("ended_at", micros(now)))
	if err != nil || n == 1 {
		return err
	}
	return take(t.of(org).Where("id = ?", string(id)), &sessionRow{})
}

// EndSessions ends those that are live, as everybody who ends more than one does:
// sessions that have expired are left as they are, and there are many.
func (t *tx) EndSessions(org tenants.OrgID, now time.Time) error {
	_, err := t.wrote(t.live(org, now).UpdateColumn("ended_at", micros(now)))
	return err
}

func (t *tx) EndSessionsOf(org tenants.OrgID, kind tenants.PrincipalKind, principal string, now time.Time) error {
	_, err := t.wrote(t.liveOf(org, kind, principal, now).UpdateColumn("ended_at", micros(now)))
	return err
}

func (t *tx) live(org tenants.OrgID, now time.Time) *gorm.DB {
	return t.of(org).Model(&sessionRow{}).Where("ended_at = 0 AND expires_at > ?", micros(now))
}

func (t *tx) liveOf(org tenants.OrgID, kind tenants.PrincipalKind, principal string, now time.Time) *gorm.DB {
	return t.live(org, now).Where("kind = ? AND principal = ?", string(kind), principal)
}

// touchBatch is how many sessions one statement touches.
const touchBatch = 1000

var touch = map[kind]string{
	sqlite: `UPDATE sessions SET last_used = v.value FROM json_each(?) v
		WHERE sessions.id = v.key AND sessions.last_used < v.value`,
	postgres: `UPDATE sessions SET last_used = v.value::bigint FROM json_each_text(?::json) v
		WHERE sessions.id = v.key AND sessions.last_used < v.value::bigint`,
}

// Touch never moves a last use back, so cells may flush in any order. The map
// travels as one JSON object: one parameter and one plan, whatever its size.
func (s oauthStore) Touch(ctx context.Context, used map[tenants.SessionID]time.Time) error {
	batch := make(map[tenants.SessionID]int64, min(len(used), touchBatch))
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		object, err := json.Marshal(batch)
		if err != nil {
			return err
		}
		clear(batch)
		return s.inTx(ctx, func(t *tx) error {
			_, err := t.exec(touch[s.kind], string(object))
			return err
		})
	}
	for id, at := range used {
		if batch[id] = micros(at); len(batch) == touchBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
