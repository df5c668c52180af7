package trail

import (
	"context"
	"math"
	"sort"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Store reads the journal backwards.
type Store interface {
	// Before returns up to limit rows of one organization with a sequence below
	// seq, the newest first.
	Before(ctx context.Context, org tenants.OrgID, seq int64, limit int) ([]journal.Row, error)
	// BeforeAnywhere is Before for all of the journal: for the provider.
	BeforeAnywhere(ctx context.Context, seq int64, limit int) ([]journal.Row, error)
	// When is the time of a row. Absence is problem.NotFound.
	When(ctx context.Context, seq int64) (time.Time, error)
	// Counts counts the newest most rows of an organization by span of time since
	// the epoch.
	Counts(ctx context.Context, org tenants.OrgID, since time.Time, span time.Duration, most int) (map[int64]int, error)
}

// Service searches.
type Service struct{ Store Store }

// Filter says what is looked for; what is empty does not matter.
type Filter struct {
	Org       tenants.OrgID // of all, for the provider alone
	Actor     string        // part of the name, or the whole identifier
	Action    journal.Action
	Subject   string // part of the name, or the whole identifier
	RequestID string
	From      time.Time // inclusive
	Until     time.Time // exclusive
}

// Bounds of one search.
const (
	// looked is how many rows one search looks at. To read and compare them takes
	// some tens of milliseconds.
	looked = 10_000
	// batch is how many of them one statement reads.
	batch = 1000
	// skew is how far cells' clocks may be apart: rows are in the order of their
	// commits, and each has the time of its cell.
	skew = 2 * time.Minute
)

// Found is a part of the trail.
type Found struct {
	Rows []journal.Row // the newest first
	// Next is where the search goes on, 0 at the end of the trail.
	Next int64
	// Looked is up to when it got, where it stopped before its rows were complete.
	Looked time.Time
}

// Search finds up to most rows below the sequence before, 0 for the newest. The
// provider in its own organization searches everybody's, others their own.
func (s *Service) Search(ctx context.Context, who tenants.Principal, org tenants.OrgID, f Filter, before int64, most int) (Found, error) {
	read, err := s.reading(who, org, f)
	if err != nil {
		return Found{}, err
	}
	if before <= 0 {
		if before, err = s.begin(ctx, f.Until); err != nil {
			return Found{}, err
		}
	}
	var found Found
	for seen := 0; seen < looked; {
		rows, err := read(ctx, before, batch)
		if err != nil {
			return Found{}, err
		}
		for _, row := range rows {
			if !f.From.IsZero() && row.At.Before(f.From.Add(-skew)) {
				return found, nil
			}
			before = row.Seq
			if !f.matches(row) {
				continue
			}
			if found.Rows = append(found.Rows, row); len(found.Rows) == most {
				found.Next = before
				return found, nil
			}
		}
		if len(rows) < batch {
			return found, nil
		}
		seen += len(rows)
		found.Looked = rows[len(rows)-1].At
	}
	found.Next = before
	return found, nil
}

// Counts tells how many changes there were in org by span of time since the epoch,
// among the newest some thousands.
func (s *Service) Counts(ctx context.Context, org tenants.OrgID, since time.Time, span time.Duration) (map[int64]int, error) {
	return s.Store.Counts(ctx, org, since, span, looked)
}

func (s *Service) reading(who tenants.Principal, org tenants.OrgID, f Filter) (func(context.Context, int64, int) ([]journal.Row, error), error) {
	all := org == tenants.SystemOrgID && who.Provider() && who.Via == ""
	if !all && f.Org != "" && f.Org != org {
		return nil, problem.Hidden()
	}
	if all && f.Org == "" {
		return s.Store.BeforeAnywhere, nil
	}
	if all {
		org = f.Org
	}
	return func(ctx context.Context, seq int64, limit int) ([]journal.Row, error) {
		return s.Store.Before(ctx, org, seq, limit)
	}, nil
}

// begin finds by halving where the rows of a time end: sequences have no gaps, and
// times grow with them, but for the skew of clocks.
func (s *Service) begin(ctx context.Context, until time.Time) (int64, error) {
	if until.IsZero() {
		return math.MaxInt64, nil
	}
	newest, err := s.Store.BeforeAnywhere(ctx, math.MaxInt64, 1)
	if err != nil || len(newest) == 0 {
		return math.MaxInt64, err
	}
	var failed error
	n := sort.Search(int(newest[0].Seq), func(i int) bool {
		at, err := s.Store.When(ctx, int64(i)+1)
		if err != nil && failed == nil {
			failed = err
		}
		return err != nil || !at.Before(until.Add(skew))
	})
	return int64(n) + 1, failed
}

func (f Filter) matches(row journal.Row) bool {
	switch {
	case f.Action != "" && row.Action != f.Action, f.RequestID != "" && row.RequestID != f.RequestID:
		return false
	case !f.From.IsZero() && row.At.Before(f.From), !f.Until.IsZero() && !row.At.Before(f.Until):
		return false
	}
	return names(f.Actor, row.Actor.ID, row.Actor.Name) && names(f.Subject, row.Subject.ID, row.Subject.Name)
}

// names reports whether what is looked for is the identifier, also as a URN, or is
// in the name, whatever the case.
func names(wanted, id, name string) bool {
	if wanted == "" || id != "" && strings.EqualFold(wanted[strings.LastIndexByte(wanted, ':')+1:], id) {
		return true
	}
	return strings.Contains(strings.ToLower(name), strings.ToLower(wanted))
}

// Address is from where a row was caused, as far as who reads may know: where the
// provider's people work from is not a tenant's business.
func Address(reader tenants.Principal, row journal.Row) string {
	if home := row.Actor.Org; home != "" && home != row.Org && !reader.Provider() {
		return ""
	}
	return row.Source
}
