package relay

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/tenants"
)

// TypeTest is the type of a message that tells of no change: it is called for by
// somebody who wants to know whether messages arrive.
const TypeTest = "webhook.test"

// Tried is what came of a test.
type Tried struct {
	Took time.Duration
	Why  string // it was not taken, for people; empty where it was
}

// trial is what a test says.
type trial struct {
	Site    tenants.SiteID `json:"site"`
	Webhook string         `json:"webhook"` // its name
}

// Try calls a webhook once, signed and to where it may be like any call, out of turn:
// nothing waits for it. why it was not taken is for people, empty where it was.
func (d *Deliverer) Try(ctx context.Context, w Webhook) (why string) {
	id := "msg_" + tenants.NewID()
	why, err := d.poster.post(ctx, w, id, message{Type: TypeTest, Timestamp: d.Now().UTC(), Data: trial{d.Trail.Site, w.Name}})
	if why != "" {
		d.Log.Info("a webhook did not take a test", "sink", string(w.ID), "why", why, "err", err)
	}
	return why
}

// Test calls a webhook once, also one that is disabled, and leaves how far it is as it
// was. The call is in the journal with what came of it.
func (s *Service) Test(ctx context.Context, by tenants.Caller, id WebhookID) (Tried, error) {
	var w Webhook
	err := s.Store.View(ctx, func(r Reader) (err error) {
		if err := tenants.Stands(r, by.Principal, s.clock()); err != nil {
			return err
		}
		w, err = r.Webhook(id)
		return err
	})
	if err != nil {
		return Tried{}, err
	}
	begun := s.Now()
	tried := Tried{Why: s.Try(ctx, w)}
	tried.Took = s.Now().Sub(begun)
	result := map[string]string{"result": "taken"}
	if tried.Why != "" {
		result["result"] = tried.Why
	}
	// Whoever asked may have gone: the call was made, and is on record.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), postTimeout)
	defer cancel()
	return tried, s.Store.InTx(ctx, func(tx Tx) error {
		return tx.Record(entry(by, s.clock(), journal.WebhookTested, w, result))
	})
}
