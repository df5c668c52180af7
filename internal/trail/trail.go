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

// Store reads the journal.
type Store interface {
	// Rows returns up to limit rows of one organization in a range, and only those
	// with the key, if it is of something.
	Rows(ctx context.Context, org tenants.OrgID, by Key, in Range, limit int) ([]journal.Row, error)
	// RowsAnywhere is Rows for all of the journal: for the provider.
	RowsAnywhere(ctx context.Context, by Key, in Range, limit int) ([]journal.Row, error)
	// When is the time of a row. Absence is problem.NotFound.
	When(ctx context.Context, seq int64) (time.Time, error)
	// Counts counts the newest most rows of an organization by span of time since
	// the epoch.
	Counts(ctx context.Context, org tenants.OrgID, since time.Time, span time.Duration, most int) (map[int64]int, error)
}

// Range are the rows with Above < sequence < Below, the oldest first unless Newest
// says otherwise.
type Range struct {
	Above, Below int64
	Newest       bool
}

// Service searches.
type Service struct {
	Store Store
	Orgs  Organizations
	Site  tenants.SiteID // whose journal it is
}

// Organizations tell the names of organizations, see [tenants.Directory].
type Organizations interface {
	Organization(ctx context.Context, id tenants.OrgID) (*tenants.Snapshot, error)
}

// Filter says what is looked for; what is empty does not matter. Whole identifiers
// are found at once; what is sought in names is compared row by row.
type Filter struct {
	Org       tenants.OrgID // of all, for the provider alone
	Actor     string        // part of the name, or the whole identifier
	ActorID   string
	Action    journal.Action
	Subject   string // part of the name, or the whole identifier
	SubjectID string
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
		rows, err := read(ctx, Range{Below: before, Newest: true}, batch)
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

type reading func(ctx context.Context, in Range, limit int) ([]journal.Row, error)

func (s *Service) reading(who tenants.Principal, org tenants.OrgID, f Filter) (reading, error) {
	all := org == tenants.SystemOrgID && who.Provider() && who.Via == ""
	if !all && f.Org != "" && f.Org != org {
		return nil, problem.Hidden()
	}
	by := f.key()
	return func(ctx context.Context, in Range, limit int) ([]journal.Row, error) {
		switch {
		case all && f.Org == "":
			return s.Store.RowsAnywhere(ctx, by, in, limit)
		case all:
			return s.Store.Rows(ctx, f.Org, by, in, limit)
		}
		return s.Store.Rows(ctx, org, by, in, limit)
	}, nil
}

// begin is where the rows of a time end, as [Service.since] finds it.
func (s *Service) begin(ctx context.Context, until time.Time) (int64, error) {
	if until.IsZero() {
		return math.MaxInt64, nil
	}
	last, err := s.last(ctx)
	if err != nil || last.Seq == 0 {
		return math.MaxInt64, err
	}
	return s.since(ctx, until.Add(skew), last.Seq)
}

// last is the newest row, with sequence 0 where there is none.
func (s *Service) last(ctx context.Context) (journal.Row, error) {
	newest, err := s.Store.RowsAnywhere(ctx, Key{}, Range{Below: math.MaxInt64, Newest: true}, 1)
	if err != nil || len(newest) == 0 {
		return journal.Row{}, err
	}
	return newest[0], nil
}

// since finds by halving the first row, of those up to last, that is not older than
// at: sequences have no gaps, and times grow with them, but for the skew of clocks.
func (s *Service) since(ctx context.Context, at time.Time, last int64) (int64, error) {
	var failed error
	n := sort.Search(int(last), func(i int) bool {
		when, err := s.Store.When(ctx, int64(i)+1)
		if err != nil && failed == nil {
			failed = err
		}
		return err != nil || !when.Before(at)
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
	return is(f.ActorID, row.Actor.ID) && is(f.SubjectID, row.Subject.ID) &&
		names(f.Actor, row.Actor.ID, row.Actor.Name) && names(f.Subject, row.Subject.ID, row.Subject.Name)
}

// names reports whether what is looked for is the identifier, also as a URN, or is
// in the name, whatever the case.
func names(wanted, id, name string) bool {
	if wanted == "" || id != "" && strings.EqualFold(bare(wanted), id) {
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
