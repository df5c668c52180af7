package tenants

import (
	"context"
	"strings"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/ratelimit"
)

// OrganizationLimits are the budgets that the provider has set for an organization;
// what is not there is as the site has it.
func (s *Service) OrganizationLimits(ctx context.Context, org OrgID) (limits ratelimit.Limits, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		limits, err = r.OrganizationLimits(org)
		return err
	})
	return limits, err
}

// SetOrganizationLimits replaces them. It is the provider's: limits that tenants
// could lift would protect nobody from them. The answer comes when this cell keeps
// to them.
func (s *Service) SetOrganizationLimits(ctx context.Context, by Caller, org OrgID, limits ratelimit.Limits) error {
	if !by.Principal.Provider() {
		return problem.New(problem.Forbidden, "Only the provider sets the limits of an organization.")
	}
	if err := s.limits.limiter.ValidateOrg(limits); err != nil {
		return problem.New(problem.BadRequest, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	now := s.clock()
	err := s.change(ctx, by, func(tx Tx) error {
		if err := tx.LockOrganization(org); err != nil {
			return err
		}
		o, err := tx.Organization(org)
		if err != nil {
			return err
		}
		before, err := tx.OrganizationLimits(org)
		if err != nil {
			return err
		}
		if err := roomForLimits(tx, before, limits); err != nil {
			return err
		}
		changed := limitChanges(before, limits)
		if len(changed) == 0 {
			return nil
		}
		if err := tx.SetOrganizationLimits(org, limits); err != nil {
			return err
		}
		return record(tx, by, now, org, journal.OrganizationLimited, o.subject(), changed)
	})
	if err != nil {
		return err
	}
	// What is committed stands, and is followed within a second if this fails.
	_ = s.limits.Load(ctx)
	return nil
}

// roomForLimits bounds what every cell keeps in memory.
func roomForLimits(tx Tx, before, after ratelimit.Limits) error {
	if len(before) > 0 || len(after) == 0 {
		return nil
	}
	all, err := tx.EveryOrganizationLimits()
	if err == nil && len(all) >= ratelimit.MaxOwnOrgs {
		return problem.New(problem.Conflict, "%d organizations have limits of their own, and no more can.", len(all))
	}
	return err
}
