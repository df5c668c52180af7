package store

import (
	"time"

	"causeway/ratelimit"
	"causeway/tenants"
)

type orgLimitRow struct {
	OrgID     string `gorm:"primaryKey"`
	Name      string `gorm:"primaryKey"`
	Kind      string `gorm:"primaryKey"`
	Tokens    int64
	PerMicros int64
	Burst     int64
}

func (orgLimitRow) TableName() string { return "org_limits" }

func (r orgLimitRow) budget() ratelimit.Budget {
	return ratelimit.Budget{Tokens: int(r.Tokens), Per: time.Duration(r.PerMicros) * time.Microsecond, Burst: int(r.Burst)}
}

// addTo puts the row's budget among the others of its organization.
func (r orgLimitRow) addTo(limits ratelimit.Limits) {
	name := ratelimit.Name(r.Name)
	if limits[name] == nil {
		limits[name] = map[ratelimit.Kind]ratelimit.Budget{}
	}
	limits[name][ratelimit.Kind(r.Kind)] = r.budget()
}

func (r *reader) OrganizationLimits(org tenants.OrgID) (ratelimit.Limits, error) {
	var rows []orgLimitRow
	if err := fault(r.of(org).Find(&rows).Error); err != nil {
		return nil, err
	}
	limits := ratelimit.Limits{}
	for _, row := range rows {
		row.addTo(limits)
	}
	return limits, nil
}

func (r *reader) EveryOrganizationLimits() ([]ratelimit.OrgLimits, error) {
	var rows []struct {
		OrgID, Name, Kind, NameFolded string
		Tokens, PerMicros, Burst      int64
	}
	q := r.db.Raw(`SELECT l.*, o.name_folded FROM org_limits l JOIN organizations o ON o.id = l.org_id
		ORDER BY l.org_id, l.name, l.kind`)
	if err := fault(q.Find(&rows).Error); err != nil {
		return nil, err
	}
	var all []ratelimit.OrgLimits
	for _, row := range rows {
		if n := len(all); n == 0 || all[n-1].ID != row.OrgID {
			all = append(all, ratelimit.OrgLimits{ID: row.OrgID, Name: row.NameFolded, Limits: ratelimit.Limits{}})
		}
		one := orgLimitRow{Name: row.Name, Kind: row.Kind, Tokens: row.Tokens, PerMicros: row.PerMicros, Burst: row.Burst}
		one.addTo(all[len(all)-1].Limits)
	}
	return all, nil
}

func (t *tx) SetOrganizationLimits(org tenants.OrgID, limits ratelimit.Limits) error {
	if _, err := t.exec("DELETE FROM org_limits WHERE org_id = ?", string(org)); err != nil {
		return err
	}
	var rows []orgLimitRow
	for name, budgets := range limits {
		for kind, b := range budgets {
			rows = append(rows, orgLimitRow{
				OrgID: string(org), Name: string(name), Kind: string(kind),
				Tokens: int64(b.Tokens), PerMicros: b.Per.Microseconds(), Burst: int64(b.Burst),
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return t.create(&rows)
}
