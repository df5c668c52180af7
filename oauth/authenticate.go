package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
	"unique"

	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/tracing"
	"causeway/tenants"
)

// Authenticator turns access tokens, and the opaque tokens of legacy logins, into
// principals. A token it has seen costs one SHA-256 and two look-ups: no signature
// check and no database. What it remembers dies at expiry and when the journal
// names its session, its account or user, its organization, or the key that signed
// the token. What roles are called it does not remember: one global role is held by
// all sessions there are, and an edit of it must not have them read again.
type Authenticator struct {
	service *Service
	site    tenants.SiteID
	fresh   func() bool
	// Apps is set before the first token is shown.
	Apps Apps
	live *cache.Cache[[sha256.Size]byte, *liveSession]
	// over are tokens of ours whose session has ended, which is for ever: else who
	// has an old one could have the database asked as often as they like. Idle ones
	// are not here, for another cell may know that they are in use; nor is what only
	// this cell's memory refuses, which may be older than the token.
	over *cache.Cache[[sha256.Size]byte, struct{}]
	// abroad are sessions whose tokens were shown to other sites, which ask by the
	// session's id.
	abroad *cache.Cache[tenants.SessionID, *liveSession]
}

// NewAuthenticator remembers at most size tokens, and as many that are over. fresh reports whether the
// journal's tail is close enough to the head to trust what is remembered; while
// it is not, every token is problem.Unavailable.
func (s *Service) NewAuthenticator(site tenants.SiteID, size int, fresh func() bool) (*Authenticator, error) {
	live, err := cache.NewTagged[[sha256.Size]byte](size, tags)
	if err != nil {
		return nil, err
	}
	over, err := cache.New[[sha256.Size]byte, struct{}](size)
	if err != nil {
		return nil, err
	}
	abroad, err := cache.NewTagged[tenants.SessionID](size, tags)
	if err != nil {
		return nil, err
	}
	return &Authenticator{service: s, site: site, fresh: fresh, Apps: noApps{}, live: live, over: over, abroad: abroad}, nil
}

// Authenticate returns who holds token. Expired, ended, idle and invented tokens
// are all problem.Unauthenticated. It is a use of the session: the idle timeout
// starts again.
func (a *Authenticator) Authenticate(ctx context.Context, token string) (tenants.Principal, error) {
	now := a.service.clock()
	s, org, err := a.look(ctx, token, now)
	if err != nil {
		return tenants.Principal{}, err
	}
	s.used.Store(now.UnixMicro())
	return s.named(org), nil
}

// Refresh is [Service.Refresh] at a cell that knows the new access token from then on:
// apps show it at once, and mostly where they got it. What ends it meanwhile, at this
// cell or another, has it read as any other.
func (a *Authenticator) Refresh(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, client ClientID, token secret.Text) (Tokens, error) {
	epoch := a.live.Epoch()
	tokens, err := a.service.Refresh(ctx, by, org, client, token)
	if err != nil {
		return Tokens{}, err
	}
	if s, err := a.liveOf(tokens.Session, tokens.key); err == nil {
		a.live.Keep(epoch, secret.Sum(tokens.AccessToken.Reveal()), s)
	}
	return tokens, nil
}

// look finds the session that token opens now, and its organization. It is no use
// of the session.
func (a *Authenticator) look(ctx context.Context, token string, now time.Time) (*liveSession, *tenants.Snapshot, error) {
	if !a.fresh() {
		return nil, nil, problem.New(problem.Unavailable, "The site cannot reach its database.").After(time.Second)
	}
	key := secret.Sum(token)
	s, ok := a.live.Get(key)
	if ok && s.idles() && a.service.idle(now, s.lastUsed()) {
		// Another cell may have served this session meanwhile: ask the database.
		a.live.ForgetKey(key)
		ok = false
	}
	if !ok {
		var err error
		if s, err = a.read(ctx, key, token, now); err != nil {
			return nil, nil, err
		}
	}
	if s.expired(now) {
		return nil, nil, unauthenticated()
	}
	of := s.of.Value().class.Value()
	org, err := a.enabled(ctx, of.home.Org)
	if err == nil && of.owner != "" && of.owner != org.ID { // an app of others goes with them
		_, err = a.enabled(ctx, of.owner)
	}
	if err != nil {
		return nil, nil, err
	}
	return s, org, nil
}

// enabled is an organization of whose principals tokens are good.
func (a *Authenticator) enabled(ctx context.Context, id tenants.OrgID) (*tenants.Snapshot, error) {
	org, err := a.service.orgs.Organization(ctx, id)
	if err != nil && !problem.Has(err, problem.NotFound) { // not an answer: the client must keep its token
		return nil, err
	}
	if err != nil || !org.Enabled {
		return nil, unauthenticated()
	}
	return org, nil
}

func (a *Authenticator) read(ctx context.Context, key [sha256.Size]byte, token string, now time.Time) (*liveSession, error) {
	if _, over := a.over.Get(key); over {
		return nil, unauthenticated()
	}
	ctx, span := tracing.Start(ctx, "token", tracing.Internal)
	s, err := a.live.Fill(ctx, key, func() (*liveSession, error) { return a.load(ctx, token, now) })
	span.EndWith(err)
	if errors.Is(err, errSessionOver) {
		_, _ = a.over.Fill(ctx, key, func() (struct{}, error) { return struct{}{}, nil })
	}
	return s, err
}

// errSessionOver is of a token of ours whose session is no more.
var errSessionOver = errors.New("the session has ended")

func sessionOver() error {
	return problem.Wrap(errSessionOver, problem.Unauthenticated, unauthenticatedDetail)
}

