package store

import (
	"encoding/json"
	"slices"
	"time"

	"causeway/services"
	"causeway/tenants"
)

type instanceRow struct {
	OrgID        string `gorm:"primaryKey"`
	ID           string `gorm:"primaryKey"`
	DefinitionID string
	Name         string
	Mode         string
	Prefix       string
	Enabled      bool
	Settings     string
	HookSecret   []byte
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
}

func (instanceRow) TableName() string { return "service_instances" }

type hostRow struct {
	OrgID      string `gorm:"primaryKey"`
	InstanceID string `gorm:"primaryKey"`
	Host       string `gorm:"primaryKey"`
}

func (hostRow) TableName() string { return "service_hosts" }

type instanceDocument struct {
	Upstreams []string       `json:"upstreams"`
	Health    healthDocument `json:"health"`
	Timeout   time.Duration  `json:"timeout"`
	HookURL   string         `json:"hookUrl"`
}

type healthDocument struct {
	Path      string        `json:"path"`
	Interval  time.Duration `json:"interval"`
	Timeout   time.Duration `json:"timeout"`
	Healthy   int           `json:"healthy"`
	Unhealthy int           `json:"unhealthy"`
}

func newInstanceRow(i services.ServiceInstance) (instanceRow, error) {
	settings, err := json.Marshal(instanceDocument{
		Upstreams: i.Upstreams, Health: healthDocument(i.Health), Timeout: i.Timeout, HookURL: i.HookURL,
	})
	return instanceRow{
		OrgID: string(i.Org), ID: string(i.ID), DefinitionID: string(i.Definition), Name: i.Name, Mode: string(i.Mode),
		Prefix: i.Prefix, Enabled: i.Enabled, Settings: string(settings), HookSecret: notNull(i.HookSecret),
		CreatedAt: micros(i.CreatedAt), UpdatedAt: micros(i.UpdatedAt),
	}, err
}

func (r instanceRow) instance() (services.ServiceInstance, error) {
	settings, err := instanceSettings(r.Settings)
	return services.ServiceInstance{
		ID: services.InstanceID(r.ID), Org: tenants.OrgID(r.OrgID), Definition: services.DefinitionID(r.DefinitionID), Name: r.Name,
		Mode: services.Mode(r.Mode), Prefix: r.Prefix, Enabled: r.Enabled, InstanceSettings: settings, HookSecret: orNil(r.HookSecret),
		CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
	}, err
}

func instanceSettings(document string) (services.InstanceSettings, error) {
	var d instanceDocument
	err := json.Unmarshal([]byte(document), &d)
	return services.InstanceSettings{
		Upstreams: d.Upstreams, Health: services.HealthCheck(d.Health), Timeout: d.Timeout, HookURL: d.HookURL,
	}, err
}

// instanceAndHost is a line of the join: an instance with one of its hosts, or none.
type instanceAndHost struct {
	Row  instanceRow `gorm:"embedded"`
	Host *string
}

// instances reads instances with their hosts in one statement, so that nobody sees
// one while its hosts are being replaced.
func (r *reader) instances(where string, args ...any) ([]services.ServiceInstance, error) {
	var lines []instanceAndHost
	err := r.db.Raw(`SELECT i.*, h.host FROM service_instances i
		LEFT JOIN service_hosts h ON h.org_id = i.org_id AND h.instance_id = i.id`+where+` ORDER BY i.org_id, i.id, h.host`, args...).Find(&lines).Error
	if err != nil {
		return nil, fault(err)
	}
	var list []services.ServiceInstance
	for _, l := range lines {
		if n := len(list); n == 0 || string(list[n-1].ID) != l.Row.ID {
			in, err := l.Row.instance()
			if err != nil {
				return nil, err
			}
			list = append(list, in)
		}
		if l.Host != nil {
			last := &list[len(list)-1]
			last.Hosts = append(last.Hosts, *l.Host)
		}
	}
	return list, nil
}

func (r *reader) EveryInstance() ([]services.ServiceInstance, error) { return r.instances("") }

