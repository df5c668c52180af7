package oauth

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Sessions returns a page of the live sessions of org and the number on all
// pages.
func (s *Service) Sessions(ctx context.Context, org tenants.OrgID, q tenants.Query) ([]Session, int, error) {
	return s.sessions(ctx, org, Live{}, q)
}

// OwnSessions is Sessions less those of others. Of somebody for whom another
// site vouches none is here: theirs are at home.
func (s *Service) OwnSessions(ctx context.Context, p tenants.Principal, q tenants.Query) ([]Session, int, error) {
	if p.Via != "" {
		return nil, 0, nil
	}
	return s.sessions(ctx, p.Org, Live{Kind: p.Kind, Principal: p.ID}, q)
}

func (s *Service) sessions(ctx context.Context, org tenants.OrgID, live Live, q tenants.Query) (list []Session, total int, err error) {
	live = s.live(live)
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.Sessions(org, live, q)
		return err
	})
	return list, total, err
}

func (s *Service) live(l Live) Live {
	l.Now = s.clock()
	l.UsedAfter = l.Now.Add(-s.policy.IdleTimeout)
	return l
}

// Of reports whether p holds the session.
func (s Session) Of(p tenants.Principal) bool {
	return p.Via == "" && s.Kind == p.Kind && s.Principal == p.ID
}

// LiveSession returns one live session of org.
func (s *Service) LiveSession(ctx context.Context, org tenants.OrgID, id tenants.SessionID) (found Session, err error) {
	live := s.live(Live{})
	err = s.store.View(ctx, func(r Reader) error {
		found, err = findLive(r, org, id, live)
		return err
	})
	return found, err
}

func findLive(r Reader, org tenants.OrgID, id tenants.SessionID, live Live) (Session, error) {
	list, _, err := r.Sessions(org, live, tenants.Query{Where: "id = ?", Args: []any{string(id)}, Page: 1, PageSize: 1})
	if err != nil {
		return Session{}, err
	}
	if len(list) == 0 {
		return Session{}, problem.Hidden()
	}
	return list[0], nil
}

// EndSession logs the caller out: the access token is dead on every cell when
// this returns; a refresh token lives on (VCD-86).
func (s *Service) EndSession(ctx context.Context, by tenants.Caller) error {
	p, now := by.Principal, s.clock()
	return s.store.InTx(ctx, func(tx Tx) error {
		return endSession(tx, by, Session{ID: p.Session, Org: p.Org, Name: p.Name}, now)
	})
}

// EndSessionOf ends a live session of org, whoever holds it.
func (s *Service) EndSessionOf(ctx context.Context, by tenants.Caller, org tenants.OrgID, id tenants.SessionID) error {
	live := s.live(Live{})
	return s.change(ctx, by, func(tx Tx) error {
		found, err := findLive(tx, org, id, live)
		if err != nil {
			return err
		}
		return endSession(tx, by, found, live.Now)
	})
}

func endSession(tx Tx, by tenants.Caller, session Session, now time.Time) error {
	if err := tx.EndSession(session.Org, session.ID, now); err != nil {
		return err
	}
	return tx.Record(journal.Entry{
		At: now, Org: string(session.Org), Actor: by.Actor(), Action: journal.SessionEnded,
		Subject:   journal.Subject{Kind: journal.KindSession, ID: string(session.ID), Name: session.Name},
		RequestID: by.RequestID, Source: by.Address,
	})
}
