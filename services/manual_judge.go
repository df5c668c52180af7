package services

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// run is when a change happens.
type run struct{ now time.Time }

// changeAccounts runs f with an instance that is held, for those who give service
// roles in its organization.
func (s *Service) changeAccounts(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, f func(Tx, ServiceInstance, run) error) error {
	now := s.clock()
	return s.change(ctx, by, now, func(tx Tx) error {
		standing, err := StandingOf(tx, by.Principal, org, now)
		if err != nil {
			return err
		}
		if !standing.AssignsRoles() {
			return problem.New(problem.Forbidden, "Only Organization Owners and Administrators manage the service accounts of instances.").
				With(problem.FactReason, problem.ReasonRole)
		}
		if err := tx.LockInstance(org, id); err != nil {
			return err
		}
		in, err := tx.ServiceInstance(org, id)
		if err != nil {
			return err
		}
		return f(tx, in, run{now})
	})
}

// viewOrg runs f for everybody who has an organization role in org.
func (s *Service) viewOrg(ctx context.Context, by tenants.Caller, org tenants.OrgID, f func(Reader) error) error {
	now := s.clock()
	return s.store.View(ctx, func(r Reader) error {
		standing, err := StandingOf(r, by.Principal, org, now)
		if err != nil {
			return err
		}
		if len(standing.Roles) == 0 {
			return problem.New(problem.Forbidden, "Only who has an organization role sees service instances and their accounts.").
				With(problem.FactReason, problem.ReasonRole)
		}
		return f(r)
	})
}

// RetryHook has an instance told once more of the last change of an account, of which
// it could not be told.
func (s *Service) RetryHook(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, account string) error {
	return s.changeAccounts(ctx, by, org, id, func(tx Tx, _ ServiceInstance, r run) error {
		list, _, err := tx.InstanceAccounts(org, id, tenants.Query{Where: "id = ?", Args: []any{account}, Page: 1, PageSize: 1})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return problem.Hidden()
		}
		a := list[0]
		if a.Hook.State != HookFailed {
			return problem.New(problem.Conflict, "There is nothing to repeat: the hook is %s.", a.Hook.State)
		}
		err = tx.RepeatHook(org, a.ID, a.Hook.Key, Hook{State: HookPending, Key: a.Hook.Key, Next: r.now})
		if problem.Has(err, problem.NotFound) {
			return problem.New(problem.Conflict, "There is nothing to repeat: the account has just changed.")
		}
		if err != nil {
			return err
		}
		return tx.Record(entry(by, r.now, org, journal.InstHookRetried, a.subject(), a.detail()))
	})
}
