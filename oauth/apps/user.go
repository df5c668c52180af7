package apps

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// Scopes are what the token of a user says of the user's roles: the organization roles
// that the user's role brings, less what a machine cannot have, and the service and
// custom roles.
func (s *Service) Scopes(ctx context.Context, p tenants.Principal) (scopes []string, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		scopes, err = scopesOf(r, p, s.clock())
		return err
	})
	return scopes, err
}

// ScopesOf is Scopes for the tokens that a user's API token would get now.
func (s *Service) ScopesOf(ctx context.Context, org tenants.OrgID, id tenants.UserID) (scopes []string, err error) {
	now := s.clock()
	err = s.store.View(ctx, func(r Reader) error {
		u, err := r.User(org, id, now)
		if err != nil {
			return err
		}
		scopes, err = scopesOf(r, tenants.Principal{Kind: tenants.KindAPIToken, ID: string(id), Org: org, Role: u.Role}, now)
		return err
	})
	return scopes, err
}

func scopesOf(r Reader, p tenants.Principal, now time.Time) ([]string, error) {
	standing, err := services.StandingOf(r, p, p.Org, now)
	if err != nil {
		return nil, err
	}
	held, err := r.Held(p.Org, services.HolderOf(p))
	if err != nil {
		return nil, err
	}
	roles, err := heldRoles(r, held)
	if err != nil {
		return nil, err
	}
	scopes, _ := scopesAt(roles, now)
	for _, role := range standing.Roles {
		scopes = append(scopes, scope{text: orgScope(role), rank: ofOrganization})
	}
	return told(scopes), nil
}

// Sees reports whether an app may be told of tokens of an organization: of its owner,
// and of those that added it.
func (s *Service) Sees(ctx context.Context, a *App, org tenants.OrgID) (bool, error) {
	if a.Org == org {
		return true, nil
	}
	_, err := s.member(ctx, org, a.ID)
	if problem.Has(err, problem.NotFound) {
		return false, nil
	}
	return err == nil, err
}
