package store

import (
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"causeway/tenants"
)

type roleRow struct {
	OrgID       string `gorm:"primaryKey"`
	ID          string `gorm:"primaryKey"`
	Name        string
	Description string
}

func (roleRow) TableName() string { return "roles" }

type roleRightRow struct {
	OrgID     string `gorm:"primaryKey"`
	RoleID    string `gorm:"primaryKey"`
	RightName string `gorm:"primaryKey"`
}

func (roleRightRow) TableName() string { return "role_rights" }

// roleAndRight is a line of the join: a role with one of its rights, or none.
type roleAndRight struct {
	Role      roleRow `gorm:"embedded"`
	RightName *string
}

// roles reads roles with their rights in one statement, so that nobody sees a
// role while its rights are being replaced.
func (r *reader) roles(org tenants.OrgID, where string, args ...any) ([]tenants.Role, error) {
	var lines []roleAndRight
	query := `SELECT r.org_id, r.id, r.name, r.description, g.right_name
		FROM roles r LEFT JOIN role_rights g ON g.org_id = r.org_id AND g.role_id = r.id
		WHERE r.org_id = ?` + where + ` ORDER BY r.name, g.right_name`
	if err := r.db.Raw(query, append([]any{string(org)}, args...)...).Find(&lines).Error; err != nil {
		return nil, fault(err)
	}
	var roles []tenants.Role
	for _, l := range lines {
		if n := len(roles); n == 0 || roles[n-1].ID != tenants.RoleID(l.Role.ID) {
			roles = append(roles, tenants.Role{ID: tenants.RoleID(l.Role.ID), Org: org, Name: l.Role.Name, Description: l.Role.Description})
		}
		if l.RightName != nil {
			last := &roles[len(roles)-1]
			last.Rights = append(last.Rights, tenants.Right(*l.RightName))
		}
	}
	return roles, nil
}

func (r *reader) role(org tenants.OrgID, where string, arg string) (tenants.Role, error) {
	roles, err := r.roles(org, where, arg)
	if err != nil {
		return tenants.Role{}, err
	}
	if len(roles) == 0 {
		return tenants.Role{}, notFound()
	}
	return roles[0], nil
}

func (r *reader) Role(org tenants.OrgID, id tenants.RoleID) (tenants.Role, error) {
	return r.role(org, " AND r.id = ?", string(id))
}

func (r *reader) RoleByName(org tenants.OrgID, name string) (tenants.Role, error) {
	return r.role(org, " AND r.name = ?", clean(name))
}

func (r *reader) Roles(org tenants.OrgID) ([]tenants.Role, error) { return r.roles(org, "") }

func (t *tx) CreateRole(r tenants.Role) error {
	row := roleRow{OrgID: string(r.Org), ID: string(r.ID), Name: r.Name, Description: r.Description}
	if err := t.create(&row); err != nil {
		return err
	}
	return t.addRights(r.Org, r.ID, r.Rights)
}

// SetRoleRights holds the role: two replacements at once must not add up.
func (t *tx) SetRoleRights(org tenants.OrgID, id tenants.RoleID, rights []tenants.Right) error {
	var row roleRow
	if err := take(forUpdate(t.of(org)).Where("id = ?", string(id)), &row); err != nil {
		return err
	}
	if _, err := t.wrote(t.of(org).Where("role_id = ?", string(id)).Delete(&roleRightRow{})); err != nil {
		return err
	}
	return t.addRights(org, id, rights)
}

func (t *tx) addRights(org tenants.OrgID, id tenants.RoleID, rights []tenants.Right) error {
	if len(rights) == 0 {
		return nil
	}
	rights = slices.Clone(rights)
	slices.Sort(rights)
	var rows []roleRightRow
	for _, right := range slices.Compact(rights) {
		rows = append(rows, roleRightRow{OrgID: string(org), RoleID: string(id), RightName: string(right)})
	}
	// Batches stay below the databases' limits on parameters.
	_, err := t.wrote(t.db.CreateInBatches(&rows, 500))
	return err
}

// forUpdate holds the rows that q reads until the end of the transaction. SQLite
// leaves the clause out: its transactions hold everything.
func forUpdate(q *gorm.DB) *gorm.DB {
	return q.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}
