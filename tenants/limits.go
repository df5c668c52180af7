package tenants

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"causeway/internal/journal"
	"causeway/ratelimit"
)

// Limits gives the limiter of this cell what the provider has set for single
// organizations, and follows the journal: a change counts on every cell within a
// second. All of it is in memory, so that a stranger's request costs no look into
// the database.
type Limits struct {
	store   Store
	limiter *ratelimit.Limiter
	wake    chan struct{}

	loading chan struct{} // by one at a time: an older answer must not replace a newer one
	mu      sync.Mutex
	own     map[OrgID]bool
}

// NewLimits makes Limits that know of none before Load.
func NewLimits(store Store, limiter *ratelimit.Limiter) *Limits {
	return &Limits{store: store, limiter: limiter, wake: make(chan struct{}, 1), loading: make(chan struct{}, 1)}
}

// loadWithin bounds a load: a database that is gone without a word must not keep
// what waits behind it.
const loadWithin = 5 * time.Second

// Load reads all and hands them to the limiter.
func (l *Limits) Load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	select {
	case l.loading <- struct{}{}:
		defer func() { <-l.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var all []ratelimit.OrgLimits
	err := l.store.View(ctx, func(r Reader) (err error) {
		all, err = r.EveryOrganizationLimits()
		return err
	})
	if err != nil {
		return err
	}
	own := make(map[OrgID]bool, len(all))
	for _, o := range all {
		own[OrgID(o.ID)] = true
	}
	l.mu.Lock()
	l.own = own
	l.mu.Unlock()
	l.limiter.SetOrgs(all)
	return nil
}

// Apply wants all read again when limits were set, and when an organization that
// has some was renamed or deleted.
func (l *Limits) Apply(row journal.Row) {
	l.mu.Lock()
	has := l.own[OrgID(row.Subject.ID)]
	l.mu.Unlock()
	if row.Action == journal.OrganizationLimited || row.Subject.Kind == journal.KindOrganization && has {
		l.Flush()
	}
}

// Flush wants all read again. It never blocks.
func (l *Limits) Flush() {
	select {
	case l.wake <- struct{}{}:
	default: // it will be
	}
}

// retryLimits is how soon a load that failed is tried again.
const retryLimits = time.Second

// Run loads what Apply and Flush want loaded until ctx ends, and first what changed
// before the journal was followed. Until that works, what was known before stays.
func (l *Limits) Run(ctx context.Context, log *slog.Logger) {
	failing := false
	l.Flush()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		err := l.Load(ctx)
		if err == nil || ctx.Err() != nil {
			failing = false
			continue
		}
		if !failing {
			log.Warn("could not read the limits of organizations; those known before hold", "err", err)
		}
		failing = true
		l.Flush()
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryLimits):
		}
	}
}

// limitChanges says what a set of limits became, for the records.
func limitChanges(before, after ratelimit.Limits) map[string]string {
	pairs := map[string][2]string{}
	for _, b := range ratelimit.OwnBuckets() {
		shown := func(l ratelimit.Limits) string {
			if budget, ok := l[b.Name][b.Kind]; ok {
				return budget.String()
			}
			return "the site's"
		}
		pairs[string(b.Name)+"."+string(b.Kind)] = [2]string{shown(before), shown(after)}
	}
	return Changed(pairs)
}
