package store

import (
	"causeway/tenants"
)

type organizationRow struct {
	ID          string `gorm:"primaryKey"`
	Name        string
	NameFolded  string
	DisplayName string
	Description string
	Enabled     bool
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
}

func (organizationRow) TableName() string { return "organizations" }

func (r organizationRow) organization() tenants.Organization {
	return tenants.Organization{
		ID: tenants.OrgID(r.ID), Name: r.Name, DisplayName: r.DisplayName, Description: r.Description,
		Enabled: r.Enabled, CreatedAt: fromMicros(r.CreatedAt),
	}
}

func (r *reader) Organization(id tenants.OrgID) (tenants.Organization, error) {
	var row organizationRow
	err := take(r.db.Where("id = ?", string(id)), &row)
	return row.organization(), err
}

func (r *reader) OrganizationByName(name string) (tenants.Organization, error) {
	var row organizationRow
	err := take(r.db.Where("name_folded = ?", clean(tenants.FoldName(name))), &row)
	return row.organization(), err
}

func (r *reader) Organizations() ([]tenants.Organization, error) {
	var rows []organizationRow
	q := r.db.Raw("SELECT * FROM organizations ORDER BY CASE id WHEN ? THEN 0 ELSE 1 END, name_folded", string(tenants.SystemOrgID))
	err := fault(q.Find(&rows).Error)
	return convert(rows, organizationRow.organization), err
}

func (t *tx) CreateOrganization(o tenants.Organization) error {
	return t.create(&organizationRow{
		ID: string(o.ID), Name: o.Name, NameFolded: tenants.FoldName(o.Name), DisplayName: o.DisplayName,
		Description: o.Description, Enabled: o.Enabled, CreatedAt: micros(o.CreatedAt),
	})
}
