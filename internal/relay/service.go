package relay

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Purposes of what is sealed. An address is, since its path often is what keeps
// strangers out.
const sealWebhook, sealAddress = "audit-webhook", "audit-webhook-address"

// Service manages webhooks. That the caller is the provider and has the right which a
// route asks for has been checked.
type Service struct {
	Store     Store
	Keys      *secret.Keys
	PlainHTTP bool // allows http beside https
	Now       func() time.Time
	// Try calls a webhook once, see [Deliverer.Try].
	Try func(ctx context.Context, w Webhook) (why string)
}

// newSecret is shown once, in the form of the Standard Webhooks: the receiver decodes
// what follows the prefix.
func (s *Service) newSecret() (shown secret.Text, sealed []byte) {
	key := []byte(secret.URLSafe(32))
	return secret.Text("whsec_" + base64.StdEncoding.EncodeToString(key)), s.Keys.Seal(sealWebhook, key)
}

func (s *Service) clock() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// List are all, by name.
func (s *Service) List(ctx context.Context) (list []Webhook, err error) {
	err = s.Store.View(ctx, func(r Reader) error {
		list, err = r.Webhooks()
		return err
	})
	for i := range list {
		err = errors.Join(err, s.unseal(&list[i]))
	}
	return list, err
}

func (s *Service) unseal(w *Webhook) error {
	address, err := s.Keys.Open(sealAddress, w.Address)
	w.URL = string(address)
	return err
}

// webhook is one with its address.
func (s *Service) webhook(r Reader, id WebhookID) (Webhook, error) {
	w, err := r.Webhook(id)
	if err == nil {
		err = s.unseal(&w)
	}
	return w, err
}

// Get is one.
func (s *Service) Get(ctx context.Context, id WebhookID) (w Webhook, err error) {
	err = s.Store.View(ctx, func(r Reader) error {
		w, err = s.webhook(r, id)
		return err
	})
	return w, err
}

// mostDead is how many dead letters are shown: each stands for rows without a gap.
const mostDead = 1000

// Dead are what was put aside, the oldest first.
func (s *Service) Dead(ctx context.Context, id WebhookID) (list []Dead, err error) {
	err = s.Store.View(ctx, func(r Reader) error {
		if _, err := r.Webhook(id); err != nil {
			return err
		}
		list, err = r.DeadLetters(id, mostDead)
		return err
	})
	return list, err
}

// Create makes a webhook that is told of what happens from now on, beginning with
// this. Its secret is returned once.
func (s *Service) Create(ctx context.Context, by tenants.Caller, d Draft) (w Webhook, made secret.Text, err error) {
	if err := d.check(s.PlainHTTP); err != nil {
		return Webhook{}, "", err
	}
	now := s.clock()
	w = Webhook{ID: WebhookID(tenants.NewID()), CreatedAt: now}
	made, w.Secret = s.newSecret()
	err = s.change(ctx, by, now, func(tx Tx) error {
		all, err := tx.Webhooks()
		if err != nil {
			return err
		}
		if len(all) >= mostWebhooks {
			return problem.New(problem.Conflict, "There are %d webhooks, and no more are possible.", mostWebhooks)
		}
		if w.Seq, err = tx.JournalEnd(); err != nil {
			return err
		}
		if w, err = s.draft(tx, d, w, now); err != nil {
			return err
		}
		if err := tx.CreateWebhook(w); err != nil {
			return err
		}
		return tx.Record(entry(by, now, journal.WebhookCreated, w, w.facts()))
	})
	return w, made, err
}

func (s *Service) draft(r Reader, d Draft, w Webhook, now time.Time) (Webhook, error) {
	if d.Org != "" {
		if _, err := r.Organization(d.Org); problem.Has(err, problem.NotFound) {
			return w, bad("orgId", "There is no such organization.")
		} else if err != nil {
			return w, err
		}
	}
	w.Name, w.URL, w.Org, w.Enabled, w.GiveUp, w.UpdatedAt = d.Name, d.URL, d.Org, d.Enabled, d.GiveUp, now
	w.Address = s.Keys.Seal(sealAddress, []byte(d.URL))
	return w, nil
}

// Update replaces what the provider says. What fails is tried at once.
func (s *Service) Update(ctx context.Context, by tenants.Caller, id WebhookID, d Draft) (w Webhook, err error) {
	if err := d.check(s.PlainHTTP); err != nil {
		return Webhook{}, err
	}
	now := s.clock()
	err = s.change(ctx, by, now, func(tx Tx) error {
		if w, err = s.webhook(tx, id); err != nil {
			return err
		}
		if w, err = s.draft(tx, d, w, now); err != nil {
			return err
		}
		if err := tx.UpdateWebhook(w); err != nil {
			return err
		}
		return tx.Record(entry(by, now, journal.WebhookUpdated, w, w.facts()))
	})
	return w, err
}

// Renew replaces the secret; the old one signs nothing any more.
func (s *Service) Renew(ctx context.Context, by tenants.Caller, id WebhookID) (w Webhook, made secret.Text, err error) {
	now := s.clock()
	made, sealed := s.newSecret()
	err = s.change(ctx, by, now, func(tx Tx) error {
		if w, err = s.webhook(tx, id); err != nil {
			return err
		}
		w.Secret, w.UpdatedAt = sealed, now
		if err := tx.UpdateWebhook(w); err != nil {
			return err
		}
		return tx.Record(entry(by, now, journal.WebhookSecret, w, nil))
	})
	return w, made, err
}

// Delete ends a webhook, and what was put aside for it.
func (s *Service) Delete(ctx context.Context, by tenants.Caller, id WebhookID) error {
	now := s.clock()
	return s.change(ctx, by, now, func(tx Tx) error {
		w, err := s.webhook(tx, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteWebhook(id); err != nil {
			return err
		}
		return tx.Record(entry(by, now, journal.WebhookDeleted, w, w.facts()))
	})
}

// Redeliver has what was put aside delivered again.
func (s *Service) Redeliver(ctx context.Context, by tenants.Caller, id WebhookID) error {
	now := s.clock()
	return s.change(ctx, by, now, func(tx Tx) error {
		w, err := s.webhook(tx, id)
		if err != nil {
			return err
		}
		n, err := tx.Redeliver(id)
		if err != nil || n == 0 {
			return err
		}
		return tx.Record(entry(by, now, journal.WebhookRedelivered, w, map[string]string{"rows": strconv.FormatInt(n, 10)}))
	})
}

// change runs f in a transaction in which the caller still stands.
func (s *Service) change(ctx context.Context, by tenants.Caller, now time.Time, f func(Tx) error) error {
	return s.Store.InTx(ctx, func(tx Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		return f(tx)
	})
}

func entry(by tenants.Caller, at time.Time, action journal.Action, w Webhook, detail map[string]string) journal.Entry {
	return journal.Entry{
		At: at, Org: string(tenants.SystemOrgID), Actor: by.Actor(), Action: action, Subject: w.subject(),
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
