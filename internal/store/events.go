package store

import "causeway/oauth"

type eventRow struct {
	ID        int64 `gorm:"primaryKey"`
	At        int64
	OrgID     string
	AccountID string
	Kind      string
	Source    string
	Detail    string
}

func (eventRow) TableName() string { return "token_events" }

func (t *tx) Note(e oauth.Event) error {
	return t.create(&eventRow{
		At: micros(e.At), OrgID: string(e.Org), AccountID: string(e.Account), Kind: e.Kind,
		Source: clean(e.Source), Detail: clean(e.Detail),
	})
}
