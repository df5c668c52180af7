package links

import (
	"context"
	"testing"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// somebody is everybody's counterpart.
type somebody struct{ asked int }

func (s *somebody) Account(context.Context, tenants.OrgID, string, string) (tenants.Principal, error) {
	s.asked++
	return tenants.Principal{Kind: tenants.KindServiceAccount, ID: "1"}, nil
}

func (s *somebody) User(context.Context, tenants.OrgID, string, string) (tenants.Principal, error) {
	s.asked++
	return tenants.Principal{Kind: tenants.KindUser, ID: "2"}, nil
}

func (s *somebody) App(context.Context, tenants.OrgID, tenants.SiteID, string) (tenants.Principal, error) {
	s.asked++
	return tenants.Principal{Kind: tenants.KindApp, ID: "3"}, nil
}

// noPairs is a database in which no organization is associated.
type noPairs struct {
	federation.Store
	federation.Reader
	reads int
}

func (s *noPairs) View(_ context.Context, f func(federation.Reader) error) error { return f(s) }

func (s *noPairs) OrgAssociations(tenants.OrgID) ([]federation.OrgAssociation, error) {
	s.reads++
	return nil, nil
}

// Organizations that a peer makes up take no room from those that are here, of
// which it is remembered that they have no associations.
func TestAssociations_R13_WhatIsMadeUpIsNotRemembered(t *testing.T) {
	store := &noPairs{}
	l, err := New(Config{Store: store, Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	own := tenants.OrgID("acme")
	for range 2 {
		if held, err := l.index.associations(t.Context(), own); err != nil || held.Len() != 0 {
			t.Fatalf("%v, %v", held, err)
		}
	}
	for range 100 {
		_, err := l.index.between(t.Context(), tenants.OrgID(tenants.NewID()), tenants.LocationID{Org: "theirs", Site: there})
		if !problem.Has(err, problem.Forbidden) {
			t.Fatal(err)
		}
	}
	if n := l.index.orgs.Len(); n != 1 {
		t.Errorf("%d organizations are remembered, want 1", n)
	}
	if held, err := l.index.associations(t.Context(), own); err != nil || held.Len() != 0 || store.reads != 101 {
		t.Errorf("the organization that is here was pushed out: %d reads, %v", store.reads, err)
	}
}

// Whatever changes who somebody is here is asked for again, and only in the
// organization it happened in.
func TestCounterparts_R4_ForgottenByOrganization(t *testing.T) {
	for name, row := range map[string]journal.Row{
		"an account":       {Entry: journal.Entry{Org: "acme", Subject: journal.Subject{Kind: journal.KindAccount, ID: "1"}}},
		"a user":           {Entry: journal.Entry{Org: "acme", Subject: journal.Subject{Kind: journal.KindUser, ID: "2"}}},
		"a quota policy":   {Entry: journal.Entry{Org: "acme", Subject: journal.Subject{Kind: journal.KindQuotaPolicy, ID: "3"}}},
		"the organization": {Entry: journal.Entry{Subject: journal.Subject{Kind: journal.KindOrganization, ID: "acme"}}},
	} {
		t.Run(name, func(t *testing.T) {
			records := &somebody{}
			l, err := New(Config{Counterparts: records, Size: 10})
			if err != nil {
				t.Fatal(err)
			}
			asked := func(org tenants.OrgID) int {
				before := records.asked
				for _, subject := range []assertion.SubjectType{assertion.User, assertion.ServiceAccount} {
					who, err := l.counterpart(t.Context(), org, pair{pairMore: &pairMore{mapUsers: true}}, someone{subject: subject, name: "ada"})
					if err != nil || who.Org != org {
						t.Fatalf("%+v, %v", who, err)
					}
				}
				return records.asked - before
			}
			asked("acme")
			asked("other")
			l.index.apply(row)
			if n := asked("acme"); n != 2 {
				t.Errorf("asked %d times for who is in the organization, want 2", n)
			}
			if n := asked("other"); n != 0 {
				t.Errorf("asked %d times for who is in another", n)
			}
		})
	}
}
