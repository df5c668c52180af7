package store

import (
	"context"
	"encoding/json"

	"causeway/internal/journal"
	"causeway/internal/refusal"
	"causeway/tenants"
)

type refusalRow struct {
	ID        int64 `gorm:"primaryKey"`
	At        int64
	OrgID     string
	RequestID string
	ActorKind string
	ActorID   string
	ActorName string
	ActorOrg  string
	Address   string
	Method    string
	Route     string
	Status    int
	Code      string
	Detail    string
}

func (refusalRow) TableName() string { return "refusals" }

// Refusals is the store of package refusal.
func (d *DB) Refusals() refusal.Store { return refusalStore{d} }

type refusalStore struct{ *DB }

func (s refusalStore) View(ctx context.Context, f func(refusal.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

// AddRefusals is one statement. It counts as background: one statement serves
// many requests, and none of them decided to send it.
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
	whole, cancel := s.whole(Background(ctx))
	defer cancel()
	return s.retry(ctx, func() error {
		return s.write.session(whole, s.write).Create(&rows).Error
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
	rows, total, err := page[refusalRow](r, listing{
		base: "SELECT * FROM refusals WHERE org_id = ?", args: []any{string(org)},
		columns: "id, at, request_id, actor_id, actor_name, method, route, status, code",
		hidden:  "org_id, actor_kind, actor_org, address, detail", order: "id DESC", unique: "id",
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
