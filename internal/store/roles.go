package store

import (
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"causeway/internal/problem"
	"causeway/tenants"
)

type roleRow struct {
	OrgID       string `gorm:"primaryKey"`
	ID          string `gorm:"primaryKey"`
	Name        string
	Description string
	BundleKey   string
	ReadOnly    bool
}

func (roleRow) TableName() string { return "roles" }

type roleRightRow struct {
	OrgID     string `gorm:"primaryKey"`
	RoleID    string `gorm:"primaryKey"`
	RightName string `gorm:"primaryKey"`
}

func (roleRightRow) TableName() string { return "role_rights" }

type listedRoleRow struct {
	Row    roleRow `gorm:"embedded"`
	Global bool
}

func (l listedRoleRow) role() tenants.Role {
	r := l.Row
	return tenants.Role{
		ID: tenants.RoleID(r.ID), Org: tenants.OrgID(r.OrgID), Name: r.Name, Description: r.Description,
		BundleKey: r.BundleKey, ReadOnly: r.ReadOnly, Global: l.Global,
	}
}

// published says of publications p which an organization sees. It needs the
// organization twice. The provider's own has no use for any.
const published = `(p.publish_all OR EXISTS (SELECT 1 FROM publication_tenants t WHERE t.publication_id = p.id AND t.org_id = ?))
	AND ? <> '` + string(tenants.SystemOrgID) + `'`

// selectRoles reads the roles that can be held in an organization. It needs the
// organization four times.
const selectRoles = `SELECT r.org_id, r.id, r.name, r.description, r.bundle_key, r.read_only, false AS global
		FROM roles r WHERE r.org_id = ?
	UNION ALL
	SELECT CAST(? AS TEXT), p.id, p.name, p.description, p.bundle_key, true, true
		FROM publications p WHERE p.kind = 'globalRole' AND ` + published

func inRoles(org tenants.OrgID) []any {
	id := string(org)
	return []any{id, id, id, id}
}

// roleAndRight is a line of the join: a role with one of its rights, or none.
type roleAndRight struct {
	Role      listedRoleRow `gorm:"embedded"`
	RightName *string
}

