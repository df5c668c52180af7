package store

import "causeway/oauth"

type eventRow struct {
	ID        int64  `gorm:"primaryKey" json:"-"`
	At        int64  `json:"at"`
	OrgID     string `json:"org_id"`
	AccountID string `json:"account_id"`
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	Detail    string `json:"detail"`
}

func (eventRow) TableName() string { return "token_events" }

func newEventRow(e oauth.Event) eventRow {
	return eventRow{
		At: micros(e.At), OrgID: string(e.Org), AccountID: clean(string(e.Account)), Kind: e.Kind,
		Source: clean(e.Source), Detail: clean(e.Detail),
	}
}

func (t *tx) Note(e oauth.Event) error {
	row := newEventRow(e)
	return t.create(&row)
}
