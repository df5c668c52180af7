package store

import (
	"time"

	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

type apiTokenRow struct {
	OrgID     string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	UserID    string
	Name      string
	Digest    blob
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	ExpiresAt int64
}

func (apiTokenRow) TableName() string { return "api_tokens" }

type listedAPITokenRow struct {
	OrgID     string
	ID        string
	OwnerID   string
	OwnerName string
	Name      string
	CreatedAt int64
	ExpiresAt int64
}

func (r listedAPITokenRow) token() oauth.APIToken {
	return oauth.APIToken{
		ID: oauth.ClientID(r.ID), Org: tenants.OrgID(r.OrgID), Owner: tenants.UserID(r.OwnerID), OwnerName: r.OwnerName,
		Name: r.Name, CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt),
	}
}

// selectAPITokens reads tokens with their owners' names. Every token is of the
// one type that users create.
const selectAPITokens = `SELECT t.org_id, t.id, t.name, 'REFRESH' AS type, t.user_id AS owner_id, u.name AS owner_name, t.created_at, t.expires_at
	FROM api_tokens t JOIN users u ON u.org_id = t.org_id AND u.id = t.user_id WHERE `

func (r *reader) APIToken(org tenants.OrgID, id oauth.ClientID) (oauth.APIToken, error) {
	var row listedAPITokenRow
	err := take(r.db.Raw(selectAPITokens+"t.org_id = ? AND t.id = ?", string(org), string(id)), &row)
	return row.token(), err
}

// APITokenByDigest looks in the index of refresh tokens.
func (r *reader) APITokenByDigest(token oauth.Digest) (oauth.APIToken, error) {
	var row listedAPITokenRow
	err := take(r.db.Raw(selectAPITokens+"t.digest = ? AND "+r.filled("t.digest"), blob(token)), &row)
	return row.token(), err
}

func (r *reader) APITokens(org tenants.OrgID, whose oauth.Whose, q tenants.Query) ([]oauth.APIToken, int, error) {
	l := listing{
		base: selectAPITokens + "t.org_id = ?", args: []any{string(org)},
		columns: "id, name, type, owner_id, owner_name, created_at, expires_at", hidden: "org_id",
		order: "name, id", unique: "id",
	}
	if !whose.All {
		l.base += " AND t.user_id = ?"
		l.args = append(l.args, string(whose.Owner))
	}
	rows, total, err := page[listedAPITokenRow](r, l, q)
	return convert(rows, listedAPITokenRow.token), total, err
}

// CreateAPIToken holds the owner, so that the number it counts stays true.
func (t *tx) CreateAPIToken(a oauth.APIToken, most int) error {
	if err := t.holdUser(a.Org, a.Owner); err != nil {
		return err
	}
	var there int
	err := t.db.Raw("SELECT count(*) FROM api_tokens WHERE org_id = ? AND user_id = ?", string(a.Org), string(a.Owner)).Find(&there).Error
	if err != nil {
		return fault(err)
	}
	if there >= most {
		return problem.New(problem.Conflict, "A user has %d API tokens at most; delete one first.", most)
	}
	return t.create(&apiTokenRow{
		OrgID: string(a.Org), ID: string(a.ID), UserID: string(a.Owner), Name: a.Name, Digest: blob{},
		CreatedAt: micros(a.CreatedAt), ExpiresAt: micros(a.ExpiresAt),
	})
}

func (t *tx) RenameAPIToken(org tenants.OrgID, id oauth.ClientID, name string) error {
	return t.must(t.of(org).Model(&apiTokenRow{}).Where("id = ?", string(id)).UpdateColumn("name", name))
}

// FetchAPIToken holds the owner first, as whoever deletes the owner does: they
// wait for one another and not both for each other.
func (t *tx) FetchAPIToken(a oauth.APIToken, token oauth.Digest) (bool, error) {
	if err := t.holdUser(a.Org, a.Owner); err != nil {
		return false, err
	}
	n, err := t.wrote(t.of(a.Org).Model(&apiTokenRow{}).
		Where("id = ? AND user_id = ? AND digest = ?", string(a.ID), string(a.Owner), blob{}).
		UpdateColumn("digest", blob(token)))
	if err != nil || n == 1 {
		return n == 1, err
	}
	return false, take(t.of(a.Org).Where("id = ? AND user_id = ?", string(a.ID), string(a.Owner)), &apiTokenRow{})
}

// DeleteAPIToken holds the owner, as whoever opens a session of the token does: it
// takes its turn among them. The token goes before it looks for sessions: one that
// was being opened is there by then, and one that comes later finds no token.
func (t *tx) DeleteAPIToken(a oauth.APIToken, now time.Time) error {
	if err := t.LockUser(a.Org, a.Owner); err != nil {
		return err
	}
	if err := t.must(t.of(a.Org).Where("id = ?", string(a.ID)).Delete(&apiTokenRow{})); err != nil {
		return err
	}
	_, err := t.wrote(t.liveOf(a.Org, tenants.KindAPIToken, string(a.Owner), now).
		Where("family_id = ?", string(a.ID)).UpdateColumn("ended_at", micros(now)))
	return err
}
