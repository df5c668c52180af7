package store

import (
	"context"
	"encoding/json"
	"time"

	"causeway/internal/journal"
	"causeway/internal/refusal"
	"causeway/tenants"
)

type refusalRow struct {
	ID        int64  `gorm:"primaryKey" json:"-"`
	At        int64  `json:"at"`
	OrgID     string `json:"org_id"`
	RequestID string `json:"request_id"`
	ActorKind string `json:"actor_kind"`
	ActorID   string `json:"actor_id"`
	ActorName string `json:"actor_name"`
	ActorOrg  string `json:"actor_org"`
	Address   string `json:"address"`
	Method    string `json:"method"`
	Route     string `json:"route"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
}

func (refusalRow) TableName() string { return "refusals" }

// Refusals is the store of package refusal.
func (d *DB) Refusals() refusal.Store { return refusalStore{d} }

type refusalStore struct{ *DB }

func (s refusalStore) View(ctx context.Context, f func(refusal.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

// addRefusals takes a JSON array: however many rows there are the statement stays
// the same, and with it its place among those that connections keep prepared.
var addRefusals = map[kind]string{
	sqlite: `INSERT INTO refusals (at, org_id, request_id, actor_kind, actor_id, actor_name, actor_org, address, method, route, status, code, detail)
		SELECT value ->> 'at', value ->> 'org_id', value ->> 'request_id', value ->> 'actor_kind', value ->> 'actor_id', value ->> 'actor_name',
			value ->> 'actor_org', value ->> 'address', value ->> 'method', value ->> 'route', value ->> 'status', value ->> 'code', value ->> 'detail'
		FROM json_each(?)`,
	postgres: `INSERT INTO refusals (at, org_id, request_id, actor_kind, actor_id, actor_name, actor_org, address, method, route, status, code, detail)
		SELECT at, org_id, request_id, actor_kind, actor_id, actor_name, actor_org, address, method, route, status, code, detail
		FROM json_to_recordset(CAST(? AS json)) AS r (at bigint, org_id text, request_id text, actor_kind text, actor_id text, actor_name text,
			actor_org text, address text, method text, route text, status bigint, code text, detail text)`,
}

// AddRefusals is one statement. It counts as background: one statement serves
// many requests, and none of them decided to send it. A deadline counts where the
// network can swallow the answer; what was written nevertheless may come again,
// and twice is better than never.
func (s refusalStore) AddRefusals(ctx context.Context, list []refusal.Refusal) error {
	rows := make([]refusalRow, 0, len(list))
	for _, one := range list {
		detail, err := json.Marshal(one.Detail)
		if err != nil {
			return err
		}
		rows = append(rows, refusalRow{
			At: micros(one.At), OrgID: string(one.Org), RequestID: clean(one.RequestID),
			ActorKind: one.Actor.Kind, ActorID: clean(one.Actor.ID), ActorName: clean(one.Actor.Name), ActorOrg: clean(one.Actor.Org),
			Address: clean(one.Address), Method: clean(one.Method), Route: clean(one.Route), Status: one.Status, Code: one.Code,
			Detail: clean(string(detail)),
		})
	}
	array, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	whole, cancel := s.whole(Background(ctx))
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok && s.kind == postgres {
		whole, cancel = context.WithDeadline(whole, deadline)
		defer cancel()
	}
	return s.retry(ctx, func() error {
		return s.write.session(whole, s.write).Exec(addRefusals[s.kind], string(array)).Error
	})
}

func (r refusalRow) refusal() (refusal.Refusal, error) {
	one := refusal.Refusal{
		At: fromMicros(r.At), Org: tenants.OrgID(r.OrgID), RequestID: r.RequestID,
		Actor:   journal.Actor{Kind: r.ActorKind, ID: r.ActorID, Name: r.ActorName, Org: r.ActorOrg},
		Address: r.Address, Method: r.Method, Route: r.Route, Status: r.Status, Code: r.Code,
	}
	err := json.Unmarshal([]byte(r.Detail), &one.Detail)
	return one, err
}

func (r *reader) Refusals(org tenants.OrgID, q tenants.Query) ([]refusal.Refusal, int, error) {
	return r.refusals("SELECT * FROM refusals WHERE org_id = ?", "at DESC, id DESC", q, string(org))
}

// NewestRefusals reads no further than what is listed, for across organizations no
// index leads to what a filter wants.
func (r *reader) NewestRefusals(q tenants.Query) ([]refusal.Refusal, int, error) {
	return r.refusals("SELECT * FROM refusals ORDER BY id DESC LIMIT ?", "id DESC", q, refusal.Listed)
}

func (r *reader) refusals(base, order string, q tenants.Query, arg any) ([]refusal.Refusal, int, error) {
	rows, total, err := page[refusalRow](r, listing{
		base: base, args: []any{arg},
		columns: "id, at, request_id, actor_id, actor_name, method, route, status, code",
		hidden:  "org_id, actor_kind, actor_org, address, detail", order: order, unique: "id",
		most: refusal.Listed,
	}, q)
	if err != nil {
		return nil, 0, err
	}
	list, err := convertAll(rows, refusalRow.refusal)
	return list, total, err
}

func (r *reader) Refusal(org tenants.OrgID, requestID string) (refusal.Refusal, error) {
	var row refusalRow
	if err := take(r.of(org).Where("request_id = ?", requestID).Order("id DESC"), &row); err != nil {
		return refusal.Refusal{}, err
	}
	return row.refusal()
}

func (r *reader) RefusalOrg(requestID string) (tenants.OrgID, error) {
	var row refusalRow
	err := take(r.db.Select("org_id").Where("request_id = ?", requestID).Order("id DESC"), &row)
	return tenants.OrgID(row.OrgID), err
}

func (r *reader) RefusalCounts(org tenants.OrgID, since time.Time, span time.Duration) (list []refusal.Count, err error) {
	err = r.db.Raw(`SELECT at / ? AS span, code, count(*) AS n
		FROM (SELECT at, code FROM refusals WHERE org_id = ? AND at >= ? ORDER BY at DESC LIMIT ?) a GROUP BY 1, 2`,
		span.Microseconds(), string(org), micros(since), refusal.Listed).Find(&list).Error
	return list, fault(err)
}
