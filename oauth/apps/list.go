package apps

import (
	"context"

	"causeway/services"
	"causeway/tenants"
)

// Get returns an app that org owns.
func (s *Service) Get(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID) (a App, err error) {
	err = s.view(ctx, by, org, func(r Reader, standing services.Standing) error {
		if err := s.mustManage(standing); err != nil {
			return err
		}
		a, err = r.App(org, id)
		return err
	})
	return a, err
}

// List returns a page of the apps that org owns and the number on all pages.
func (s *Service) List(ctx context.Context, by tenants.Caller, org tenants.OrgID, q tenants.Query) (list []App, total int, err error) {
	err = s.view(ctx, by, org, func(r Reader, standing services.Standing) error {
		if err := s.mustManage(standing); err != nil {
			return err
		}
		list, total, err = r.Apps(org, q)
		return err
	})
	return list, total, err
}