func (r *reader) ServiceInstance(org tenants.OrgID, id services.InstanceID) (services.ServiceInstance, error) {
	list, err := r.instances(" WHERE i.org_id = ? AND i.id = ?", string(org), clean(string(id)))
	if err != nil {
		return services.ServiceInstance{}, err
	}
	if len(list) == 0 {
		return services.ServiceInstance{}, notFound()
	}
	return list[0], nil
}

func (r *reader) ServiceInstances(org tenants.OrgID, q tenants.Query) ([]services.ServiceInstance, int, error) {
	rows, total, err := page[instanceRow](r, listing{
		base: "SELECT * FROM service_instances WHERE org_id = ?", args: []any{string(org)},
		columns: "id, name, definition_id, mode, prefix, enabled, created_at", hidden: "org_id, settings, hook_secret, updated_at",
		order: "name", unique: "id",
	}, q)
	if err != nil || len(rows) == 0 {
		return nil, total, err
	}
	list, err := convertAll(rows, instanceRow.instance)
	if err != nil {
		return nil, 0, err
	}
	hosts, err := r.hostsOf(org, convert(rows, func(r instanceRow) string { return r.ID }))
	for i := range list {
		list[i].Hosts = hosts[string(list[i].ID)]
	}
	return list, total, err
}

// hostsOf are the hosts of instances by their ids.
func (r *reader) hostsOf(org tenants.OrgID, ids []string) (map[string][]string, error) {
	hosts := map[string][]string{}
	for chunk := range slices.Chunk(ids, perStatement) {
		var rows []hostRow
		if err := r.of(org).Where("instance_id IN ?", chunk).Order("instance_id, host").Find(&rows).Error; err != nil {
			return nil, fault(err)
		}
		for _, h := range rows {
			hosts[h.InstanceID] = append(hosts[h.InstanceID], h.Host)
		}
	}
	return hosts, nil
}

func (r *reader) InstanceOrg(id services.InstanceID) (tenants.OrgID, error) {
	var row instanceRow
	err := take(r.db.Select("org_id").Where("id = ?", clean(string(id))), &row)
	return tenants.OrgID(row.OrgID), err
}

func (t *tx) CreateInstance(i services.ServiceInstance) error {
	row, err := newInstanceRow(i)
	if err != nil {
		return err
	}
	if err := t.create(&row); err != nil {
		return err
	}
	return t.addHosts(i)
}

func (t *tx) addHosts(i services.ServiceInstance) error {
	hosts := slices.Compact(slices.Sorted(slices.Values(i.Hosts)))
	return createAll(t, convert(hosts, func(host string) hostRow {
		return hostRow{OrgID: string(i.Org), InstanceID: string(i.ID), Host: host}
	}))
}

func (t *tx) LockInstance(org tenants.OrgID, id services.InstanceID) error {
	return take(forUpdate(t.of(org)).Where("id = ?", clean(string(id))), &instanceRow{})
}

// UpdateInstance changes the row first, which holds it: two replacements of hosts at
// once must not add up.
func (t *tx) UpdateInstance(i services.ServiceInstance) error {
	row, err := newInstanceRow(i)
	if err != nil {
		return err
	}
	if err := t.must(t.of(i.Org).Model(&instanceRow{}).Where("id = ?", row.ID).
		Select("name", "mode", "prefix", "enabled", "settings", "hook_secret", "updated_at").UpdateColumns(&row)); err != nil {
		return err
	}
	if _, err := t.wrote(t.of(i.Org).Where("instance_id = ?", row.ID).Delete(&hostRow{})); err != nil {
		return err
	}
	return t.addHosts(i)
}

// DeleteInstance also takes the grants on it alone along; hosts and accounts go with
// the row (ON DELETE CASCADE).
func (t *tx) DeleteInstance(org tenants.OrgID, id services.InstanceID) error {
	if err := t.must(t.of(org).Where("id = ?", string(id)).Delete(&instanceRow{})); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM role_grants WHERE org_id = ? AND kind = 'service' AND resource = ?", string(org), string(id))
	return err
}
