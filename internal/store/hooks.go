package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"causeway/services"
	"causeway/tenants"
)

// Hooks is the queue of what instances are to be told.
func (d *DB) Hooks() services.Hooks { return hookStore{d} }

type hookStore struct{ *DB }

// dueHooks takes those whose turn it is. Whoever asks at the same time passes by
// what is being taken: on PostgreSQL rows that are held, on SQLite there is nobody.
const dueHooks = `WITH due AS MATERIALIZED (
	SELECT org_id, id FROM instance_accounts WHERE hook_state = 'pending' AND hook_next <= ?%s ORDER BY hook_next LIMIT ?%s
) UPDATE instance_accounts SET hook_next = ? WHERE (org_id, id) IN (SELECT org_id, id FROM due)
	RETURNING *, (SELECT i.settings FROM service_instances i WHERE i.org_id = instance_accounts.org_id AND i.id = instance_accounts.instance_id) AS settings,
		(SELECT i.hook_secret FROM service_instances i WHERE i.org_id = instance_accounts.org_id AND i.id = instance_accounts.instance_id) AS hook_secret`

// deliveryRow is an account with how its instance is told.
type deliveryRow struct {
	Account    instanceAccountRow `gorm:"embedded"`
	Settings   string
	HookSecret []byte
}

func (r deliveryRow) delivery() (services.Delivery, error) {
	settings, err := instanceSettings(r.Settings)
	return services.Delivery{InstanceAccount: r.Account.account(), URL: settings.HookURL, Secret: orNil(r.HookSecret)}, err
}

func (s hookStore) DueHooks(ctx context.Context, now, later time.Time, most int, not []services.InstanceID) ([]services.Delivery, error) {
	lock, but, args := "", "", []any{micros(now)}
	if len(not) > 0 {
		but, args = " AND instance_id NOT IN ?", append(args, not)
	}
	if s.kind == postgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	var rows []deliveryRow
	err := s.on(ctx, s.write).db.Raw(fmt.Sprintf(dueHooks, but, lock), append(args, most, micros(later))...).Scan(&rows).Error
	if err != nil {
		return nil, fault(err)
	}
	return convertAll(rows, deliveryRow.delivery)
}

// SettleHook leaves an account alone that has changed since: what became of the
// older change is of no interest any more.
func (s hookStore) SettleHook(ctx context.Context, org tenants.OrgID, account, key string, h services.Hook) error {
	return fault(settleHook(s.on(ctx, s.write), org, account, key, h).Error)
}

func (t *tx) RepeatHook(org tenants.OrgID, account, key string, h services.Hook) error {
	return t.must(settleHook(&t.reader, org, account, key, h))
}

func settleHook(r *reader, org tenants.OrgID, account, key string, h services.Hook) *gorm.DB {
	return r.of(org).Model(&instanceAccountRow{}).Where("id = ? AND hook_key = ?", account, key).
		UpdateColumns(hookColumns(h, map[string]any{}))
}
