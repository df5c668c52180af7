package apps

import (
	"context"

	"causeway/internal/problem"
	"causeway/oauth"
)

var _ oauth.Apps = (*Service)(nil)

// Holder is the app behind a token, see [oauth.Apps].
func (s *Service) Holder(ctx context.Context, t oauth.ServiceToken) (oauth.AppHolder, error) {
	gone := problem.New(problem.Unauthenticated, "The token is good no more.")
	m, err := s.member(ctx, t.Org, ID(t.Client))
	if problem.Has(err, problem.NotFound) {
		return oauth.AppHolder{}, gone
	}
	if err != nil {
		return oauth.AppHolder{}, err
	}
	until, ok := m.app.Secret.until(t.App.SecretVersion, s.clock())
	if !ok || t.App.Epoch != m.epoch {
		return oauth.AppHolder{}, gone
	}
	return oauth.AppHolder{Name: m.app.DisplayName, Owner: m.app.Org, Until: until}, nil
}
