package store

import (
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"causeway/services"
	"causeway/tenants"
)

// keyShare keeps others from deleting a row, and from nothing else.
var keyShare = clause.Locking{Strength: "KEY SHARE"}

type grantRow struct {
	OrgID        string
	HolderKind   string
	SiteID       string
	HolderID     string
	Kind         string
	DefinitionID string
	Role         string
	Resource     string
	ExpiresAt    int64
}

func (grantRow) TableName() string { return "role_grants" }

func (r grantRow) grant() services.Grant {
	return services.Grant{
		Kind: services.GrantKind(r.Kind), Definition: services.DefinitionID(r.DefinitionID), Role: r.Role, Resource: r.Resource,
		ExpiresAt: fromMicros(r.ExpiresAt),
	}
}

func (r grantRow) holder() services.Holder {
	return services.Holder{Kind: tenants.PrincipalKind(r.HolderKind), Site: tenants.SiteID(r.SiteID), ID: r.HolderID}
}

// heldRow is a holder, with what the owner of an app says of it if that is here.
type heldRow struct {
	OrgID       string
	HolderKind  string
	SiteID      string
	HolderID    string
	Epoch       int64
	OwnerID     string
	DisplayName string
	Settings    string
}

// held is without grants. An app of this site that is not there may do nothing.
func (r heldRow) held() (services.Held, error) {
	h := services.Held{
		Holder: services.Holder{Kind: tenants.PrincipalKind(r.HolderKind), Site: tenants.SiteID(r.SiteID), ID: r.HolderID},
		Org:    tenants.OrgID(r.OrgID), Name: r.DisplayName, Owner: tenants.OrgID(r.OwnerID), Epoch: r.Epoch,
	}
	if h.Kind != tenants.KindApp || h.Site != "" {
		return h, nil
	}
	h.Ceiling = &services.Ceiling{}
	if r.OwnerID == "" {
		return h, nil
	}
	settings, err := appSettings(r.Settings)
	h.Ceiling = &settings.Ceiling
	return h, err
}

// heldAndGrant is a line of the join: a holder with one grant, or none.
type heldAndGrant struct {
	Held         heldRow `gorm:"embedded"`
	Kind         *string
	DefinitionID string
	Role         string
	Resource     string
	ExpiresAt    int64
}

// What somebody holds is read in one statement, so that nobody who was removed and
// added again is seen with what the other membership held.
const (
	withGrant = `, g.kind, COALESCE(g.definition_id, '') AS definition_id, COALESCE(g.role, '') AS role,
		COALESCE(g.resource, '') AS resource, COALESCE(g.expires_at, 0) AS expires_at`
	ofApp = ` COALESCE(m.epoch, 0) AS epoch, COALESCE(a.org_id, '') AS owner_id, COALESCE(a.display_name, '') AS display_name,
		COALESCE(a.settings, '') AS settings`
	inOrder = ` ORDER BY g.kind, g.definition_id, g.role, g.resource`

	heldByApp = `SELECT m.org_id, 'app' AS holder_kind, m.site_id, m.app_id AS holder_id,` + ofApp + withGrant + ` FROM app_members m
		LEFT JOIN apps a ON a.id = m.app_id AND m.site_id = ''
		LEFT JOIN role_grants g ON g.org_id = m.org_id AND g.holder_kind = 'app' AND g.site_id = m.site_id AND g.holder_id = m.app_id
		WHERE m.org_id = ? AND m.site_id = ? AND m.app_id = ?` + inOrder
	heldByUser = `SELECT u.org_id, 'user' AS holder_kind, '' AS site_id, u.id AS holder_id` + withGrant + ` FROM users u
		LEFT JOIN role_grants g ON g.org_id = u.org_id AND g.holder_kind = 'user' AND g.site_id = '' AND g.holder_id = u.id
		WHERE u.org_id = ? AND u.id = ?` + inOrder
)

func (r *reader) Held(org tenants.OrgID, h services.Holder) (services.Held, error) {
	q := r.db.Raw(heldByApp, string(org), string(h.Site), clean(h.ID))
	if h.Kind != tenants.KindApp {
		if !isUser(h) {
			return services.Held{}, notFound()
		}
		q = r.db.Raw(heldByUser, string(org), clean(h.ID))
	}
	var lines []heldAndGrant
	if err := q.Find(&lines).Error; err != nil {
		return services.Held{}, fault(err)
	}
	if len(lines) == 0 {
		return services.Held{}, notFound()
	}
	held, err := lines[0].Held.held()
	for _, l := range lines {
		if l.Kind != nil {
			held.Grants = append(held.Grants, grantRow{
				Kind: *l.Kind, DefinitionID: l.DefinitionID, Role: l.Role, Resource: l.Resource, ExpiresAt: l.ExpiresAt,
			}.grant())
		}
	}
	return held, err
}

// isUser reports whether h is one of this site's people.
func isUser(h services.Holder) bool { return h.Kind == tenants.KindUser && h.Site == "" }

