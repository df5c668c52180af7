package trail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	acme   = tenants.OrgID("acme")
	globex = tenants.OrgID("globex")
)

var (
	begun    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	provider = tenants.Principal{Org: tenants.SystemOrgID}
	tenant   = tenants.Principal{Org: acme}
)

// journalOf has a row a second, of acme and globex in turn.
type journalOf struct {
	rows  []journal.Row
	reads int
}

func newJournal(n int) *journalOf {
	j := &journalOf{}
	for i := range n {
		org := acme
		if i%2 == 1 {
			org = globex
		}
		j.rows = append(j.rows, journal.Row{Seq: int64(i) + 1, Entry: journal.Entry{
			Org: string(org), At: begun.Add(time.Duration(i) * time.Second), Action: journal.UserUpdated, RequestID: fmt.Sprint("r", i+1),
			Actor: journal.Actor{ID: "a", Name: "Jane"}, Subject: journal.Subject{ID: fmt.Sprint("s", i+1), Name: fmt.Sprint("Subject ", i+1)},
		}})
	}
	return j
}

func (j *journalOf) Rows(_ context.Context, org tenants.OrgID, by Key, in Range, limit int) ([]journal.Row, error) {
	return j.find(in, limit, func(r journal.Row) bool { return r.Org == string(org) && has(r, by) })
}

func (j *journalOf) RowsAnywhere(_ context.Context, by Key, in Range, limit int) ([]journal.Row, error) {
	return j.find(in, limit, func(r journal.Row) bool { return has(r, by) })
}

func has(r journal.Row, by Key) bool {
	return by.Of == "" || map[KeyOf]string{OfActor: r.Actor.ID, OfSubject: r.Subject.ID, OfRequest: r.RequestID}[by.Of] == by.ID
}

func (j *journalOf) find(in Range, limit int, is func(journal.Row) bool) (found []journal.Row, _ error) {
	j.reads++
	below := min(in.Below-1, int64(len(j.rows)))
	rows := j.rows[min(in.Above, below):below]
	if in.Newest {
		rows = slices.Clone(rows)
		slices.Reverse(rows)
	}
	for _, r := range rows {
		if is(r) && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, nil
}

func (j *journalOf) When(_ context.Context, seq int64) (time.Time, error) {
	j.reads++
	return j.rows[seq-1].At, nil
}

func (j *journalOf) Counts(context.Context, tenants.OrgID, time.Time, time.Duration, int) (map[int64]int, error) {
	return nil, nil
}

func seqs(f Found) (list []int64) {
	for _, r := range f.Rows {
		list = append(list, r.Seq)
	}
	return list
}

func TestSearch(t *testing.T) {
	s := &Service{Store: newJournal(10)}
	at := func(n int) time.Time { return begun.Add(time.Duration(n-1) * time.Second) }
	for _, tt := range []struct {
		name   string
		who    tenants.Principal
		org    tenants.OrgID
		f      Filter
		before int64
		want   string
		next   int64
	}{
		{"the newest first", provider, tenants.SystemOrgID, Filter{}, 0, "[10 9 8]", 8},
		{"and on", provider, tenants.SystemOrgID, Filter{}, 8, "[7 6 5]", 5},
		{"to the end", provider, tenants.SystemOrgID, Filter{}, 3, "[2 1]", 0},
		{"one organization, for the provider", provider, tenants.SystemOrgID, Filter{Org: globex}, 0, "[10 8 6]", 6},
		{"a tenant's own alone", tenant, acme, Filter{}, 0, "[9 7 5]", 5},
		{"the provider in a tenant's portal", provider, acme, Filter{}, 0, "[9 7 5]", 5},
		{"another's request is not there", tenant, acme, Filter{RequestID: "r10"}, 0, "[]", 0},
		{"a request", provider, tenants.SystemOrgID, Filter{RequestID: "r2"}, 0, "[2]", 0},
		{"an actor by a part of the name", tenant, acme, Filter{Actor: "jAn"}, 6, "[5 3 1]", 1},
		{"an unknown actor", tenant, acme, Filter{Actor: "joe"}, 0, "[]", 0},
		{"a subject by its URN", tenant, acme, Filter{Subject: "urn:vcloud:user:s3"}, 0, "[3]", 0},
		{"an action", tenant, acme, Filter{Action: journal.UserCreated}, 0, "[]", 0},
		{"from", provider, tenants.SystemOrgID, Filter{From: at(9)}, 0, "[10 9]", 0},
		{"until", provider, tenants.SystemOrgID, Filter{Until: at(3)}, 0, "[2 1]", 0},
		{"between", provider, tenants.SystemOrgID, Filter{From: at(3), Until: at(5)}, 0, "[4 3]", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := s.Search(t.Context(), tt.who, tt.org, tt.f, tt.before, 3)
			if got := fmt.Sprint(seqs(found)); err != nil || got != tt.want || found.Next != tt.next {
				t.Errorf("%s then %d, %v, want %s then %d", got, found.Next, err, tt.want, tt.next)
			}
		})
	}
	if _, err := s.Search(t.Context(), tenant, acme, Filter{Org: globex}, 0, 3); !problem.Has(err, problem.NotFound) {
		t.Errorf("another organization's trail: %v", err)
	}
}

