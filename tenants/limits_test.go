package tenants_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/journal"
	"causeway/ratelimit"
	"causeway/tenants"
)

// limitStore answers what each cell asks for, and counts how often.
type limitStore struct {
	tenants.Store
	reads atomic.Int32
	mu    sync.Mutex
	all   []ratelimit.OrgLimits
	err   error
}

// answers is what is read from now on.
func (s *limitStore) answers(err error, all ...ratelimit.OrgLimits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.err = all, err
}

type limitReader struct {
	tenants.Reader
	*limitStore
}

func (r limitReader) EveryOrganizationLimits() ([]ratelimit.OrgLimits, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all, r.err
}

func (s *limitStore) View(_ context.Context, f func(tenants.Reader) error) error {
	s.reads.Add(1)
	return f(limitReader{limitStore: s})
}

// TestLimits_R13_FollowTheJournal: limits that were set, and organizations that were
// renamed or deleted and have some, are read again; nothing else costs a look. While
// the database cannot be read, what was known holds, and it is tried again.
func TestLimits_R13_FollowTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter, err := ratelimit.New(ratelimit.Config{})
		if err != nil {
			t.Fatal(err)
		}
		store := &limitStore{}
		limits := tenants.NewLimits(store, limiter)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); limits.Run(ctx, slog.New(slog.DiscardHandler)) }()
		apply := func(action journal.Action, org string) {
			limits.Apply(journal.Row{Entry: journal.Entry{Action: action, Subject: journal.Subject{Kind: journal.KindOrganization, ID: org}}})
			synctest.Wait()
		}
		want := func(after string, reads, orgs int) {
			t.Helper()
			if got := int(store.reads.Load()); got != reads || limiter.OwnOrgs() != orgs {
				t.Errorf("after %s: read %d times, %d organizations; want %d and %d", after, got, limiter.OwnOrgs(), reads, orgs)
			}
		}
		synctest.Wait()
		want("the start", 1, 0)
		store.answers(nil, ratelimit.OrgLimits{ID: "acme", Name: "acme", Limits: ratelimit.Limits{ratelimit.Management: {ratelimit.PerOrg: {Tokens: 1, Per: time.Second}}}})
		apply(journal.OrganizationUpdated, "acme")
		want("a change of one without limits", 1, 0)
		apply(journal.OrganizationLimited, "acme")
		want("limits were set", 2, 1)
		apply(journal.OrganizationUpdated, "globex")
		want("a change of another", 2, 1)
		apply(journal.OrganizationUpdated, "acme")
		want("it was renamed", 3, 1)
		store.answers(errors.New("no database"))
		apply(journal.OrganizationDeleted, "acme")
		want("a read that failed", 4, 1)
		store.answers(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		want("the next one", 5, 0)
		cancel()
		<-done
	})
}
