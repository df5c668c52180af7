package oauth

import (
	"context"
	"errors"
	"time"
	"unique"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Apps says whether the token of a server-to-server app is still good: whether the
// app is there, its secret is the one that the token was got with, and the
// organization of the token has it as a member still.
type Apps interface {
	// Holder is problem.Unauthenticated when the token is not good, and TokenOver where
	// that is for ever: what the database says, and not what is remembered of it.
	Holder(ctx context.Context, t ServiceToken) (AppHolder, error)
}

// AppHolder is the app behind a token.
type AppHolder struct {
	Name  string
	Owner tenants.OrgID
	// Until is when the token ends although it says otherwise, with the secret that it
	// was got with; zero is when it says.
	Until time.Time
}

// TokenOver is of a token that is good no more, and never will be: who shows it again
// is refused without a look at it.
func TokenOver() error { return sessionOver() }

// noApps refuses every app: what a cell without them answers.
type noApps struct{}

func (noApps) Holder(context.Context, ServiceToken) (AppHolder, error) {
	return AppHolder{}, unauthenticated()
}

// loadService is load for service tokens. A user's token is of a session; an app's
// stands for itself, and the journal's rows about the app end it.
func (a *Authenticator) loadService(ctx context.Context, token string, now time.Time) (*liveSession, error) {
	t, kid, err := a.service.verifyServiceToken(ctx, token)
	if err != nil {
		return nil, err
	}
	if t.App == nil {
		session, err := a.service.standing(ctx, sessionOf(t), now)
		if err != nil {
			return nil, err
		}
		return a.liveOf(session, kid)
	}
	h, err := a.Apps.Holder(ctx, t)
	if problem.Has(err, problem.Unauthenticated) && !errors.Is(err, errSessionOver) {
		return nil, unauthenticated() // in the words for every token that is not good
	}
	if err != nil {
		return nil, err
	}
	of := holder{id: t.Client, name: h.Name, epoch: t.App.Epoch, class: unique.Make(class{
		kind: tenants.KindApp, home: tenants.LocationID{Org: t.Org, Site: a.site}, owner: h.Owner, key: kid,
	})}
	live, err := newLiveSession(of, tenants.SessionID(t.ID), t.IssuedAt, sooner(t.ExpiresAt, h.Until))
	if err == nil && live.expired(now) {
		err = unauthenticated()
	}
	if err != nil {
		return nil, err
	}
	return live, nil
}

func sessionOf(t ServiceToken) func(Reader) (Session, error) {
	return func(r Reader) (Session, error) {
		session, err := r.Session(tenants.SessionID(t.ID))
		if problem.Has(err, problem.NotFound) {
			err = sessionOver()
		}
		if err == nil && session.Org != t.Org {
			err = unauthenticated()
		}
		return session, err
	}
}
