package apps

import (
	"context"
	"slices"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/tenants"
)

// Credentials are what a client says to be. Clients write them raw or percent-
// encoded, so there can be two readings.
type Credentials struct {
	ID     string
	Secret secret.Text
}

// Exchange is a request for an access token (RFC 6749 §4.4).
type Exchange struct {
	Client []Credentials // in the order in which they are tried
	Org    string        // as the client writes it; empty is the app's owner
	Life   time.Duration // shorter than the app's if it is set
}

// Issued is an access token.
type Issued struct {
	Access    secret.Text
	ExpiresIn time.Duration
	Scopes    []string
	Org       tenants.OrgID
}

// Identify is the app that proves itself, and the version of the secret that it did
// so with. Unknown apps and wrong secrets take the same way and get the same answer;
// for the audit trail the app that was named comes with a refusal, if there is one.
func (s *Service) Identify(ctx context.Context, tried []Credentials) (*App, int64, error) {
	if !s.fresh() {
		return nil, 0, problem.New(problem.Unavailable, "The site cannot reach its database.").After(time.Second)
	}
	var named *App
	reason := problem.ReasonUnknown
	now := s.clock()
	for _, c := range tried {
		a, version, err := s.proven(ctx, c, now)
		if err != nil {
			return nil, 0, err
		}
		if a == nil {
			continue
		}
		named = a
		if version == 0 {
			reason = problem.ReasonPassword
			continue
		}
		owner, err := s.orgs.Organization(ctx, a.Org)
		switch {
		case problem.Has(err, problem.NotFound), err == nil && !owner.Enabled:
			reason = problem.ReasonDisabled
			continue
		case err != nil:
			return nil, 0, err
		}
		return a, version, nil
	}
	refused := problem.New(problem.InvalidClient, "The client id or the secret is not valid.").With(problem.FactReason, reason)
	if named != nil {
		refused = refused.With(problem.FactAccount, string(named.ID))
	}
	return named, 0, refused
}

// proven is the app that somebody says to be, and the version of its secret that they
// have, zero for none. What is remembered lets in and does not refuse: a secret works
// from when it was set, wherever that was (CSP-42).
func (s *Service) proven(ctx context.Context, c Credentials, now time.Time) (*App, int64, error) {
	digest := s.digest(c.Secret.Reveal())
	a, asked, err := s.find(ctx, ID(c.ID))
	if err != nil {
		return nil, 0, err
	}
	version, ok := a.opens(digest, now)
	if ok || asked {
		return a, version, nil
	}
	if a, err = s.findAgain(ctx, ID(c.ID)); err != nil {
		return nil, 0, err
	}
	version, _ = a.opens(digest, now)
	return a, version, nil
}

// opens is the version of the app's secret that digest is of, see [Secret.opens].
func (a *App) opens(digest oauth.Digest, now time.Time) (int64, bool) {
	if a == nil {
		return nobody.opens(digest, now)
	}
	return a.Secret.opens(digest, now)
}

// nobody is compared with where there is no app.
var nobody = Secret{Digest: make(oauth.Digest, 32), Old: make(oauth.Digest, 32)}

// Exchange gives an app an access token for one organization. Of where the app is not
// it tells nothing: not added, not there and disabled look alike. The organization in
// whose audit trail a refusal belongs comes with it.
func (s *Service) Exchange(ctx context.Context, by tenants.Caller, e Exchange) (issued Issued, err error) {
	a, version, err := s.Identify(ctx, e.Client)
	if a != nil {
		issued.Org = a.Org
	}
	if err != nil {
		return issued, err
	}
	if !slices.Contains(a.GrantTypes, GrantClientCredentials) {
		return issued, problem.New(problem.UnauthorizedClient, "The app may not use this grant.").With(problem.FactAccount, string(a.ID))
	}
	org, m, err := s.admitted(ctx, a, e.Org)
	if err != nil {
		return issued, err
	}
	now := s.clock()
	scopes, any := scopesAt(m.held, now)
	if !any {
		return Issued{Org: org.ID}, notThere().With(problem.FactAccount, string(a.ID), problem.FactReason, problem.ReasonRole)
	}
	return s.issue(ctx, by, grantOf{a, version, m, org.ID, told(scopes), e.Life}, now)
}

type grantOf struct {
	app     *App
	version int64
	member  *membership
	org     tenants.OrgID
	scopes  []string
	life    time.Duration
}

func (s *Service) issue(ctx context.Context, by tenants.Caller, g grantOf, now time.Time) (Issued, error) {
	life := g.app.lifetime(g.life, g.version, now)
	id := string(g.app.ID)
	access, err := s.sign(ctx, oauth.ServiceToken{
		ID: tenants.NewID(), Client: id, Org: g.org, Subject: "client:" + id, User: id, Account: id, Context: tenants.NewID(),
		Perms: g.scopes, IssuedAt: now, ExpiresAt: now.Add(life),
		App: &oauth.AppClaims{SecretVersion: g.version, Epoch: g.member.epoch},
	})
	if err != nil {
		return Issued{}, err
	}
	if err := s.store.NoteIssued(ctx, oauth.Event{At: now, Org: g.org, Account: oauth.ClientID(id), Kind: "issued", Source: by.Source}); err != nil {
		return Issued{}, err
	}
	return Issued{Access: secret.Text(access), ExpiresIn: life, Scopes: g.scopes, Org: g.org}, nil
}

func (s *Service) sign(ctx context.Context, t oauth.ServiceToken) (string, error) {
	leave, err := s.desk.sit(ctx, ID(t.Client))
	if err != nil {
		return "", err
	}
	defer leave()
	return s.signer.SignServiceToken(ctx, t)
}

// lifetime is that of a token got with a version of the secret now. Clients cannot
// live with less than a minute; where the secret ends sooner, so does the token.
func (a *App) lifetime(asked time.Duration, version int64, now time.Time) time.Duration {
	life := a.AccessTTL
	if asked > 0 && asked < life {
		life = asked
	}
	if end, ok := a.Secret.until(version, now); ok && !end.IsZero() {
		life = min(life, end.Sub(now).Truncate(time.Second))
	}
	return max(life, minTTL)
}

// admitted is the organization that a client names, if the app was added to it.
func (s *Service) admitted(ctx context.Context, a *App, named string) (*tenants.Snapshot, *membership, error) {
	id := a.Org
	if named != "" {
		given, err := tenants.ParseUUID(strings.TrimSpace(named))
		if err != nil {
			return nil, nil, notThere()
		}
		id = tenants.OrgID(given)
	}
	refused := notThere().With(problem.FactAccount, string(a.ID), problem.FactReason, problem.ReasonOtherOrg)
	m, err := s.member(ctx, id, a.ID)
	if problem.Has(err, problem.NotFound) {
		return nil, nil, refused
	}
	if err != nil {
		return nil, nil, err
	}
	org, err := s.orgs.Organization(ctx, id)
	if problem.Has(err, problem.NotFound) || err == nil && !org.Enabled {
		return nil, nil, refused
	}
	return org, m, err
}

func notThere() *problem.Problem {
	return problem.New(problem.AccessDenied, "The app has no access to this organization.")
}
