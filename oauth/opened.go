package oauth

import (
	"context"

	"causeway/tenants"
)

// OpenRequests lists the open access requests of an account, the oldest first.
func (s *Service) OpenRequests(ctx context.Context, org tenants.OrgID, id ClientID) (open []DeviceRequest, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		open, err = r.OpenDevices(org, id, s.clock())
		return err
	})
	return open, err
}

// SessionsOf lists the live sessions of one account, the newest first, and their
// number.
func (s *Service) SessionsOf(ctx context.Context, org tenants.OrgID, id ClientID, most int) ([]Session, int, error) {
	return s.sessions(ctx, org, Live{Kind: tenants.KindServiceAccount, Principal: string(id)}, tenants.Query{Page: 1, PageSize: most})
}
