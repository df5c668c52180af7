package store

import (
	"time"

	"causeway/oauth"
	"causeway/tenants"
)

type accountRow struct {
	OrgID           string `gorm:"primaryKey"`
	ID              string `gorm:"primaryKey"`
	Name            string
	SoftwareID      string
	SoftwareVersion string
	URI             string
	RoleID          string
	QuotaPolicyID   string
	CreatedAt       int64 `gorm:"autoCreateTime:false"`
}

func (accountRow) TableName() string { return "service_accounts" }

type accountWithStatus struct {
	Row    accountRow `gorm:"embedded"`
	Status string
}

func (a accountWithStatus) account() oauth.ServiceAccount {
	r := a.Row
	return oauth.ServiceAccount{
		ID: oauth.ClientID(r.ID), Org: tenants.OrgID(r.OrgID), Name: r.Name, SoftwareID: r.SoftwareID,
		SoftwareVersion: r.SoftwareVersion, URI: r.URI, Role: tenants.RoleID(r.RoleID),
		Quota: tenants.QuotaPolicyID(r.QuotaPolicyID), CreatedAt: fromMicros(r.CreatedAt), Status: oauth.Status(a.Status),
	}
}

// selectAccounts reads accounts with their derived status (see oauth.Status).
// Each LIMIT 1 is one probe of an index for a row that is shown: of an EXISTS,
// PostgreSQL would rather read and hash all that the organization has. A role that is
// not published to the organization has no name there.
const selectAccounts = `SELECT a.org_id, a.id, a.name, a.software_id, a.software_version, a.uri, a.role_id, a.quota_policy_id, a.created_at,
	CASE WHEN (SELECT 1 FROM token_families f
			WHERE f.org_id = ? AND f.account_id = a.id AND f.revoked_at = 0 LIMIT 1) = 1 THEN 'ACTIVE'
		WHEN (SELECT 1 FROM device_requests d
			WHERE d.org_id = ? AND d.account_id = a.id AND d.state = 'granted' AND d.expires_at > ? LIMIT 1) = 1 THEN 'GRANTED'
		WHEN (SELECT 1 FROM device_requests d
			WHERE d.org_id = ? AND d.account_id = a.id AND d.state = 'pending' AND d.expires_at > ? LIMIT 1) = 1 THEN 'REQUESTED'
		ELSE 'CREATED' END AS status,
	COALESCE((SELECT r.name FROM roles r WHERE r.org_id = a.org_id AND r.id = a.role_id),
		(SELECT r.name FROM publications r WHERE r.id = a.role_id AND r.kind = 'globalRole' AND ` + published + `), '') AS role_name
	FROM service_accounts a WHERE a.org_id = ?`

// inAccounts are the arguments of selectAccounts, and more that follow.
func inAccounts(org tenants.OrgID, now time.Time, more ...any) []any {
	id, at := string(org), micros(now)
	return append([]any{id, id, at, id, at, id, id, id}, more...)
}

func (r *reader) account(org tenants.OrgID, now time.Time, where, arg string) (oauth.ServiceAccount, error) {
	var row accountWithStatus
	err := take(r.db.Raw(selectAccounts+where, inAccounts(org, now, arg)...), &row)
	return row.account(), err
}

func (r *reader) ServiceAccount(org tenants.OrgID, id oauth.ClientID, now time.Time) (oauth.ServiceAccount, error) {
	return r.account(org, now, " AND a.id = ?", string(id))
}

func (r *reader) ServiceAccountByName(org tenants.OrgID, name string, now time.Time) (oauth.ServiceAccount, error) {
	return r.account(org, now, " AND a.name = ?", clean(name))
}

// ServiceAccounts lists by the derived status, too.
func (r *reader) ServiceAccounts(org tenants.OrgID, q tenants.Query, now time.Time) ([]oauth.ServiceAccount, int, error) {
	rows, total, err := page[accountWithStatus](r, listing{
		base: selectAccounts, args: inAccounts(org, now),
		columns: "id, name, software_id, software_version, uri, role_id, created_at, status, role_name", hidden: "org_id, quota_policy_id",
		order: "name", unique: "id",
	}, q)
	return convert(rows, accountWithStatus.account), total, err
}

func (r *reader) AccountOrg(id oauth.ClientID) (tenants.OrgID, error) {
	var row accountRow
	err := take(r.db.Select("org_id").Where("id = ?", string(id)), &row)
	return tenants.OrgID(row.OrgID), err
}

func newAccountRow(a oauth.ServiceAccount) accountRow {
	return accountRow{
		OrgID: string(a.Org), ID: string(a.ID), Name: a.Name, SoftwareID: a.SoftwareID,
		SoftwareVersion: a.SoftwareVersion, URI: a.URI, RoleID: string(a.Role), CreatedAt: micros(a.CreatedAt),
	}
}

func (t *tx) CreateServiceAccount(a oauth.ServiceAccount) error {
	if err := t.holdRole(a.Org, a.Role); err != nil {
		return err
	}
	row := newAccountRow(a)
	return t.create(&row)
}

func (t *tx) UpdateServiceAccount(a oauth.ServiceAccount) error {
	var before accountRow
	if err := take(t.of(a.Org).Where("id = ?", string(a.ID)), &before); err != nil {
		return err
	}
	if before.RoleID != string(a.Role) {
		if err := t.holdRole(a.Org, a.Role); err != nil {
			return err
		}
	}
	return t.must(t.of(a.Org).Model(&accountRow{}).Where("id = ?", string(a.ID)).UpdateColumns(map[string]any{
		"software_id": a.SoftwareID, "software_version": a.SoftwareVersion, "uri": a.URI, "role_id": string(a.Role),
	}))
}

// DeleteServiceAccount removes the families before it looks for sessions: a
// rotation that got in first has committed its session by then, and one that
// comes later finds no family.
func (t *tx) DeleteServiceAccount(org tenants.OrgID, id oauth.ClientID, now time.Time) error {
	if err := t.LockServiceAccount(org, id); err != nil {
		return err
	}
	if err := t.forgetUsedTokens(org, id); err != nil {
		return err
	}
	// Requests and families go with it (ON DELETE CASCADE).
	if err := t.must(t.of(org).Where("id = ?", string(id)).Delete(&accountRow{})); err != nil {
		return err
	}
	return t.EndSessionsOf(org, tenants.KindServiceAccount, string(id), now)
}

// LockServiceAccount also keeps others from adding a family or request to the
// account (their foreign keys wait), and those that were being added are there
// when it returns.
func (t *tx) LockServiceAccount(org tenants.OrgID, id oauth.ClientID) error {
	if t.held[id] == org && org != "" {
		return nil
	}
	err := take(forUpdate(t.of(org)).Where("id = ?", string(id)), &accountRow{})
	if err == nil {
		t.held[id] = org
	}
	return err
}