const (
	holdersOn = `(SELECT DISTINCT s.org_id, s.holder_kind, s.site_id, s.holder_id FROM role_grants s
		WHERE s.org_id = ? AND s.kind = 'service' AND s.definition_id = ? AND s.resource IN ('', ?)) h`
	heldOn = `SELECT h.org_id, h.holder_kind, h.site_id, h.holder_id,` + ofApp + ` FROM ` + holdersOn + `
		LEFT JOIN app_members m ON h.holder_kind = 'app' AND m.org_id = h.org_id AND m.site_id = h.site_id AND m.app_id = h.holder_id
		LEFT JOIN apps a ON a.id = m.app_id AND m.site_id = '' ORDER BY h.holder_kind, display_name, h.holder_id, h.site_id`
	grantsOn = `SELECT g.* FROM ` + holdersOn + ` JOIN role_grants g
		ON g.org_id = h.org_id AND g.holder_kind = h.holder_kind AND g.site_id = h.site_id AND g.holder_id = h.holder_id` + inOrder
)

func (r *reader) HeldOn(org tenants.OrgID, d services.DefinitionID, in services.InstanceID) ([]services.Held, error) {
	args := []any{string(org), clean(string(d)), clean(string(in))}
	var holders []heldRow
	if err := r.db.Raw(heldOn, args...).Find(&holders).Error; err != nil {
		return nil, fault(err)
	}
	var rows []grantRow
	if err := r.db.Raw(grantsOn, args...).Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	grants := byHolder(rows)
	return convertAll(holders, func(r heldRow) (services.Held, error) {
		held, err := r.held()
		held.Grants = grants[held.Holder]
		return held, err
	})
}

// grantsOf are the grants of holders by their ids, whatever site they are of.
func (r *reader) grantsOf(org tenants.OrgID, kind tenants.PrincipalKind, ids []string) (map[services.Holder][]services.Grant, error) {
	var all []grantRow
	for chunk := range slices.Chunk(ids, perStatement) {
		var rows []grantRow
		if err := r.of(org).Where("holder_kind = ? AND holder_id IN ?", string(kind), chunk).
			Order("kind, definition_id, role, resource").Find(&rows).Error; err != nil {
			return nil, fault(err)
		}
		all = append(all, rows...)
	}
	return byHolder(all), nil
}

func byHolder(rows []grantRow) map[services.Holder][]services.Grant {
	grants := map[services.Holder][]services.Grant{}
	for _, r := range rows {
		grants[r.holder()] = append(grants[r.holder()], r.grant())
	}
	return grants
}

func (t *tx) LockHolder(org tenants.OrgID, h services.Holder) error {
	switch {
	case h.Kind == tenants.KindApp:
		return take(forUpdate(t.of(org)).Where("site_id = ? AND app_id = ?", string(h.Site), clean(h.ID)), &memberRow{})
	case isUser(h):
		return t.LockUser(org, tenants.UserID(clean(h.ID)))
	}
	return notFound()
}

// putGrant is between its parts the holder, and maybe a custom role or a service: they
// are held, so that none is deleted meanwhile and leaves the grant behind.
const (
	putGrant = `INSERT INTO role_grants (org_id, holder_kind, site_id, holder_id, kind, definition_id, role, resource, expires_at, granted_at, granted_by)
		SELECT h.org_id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT),
			CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT) FROM `
	grantTo  = ` WHERE h.org_id = ?`
	wasGiven = ` ON CONFLICT (org_id, holder_kind, site_id, holder_id, kind, definition_id, role, resource)
		DO UPDATE SET expires_at = excluded.expires_at, granted_at = excluded.granted_at, granted_by = excluded.granted_by`
)

// PutGrant is problem.NotFound without the holder, and without the custom role or the
// service.
func (t *tx) PutGrant(org tenants.OrgID, h services.Holder, g services.Grant, by string, at time.Time) error {
	from, where := "app_members h", grantTo+" AND h.site_id = ? AND h.app_id = ?"
	of := []any{string(org), string(h.Site), h.ID}
	if h.Kind != tenants.KindApp {
		if !isUser(h) {
			return notFound()
		}
		from, where, of = "users h", grantTo+" AND h.id = ?", []any{string(org), h.ID}
	}
	switch g.Kind {
	case services.GrantCustom:
		from += " JOIN custom_roles c ON c.org_id = h.org_id"
		where, of = where+" AND c.name = ?", append(of, g.Role)
	case services.GrantService:
		from += " CROSS JOIN service_definitions d"
		where, of = where+" AND d.id = ?", append(of, string(g.Definition))
	}
	if t.onPostgres() {
		where += " FOR KEY SHARE"
	}
	args := append([]any{
		string(h.Kind), string(h.Site), h.ID, string(g.Kind), string(g.Definition), g.Role, g.Resource, micros(g.ExpiresAt), micros(at), by,
	}, of...)
	return t.must(t.db.Exec(putGrant+from+where+wasGiven, args...))
}

func (t *tx) DropGrant(org tenants.OrgID, h services.Holder, g services.Grant) (bool, error) {
	n, err := t.wrote(t.grants(org, h).Where("kind = ? AND definition_id = ? AND role = ? AND resource = ?",
		string(g.Kind), string(g.Definition), clean(g.Role), clean(g.Resource)).Delete(&grantRow{}))
	return n == 1, err
}

// dropGrants takes everything from a holder.
func (t *tx) dropGrants(org tenants.OrgID, h services.Holder) error {
	_, err := t.wrote(t.grants(org, h).Delete(&grantRow{}))
	return err
}

func (t *tx) grants(org tenants.OrgID, h services.Holder) *gorm.DB {
	return t.of(org).Where("holder_kind = ? AND site_id = ? AND holder_id = ?", string(h.Kind), string(h.Site), clean(h.ID))
}
