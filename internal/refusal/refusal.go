package refusal

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/tenants"
)

// ByPeer is the code of a request that another site refused. That site keeps the
// reason.
const ByPeer = "refused_by_peer"

// ByUpstream is the code of a request that was let through and that a service
// instance refused by itself, for reasons of its own (CSP-10).
const ByUpstream = "upstream"

// ActorSite is the kind of an actor of whom only the site is known that sent the
// request.
const ActorSite = "site"

// Refusal is one refused request. It holds nothing of the query, the headers'
// credentials or the body.
type Refusal struct {
	At        time.Time
	Org       tenants.OrgID // whose audit trail shows it
	RequestID string
	Actor     journal.Actor
	Address   string
	Method    string
	Route     string // the pattern that matched
	Status    int
	Code      string // a problem.Code, ByPeer or ByUpstream
	Detail
}

// Detail is what decided. Message is what the client was told, where that does
// not repeat what the client sent; Facts it was not told (see problem.With).
type Detail struct {
	Message string            `json:"message,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
}

// Count is how many refusals had a code in one span of time.
type Count struct {
	Span int64 // how many spans lie between it and the epoch
	Code string
	N    int
}

// Store keeps refusals.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	// AddRefusals writes all or none.
	AddRefusals(ctx context.Context, list []Refusal) error
}

// Listed is how many refusals a list counts and pages through. Behind a flood
// there are millions, and counting them would hold up whoever else reads.
const Listed = 10_000

// Reader reads. Absence is problem.NotFound.
type Reader interface {
	// Refusals returns a page of an organization's, the newest first, and the
	// number on all pages, but no more than Listed, by at (microseconds),
	// request_id, actor_id, actor_name, method, route, status and code.
	Refusals(org tenants.OrgID, q tenants.Query) ([]Refusal, int, error)
	// NewestRefusals is Refusals of every organization, among the newest Listed of
	// them. Provider only.
	NewestRefusals(q tenants.Query) ([]Refusal, int, error)
	// RefusalCounts counts an organization's by code and by span of time since the
	// epoch, no more than Listed of them.
	RefusalCounts(org tenants.OrgID, since time.Time, span time.Duration) ([]Count, error)
	Refusal(org tenants.OrgID, requestID string) (Refusal, error)
	// RefusalOrg tells whose audit trail shows a refusal: the provider finds any
	// by its request alone. It gives away nothing else.
	RefusalOrg(requestID string) (tenants.OrgID, error)
}