// What has an identifier is found at once, however long the journal is.
func TestSearch_ByIdentifier(t *testing.T) {
	const id = "0b1c5a8e-3c1d-4b5e-9a57-6f2f5a1c7d11"
	j := newJournal(25_000)
	j.rows[0].Actor.ID, j.rows[0].Subject.ID = id, id
	s := &Service{Store: j}
	for _, f := range []Filter{
		{RequestID: "r1"}, {SubjectID: id}, {ActorID: id}, {Subject: id}, {Actor: id}, {Subject: "urn:vcloud:user:" + id}, {Actor: strings.ToUpper(id)},
	} {
		j.reads = 0
		found, err := s.Search(t.Context(), provider, tenants.SystemOrgID, f, 0, 10)
		if err != nil || fmt.Sprint(seqs(found)) != "[1]" || found.Next != 0 || j.reads != 1 {
			t.Errorf("%+v: %v, next %d, after %d reads, %v", f, seqs(found), found.Next, j.reads, err)
		}
	}
	for _, f := range []Filter{{SubjectID: id, ActorID: "a"}, {SubjectID: id, RequestID: "r2"}, {Subject: id, Actor: "joe"}} { // all of it must fit
		if found, err := s.Search(t.Context(), provider, tenants.SystemOrgID, f, 0, 10); err != nil || len(found.Rows) != 0 {
			t.Errorf("%+v: %v, %v", f, seqs(found), err)
		}
	}
}

// A search in a long journal looks at a part of it, says how far it got, and goes on
// from there.
func TestSearch_IsBounded(t *testing.T) {
	j := newJournal(25_000)
	s := &Service{Store: j}
	f, pages, found := Filter{Subject: "Subject 1"}, 0, Found{Next: 0}
	for i := range j.rows[1:] {
		j.rows[i+1].Subject.Name = "other"
	}
	for len(found.Rows) == 0 {
		var err error
		j.reads = 0
		if found, err = s.Search(t.Context(), provider, tenants.SystemOrgID, f, found.Next, 10); err != nil {
			t.Fatal(err)
		}
		if j.reads > looked/batch {
			t.Fatalf("%d reads", j.reads)
		}
		if pages++; len(found.Rows) == 0 && (found.Next == 0 || found.Looked.IsZero()) {
			t.Fatalf("stopped without a word: %+v", found)
		}
	}
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
	j.reads = 0
	found, err := s.Search(t.Context(), provider, tenants.SystemOrgID, Filter{Until: begun.Add(100 * time.Second)}, 0, 1)
	if err != nil || fmt.Sprint(seqs(found)) != "[100]" || j.reads > 20 {
		t.Errorf("%v with %d reads, %v", seqs(found), j.reads, err)
	}
}

// Where the provider's people work from is not a tenant's business.
func TestAddress_R6(t *testing.T) {
	row := journal.Row{Entry: journal.Entry{Org: "acme", Source: "192.0.2.1", Actor: journal.Actor{Org: string(tenants.SystemOrgID)}}}
	if Address(tenant, row) != "" || Address(provider, row) != "192.0.2.1" {
		t.Error("the provider's address")
	}
	if row.Actor.Org = "acme"; Address(tenant, row) != "192.0.2.1" {
		t.Error("the own address")
	}
}
