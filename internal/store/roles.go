package store

import (
	"fmt"
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

// published says of publications r which an organization sees. It needs the
// organization twice. The provider's own has no use for any.
const published = `(r.publish_all OR EXISTS (SELECT 1 FROM publication_tenants t WHERE t.publication_id = r.id AND t.org_id = ?))
	AND ? <> '` + string(tenants.SystemOrgID) + `'`

// The roles that can be held in an organization: its own, and what is published
// to it. The second needs the organization three times.
const (
	fromOwnRoles    = ` FROM roles r%s WHERE r.org_id = ?`
	fromGlobalRoles = ` FROM publications r%s WHERE r.kind = 'globalRole' AND ` + published
	ownRole         = `SELECT r.org_id, r.id, r.name, r.description, r.bundle_key, r.read_only, false AS global`
	globalRole      = `SELECT CAST(? AS TEXT), r.id, r.name, r.description, r.bundle_key, true, true`
)

// roleAndRight is a line of the join: a role with one of its rights, or none.
type roleAndRight struct {
	Role      listedRoleRow `gorm:"embedded"`
	RightName *string
}

// roles reads roles with their rights in one statement, so that nobody sees a
// role while its rights are being replaced. where restricts both kinds of role.
func (r *reader) roles(org tenants.OrgID, where string, args ...any) ([]tenants.Role, error) {
	query := ownRole + ", g.right_name" +
		fmt.Sprintf(fromOwnRoles, " LEFT JOIN role_rights g ON g.org_id = r.org_id AND g.role_id = r.id") + where +
		" UNION ALL " + globalRole + ", g.right_name" +
		fmt.Sprintf(fromGlobalRoles, " LEFT JOIN publication_rights g ON g.publication_id = r.id") + where +
		" ORDER BY name, global, id, right_name"
	id := string(org)
	all := slices.Concat([]any{id}, args, []any{id, id, id}, args)
	var lines []roleAndRight
	if err := r.db.Raw(query, all...).Find(&lines).Error; err != nil {
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
	return r.role(org, " AND r.id = ?", string(id))
}

func (r *reader) RoleByName(org tenants.OrgID, name string) (tenants.Role, error) {
	return r.role(org, " AND r.name = ?", clean(name))
}

func (r *reader) Roles(org tenants.OrgID) ([]tenants.Role, error) { return r.roles(org, "") }

func (r *reader) RolePage(org tenants.OrgID, q tenants.Query) ([]tenants.Role, int, error) {
	rows, total, err := page[listedRoleRow](r, listing{
		base:    ownRole + fmt.Sprintf(fromOwnRoles, "") + " UNION ALL " + globalRole + fmt.Sprintf(fromGlobalRoles, ""),
		args:    []any{string(org), string(org), string(org), string(org)},
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
	return role, t.holdRole(org, id)
}

func (t *tx) RoleByName(org tenants.OrgID, name string) (tenants.Role, error) {
	role, err := t.reader.RoleByName(org, name)
	if err != nil {
		return tenants.Role{}, err
	}
	return role, t.holdRole(org, role.ID)
}

// holdRole is problem.NotFound unless the role can be held in org. It stands in
// for a foreign key: a role may be in either of two tables.
func (t *tx) holdRole(org tenants.OrgID, id tenants.RoleID) error {
	err := take(t.of(org).Clauses(share).Where("id = ?", string(id)), &roleRow{})
	if !problem.Has(err, problem.NotFound) {
		return err
	}
	return take(t.db.Table("publications r").Clauses(share).
		Where("r.kind = 'globalRole' AND r.id = ? AND "+published, string(id), string(org), string(org)), &publicationRow{})
}

func newRoleRow(r tenants.Role) roleRow {
	return roleRow{
		OrgID: string(r.Org), ID: string(r.ID), Name: r.Name, Description: r.Description,
		BundleKey: r.BundleKey, ReadOnly: r.ReadOnly,
	}
}

func (t *tx) CreateRole(r tenants.Role) error {
	row := newRoleRow(r)
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
	return createAll(t, newRoleRights(org, id, rights))
}

func newRoleRights(org tenants.OrgID, id tenants.RoleID, rights []tenants.Right) (rows []roleRightRow) {
	for _, right := range tenants.Distinct(rights) {
		rows = append(rows, roleRightRow{OrgID: string(org), RoleID: string(id), RightName: string(right)})
	}
	return rows
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

// createAll inserts rows in batches that stay below the databases' limits on
// parameters.
func createAll[R any](t *tx, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := t.wrote(t.db.CreateInBatches(&rows, perStatement))
	return err
}

// forUpdate holds the rows that q reads until the end of the transaction. SQLite
// leaves the clause out: its transactions hold everything.
func forUpdate(q *gorm.DB) *gorm.DB {
	return q.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}
