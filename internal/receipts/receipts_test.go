package receipts

import (
	"context"
	"slices"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/internal/cells"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	acme   = tenants.OrgID("acme")
	globex = tenants.OrgID("globex")
	stale  = 5 * time.Second
)

var now = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

// site is one with entries 1 (acme), 2 (globex) and 3 (the provider), and acme
// associated with the first of two sites.
type site struct {
	cells   []cells.Cell
	settled int64
}

func (s *site) Cells(context.Context) ([]cells.Cell, error) { return slices.Clone(s.cells), nil }
func (s *site) Settled() int64                              { return s.settled }

func (s *site) RecordedAnywhere(_ context.Context, seq int64) (journal.Row, error) {
	orgs := []tenants.OrgID{acme, globex, tenants.SystemOrgID}
	if seq > int64(len(orgs)) {
		return journal.Row{}, problem.New(problem.NotFound, "absent")
	}
	return journal.Row{Seq: seq, Entry: journal.Entry{Org: string(orgs[seq-1]), At: now}}, nil
}

func (s *site) Recorded(ctx context.Context, org tenants.OrgID, seq int64) (journal.Row, error) {
	row, err := s.RecordedAnywhere(ctx, seq)
	if err == nil && row.Org != string(org) {
		return journal.Row{}, problem.New(problem.NotFound, "absent")
	}
	return row, err
}

type associations struct{ federation.Store }

func (associations) View(_ context.Context, f func(federation.Reader) error) error {
	return f(reader{})
}

type reader struct{ federation.Reader }

func (reader) SiteAssociations() ([]federation.SiteAssociation, error) {
	return []federation.SiteAssociation{{Site: "east", Name: "east"}, {Site: "north", Name: "north"}}, nil
}

func (reader) OrgAssociations(org tenants.OrgID) ([]federation.OrgAssociation, error) {
	if org == acme {
		return []federation.OrgAssociation{{Local: acme, Site: "east"}, {Local: acme, Site: "east", Remote: "labs"}}, nil
	}
	return nil, nil
}

func all(journal.Row) bool { return true }

// find asks for a receipt d after the change.
func (s *site) find(t *testing.T, org tenants.OrgID, seq int64, d time.Duration) Receipt {
	t.Helper()
	service := &Service{Store: s, Cells: s, Associations: associations{}, Stale: stale, Now: func() time.Time { return now.Add(d) }}
	r, err := service.Find(t.Context(), org, seq, all)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReceipt_R4_WaitsForWhoMayNotKnow(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		cells                   []cells.Cell
		settled                 int64
		live, applied, refusing int
		waiting                 []string
	}{
		{name: "everybody knows", cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b", Applied: 9}}, live: 2, applied: 2},
		{name: "one is behind", cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b"}}, live: 2, applied: 1, waiting: []string{"b"}},
		{name: "one is silent, not for long", cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b", Unseen: 4 * time.Second}}, live: 2, applied: 1, waiting: []string{"b"}},
		// It may be that only its own rows cannot be written: it still serves.
		{name: "one is silent for long, the change is new", cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b", Unseen: time.Minute}}, live: 1, applied: 1, waiting: []string{"b"}},
		{name: "one is silent, the change is old", settled: 1, cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b", Unseen: time.Minute}}, live: 1, applied: 1, refusing: 1},
		{name: "one beats but does not follow", settled: 1, cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b"}}, live: 2, applied: 1, refusing: 1},
		{name: "silent and knows", cells: []cells.Cell{{Name: "a", Applied: 1}, {Name: "b", Applied: 1, Unseen: time.Minute}}, live: 1, applied: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &site{cells: tt.cells, settled: tt.settled}
			r := s.find(t, acme, 1, time.Second)
			if r.Live != tt.live || r.Applied != tt.applied || r.Refusing != tt.refusing || !slices.Equal(r.Waiting, tt.waiting) || r.Complete() != (len(tt.waiting) == 0) {
				t.Errorf("live %d, applied %d, refusing %d, waiting for %v", r.Live, r.Applied, r.Refusing, r.Waiting)
			}
		})
	}
}

// What is promised as the end lies ahead for as long as somebody is waited for.
func TestReceipt_R4_TheLastTokenDiesAtTheEnd(t *testing.T) {
	s := &site{cells: []cells.Cell{{Name: "a", Applied: 2}, {Name: "b"}}}
	for _, after := range []time.Duration{0, time.Second, stale, 20 * time.Second} {
		if r := s.find(t, globex, 2, after); r.LastTokenDiesAt().Before(now.Add(after)) {
			t.Errorf("after %v, with a cell that may not know: dead since %v", after, r.LastTokenDiesAt())
		}
	}
	s.settled = 2
	if r := s.find(t, globex, 2, time.Hour); !r.LastTokenDiesAt().Equal(now.Add(stale)) || len(r.Sites) != 0 {
		t.Errorf("not associated: %v, %v", r.LastTokenDiesAt(), r.Sites)
	}
	s.settled = 1
	if r := s.find(t, acme, 1, time.Hour); !r.LastTokenDiesAt().Equal(now.Add(stale + assertion.Longest)) {
		t.Errorf("associated: %v", r.LastTokenDiesAt())
	}
}

func TestReceipt_R6_NamesTheSitesThatAreConcerned(t *testing.T) {
	s := &site{}
	for _, tt := range []struct {
		by   tenants.OrgID
		seq  int64
		want int
	}{{acme, 1, 1}, {globex, 2, 0}, {tenants.SystemOrgID, 1, 1}, {tenants.SystemOrgID, 2, 0}, {tenants.SystemOrgID, 3, 2}} {
		if r := s.find(t, tt.by, tt.seq, 0); len(r.Sites) != tt.want {
			t.Errorf("%s is told of %d sites for entry %d, want %d", tt.by, len(r.Sites), tt.seq, tt.want)
		}
	}
}

// What is not there, what is another organization's and what one may not see look
// alike.
func TestReceipt_R6_OthersLookAbsent(t *testing.T) {
	s := &site{}
	service := &Service{Store: s, Cells: s, Associations: associations{}, Stale: stale, Now: time.Now}
	var texts []string
	for _, ask := range []struct {
		org tenants.OrgID
		seq int64
		may bool
	}{{acme, 9, true}, {acme, 2, true}, {acme, 3, true}, {acme, 1, false}, {tenants.SystemOrgID, 9, true}} {
		_, err := service.Find(t.Context(), ask.org, ask.seq, func(journal.Row) bool { return ask.may })
		if !problem.Has(err, problem.NotFound) {
			t.Fatalf("%+v: %v", ask, err)
		}
		texts = append(texts, problem.As(err).Detail)
	}
	if slices.Sort(texts); texts[0] != texts[len(texts)-1] {
		t.Errorf("%q", texts)
	}
}
