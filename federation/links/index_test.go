package links

import (
	"context"
	"testing"

	"causeway/federation/assertion"
	"causeway/internal/journal"
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
					who, err := l.counterpart(t.Context(), org, true, someone{subject: subject, name: "ada"})
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