// Remembers reports whether token is known without asking the database.
func (a *Authenticator) Remembers(token string) bool {
	_, ok := a.live.Get(secret.Sum(token))
	return ok
}

func (s *Service) idle(now, lastUsed time.Time) bool {
	return now.Sub(lastUsed) >= s.policy.IdleTimeout
}

// load verifies the token and reads what stands behind it.
func (a *Authenticator) load(ctx context.Context, token string, now time.Time) (*liveSession, error) {
	if isServiceToken(token) {
		return a.loadService(ctx, token, now)
	}
	session, key, err := a.service.opened(ctx, token, now)
	if err != nil {
		return nil, err
	}
	return a.liveOf(session, key)
}

func (a *Authenticator) liveOf(session Session, key string) (*liveSession, error) {
	quota, err := tenants.ParseQuota(session.Quota)
	if err != nil {
		return nil, err
	}
	of := holder{id: session.Principal, name: session.Name, quota: quota, class: unique.Make(class{
		kind: session.Kind, softwareID: session.SoftwareID, role: session.Role,
		home: tenants.LocationID{Org: session.Org, Site: a.site}, key: key,
	})}
	if session.Kind == tenants.KindAPIToken {
		of.family = session.Family
	}
	live, err := newLiveSession(of, session.ID, session.CreatedAt, session.ExpiresAt)
	if err != nil {
		return nil, err
	}
	live.used.Store(session.LastUsed.UnixMicro())
	live.flushed.Store(session.LastUsed.UnixMicro())
	return live, nil
}

// opened is the session that a token opens. A user's follows the user's row: what
// an administrator changes there counts at once, while a service account's keeps
// what it was issued under (VCD-89). key is what signed the token, see liveSession.
func (s *Service) opened(ctx context.Context, token string, now time.Time) (session Session, key string, err error) {
	find, key, err := s.finder(ctx, token)
	if err != nil {
		return Session{}, "", err
	}
	session, err = s.standing(ctx, find, now)
	return session, key, err
}

// standing is the session that find finds, if it stands now.
func (s *Service) standing(ctx context.Context, find func(Reader) (Session, error), now time.Time) (session Session, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		if session, err = find(r); err != nil {
			return err
		}
		switch {
		case !session.EndedAt.IsZero():
			return sessionOver()
		case s.idle(now, session.LastUsed):
			return unauthenticated()
		}
		if !session.Kind.OfUser() {
			return nil
		}
		u, err := r.User(session.Org, tenants.UserID(session.Principal), now)
		if err != nil {
			return err
		}
		if !u.Enabled {
			return unauthenticated()
		}
		session.Role = u.Role
		return nil
	})
	if problem.Has(err, problem.NotFound) {
		err = unauthenticated()
	}
	return session, err
}

// finder checks what a token itself shows, and says where its session is and which
// key signed it.
func (s *Service) finder(ctx context.Context, token string) (find func(Reader) (Session, error), key string, err error) {
	if secret.IsLegacyToken(token) {
		return func(r Reader) (Session, error) { return r.SessionByLegacy(s.digest(digestLegacy, token)) }, "", nil
	}
	shown, err := s.verifyAccessToken(ctx, token)
	return func(r Reader) (Session, error) {
		session, err := r.Session(shown.session)
		if problem.Has(err, problem.NotFound) { // it was stored before the token was signed
			err = sessionOver()
		}
		if err == nil && session.Org != shown.org {
			err = unauthenticated()
		}
		return session, err
	}, shown.key, err
}

// Apply forgets what the journal says has ended. A retired key goes before what it
// signed, lest that be verified once more.
func (a *Authenticator) Apply(row journal.Row) {
	switch row.Subject.Kind {
	case journal.KindKey:
		a.service.signer.Apply(row)
		if row.Action == journal.KeyRetired {
			a.forget(keyTag + row.Subject.ID)
		}
	case journal.KindSession:
		a.forget(sessionTag + row.Subject.ID)
	case journal.KindAccount, journal.KindUser, journal.KindApp:
		a.forget(principalTag + row.Subject.ID)
	case journal.KindAPIToken:
		a.forget(apiTokenTag + row.Subject.ID)
	case journal.KindOrganization:
		a.forget(orgTag + row.Subject.ID)
	}
}

// forget drops what is remembered under a tag.
func (a *Authenticator) forget(tag string) {
	a.live.ForgetTag(tag)
	a.abroad.ForgetTag(tag)
}

// Flush forgets everything.
func (a *Authenticator) Flush() {
	a.service.signer.Flush()
	a.live.Flush()
	a.over.Flush()
	a.abroad.Flush()
}

// FlushUse tells the database when sessions were last used. It is called in
// the background: a request never writes.
func (a *Authenticator) FlushUse(ctx context.Context) error {
	used := map[tenants.SessionID]time.Time{}
	var flushed []func()
	note := func(s *liveSession) {
		at := s.used.Load()
		if !s.idles() || at == s.flushed.Load() {
			return
		}
		if t, id := time.UnixMicro(at).UTC(), s.session(); t.After(used[id]) { // in use at home and abroad
			used[id] = t
		}
		flushed = append(flushed, func() { s.flushed.Store(at) })
	}
	a.live.Each(func(_ [sha256.Size]byte, s *liveSession) { note(s) })
	a.abroad.Each(func(_ tenants.SessionID, s *liveSession) { note(s) })
	if len(used) == 0 {
		return nil
	}
	if err := a.service.store.Touch(ctx, used); err != nil {
		return err
	}
	for _, done := range flushed {
		done()
	}
	return nil
}
