package oauth

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// OpenAPIToken opens a session of the owner of a user's API token, for clients that
// know the token and not the organization. Whoever asks signs a token for it. What
// opens nothing is problem.InvalidGrant.
func (s *Service) OpenAPIToken(ctx context.Context, by tenants.Caller, token secret.Text, life time.Duration) (Session, error) {
	t, err := s.FindAPIToken(ctx, token)
	if err != nil {
		return Session{}, err
	}
	if err := s.refreshes.count(t.Org, t.ID); err != nil {
		return Session{}, err
	}
	now := s.clock()
	session, done, err := s.store.UseAPIToken(ctx, TokenUse{
		Org: t.Org, Client: t.ID, Token: s.digest(digestRefresh, token.Reveal()), At: now, Source: by.Source,
		Session: tenants.NewSessionID(now), Lifetime: life,
	})
	if err != nil || done {
		return session, err
	}
	err = s.store.InTx(ctx, func(tx Tx) (err error) {
		session, err = openTokenSession(tx, by, t, "refreshed", now, life)
		return err
	})
	if problem.Has(err, problem.NotFound) { // disabled, or deleted since
		return Session{}, invalidRefreshToken().With(aboutAPIToken(t, problem.ReasonDisabled)...)
	}
	return session, err
}

// FindAPIToken is the API token of a user that this is, if it opens sessions now.
func (s *Service) FindAPIToken(ctx context.Context, token secret.Text) (t APIToken, err error) {
	digest, now := s.digest(digestRefresh, token.Reveal()), s.clock()
	err = s.store.View(ctx, func(r Reader) error {
		if t, err = r.APITokenByDigest(digest); err != nil {
			return err
		}
		u, err := r.User(t.Org, t.Owner, now)
		if err == nil && !u.Enabled {
			err = problem.Hidden()
		}
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return APIToken{}, invalidRefreshToken()
	}
	if err != nil {
		return APIToken{}, err
	}
	org, err := s.orgs.Organization(ctx, t.Org)
	switch {
	case problem.Has(err, problem.NotFound), err == nil && !org.Enabled:
		return APIToken{}, invalidRefreshToken().With(aboutAPIToken(t, problem.ReasonDisabled)...)
	case err != nil:
		return APIToken{}, err
	case t.over(now):
		return APIToken{}, invalidRefreshToken().With(aboutAPIToken(t, problem.ReasonExpired)...)
	}
	return t, nil
}
