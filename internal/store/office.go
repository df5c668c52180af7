package store

import (
	"context"

	"causeway/federation"
	"causeway/tenants"
)

// Office is the store of those who change associations.
func (d *DB) Office() federation.Office { return officeStore{d} }

type officeStore struct{ *DB }

func (s officeStore) View(ctx context.Context, f func(federation.OfficeReader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s officeStore) InTx(ctx context.Context, f func(federation.OfficeTx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

type listedOrgAssociationRow struct {
	Row       orgAssociationRow `gorm:"embedded"`
	LocalName string
	SiteName  string
}

func (r listedOrgAssociationRow) listed() federation.ListedOrgAssociation {
	return federation.ListedOrgAssociation{OrgAssociation: r.Row.association(), LocalName: r.LocalName, SiteName: r.SiteName}
}

// listedOrgAssociations joins the names; what is held inside the site is with the
// site itself. Nothing crosses without both associations, so the status shown is
// the weaker one.
const listedOrgAssociations = `SELECT a.org_id, a.remote_org_id, ` + remoteName + `, a.site_id, a.public_key, a.map_users, a.direct, a.remote_enabled,
	a.reason, a.status_at, a.created_at, o.name AS local_name, COALESCE(s.name, h.name, '') AS site_name,
	CASE WHEN a.status <> 'ACTIVE' OR h.id IS NOT NULL THEN a.status ELSE COALESCE(s.status, 'ASYMMETRIC') END AS status
	FROM org_associations a JOIN organizations o ON o.id = a.org_id
	LEFT JOIN site_associations s ON s.site_id = a.site_id LEFT JOIN site h ON h.one = 1 AND h.id = a.site_id` + nameInside

func (r *reader) OrgAssociationPage(local tenants.OrgID, q tenants.Query) ([]federation.ListedOrgAssociation, int, error) {
	return r.listOrgAssociations(listing{
		base: listedOrgAssociations + " WHERE a.org_id = ?", args: []any{string(local)},
		order: "remote_name, remote_org_id, site_id",
	}, q)
}

func (r *reader) EveryOrgAssociation(q tenants.Query) ([]federation.ListedOrgAssociation, int, error) {
	return r.listOrgAssociations(listing{base: listedOrgAssociations, order: "org_id, remote_org_id, site_id"}, q)
}

func (r *reader) listOrgAssociations(l listing, q tenants.Query) ([]federation.ListedOrgAssociation, int, error) {
	l.columns = "org_id, local_name, remote_org_id, remote_name, site_id, site_name, status, map_users, direct"
	l.hidden = "public_key, remote_enabled, reason, status_at, created_at"
	l.unique = "org_id, remote_org_id, site_id"
	rows, total, err := page[listedOrgAssociationRow](r, l, q)
	return convert(rows, listedOrgAssociationRow.listed), total, err
}

func (r *reader) CountAssociatedWith(site tenants.SiteID) (int, error) {
	var n int64
	err := fault(r.db.Model(&orgAssociationRow{}).Where("site_id = ?", string(site)).Count(&n).Error)
	return int(n), err
}

func (t *tx) LockSiteAssociation(site tenants.SiteID) error {
	return take(forUpdate(t.db).Where("site_id = ?", string(site)), &siteAssociationRow{})
}

func (t *tx) LockOrgAssociation(local tenants.OrgID, remote tenants.LocationID) error {
	return take(forUpdate(t.associated(local, remote)), &orgAssociationRow{})
}

// leave tells the organizations inside the site that hold an association with one
// that goes: theirs is of one side now. What only they held was so before.
const leave = `UPDATE org_associations SET status = 'ASYMMETRIC', reason = 'The organization was deleted.'
	WHERE remote_org_id = ? AND site_id = (SELECT id FROM site WHERE one = 1)
	AND org_id IN (SELECT remote_org_id FROM org_associations WHERE org_id = ? AND site_id = (SELECT id FROM site WHERE one = 1))`
