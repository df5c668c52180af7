package store

import "causeway/tenants"

func (r *reader) AppStands(org tenants.OrgID, site tenants.SiteID, app string, epoch int64) error {
	var n int
	return take(r.db.Raw("SELECT 1 FROM app_members WHERE org_id = ? AND site_id = ? AND app_id = ? AND epoch = ?", string(org), string(site), app, epoch), &n)
}
