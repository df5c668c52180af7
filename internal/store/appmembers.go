package store

import (
	"time"

	"gorm.io/gorm"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

type memberRow struct {
	OrgID   string `gorm:"primaryKey"`
	SiteID  string `gorm:"primaryKey"`
	AppID   string `gorm:"primaryKey"`
	Epoch   int64
	AddedAt int64
	AddedBy string
}

func (memberRow) TableName() string { return "app_members" }

// listedMemberRow is a member with what its owner says of it, if that is here. The
// secret is not among it: whoever an app is shared with has no business with that.
type listedMemberRow struct {
	OrgID       string
	SiteID      string
	ID          string
	Epoch       int64
	AddedAt     int64
	AddedBy     string
	OwnerID     string
	DisplayName string
	Description string
	Settings    string
	CreatedAt   int64
	CreatedBy   string
	UpdatedAt   int64
	UpdatedBy   string
}

const selectMembers = `SELECT m.org_id, m.site_id, m.app_id AS id, m.epoch, m.added_at, m.added_by, COALESCE(a.org_id, '') AS owner_id,
	COALESCE(a.display_name, '') AS display_name, COALESCE(a.description, '') AS description, COALESCE(a.settings, '') AS settings,
	COALESCE(a.created_at, 0) AS created_at, COALESCE(a.created_by, '') AS created_by,
	COALESCE(a.updated_at, 0) AS updated_at, COALESCE(a.updated_by, '') AS updated_by
	FROM app_members m LEFT JOIN apps a ON a.id = m.app_id AND m.site_id = '' WHERE m.org_id = ?`

func (r *reader) Members(org tenants.OrgID, q tenants.Query) ([]apps.Member, int, error) {
	rows, total, err := page[listedMemberRow](r, listing{
		base: selectMembers, args: []any{string(org)},
		columns: "id, display_name, added_at",
		hidden:  "org_id, site_id, epoch, added_by, owner_id, description, settings, created_at, created_by, updated_at, updated_by",
		order:   "display_name, id, site_id", unique: "id, site_id",
	}, q)
	if err != nil || len(rows) == 0 {
		return nil, total, err
	}
	grants, err := r.grantsOf(org, tenants.KindApp, convert(rows, func(r listedMemberRow) string { return r.ID }))
	if err != nil {
		return nil, 0, err
	}
	list, err := convertAll(rows, func(r listedMemberRow) (apps.Member, error) { return r.member(grants) })
	return list, total, err
}

func (l listedMemberRow) member(grants map[services.Holder][]services.Grant) (apps.Member, error) {
	who := services.Holder{Kind: tenants.KindApp, Site: tenants.SiteID(l.SiteID), ID: l.ID}
	held, err := heldRow{
		OrgID: l.OrgID, HolderKind: string(who.Kind), SiteID: l.SiteID, HolderID: l.ID, Epoch: l.Epoch,
		OwnerID: l.OwnerID, DisplayName: l.DisplayName, Settings: l.Settings,
	}.held()
	held.Grants = grants[who]
	m := apps.Member{Held: held, App: apps.App{ID: apps.ID(l.ID)}, AddedAt: fromMicros(l.AddedAt), AddedBy: l.AddedBy}
	if err == nil && l.OwnerID != "" {
		m.App, err = appRow{
			OrgID: l.OwnerID, ID: l.ID, DisplayName: l.DisplayName, Description: l.Description, Settings: l.Settings,
			CreatedAt: l.CreatedAt, CreatedBy: l.CreatedBy, UpdatedAt: l.UpdatedAt, UpdatedBy: l.UpdatedBy,
		}.app()
	}
	return m, err
}

func (r *reader) MemberOf(id apps.ID) ([]tenants.OrgID, error) {
	var rows []memberRow
	err := r.db.Select("org_id").Where("app_id = ? AND site_id = ''", clean(string(id))).Order("org_id").Find(&rows).Error
	return convert(rows, func(m memberRow) tenants.OrgID { return tenants.OrgID(m.OrgID) }), fault(err)
}

const orgRolesElsewhere = `SELECT DISTINCT g.role FROM app_members m JOIN role_grants g
	ON g.org_id = m.org_id AND g.holder_kind = 'app' AND g.site_id = m.site_id AND g.holder_id = m.app_id AND g.kind = 'organization'
	WHERE m.app_id = ? AND m.site_id = '' AND m.org_id <> ? AND (g.expires_at = 0 OR g.expires_at > ?)`

func (r *reader) OrgRolesElsewhere(owner tenants.OrgID, id apps.ID, now time.Time) (roles []services.OrgRole, err error) {
	err = r.db.Raw(orgRolesElsewhere, clean(string(id)), string(owner), micros(now)).Scan(&roles).Error
	return roles, fault(err)
}

// AddMember holds an app of this site, so that it is not deleted meanwhile and leaves
// a member behind.
func (t *tx) AddMember(org tenants.OrgID, h services.Holder, epoch int64, by string, at time.Time) error {
	if h.Kind != tenants.KindApp {
		return notFound()
	}
	if h.Site == "" {
		if err := take(t.db.Clauses(keyShare).Where("id = ?", clean(h.ID)), &appRow{}); err != nil {
			return err
		}
	}
	n, err := t.exec(`INSERT INTO app_members (org_id, site_id, app_id, epoch, added_at, added_by) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (org_id, site_id, app_id) DO NOTHING`, string(org), string(h.Site), h.ID, epoch, micros(at), by)
	if err == nil && n == 0 {
		return problem.New(problem.Conflict, "The app was added to the organization before.")
	}
	return err
}

// RemoveMember looks for grants once the member is gone: whoever was granting has
// committed by then, and whoever comes later does not find it.
func (t *tx) RemoveMember(org tenants.OrgID, h services.Holder) error {
	if h.Kind != tenants.KindApp {
		return notFound()
	}
	if err := t.must(t.of(org).Where("site_id = ? AND app_id = ?", string(h.Site), clean(h.ID)).Delete(&memberRow{})); err != nil {
		return err
	}
	return t.dropGrants(org, h)
}

// Which apps of this site: one, or those of an organization.
const (
	appsByID  = "a.id = ?"
	appsByOrg = "a.org_id = ?"
)

// membersOf are the members of every organization that such apps are.
const membersOf = ` FROM apps a JOIN app_members m ON m.app_id = a.id AND m.site_id = '' WHERE `

// expel takes apps out of every organization with all that they hold there. They are
// held, so nobody adds them anew; so are their memberships then, and nobody grants
// them anything: what was being added and granted has been by then.
func (t *tx) expel(which, arg string) error {
	var ids []string
	if err := t.holding("SELECT m.app_id"+membersOf+which+" ORDER BY m.org_id, m.app_id", "m", arg).Find(&ids).Error; err != nil {
		return fault(err)
	}
	if len(ids) == 0 {
		return nil
	}
	for _, s := range []string{
		"DELETE FROM role_grants WHERE holder_kind = 'app' AND site_id = '' AND (org_id, holder_id) IN (SELECT m.org_id, m.app_id" + membersOf + which + ")",
		"DELETE FROM app_members WHERE site_id = '' AND app_id IN (SELECT a.id FROM apps a WHERE " + which + ")",
	} {
		if _, err := t.exec(s, arg); err != nil {
			return err
		}
	}
	return nil
}

// holding is a query that holds the rows of one of its tables.
func (t *tx) holding(query, table string, args ...any) *gorm.DB {
	if t.onPostgres() {
		query += " FOR UPDATE OF " + table
	}
	return t.db.Raw(query, args...)
}

// endElsewhere ends the accounts of an organization's apps in the instances of all
// organizations, and has the instances told that have a hook.
const endElsewhere = `UPDATE instance_accounts SET ended_at = ?, hook_key = id || '.ended', hook_attempts = 0, hook_error = '',
	hook_state = ` + ifHook + ` 'pending' ELSE 'none' END, hook_next = ` + ifHook + ` CAST(? AS BIGINT) ELSE 0 END
	WHERE kind = 'app' AND ended_at = 0 AND site_id = '' AND (org_id, app_id) IN (SELECT m.org_id, m.app_id` + membersOf + appsByOrg + `)`

const ifHook = `CASE WHEN (SELECT length(i.hook_secret) FROM service_instances i
	WHERE i.org_id = instance_accounts.org_id AND i.id = instance_accounts.instance_id) > 0 THEN`

// expelled is an app that an organization has no more.
type expelled struct{ OrgID, AppID, DisplayName string }

// entry tells an organization that an app went with its owner. Who deleted that is not
// for others to know.
func (e expelled) entry(owner tenants.OrgID, at time.Time) journal.Entry {
	return journal.Entry{
		At: at, Org: e.OrgID, Actor: journal.System, Action: journal.AppRemoved,
		Subject: journal.Subject{Kind: journal.KindApp, ID: e.AppID, Name: e.DisplayName}, Detail: map[string]string{"owner": string(owner)},
	}
}

// expelAll takes the apps of an organization that goes out of the others. The
// organization is locked: it makes no new ones.
func (t *tx) expelAll(org tenants.OrgID, now time.Time) error {
	var ids []string
	if err := t.holding("SELECT a.id FROM apps a WHERE "+appsByOrg+" ORDER BY a.id", "a", string(org)).Find(&ids).Error; err != nil {
		return fault(err)
	}
	if len(ids) == 0 {
		return nil
	}
	var members []expelled
	if err := t.holding("SELECT m.org_id, m.app_id, a.display_name"+membersOf+appsByOrg+" ORDER BY m.org_id, m.app_id", "m", string(org)).Find(&members).Error; err != nil {
		return fault(err)
	}
	for _, m := range members {
		if m.OrgID == string(org) {
			continue
		}
		if err := t.Record(m.entry(org, now)); err != nil {
			return err
		}
	}
	if _, err := t.exec(endElsewhere, micros(now), micros(now), string(org)); err != nil {
		return err
	}
	return t.expel(appsByOrg, string(org))
}

func (r *reader) AppStands(org tenants.OrgID, site tenants.SiteID, app string, epoch int64) error {
	var n int
	return take(r.db.Raw("SELECT 1 FROM app_members WHERE org_id = ? AND site_id = ? AND app_id = ? AND epoch = ?", string(org), string(site), app, epoch), &n)
}
