package store

import (
	"encoding/json"
	"slices"
	"time"

	"causeway/tenants"
)

type organizationRow struct {
	ID            string `gorm:"primaryKey"`
	Name          string
	NameFolded    string
	DisplayName   string
	Description   string
	Enabled       bool
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	Settings      string
	QuotaPolicyID string
}

func (organizationRow) TableName() string { return "organizations" }

func (r organizationRow) organization() (tenants.Organization, error) {
	o := tenants.Organization{
		ID: tenants.OrgID(r.ID), Name: r.Name, DisplayName: r.DisplayName, Description: r.Description,
		Enabled: r.Enabled, Quota: tenants.QuotaPolicyID(r.QuotaPolicyID), CreatedAt: fromMicros(r.CreatedAt),
	}
	err := json.Unmarshal([]byte(r.Settings), &o.Settings)
	return o, err
}

func newOrganizationRow(o tenants.Organization) (organizationRow, error) {
	settings, err := json.Marshal(o.Settings)
	return organizationRow{
		ID: string(o.ID), Name: o.Name, NameFolded: tenants.FoldName(o.Name), DisplayName: o.DisplayName,
		Description: o.Description, Enabled: o.Enabled, CreatedAt: micros(o.CreatedAt),
		Settings: string(settings), QuotaPolicyID: string(o.Quota),
	}, err
}

func (r *reader) organization(where, arg string) (tenants.Organization, error) {
	var row organizationRow
	if err := take(r.db.Where(where, arg), &row); err != nil {
		return tenants.Organization{}, err
	}
	return row.organization()
}

func (r *reader) Organization(id tenants.OrgID) (tenants.Organization, error) {
	return r.organization("id = ?", string(id))
}

func (r *reader) OrganizationByName(name string) (tenants.Organization, error) {
	return r.organization("name_folded = ?", clean(tenants.FoldName(name)))
}

func (r *reader) Organizations() ([]tenants.Organization, error) {
	var rows []organizationRow
	q := r.db.Raw("SELECT id, name FROM organizations ORDER BY CASE id WHEN ? THEN 0 ELSE 1 END, name_folded", string(tenants.SystemOrgID))
	err := fault(q.Find(&rows).Error)
	return convert(rows, organizationRow.named), err
}

// named is the organization with its name alone.
func (r organizationRow) named() tenants.Organization {
	return tenants.Organization{ID: tenants.OrgID(r.ID), Name: r.Name}
}

func (r *reader) OrganizationNames(ids []tenants.OrgID) (map[tenants.OrgID]string, error) {
	names := make(map[tenants.OrgID]string, len(ids))
	for chunk := range slices.Chunk(ids, perStatement) {
		var rows []organizationRow
		if err := r.db.Select("id", "name").Where("id IN ?", texts(chunk)).Find(&rows).Error; err != nil {
			return nil, fault(err)
		}
		for _, row := range rows {
			names[tenants.OrgID(row.ID)] = row.Name
		}
	}
	return names, nil
}

var organizationList = listing{
	base:    "SELECT * FROM organizations",
	columns: "id, name, display_name, description, enabled, created_at",
	hidden:  "name_folded, settings, quota_policy_id",
	order:   "name_folded", unique: "id",
}

// OrganizationPage counts users of the page alone: counted in the list itself,
// those of every skipped page would be counted, too.
func (r *reader) OrganizationPage(q tenants.Query) ([]tenants.ListedOrganization, int, error) {
	rows, total, err := page[organizationRow](r, organizationList, q)
	if err != nil || len(rows) == 0 {
		return nil, total, err
	}
	var counts []struct {
		OrgID string
		Users int
	}
	ids := convert(rows, func(r organizationRow) string { return r.ID })
	err = r.db.Raw("SELECT org_id, count(*) AS users FROM users WHERE org_id IN ? GROUP BY org_id", ids).Find(&counts).Error
	if err != nil {
		return nil, 0, fault(err)
	}
	users := map[string]int{}
	for _, c := range counts {
		users[c.OrgID] = c.Users
	}
	list, err := convertAll(rows, func(r organizationRow) (tenants.ListedOrganization, error) {
		o, err := r.organization()
		return tenants.ListedOrganization{Organization: o, Users: users[r.ID]}, err
	})
	return list, total, err
}

func (r *reader) CountOrganizations() (n int, err error) {
	err = r.db.Raw("SELECT count(*) FROM organizations").Find(&n).Error
	return n, fault(err)
}

func (t *tx) CreateOrganization(o tenants.Organization) error {
	row, err := newOrganizationRow(o)
	if err != nil {
		return err
	}
	return t.create(&row)
}

func (t *tx) UpdateOrganization(o tenants.Organization) error {
	row, err := newOrganizationRow(o)
	if err != nil {
		return err
	}
	return t.must(t.db.Model(&organizationRow{}).Where("id = ?", row.ID).
		Select("name", "name_folded", "display_name", "description", "enabled", "settings", "quota_policy_id").UpdateColumns(&row))
}

// inOrganization are the tables that hold rows of an organization, children
// before what they refer to. The rows of requests, families, rights and failures go
// with their parents. Events and refusals outlive the
// organization: the journal has the hash of them.
var inOrganization = []string{
	"sessions", "org_limits", "app_members", "role_grants", "instance_accounts", "service_instances", "custom_roles", "apps",
	"used_tokens", "service_accounts", "users", "roles", "publication_tenants",
	"quota_policies", "tasks", "org_associations", "org_keys",
}

// DeleteOrganization holds the organization first: whoever adds to it at the
// same time waits for the row that its foreign key names, and then misses it.
func (t *tx) DeleteOrganization(id tenants.OrgID, now time.Time) error {
	if err := t.LockOrganization(id); err != nil {
		return err
	}
	if _, err := t.exec(leave, string(id), string(id)); err != nil {
		return err
	}
	if err := t.expelAll(id, now); err != nil {
		return err
	}
	for _, table := range inOrganization {
		if _, err := t.exec("DELETE FROM "+table+" WHERE org_id = ?", string(id)); err != nil {
			return err
		}
	}
	return t.must(t.db.Where("id = ?", string(id)).Delete(&organizationRow{}))
}
