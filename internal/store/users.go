package store

import (
	"encoding/json"
	"time"

	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

type userRow struct {
	OrgID         string `gorm:"primaryKey"`
	ID            string `gorm:"primaryKey"`
	Name          string
	FullName      string
	Description   string
	Email         string
	ProviderType  string
	Profile       string
	RoleID        string
	Enabled       bool
	PasswordHash  string
	QuotaPolicyID string
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
}

func (userRow) TableName() string { return "users" }

func newUserRow(u tenants.User) (userRow, error) {
	if u.Name != tenants.FoldName(u.Name) {
		return userRow{}, problem.New(problem.BadRequest, "A user's name is in lower case.")
	}
	profile, err := json.Marshal(u.Profile)
	return userRow{
		OrgID: string(u.Org), ID: string(u.ID), Name: u.Name, FullName: u.FullName, Description: u.Description,
		Email: u.Email, ProviderType: u.ProviderType, Profile: string(profile), RoleID: string(u.Role),
		Enabled: u.Enabled, PasswordHash: u.PasswordHash, QuotaPolicyID: string(u.Quota), CreatedAt: micros(u.CreatedAt),
	}, err
}

type listedUserRow struct {
	Row    userRow `gorm:"embedded"`
	Locked bool
}

func (l listedUserRow) user() (tenants.User, error) {
	r := l.Row
	u := tenants.User{
		ID: tenants.UserID(r.ID), Org: tenants.OrgID(r.OrgID), Name: r.Name, FullName: r.FullName, Description: r.Description,
		Email: r.Email, ProviderType: r.ProviderType, Role: tenants.RoleID(r.RoleID), Enabled: r.Enabled, Locked: l.Locked,
		PasswordHash: r.PasswordHash, Quota: tenants.QuotaPolicyID(r.QuotaPolicyID), CreatedAt: fromMicros(r.CreatedAt),
	}
	err := json.Unmarshal([]byte(r.Profile), &u.Profile)
	return u, err
}

// selectUsers needs the time and the organization. provider is what OpenAPI calls
// the provider type.
const selectUsers = `SELECT u.*, CASE u.provider_type WHEN 'INTEGRATED' THEN 'LOCAL' ELSE u.provider_type END AS provider, EXISTS (SELECT 1 FROM login_failures f
	WHERE f.org_id = u.org_id AND f.user_id = u.id AND f.locked_until > ?) AS locked FROM users u WHERE u.org_id = ?`

func (r *reader) user(org tenants.OrgID, now time.Time, where, arg string) (tenants.User, error) {
	var row listedUserRow
	if err := take(r.db.Raw(selectUsers+where, micros(now), string(org), arg), &row); err != nil {
		return tenants.User{}, err
	}
	return row.user()
}

func (r *reader) User(org tenants.OrgID, id tenants.UserID, now time.Time) (tenants.User, error) {
	return r.user(org, now, " AND u.id = ?", string(id))
}

// UserByName folds name: people type their login as they like.
func (r *reader) UserByName(org tenants.OrgID, name string, now time.Time) (tenants.User, error) {
	return r.user(org, now, " AND u.name = ?", clean(tenants.FoldName(name)))
}

func (r *reader) Users(org tenants.OrgID, q tenants.Query, now time.Time) ([]tenants.User, int, error) {
	rows, total, err := page[listedUserRow](r, listing{
		base: selectUsers, args: []any{micros(now), string(org)},
		columns: "id, name, full_name, description, email, provider_type, provider, role_id, enabled, locked, created_at",
		hidden:  "org_id, profile, password_hash, quota_policy_id",
		order:   "name", unique: "name",
	}, q)
	if err != nil {
		return nil, 0, err
	}
	list, err := convertAll(rows, listedUserRow.user)
	return list, total, err
}

func (r *reader) UserOrg(id tenants.UserID) (tenants.OrgID, error) {
	var row userRow
	err := take(r.db.Select("org_id").Where("id = ?", string(id)), &row)
	return tenants.OrgID(row.OrgID), err
}

func (t *tx) CreateUser(u tenants.User) error {
	row, err := newUserRow(u)
	if err != nil {
		return err
	}
	if err := t.holdRole(u.Org, u.Role); err != nil {
		return err
	}
	return t.create(&row)
}

func (t *tx) LockUser(org tenants.OrgID, id tenants.UserID) error {
	return take(forUpdate(t.of(org)).Where("id = ?", string(id)), &userRow{})
}

func (t *tx) UpdateUser(u tenants.User) error {
	row, err := newUserRow(u)
	if err != nil {
		return err
	}
	var before userRow
	if err := take(t.of(u.Org).Where("id = ?", row.ID), &before); err != nil {
		return err
	}
	// A role that was withdrawn can be kept, but not taken.
	if before.RoleID != row.RoleID {
		if err := t.holdRole(u.Org, u.Role); err != nil {
			return err
		}
	}
	return t.must(t.of(u.Org).Model(&userRow{}).Where("id = ?", row.ID).
		Select("name", "full_name", "description", "email", "provider_type", "profile", "role_id", "enabled", "password_hash", "quota_policy_id").
		UpdateColumns(&row))
}

// DeleteUser looks for grants once the user is gone, see [tx.RemoveMember].
func (t *tx) DeleteUser(org tenants.OrgID, id tenants.UserID) error {
	if err := t.must(t.of(org).Where("id = ?", string(id)).Delete(&userRow{})); err != nil {
		return err
	}
	return t.dropGrants(org, services.Holder{Kind: tenants.KindUser, ID: string(id)})
}

func (t *tx) EndUserSessions(org tenants.OrgID, user tenants.UserID, except tenants.SessionID, now time.Time) error {
	for _, kind := range []tenants.PrincipalKind{tenants.KindUser, tenants.KindAPIToken} {
		if _, err := t.wrote(t.liveOf(org, kind, string(user), now).Where("id <> ?", string(except)).
			UpdateColumn("ended_at", micros(now))); err != nil {
			return err
		}
	}
	return nil
}
