package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"causeway/federation"
	"causeway/tenants"
)

// AssociatedWith pages by key: there may be a hundred thousand of them.
func (r *reader) AssociatedWith(site tenants.SiteID, after federation.Pair, limit int) ([]federation.OrgAssociation, error) {
	var rows []orgAssociationRow
	err := fault(r.db.Where("site_id = ? AND (org_id, remote_org_id) > (?, ?)", string(site), string(after.Local), string(after.Remote)).
		Order("org_id, remote_org_id").Limit(limit).Find(&rows).Error)
	return convert(rows, orgAssociationRow.association), err
}

type sharedRow struct {
	OrgID, RemoteOrgID, Name string
	Enabled                  bool
}

func (r sharedRow) shared() federation.Shared {
	return federation.Shared{
		Pair: federation.Pair{Local: tenants.OrgID(r.OrgID), Remote: tenants.OrgID(r.RemoteOrgID)}, Name: r.Name, Enabled: r.Enabled,
	}
}

// sharedWith joins with the organization, so that a page costs one statement.
const sharedWith = `SELECT a.org_id, a.remote_org_id, o.name, o.enabled FROM org_associations a
	JOIN organizations o ON o.id = a.org_id WHERE a.site_id = ? AND `

func (r *reader) Shared(site tenants.SiteID, after federation.Pair, limit int) ([]federation.Shared, error) {
	var rows []sharedRow
	err := fault(r.db.Raw(sharedWith+"(a.org_id, a.remote_org_id) > (?, ?) ORDER BY a.org_id, a.remote_org_id LIMIT ?",
		string(site), string(after.Local), string(after.Remote), limit).Find(&rows).Error)
	return convert(rows, sharedRow.shared), err
}

func (r *reader) SharedBy(site tenants.SiteID, local []tenants.OrgID, limit int) ([]federation.Shared, error) {
	if len(local) == 0 {
		return nil, nil
	}
	var rows []sharedRow
	err := fault(r.db.Raw(sharedWith+"a.org_id IN ? ORDER BY a.org_id, a.remote_org_id LIMIT ?",
		string(site), convert(local, func(id tenants.OrgID) string { return string(id) }), limit).Find(&rows).Error)
	return convert(rows, sharedRow.shared), err
}

func (r *reader) SharedPairs(site tenants.SiteID, pairs []federation.Pair) ([]federation.Shared, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	args := []any{string(site)}
	for _, p := range pairs {
		args = append(args, string(p.Local), string(p.Remote))
	}
	var rows []sharedRow
	err := fault(r.db.Raw(sharedWith+"(a.org_id, a.remote_org_id) IN (VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(pairs)-1)+")", args...).Find(&rows).Error)
	return convert(rows, sharedRow.shared), err
}

func (r *reader) DirectSites() ([]tenants.SiteID, error) {
	var list []tenants.SiteID
	err := fault(r.db.Raw("SELECT DISTINCT site_id FROM org_associations WHERE direct").Find(&list).Error)
	return list, err
}

func (r *reader) DirectPairs(site tenants.SiteID) ([]federation.Pair, error) {
	var rows []orgAssociationRow
	err := fault(r.db.Select("org_id", "remote_org_id").Where("site_id = ? AND direct", string(site)).Find(&rows).Error)
	pairs := make([]federation.Pair, 0, len(rows))
	for _, row := range rows {
		pairs = append(pairs, federation.Pair{Local: tenants.OrgID(row.OrgID), Remote: tenants.OrgID(row.RemoteOrgID)})
	}
	return pairs, err
}

func (t *tx) DeleteSiteAssociation(site tenants.SiteID) error {
	return t.must(t.db.Where("site_id = ?", string(site)).Delete(&siteAssociationRow{}))
}

func (t *tx) DeleteOrgAssociation(local tenants.OrgID, remote tenants.LocationID) error {
	return t.must(t.associated(local, remote).Delete(&orgAssociationRow{}))
}

func (t *tx) associated(local tenants.OrgID, remote tenants.LocationID) *gorm.DB {
	return t.of(local).Where("remote_org_id = ? AND site_id = ?", string(remote.Org), string(remote.Site))
}

func (t *tx) SetSiteStatus(site tenants.SiteID, seen federation.Status, now federation.StatusChange) (bool, error) {
	return t.changed(t.db.Model(&siteAssociationRow{}).Where("site_id = ?", string(site)).Scopes(standing(seen, now)).UpdateColumns(columnsOf(now)))
}

func (t *tx) SetOrgStatus(local tenants.OrgID, remote tenants.LocationID, seen federation.Status, now federation.StatusChange) (bool, error) {
	return t.changed(t.associated(local, remote).Model(&orgAssociationRow{}).Scopes(standing(seen, now)).UpdateColumns(columnsOf(now)))
}

// standing leaves alone what has changed since it was seen, and what would not change.
func standing(seen federation.Status, now federation.StatusChange) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		return db.Where("status = ? AND (status <> ? OR reason <> ?)", string(seen), string(now.Status), now.Reason)
	}
}

func columnsOf(c federation.StatusChange) map[string]any {
	return map[string]any{"status": string(c.Status), "reason": c.Reason, "status_at": micros(c.At)}
}

func (t *tx) SetRemote(local tenants.OrgID, remote tenants.LocationID, name string, enabled bool) (bool, error) {
	return t.changed(t.associated(local, remote).Model(&orgAssociationRow{}).Where("remote_name <> ? OR remote_enabled <> ?", name, enabled).
		UpdateColumns(map[string]any{"remote_name": name, "remote_enabled": enabled}))
}

func (t *tx) SetContact(site tenants.SiteID, at time.Time, dirSeq int64) error {
	_, err := t.wrote(t.db.Model(&siteAssociationRow{}).Where("site_id = ?", string(site)).
		UpdateColumns(map[string]any{"contacted_at": micros(at), "dir_seq": dirSeq}))
	return err
}

func (t *tx) SetBundle(site tenants.SiteID, public string, b federation.Pinned) (bool, error) {
	return t.changed(t.db.Model(&siteAssociationRow{}).Where("site_id = ? AND public_key = ? AND bundle_seq <= ?", string(site), public, b.Seq).
		UpdateColumns(map[string]any{"public_key": b.PublicKey, "next_key": b.NextKey, "bundle": b.Bundle, "bundle_seq": b.Seq}))
}

func (t *tx) changed(q *gorm.DB) (bool, error) {
	n, err := t.wrote(q)
	return n > 0, err
}

// UseAssertion is one statement: of two cells that are shown the same, one inserts.
func (s federationStore) UseAssertion(ctx context.Context, site tenants.SiteID, id string, until time.Time) (bool, error) {
	q := s.on(ctx, s.write).db.Exec("INSERT INTO assertions (site_id, id, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", string(site), id, micros(until))
	return q.RowsAffected == 1, fault(q.Error)
}
