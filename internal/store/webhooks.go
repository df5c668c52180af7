package store

import (
	"context"
	"time"

	"causeway/internal/relay"
	"causeway/tenants"
)

// Webhooks is the store of those who manage webhooks.
func (d *DB) Webhooks() relay.Store { return webhookStore{d} }

type webhookStore struct{ *DB }

func (s webhookStore) View(ctx context.Context, f func(relay.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s webhookStore) InTx(ctx context.Context, f func(relay.Tx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

type webhookRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Address   []byte
	OnlyOrg   string
	Enabled   bool
	GiveUp    int64
	Secret    []byte
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (webhookRow) TableName() string { return "audit_webhooks" }

type sinkRow struct {
	Sink        string `gorm:"primaryKey"`
	Seq         int64
	DeliveredAt int64
	FailingAt   int64
	Attempts    int
	NextAt      int64
	Error       string
}

func (sinkRow) TableName() string { return "audit_sinks" }

type deadRow struct {
	Sink   string `gorm:"primaryKey"`
	First  int64  `gorm:"primaryKey;autoIncrement:false"`
	Last   int64
	Amount int64
	At     int64
	Error  string
	Again  bool
}

func (deadRow) TableName() string { return "audit_dead" }

// toldRow is a webhook with how far it is.
type toldRow struct {
	Webhook webhookRow `gorm:"embedded"`
	Sink    sinkRow    `gorm:"embedded"`
	Dead    int64
}

const told = `SELECT w.*, s.*, COALESCE((SELECT sum(amount) FROM audit_dead d WHERE d.sink = w.id), 0) AS dead
	FROM audit_webhooks w JOIN audit_sinks s ON s.sink = w.id`

func (r toldRow) webhook() relay.Webhook {
	w := r.Webhook
	return relay.Webhook{
		ID: relay.WebhookID(w.ID), Name: w.Name, Address: w.Address, Org: tenants.OrgID(w.OnlyOrg), Enabled: w.Enabled,
		GiveUp: time.Duration(w.GiveUp) * time.Microsecond, Secret: w.Secret,
		CreatedAt: fromMicros(w.CreatedAt), UpdatedAt: fromMicros(w.UpdatedAt), Progress: r.Sink.progress(), Dead: r.Dead,
	}
}

func (s sinkRow) progress() relay.Progress {
	return relay.Progress{
		Seq: s.Seq, Delivered: fromMicros(s.DeliveredAt), Failing: fromMicros(s.FailingAt), Attempts: s.Attempts,
		Next: fromMicros(s.NextAt), Error: s.Error,
	}
}

func newSinkRow(sink string, p relay.Progress) sinkRow {
	return sinkRow{
		Sink: sink, Seq: p.Seq, DeliveredAt: micros(p.Delivered), FailingAt: micros(p.Failing), Attempts: p.Attempts,
		NextAt: micros(p.Next), Error: clean(p.Error),
	}
}

func newWebhookRow(w relay.Webhook) webhookRow {
	return webhookRow{
		ID: string(w.ID), Name: w.Name, Address: notNull(w.Address), OnlyOrg: string(w.Org), Enabled: w.Enabled, GiveUp: w.GiveUp.Microseconds(),
		Secret: notNull(w.Secret), CreatedAt: micros(w.CreatedAt), UpdatedAt: micros(w.UpdatedAt),
	}
}

func (r deadRow) dead() relay.Dead {
	return relay.Dead{First: r.First, Last: r.Last, Rows: r.Amount, At: fromMicros(r.At), Error: r.Error, Again: r.Again}
}

func (r *reader) Webhooks() ([]relay.Webhook, error) {
	var rows []toldRow
	if err := r.db.Raw(told + " ORDER BY w.name").Scan(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convert(rows, toldRow.webhook), nil
}

func (r *reader) Webhook(id relay.WebhookID) (relay.Webhook, error) {
	var row toldRow
	err := take(r.db.Raw(told+" WHERE w.id = ?", clean(string(id))), &row)
	return row.webhook(), err
}

func (r *reader) DeadLetters(id relay.WebhookID, most int) ([]relay.Dead, error) {
	var rows []deadRow
	if err := r.db.Where("sink = ?", clean(string(id))).Order("first").Limit(most).Find(&rows).Error; err != nil {
		return nil, fault(err)
	}
	return convert(rows, deadRow.dead), nil
}

func (r *reader) JournalEnd() (int64, error) {
	var head headRow
	err := take(r.db.Where("one = 1"), &head)
	return head.Seq, err
}

func (t *tx) CreateWebhook(w relay.Webhook) error {
	row, sink := newWebhookRow(w), newSinkRow(string(w.ID), w.Progress)
	if err := t.create(&row); err != nil {
		return err
	}
	return t.create(&sink)
}

func (t *tx) UpdateWebhook(w relay.Webhook) error {
	row := newWebhookRow(w)
	if err := t.must(t.db.Model(&webhookRow{}).Where("id = ?", row.ID).UpdateColumns(map[string]any{
		"name": row.Name, "address": blob(row.Address), "only_org": row.OnlyOrg, "enabled": row.Enabled, "give_up": row.GiveUp,
		"secret": blob(row.Secret), "updated_at": row.UpdatedAt,
	})); err != nil {
		return err
	}
	return t.must(t.db.Model(&sinkRow{}).Where("sink = ?", row.ID).UpdateColumns(map[string]any{"next_at": 0, "attempts": 0}))
}

func (t *tx) DeleteWebhook(id relay.WebhookID) error {
	for _, gone := range []any{&deadRow{}, &sinkRow{}} {
		if _, err := t.wrote(t.db.Where("sink = ?", string(id)).Delete(gone)); err != nil {
			return err
		}
	}
	return t.must(t.db.Where("id = ?", string(id)).Delete(&webhookRow{}))
}

func (t *tx) Redeliver(id relay.WebhookID) (n int64, err error) {
	if err := fault(t.db.Raw("SELECT COALESCE(sum(amount), 0) FROM audit_dead WHERE sink = ? AND again = ?", string(id), false).Scan(&n).Error); err != nil {
		return 0, err
	}
	_, err = t.wrote(t.db.Model(&deadRow{}).Where("sink = ? AND again = ?", string(id), false).UpdateColumn("again", true))
	return n, err
}
