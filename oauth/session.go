package oauth

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Tokens answers a token request.
type Tokens struct {
	AccessToken  secret.Text
	RefreshToken secret.Text // empty for people
	LegacyToken  secret.Text // empty unless a legacy login asked for one
	ExpiresIn    time.Duration
	Session      Session

	key string // id of the key that signed the access token
}

// newAccountSession is a session of a family that ends at end, unless that is zero.
func (s *Service) newAccountSession(now time.Time, family Family, end time.Time) Session {
	return Session{
		ID: tenants.NewSessionID(now), Org: family.Org, Kind: tenants.KindServiceAccount, Family: family.ID,
		CreatedAt: now, LastUsed: now, ExpiresAt: sooner(now.Add(s.policy.AccountLifetime), end),
	}
}

// sooner is the time that comes first. Zero is never.
func sooner(t, end time.Time) time.Time {
	if !end.IsZero() && end.Before(t) {
		return end
	}
	return t
}

// of pins the account as it is now: later edits wait for the next refresh.
func (s *Session) of(a ServiceAccount, quota string) {
	s.Principal, s.Name, s.SoftwareID, s.Role, s.Quota = string(a.ID), a.Name, a.SoftwareID, a.Role, quota
}

// OpenSession starts the session of a person whose password was right.
func (s *Service) OpenSession(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, u tenants.User) (Tokens, error) {
	return s.openSession(ctx, by, org, u, "")
}

// OpenLegacySession is OpenSession for clients of VCD's old API: an opaque token
// opens the session beside the access token. It means nothing at other sites.
func (s *Service) OpenLegacySession(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, u tenants.User) (Tokens, error) {
	return s.openSession(ctx, by, org, u, secret.Text(secret.LegacyToken()))
}

func (s *Service) openSession(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, u tenants.User, legacy secret.Text) (Tokens, error) {
	now := s.clock()
	session := Session{
		ID: tenants.NewSessionID(now), Org: u.Org, Kind: tenants.KindUser, Principal: string(u.ID),
		Name: u.Name, Role: u.Role, CreatedAt: now, LastUsed: now, ExpiresAt: now.Add(s.policy.UserLifetime),
	}
	if legacy != "" {
		session.Legacy = s.digest(digestLegacy, legacy.Reveal())
	}
	err := s.store.InTx(ctx, func(tx Tx) (err error) {
		if session.Quota, err = tenants.PinQuota(tx, u.Org, u.Quota); err != nil {
			return err
		}
		if err := tx.CreateSession(session); err != nil {
			return err
		}
		// The user's row is held from here on.
		held, err := tx.User(u.Org, u.ID, now)
		if err != nil {
			return err
		}
		if held.PasswordHash != u.PasswordHash {
			return problem.New(problem.NotFound, "The password was replaced.")
		}
		return tx.Note(Event{At: now, Org: u.Org, Kind: "login", Source: by.Source, Detail: u.Name})
	})
	if problem.Has(err, problem.NotFound) { // disabled, deleted or with another password meanwhile
		return Tokens{}, problem.New(problem.Unauthenticated, "The login is not valid.")
	}
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := s.issue(ctx, org, session, "")
	tokens.LegacyToken = legacy
	return tokens, err
}

// issue signs the access token of a session that is stored. It runs after the
// transaction: nothing is signed while a lock is held.
func (s *Service) issue(ctx context.Context, org *tenants.Snapshot, session Session, refresh string) (Tokens, error) {
	roleName, _ := org.RoleName(session.Role)
	access, key, err := s.signAccessToken(ctx, org.Organization, roleName, session)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		AccessToken: secret.Text(access), RefreshToken: secret.Text(refresh),
		ExpiresIn: session.ExpiresAt.Sub(session.CreatedAt), Session: session, key: key,
	}, nil
}
