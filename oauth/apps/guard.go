package apps

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// asManager is change for who may manage apps in org.
func (s *Service) asManager(ctx context.Context, by tenants.Caller, org tenants.OrgID, f func(Tx, services.Standing) error) error {
	return s.change(ctx, by, org, func(tx Tx, standing services.Standing) error {
		if err := s.mustManage(standing); err != nil {
			return err
		}
		return f(tx, standing)
	})
}

// mustManage refuses who may not manage apps (CSP-22).
func (s *Service) mustManage(standing services.Standing) error {
	if standing.ManagesApps(s.policy.AdminsManage) {
		return nil
	}
	return problem.New(problem.Forbidden, "Apps are managed by Organization Owners, and by Developers who have another organization role, too.").
		With(problem.FactReason, problem.ReasonRole)
}

// mayTouch refuses who would get at more than they have: whoever sets an app's secret
// or its bounds can act as the app, in every organization that added it. What the app
// is granted counts, also beyond the bounds of today, for those can be widened.
func mayTouch(r Reader, standing services.Standing, id ID, now time.Time) error {
	own := rank(standing.Roles)
	if own == rankOwner {
		return nil
	}
	granted, err := r.OrgRolesAnywhere(id, now)
	if err != nil {
		return err
	}
	if rank(granted) > own {
		return problem.New(problem.Forbidden, "The app has an organization role above the caller's.").With(problem.FactReason, problem.ReasonGives)
	}
	return nil
}

const (
	rankMember = iota + 1
	rankAdmin
	rankOwner
)

// rank orders organization roles by what they can do to each other's holders.
func rank(roles []services.OrgRole) int {
	most := 0
	for _, r := range roles {
		switch r {
		case services.OrgOwner:
			most = rankOwner
		case services.OrgAdmin:
			most = max(most, rankAdmin)
		default:
			most = max(most, rankMember)
		}
	}
	return most
}

func holder(id ID) services.Holder { return services.Holder{Kind: tenants.KindApp, ID: string(id)} }

// edit changes an app of its owner org by f, which says what happened.
func (s *Service) edit(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, f func(Tx, services.Standing, *App, time.Time) (journal.Action, map[string]string, error)) (edited App, err error) {
	now := s.clock()
	err = s.asManager(ctx, by, org, func(tx Tx, standing services.Standing) error {
		a, err := held(tx, standing, org, id, now)
		if err != nil {
			return err
		}
		action, detail, err := f(tx, standing, &a, now)
		if edited = a; err != nil || action == "" {
			return err
		}
		edited.UpdatedAt, edited.UpdatedBy = now, by.Principal.Name
		if err := tx.UpdateApp(edited); err != nil {
			return err
		}
		return tx.Record(edited.entry(now, by, org, action, detail))
	})
	return edited, err
}

// held is an app of its owner org, held for the transaction, which the caller may
// touch.
func held(tx Tx, standing services.Standing, org tenants.OrgID, id ID, now time.Time) (App, error) {
	if err := tx.LockApp(org, id); err != nil {
		return App{}, err
	}
	a, err := tx.App(org, id)
	if err != nil {
		return App{}, err
	}
	return a, mayTouch(tx, standing, id, now)
}

// entry is the journal's line about something that happened to an app. Caches follow
// its subject.
func (a App) entry(at time.Time, by tenants.Caller, org tenants.OrgID, action journal.Action, detail map[string]string) journal.Entry {
	return journal.Entry{
		At: at, Org: string(org), Actor: by.Actor(), Action: action,
		Subject:   journal.Subject{Kind: journal.KindApp, ID: string(a.ID), Name: a.DisplayName},
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
