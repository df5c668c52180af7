package store

import (
	"time"

	"causeway/services"
	"causeway/tenants"
)

type instanceAccountRow struct {
	OrgID        string `gorm:"primaryKey"`
	ID           string `gorm:"primaryKey"`
	InstanceID   string
	Kind         string
	SiteID       string
	AppID        string
	Name         string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	EndedAt      int64
	HookState    string
	HookKey      string
	HookAttempts int
	HookNext     int64
	HookError    string
}

func (instanceAccountRow) TableName() string { return "instance_accounts" }

// The kinds of accounts inside of instances.
const (
	accountOfApp  = "app"
	accountByHand = "manual"
)

func newInstanceAccountRow(a services.InstanceAccount) instanceAccountRow {
	kind := accountOfApp
	if a.App == (services.Holder{}) {
		kind = accountByHand
	}
	return instanceAccountRow{
		OrgID: string(a.Org), ID: a.ID, InstanceID: string(a.Instance), Kind: kind, SiteID: string(a.App.Site), AppID: a.App.ID,
		Name: clean(a.Name), CreatedAt: micros(a.CreatedAt), EndedAt: micros(a.EndedAt),
		HookState: hookState(a.Hook), HookKey: a.Hook.Key, HookAttempts: a.Hook.Attempts, HookNext: micros(a.Hook.Next), HookError: clean(a.Hook.Error),
	}
}

// hookState is that of h, which is none where nothing was said.
func hookState(h services.Hook) string {
	if h.State == "" {
		return string(services.HookNone)
	}
	return string(h.State)
}

func (r instanceAccountRow) account() services.InstanceAccount {
	a := services.InstanceAccount{
		Org: tenants.OrgID(r.OrgID), ID: r.ID, Instance: services.InstanceID(r.InstanceID), Name: r.Name,
		CreatedAt: fromMicros(r.CreatedAt), EndedAt: fromMicros(r.EndedAt),
		Hook: services.Hook{State: services.HookState(r.HookState), Key: r.HookKey, Attempts: r.HookAttempts, Next: fromMicros(r.HookNext), Error: r.HookError},
	}
	if r.Kind == accountOfApp {
		a.App = services.Holder{Kind: tenants.KindApp, Site: tenants.SiteID(r.SiteID), ID: r.AppID}
	}
	return a
}

func (r *reader) InstanceAccounts(org tenants.OrgID, in services.InstanceID, q tenants.Query) ([]services.InstanceAccount, int, error) {
	rows, total, err := page[instanceAccountRow](r, listing{
		base: "SELECT * FROM instance_accounts WHERE org_id = ? AND instance_id = ?", args: []any{string(org), clean(string(in))},
		columns: "id, name, kind, created_at, ended_at",
		hidden:  "org_id, instance_id, site_id, app_id, hook_state, hook_key, hook_attempts, hook_next, hook_error",
		order:   "name, id", unique: "id",
	}, q)
	return convert(rows, instanceAccountRow.account), total, err
}

func (r *reader) LiveAccounts(org tenants.OrgID, app services.Holder) ([]services.InstanceAccount, error) {
	var rows []instanceAccountRow
	err := r.of(org).Where("kind = 'app' AND site_id = ? AND app_id = ? AND ended_at = 0", string(app.Site), clean(app.ID)).
		Order("instance_id").Find(&rows).Error
	return convert(rows, instanceAccountRow.account), fault(err)
}

func (t *tx) CreateAccount(a services.InstanceAccount) error {
	row := newInstanceAccountRow(a)
	return t.create(&row)
}

func (t *tx) EndAccount(org tenants.OrgID, id string, at time.Time, h services.Hook) (bool, error) {
	n, err := t.wrote(t.of(org).Model(&instanceAccountRow{}).Where("id = ? AND ended_at = 0", clean(id)).UpdateColumns(hookColumns(h, map[string]any{
		"ended_at": micros(at), "hook_key": h.Key,
	})))
	return n == 1, err
}

// hookColumns adds what a hook came to, all but its key.
func hookColumns(h services.Hook, to map[string]any) map[string]any {
	to["hook_state"], to["hook_attempts"], to["hook_next"], to["hook_error"] = hookState(h), h.Attempts, micros(h.Next), clean(h.Error)
	return to
}
