package oauth

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// TokenInfo is what a resource server may know of a live access token (RFC 7662
// §2.2).
type TokenInfo struct {
	Principal tenants.Principal
	Client    string // see [Session.Client]
	Issuer    string
	Audience  string
	IssuedAt  time.Time
	ExpiresAt time.Time // the session may end sooner, when it idles
}

// Introspect tells what an access token stands for, an opaque one included, if org
// issued it and it is good now. To ask is no use of the session: what nobody uses
// idles out however often it is asked about. Of a token that this cell has seen the
// database is not asked.
//
// Everything else is inactive: unknown, expired, idle, ended, of another
// organization, for another audience, and refresh tokens, about which nobody but
// the token endpoint is told.
func (a *Authenticator) Introspect(ctx context.Context, org tenants.OrgID, token secret.Text) (info TokenInfo, active bool, err error) {
	info, active, err = a.Inspect(ctx, token)
	if err != nil || !active || info.Principal.Org != org {
		return TokenInfo{}, false, err
	}
	return info, true, nil
}

// Inspect is Introspect for who may know of tokens of several organizations, and
// judges by what it is told.
func (a *Authenticator) Inspect(ctx context.Context, token secret.Text) (info TokenInfo, active bool, err error) {
	s, issuer, err := a.look(ctx, token.Reveal(), a.service.clock())
	if problem.Has(err, problem.Unauthenticated) {
		return TokenInfo{}, false, nil
	}
	if err != nil {
		return TokenInfo{}, false, err
	}
	p := s.named(issuer)
	info = TokenInfo{
		Principal: p, Client: Session{Kind: p.Kind, Principal: p.ID, Family: s.of.Value().family}.Client(),
		Issuer: a.service.Issuer(issuer.Organization), Audience: a.service.policy.PublicURL,
		IssuedAt: s.issued(), ExpiresAt: s.expires(),
	}
	if isServiceToken(token.Reveal()) {
		info.Issuer, info.Audience = a.service.ServiceIssuer(), ""
	}
	return info, true, nil
}
