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

// editing is a change of an app by its owner, in a transaction.
type editing struct {
	*judging
	app *App
}

// edit changes an app of its owner org by f, which says what happened.
func (s *Service) edit(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, f func(editing) (journal.Action, map[string]string, error)) (edited App, err error) {
	now := s.clock()
	err = s.asManager(ctx, by, org, func(tx Tx, standing services.Standing) error {
		j, a, err := judged(tx, standing, by, org, id, now)
		if err != nil {
			return err
		}
		action, detail, err := f(editing{j, &a})
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

// entry is the journal's line about something that happened to an app. Caches follow
// its subject.
func (a App) entry(at time.Time, by tenants.Caller, org tenants.OrgID, action journal.Action, detail map[string]string) journal.Entry {
	return journal.Entry{
		At: at, Org: string(org), Actor: by.Actor(), Action: action,
		Subject:   journal.Subject{Kind: journal.KindApp, ID: string(a.ID), Name: a.DisplayName},
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
