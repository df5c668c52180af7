package oauth

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Tokens answers a token request.
type Tokens struct {
	AccessToken  secret.Text
	RefreshToken secret.Text // empty for people
	ExpiresIn    time.Duration
	Session      Session
}

func (s *Service) newAccountSession(now time.Time, org tenants.OrgID, family string) Session {
	return Session{
		ID: tenants.SessionID(tenants.NewID()), Org: org, Kind: tenants.KindServiceAccount, Family: family,
		CreatedAt: now, LastUsed: now, ExpiresAt: now.Add(s.policy.AccountLifetime),
	}
}

// of pins the account as it is now: later edits wait for the next refresh.
func (s *Session) of(a ServiceAccount) {
	s.Principal, s.Name, s.SoftwareID, s.Role = string(a.ID), a.Name, a.SoftwareID, a.Role
}

// OpenSession starts the session of a person whose password was right.
func (s *Service) OpenSession(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, u tenants.User) (Tokens, error) {
	now := s.clock()
	session := Session{
		ID: tenants.SessionID(tenants.NewID()), Org: u.Org, Kind: tenants.KindUser, Principal: string(u.ID),
		Name: u.Name, Role: u.Role, CreatedAt: now, LastUsed: now, ExpiresAt: now.Add(s.policy.UserLifetime),
	}
	err := s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.CreateSession(session); err != nil {
			return err
		}
		return tx.Note(Event{At: now, Org: u.Org, Kind: "login", Source: by.Source, Detail: u.Name})
	})
	if err != nil {
		return Tokens{}, err
	}
	return s.issue(org, session, "")
}

// EndSession logs a session out: its access token is dead on every cell when
// this returns; a refresh token lives on (VCD-86).
func (s *Service) EndSession(ctx context.Context, by tenants.Caller) error {
	p, now := by.Principal, s.clock()
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.EndSession(p.Org, p.Session, now); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: now, Org: string(p.Org), Actor: by.Actor(), Action: journal.SessionEnded,
			Subject:   journal.Subject{Kind: journal.KindSession, ID: string(p.Session)},
			RequestID: by.RequestID, Source: by.Address,
		})
	})
}

// issue signs the access token of a session that is stored. It runs after the
// transaction: nothing is signed while a lock is held.
func (s *Service) issue(org *tenants.Snapshot, session Session, refresh string) (Tokens, error) {
	roleName, _ := org.RoleName(session.Role)
	access, err := s.signer.sign(s.policy.Issuer, org.Organization, roleName, session)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		AccessToken: secret.Text(access), RefreshToken: secret.Text(refresh),
		ExpiresIn: session.ExpiresAt.Sub(session.CreatedAt), Session: session,
	}, nil
}
