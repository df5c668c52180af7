package oauth

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Abroad tells whose a session of org is, for an associated site that was shown
// the session's token, and when it ends at the latest. It is a use of the session:
// the client is at work, there. Sessions of API tokens stay at home.
//
// A session that is over, idle, another organization's or unknown is
// problem.Unauthenticated.
func (a *Authenticator) Abroad(ctx context.Context, org tenants.OrgID, id tenants.SessionID) (tenants.Principal, time.Time, error) {
	now := a.service.clock()
	if !a.fresh() {
		return tenants.Principal{}, time.Time{}, problem.New(problem.Unavailable, "The site cannot reach its database.").After(time.Second)
	}
	s, ok := a.abroad.Get(id)
	if ok && a.service.idle(now, s.lastUsed()) {
		a.abroad.ForgetKey(id) // it may have been in use at home
		ok = false
	}
	if !ok {
		var err error
		if s, err = a.abroad.Fill(ctx, id, func() (*liveSession, error) { return a.loadByID(ctx, org, id, now) }); err != nil {
			return tenants.Principal{}, time.Time{}, err
		}
	}
	if p, _ := s.holds(); p.Org != org || s.expired(now) || p.Kind == tenants.KindAPIToken {
		return tenants.Principal{}, time.Time{}, unauthenticated()
	}
	home, err := a.service.orgs.Organization(ctx, org)
	if err != nil && !problem.Has(err, problem.NotFound) {
		return tenants.Principal{}, time.Time{}, err
	}
	if err != nil || !home.Enabled {
		return tenants.Principal{}, time.Time{}, unauthenticated()
	}
	s.used.Store(now.UnixMicro())
	return s.named(home), s.expires(), nil
}

func (a *Authenticator) loadByID(ctx context.Context, org tenants.OrgID, id tenants.SessionID, now time.Time) (*liveSession, error) {
	session, err := a.service.standing(ctx, func(r Reader) (Session, error) {
		session, err := r.Session(id)
		if err == nil && session.Org != org {
			err = unauthenticated()
		}
		return session, err
	}, now)
	if err != nil {
		return nil, err
	}
	return a.liveOf(session, "")
}
