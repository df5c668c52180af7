package site

import (
	"context"

	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/services"
	"causeway/tenants"
)

// counterparts joins what packages know that do not know each other.
type counterparts struct {
	oauth    *oauth.Service
	logins   *tenants.Logins
	services services.Store
}

func (c counterparts) App(ctx context.Context, org tenants.OrgID, home tenants.SiteID, id string) (who tenants.Principal, err error) {
	err = c.services.View(ctx, func(r services.Reader) error {
		held, err := r.Held(org, services.Holder{Kind: tenants.KindApp, Site: home, ID: id})
		who = tenants.Principal{Kind: tenants.KindApp, ID: id, Name: id, Org: org, Epoch: held.Epoch}
		return err
	})
	if problem.Has(err, problem.NotFound) {
		err = problem.New(problem.Forbidden, "The fulfilling organization has not added the app %.300q.", id).
			With(problem.FactReason, problem.ReasonNoCounter)
	}
	return who, err
}

func (c counterparts) Account(ctx context.Context, org tenants.OrgID, name, softwareID string) (tenants.Principal, error) {
	return c.oauth.Counterpart(ctx, org, name, softwareID)
}

func (c counterparts) User(ctx context.Context, org tenants.OrgID, name, provider string) (tenants.Principal, error) {
	return c.logins.Counterpart(ctx, org, name, provider)
}