// roles reads roles with their rights in one statement, so that nobody sees a
// role while its rights are being replaced.
func (r *reader) roles(org tenants.OrgID, where string, args ...any) ([]tenants.Role, error) {
	var lines []roleAndRight
	query := `SELECT a.org_id, a.id, a.name, a.description, a.bundle_key, a.read_only, a.global, g.right_name
		FROM (` + selectRoles + `) a
		LEFT JOIN (SELECT role_id AS id, right_name FROM role_rights WHERE org_id = ?
			UNION ALL SELECT publication_id, right_name FROM publication_rights) g ON g.id = a.id` +
		where + ` ORDER BY a.name, a.global, a.id, g.right_name`
	args = append(append(inRoles(org), string(org)), args...)
	if err := r.db.Raw(query, args...).Find(&lines).Error; err != nil {
		return nil, fault(err)
	}
	var roles []tenants.Role
	for _, l := range lines {
		if n := len(roles); n == 0 || roles[n-1].ID != tenants.RoleID(l.Role.Row.ID) {
			roles = append(roles, l.Role.role())
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
	return r.role(org, " WHERE a.id = ?", string(id))
}

func (r *reader) RoleByName(org tenants.OrgID, name string) (tenants.Role, error) {
	return r.role(org, " WHERE a.name = ?", clean(name))
}

func (r *reader) Roles(org tenants.OrgID) ([]tenants.Role, error) { return r.roles(org, "") }

func (r *reader) RolePage(org tenants.OrgID, q tenants.Query) ([]tenants.Role, int, error) {
	rows, total, err := page[listedRoleRow](r, listing{
		base: selectRoles, args: inRoles(org),
		columns: "id, name, description, read_only", hidden: "org_id, bundle_key, global",
		order: "name, global, id", unique: "id",
	}, q)
	return convert(rows, listedRoleRow.role), total, err
}

// Role reads and holds: a role that is given to somebody must outlast the
// giving.
func (t *tx) Role(org tenants.OrgID, id tenants.RoleID) (tenants.Role, error) {
	role, err := t.reader.Role(org, id)
	if err != nil {
		return tenants.Role{}, err
	}
	return role, t.hold(role)
}

func (t *tx) RoleByName(org tenants.OrgID, name string) (tenants.Role, error) {
	role, err := t.reader.RoleByName(org, name)
	if err != nil {
		return tenants.Role{}, err
	}
	return role, t.hold(role)
}

func (t *tx) hold(role tenants.Role) error {
	share := clause.Locking{Strength: clause.LockingStrengthShare}
	if role.Global {
		return take(t.db.Clauses(share).Where("id = ?", string(role.ID)), &publicationRow{})
	}
	return take(t.of(role.Org).Clauses(share).Where("id = ?", string(role.ID)), &roleRow{})
}

func (t *tx) CreateRole(r tenants.Role) error {
	row := roleRow{
		OrgID: string(r.Org), ID: string(r.ID), Name: r.Name, Description: r.Description,
		BundleKey: r.BundleKey, ReadOnly: r.ReadOnly,
	}
	if err := t.create(&row); err != nil {
		return err
	}
	return t.addRights(r.Org, r.ID, r.Rights)
}

func (t *tx) UpdateRole(r tenants.Role) error {
	return t.must(t.of(r.Org).Model(&roleRow{}).Where("id = ?", string(r.ID)).UpdateColumns(map[string]any{
		"name": r.Name, "description": r.Description, "bundle_key": r.BundleKey,
	}))
}

// SetRoleRights holds the role: two replacements at once must not add up.
func (t *tx) SetRoleRights(org tenants.OrgID, id tenants.RoleID, rights []tenants.Right) error {
	if err := t.LockRole(org, id); err != nil {
		return err
	}
	if _, err := t.wrote(t.of(org).Where("role_id = ?", string(id)).Delete(&roleRightRow{})); err != nil {
		return err
	}
	return t.addRights(org, id, rights)
}

func (t *tx) LockRole(org tenants.OrgID, id tenants.RoleID) error {
	return take(forUpdate(t.of(org)).Where("id = ?", string(id)), &roleRow{})
}

func (t *tx) addRights(org tenants.OrgID, id tenants.RoleID, rights []tenants.Right) error {
	var rows []roleRightRow
	for _, right := range distinct(rights) {
		rows = append(rows, roleRightRow{OrgID: string(org), RoleID: string(id), RightName: string(right)})
	}
	return createAll(t, rows)
}

// DeleteRole looks for holders once it has the role: whoever was giving it away
// has committed by then, and whoever comes later does not find it.
func (t *tx) DeleteRole(org tenants.OrgID, id tenants.RoleID) error {
	if err := t.LockRole(org, id); err != nil {
		return err
	}
	if err := t.unheld(string(id)); err != nil {
		return err
	}
	return t.must(t.of(org).Where("id = ?", string(id)).Delete(&roleRow{}))
}

// unheld answers nil when nobody anywhere holds the role. Identifiers are used
// once, so the organization need not be named.
func (t *tx) unheld(id string) error {
	for _, table := range []string{"users", "service_accounts"} {
		var one int
		if err := t.db.Raw("SELECT 1 FROM "+table+" WHERE role_id = ? LIMIT 1", id).Find(&one).Error; err != nil {
			return fault(err)
		}
		if one == 1 {
			return problem.New(problem.Conflict, "The role is held by users or service accounts.")
		}
	}
	return nil
}

func distinct(rights []tenants.Right) []tenants.Right {
	rights = slices.Clone(rights)
	slices.Sort(rights)
	return slices.Compact(rights)
}

// createAll inserts rows in batches that stay below the databases' limits on
// parameters.
func createAll[R any](t *tx, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := t.wrote(t.db.CreateInBatches(&rows, 500))
	return err
}

// forUpdate holds the rows that q reads until the end of the transaction. SQLite
// leaves the clause out: its transactions hold everything.
func forUpdate(q *gorm.DB) *gorm.DB {
	return q.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}
