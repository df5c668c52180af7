package oauth

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// FetchToken gives the owner of an API token its refresh token, once, and a first
// access token (RFC 7523 §2.1). The owner proves to be the owner by a live access
// token of a login with a password.
func (s *Service) FetchToken(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, id ClientID, assertion secret.Text) (Tokens, error) {
	now := s.clock()
	owner, err := s.asserted(ctx, org, assertion, now)
	if err != nil {
		return Tokens{}, err
	}
	refresh := secret.Base62(32)
	var session Session
	err = s.store.InTx(ctx, func(tx Tx) error {
		t, err := findToken(tx, org.ID, Whose{Owner: owner}, id)
		if err != nil {
			return err
		}
		if t.over(now) {
			return problem.New(problem.InvalidGrant, "The API token has expired.").With(aboutAPIToken(t, problem.ReasonExpired)...)
		}
		fetched, err := tx.FetchAPIToken(t, s.digest(digestRefresh, refresh))
		if err != nil {
			return err
		}
		if !fetched {
			return problem.New(problem.InvalidGrant, "The API token was fetched before; it is shown once.").With(aboutAPIToken(t, problem.ReasonUsed)...)
		}
		session, err = s.openTokenSession(tx, by, t, "issued", now)
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return Tokens{}, problem.New(problem.InvalidGrant, "The client is no API token of the assertion's holder.")
	}
	if err != nil {
		return Tokens{}, err
	}
	return s.issue(ctx, org, session, refresh)
}

// NoAssertion is what clients are told of every assertion that proves nothing in
// the organization they name, whether or not there is such an organization.
const NoAssertion = "The assertion is no valid access token of a person of this organization."

// asserted is the user of org who stands behind an assertion. A machine cannot
// fetch tokens (VCD-32), and neither can who lost the right to have them since.
func (s *Service) asserted(ctx context.Context, org *tenants.Snapshot, assertion secret.Text, now time.Time) (tenants.UserID, error) {
	refused := problem.New(problem.InvalidGrant, NoAssertion).With(problem.FactReason, problem.ReasonAssertion)
	if secret.IsLegacyToken(assertion.Reveal()) {
		return "", refused
	}
	session, _, err := s.opened(ctx, assertion.Reveal(), now)
	if problem.Has(err, problem.Unauthenticated) {
		return "", refused
	}
	if err != nil {
		return "", err
	}
	if session.Org != org.ID || session.Kind != tenants.KindUser || !now.Before(session.ExpiresAt) || !org.Enabled {
		return "", refused
	}
	if !org.Allows(session.Role, session.Kind, tenants.RightTokenManage) {
		role, _ := org.RoleName(session.Role)
		return "", problem.New(problem.InvalidGrant, "The role of the assertion's holder does not allow %q.", string(tenants.RightTokenManage)).
			With(problem.FactReason, problem.ReasonRole, problem.FactRights, string(tenants.RightTokenManage), problem.FactRole, role, problem.FactRoleOrg, org.Name)
	}
	return tenants.UserID(session.Principal), nil
}

// openTokenSession opens a session of t's owner for as long as access tokens live. It
// is problem.NotFound when the token is gone or the owner may not log in.
func (s *Service) openTokenSession(tx Tx, by tenants.Caller, t APIToken, event string, now time.Time) (Session, error) {
	return openTokenSession(tx, by, t, event, now, s.policy.AccountLifetime)
}

func openTokenSession(tx Tx, by tenants.Caller, t APIToken, event string, now time.Time, life time.Duration) (Session, error) {
	owner, err := tx.User(t.Org, t.Owner, now)
	if err != nil {
		return Session{}, err
	}
	session := Session{
		ID: tenants.NewSessionID(now), Org: t.Org, Kind: tenants.KindAPIToken, Family: string(t.ID),
		Principal: string(owner.ID), Name: owner.Name, Role: owner.Role,
		CreatedAt: now, LastUsed: now, ExpiresAt: sooner(now.Add(life), t.ExpiresAt),
	}
	if session.Quota, err = tenants.PinQuota(tx, owner.Org, owner.Quota); err != nil {
		return Session{}, err
	}
	if err := tx.CreateSession(session); err != nil {
		return Session{}, err
	}
	return session, tx.Note(Event{At: now, Org: t.Org, Account: t.ID, Kind: event, Source: by.Source})
}

// apiTokensKnown is how many tokens a cell knows to be users' API tokens. They stay
// as they are (VCD-18), so the next refresh need not try to rotate them. Nothing is
// believed for it: whoever is not here pays a statement more.
const apiTokensKnown = 20_000

// useAtOnce tries the token of r as a user's API token. There is nothing to give
// back but the access token.
func (s *Service) useAtOnce(ctx context.Context, org *tenants.Snapshot, r Rotation) (Tokens, bool, error) {
	now := s.clock()
	session, done, err := s.store.UseAPIToken(ctx, TokenUse{
		Org: r.Org, Client: r.Client, Token: r.From, At: now, Source: r.Source,
		Session: tenants.NewSessionID(now), Lifetime: s.policy.AccountLifetime,
	})
	if err != nil || !done {
		return Tokens{}, false, err
	}
	s.apiTokens.Add(string(r.From), struct{}{})
	s.refreshes.add(org.ID, ClientID(session.Family))
	tokens, err := s.issue(ctx, org, session, "")
	return tokens, true, err
}

// refreshAPIToken is useAtOnce for what opened nothing at once: it looks whose
// token it is, and why.
func (s *Service) refreshAPIToken(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, client ClientID, digest Digest) (Tokens, error) {
	now := s.clock()
	var t APIToken
	err := s.store.View(ctx, func(r Reader) (err error) {
		t, err = r.APITokenByDigest(digest)
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return Tokens{}, invalidRefreshToken()
	}
	if err != nil {
		return Tokens{}, err
	}
	if err := meantFor(org, client, t.Org, t.ID); err != nil {
		return Tokens{}, err
	}
	if !org.Enabled {
		return Tokens{}, invalidRefreshToken()
	}
	if t.over(now) {
		return Tokens{}, problem.New(problem.InvalidGrant, "Invalid refresh token: it expired on %s.", t.ExpiresAt.Format(time.RFC3339)).
			With(aboutAPIToken(t, problem.ReasonExpired)...)
	}
	if err := s.refreshes.count(t.Org, t.ID); err != nil {
		return Tokens{}, err
	}
	var session Session
	err = s.store.InTx(ctx, func(tx Tx) (err error) {
		session, err = s.openTokenSession(tx, by, t, "refreshed", now)
		return err
	})
	if problem.Has(err, problem.NotFound) { // disabled, or deleted since
		return Tokens{}, invalidRefreshToken()
	}
	if err != nil {
		return Tokens{}, err
	}
	return s.issue(ctx, org, session, "")
}
