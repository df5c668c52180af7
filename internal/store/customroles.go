package store

import (
	"encoding/json"

	"causeway/services"
	"causeway/tenants"
)

type customRoleRow struct {
	OrgID       string `gorm:"primaryKey"`
	Name        string `gorm:"primaryKey"`
	DisplayName string
	Description string
	Permissions string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	CreatedBy   string
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy   string
}

func (customRoleRow) TableName() string { return "custom_roles" }

type servicePermissionDocument struct {
	Definition services.DefinitionID `json:"definition"`
	Permission services.Permission   `json:"permission"`
}

func newCustomRoleRow(c services.CustomRole) (customRoleRow, error) {
	permissions, err := json.Marshal(convert(c.Permissions, func(p services.ServicePermission) servicePermissionDocument {
		return servicePermissionDocument(p)
	}))
	return customRoleRow{
		OrgID: string(c.Org), Name: c.Name, DisplayName: c.DisplayName, Description: c.Description, Permissions: string(permissions),
		CreatedAt: micros(c.CreatedAt), CreatedBy: c.CreatedBy, UpdatedAt: micros(c.UpdatedAt), UpdatedBy: c.UpdatedBy,
	}, err
}

func (r customRoleRow) role() (services.CustomRole, error) {
	var permissions []servicePermissionDocument
	err := json.Unmarshal([]byte(r.Permissions), &permissions)
	return services.CustomRole{
		Org: tenants.OrgID(r.OrgID), Name: r.Name, DisplayName: r.DisplayName, Description: r.Description,
		Permissions: convert(permissions, func(p servicePermissionDocument) services.ServicePermission { return services.ServicePermission(p) }),
		CreatedAt:   fromMicros(r.CreatedAt), CreatedBy: r.CreatedBy, UpdatedAt: fromMicros(r.UpdatedAt), UpdatedBy: r.UpdatedBy,
	}, err
}

func (r *reader) CustomRoles(org tenants.OrgID) ([]services.CustomRole, error) {
	var rows []customRoleRow
	if err := r.of(org).Order("name").Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convertAll(rows, customRoleRow.role)
}

func (r *reader) CustomRole(org tenants.OrgID, name string) (services.CustomRole, error) {
	var row customRoleRow
	if err := take(r.of(org).Where("name = ?", clean(name)), &row); err != nil {
		return services.CustomRole{}, err
	}
	return row.role()
}

func (t *tx) CreateCustomRole(c services.CustomRole) error {
	row, err := newCustomRoleRow(c)
	if err != nil {
		return err
	}
	return t.create(&row)
}

func (t *tx) LockCustomRole(org tenants.OrgID, name string) error {
	return take(forUpdate(t.of(org)).Where("name = ?", clean(name)), &customRoleRow{})
}

func (t *tx) UpdateCustomRole(c services.CustomRole) error {
	row, err := newCustomRoleRow(c)
	if err != nil {
		return err
	}
	return t.must(t.of(c.Org).Model(&customRoleRow{}).Where("name = ?", row.Name).
		Select("display_name", "description", "permissions", "updated_at", "updated_by").UpdateColumns(&row))
}

// DeleteCustomRole looks for grants once the role is gone: whoever was granting it
// has committed by then, and whoever comes later does not find it. One of the same
// name that is made afterwards is held by nobody.
func (t *tx) DeleteCustomRole(org tenants.OrgID, name string) error {
	if err := t.must(t.of(org).Where("name = ?", clean(name)).Delete(&customRoleRow{})); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM role_grants WHERE org_id = ? AND kind = 'custom' AND definition_id = '' AND role = ?", string(org), clean(name))
	return err
}
