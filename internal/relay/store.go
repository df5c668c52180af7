package relay

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/trail"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

// Store keeps webhooks; see tenants.Store for the meaning of View and InTx.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error
}

// Reader reads. Absence is problem.NotFound.
type Reader interface {
	tenants.Ground
	// Webhooks lists all, by name.
	Webhooks() ([]Webhook, error)
	Webhook(id WebhookID) (Webhook, error)
	// DeadLetters are those of a webhook, the oldest first.
	DeadLetters(id WebhookID, most int) ([]Dead, error)
	// JournalEnd is the number of the last row.
	JournalEnd() (int64, error)
}

// Tx reads and writes in one transaction.
type Tx interface {
	Reader
	// CreateWebhook is problem.DuplicateName where there is one of that name.
	CreateWebhook(Webhook) error
	// UpdateWebhook replaces everything but id, creation time and how far it is, and
	// has what fails tried at once.
	UpdateWebhook(Webhook) error
	// DeleteWebhook takes what was put aside along.
	DeleteWebhook(id WebhookID) error
	// Redeliver has what was put aside delivered again, and tells how many rows.
	Redeliver(id WebhookID) (int64, error)
	Record(journal.Entry) error
}

// Queue is what delivering needs. Sinks are named by the ids of webhooks and by
// "syslog:" and the name of a collector.
type Queue interface {
	upkeep.Leases
	Rows
	// Hooks are the webhooks, with their progress.
	Hooks(ctx context.Context) ([]Webhook, error)
	// Begin is how far a sink is. A new one begins behind the journal's end.
	Begin(ctx context.Context, sink string) (Progress, error)
	// Save keeps progress. A cursor never goes back: another cell may have been
	// faster.
	Save(ctx context.Context, sink string, p Progress) error
	// Bury puts the row p.Seq aside, in which the rows before it that are aside, too,
	// are one with it, and saves p. before is the cursor until now.
	Bury(ctx context.Context, sink string, before int64, p Progress, at time.Time, why string) error
	// Again are what was put aside and is to be delivered again.
	Again(ctx context.Context, sink string) ([]Dead, error)
	// Resent takes rows up to a number out of what is aside, from first on. Refused
	// leaves them there.
	Resent(ctx context.Context, sink string, first, upTo int64) error
	Refused(ctx context.Context, sink string, first int64, why string) error
}

// Rows is the part of [trail.Store] that sinks are fed from.
type Rows interface {
	Rows(ctx context.Context, org tenants.OrgID, by trail.Key, in trail.Range, limit int) ([]journal.Row, error)
	RowsAnywhere(ctx context.Context, by trail.Key, in trail.Range, limit int) ([]journal.Row, error)
}
