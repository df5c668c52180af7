package apps

import (
	"context"

	"causeway/internal/problem"
	"causeway/oauth"
)

var _ oauth.Apps = (*Service)(nil)

// Holder is the app behind a token, see [oauth.Apps].
func (s *Service) Holder(ctx context.Context, t oauth.ServiceToken) (oauth.AppHolder, error) {
	m, asked, err := s.memberOf(ctx, t)
	if err != nil && !problem.Has(err, problem.NotFound) {
		return oauth.AppHolder{}, err
	}
	if err == nil {
		until, ok := m.app.Secret.until(t.App.SecretVersion, s.clock())
		if ok && t.App.Epoch == m.epoch {
			return oauth.AppHolder{Name: m.app.DisplayName, Owner: m.app.Org, Until: until}, nil
		}
	}
	if asked && (err != nil || !m.precedes(t.App)) {
		return oauth.AppHolder{}, oauth.TokenOver()
	}
	return oauth.AppHolder{}, problem.New(problem.Unauthenticated, "The token is good no more.")
}

// memberOf is the membership that a token was got with, as far as it is remembered.
// A token that is newer was got at another cell, whose rows are on their way here:
// only we sign any, so the database is asked, and nobody else can have it asked. asked
// reports that it was, after the token was shown.
func (s *Service) memberOf(ctx context.Context, t oauth.ServiceToken) (m *membership, asked bool, err error) {
	at := place{t.Org, ID(t.Client)}
	load := func() (*membership, error) {
		asked = true
		return s.readMember(ctx, at)
	}
	m, err = s.memory.in.Fill(ctx, at, load)
	// Who waited for the reading of another may have been given what was read before
	// the token was signed; the one after that was not.
	for again := 0; again < 2 && !asked && (problem.Has(err, problem.NotFound) || err == nil && m.precedes(t.App)); again++ {
		m, err = s.memory.in.Refill(ctx, at, load)
	}
	return m, asked, err
}

// precedes reports whether a token was got with a newer secret than the app's, or
// after the app was added anew.
func (m *membership) precedes(t *oauth.AppClaims) bool {
	return t.SecretVersion > m.app.Secret.Version || t.Epoch > m.epoch
}
