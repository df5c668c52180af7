package oauth

import (
	"context"
	"maps"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// APIToken is a refresh token by which a user's scripts log in as the user, with
// the limits of a machine (R7). It does not rotate: several hosts may use it.
type APIToken struct {
	ID        ClientID // the last part of urn:vcloud:token:<id>
	Org       tenants.OrgID
	Owner     tenants.UserID
	OwnerName string // filled in by reads
	Name      string // unique among the owner's
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

func (t APIToken) over(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// RegisterToken creates an API token of the caller, who has the right to (VCD-59).
// It is a client of the organization from then on, and becomes a token when its
// owner fetches it, see [Service.FetchToken].
//
// Nobody creates tokens for others, nor in another organization than their own. A
// machine creates none, whatever its role (VCD-32), and neither does somebody for
// whom another site vouches: what a token opens would outlive the association.
func (s *Service) RegisterToken(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, name string) (APIToken, error) {
	p := by.Principal
	if p.Kind != tenants.KindUser || p.Via != "" || p.Org != org.ID {
		return APIToken{}, problem.New(problem.Forbidden, "People create API tokens for themselves, in their own organization, after a login with a password there.")
	}
	if err := validTokenName(name); err != nil {
		return APIToken{}, err
	}
	now := s.clock()
	t := APIToken{
		ID: ClientID(tenants.NewID()), Org: org.ID, Owner: tenants.UserID(p.ID), OwnerName: p.Name, Name: name, CreatedAt: now,
	}
	if s.policy.APITokenLifetime > 0 {
		t.ExpiresAt = now.Add(s.policy.APITokenLifetime)
	}
	return t, s.change(ctx, by, func(tx Tx) error {
		if err := tx.CreateAPIToken(t, s.policy.APITokensPerUser); err != nil {
			return err
		}
		return tx.Record(t.entry(now, by, journal.APITokenCreated))
	})
}

func validTokenName(name string) error {
	if tenants.ValidName(name) {
		return nil
	}
	return problem.New(problem.BadRequest, "The name of the token is required: up to %d bytes, no control characters, no space around it.", tenants.MaxName).In("name")
}

// Whose says whose API tokens are meant: those of one user, or everybody's for
// who holds the right to manage them all. The tokens of others are as good as
// absent. The zero value means nobody's.
type Whose struct {
	Owner tenants.UserID
	All   bool
}

func (w Whose) includes(t APIToken) bool { return w.All || (w.Owner != "" && t.Owner == w.Owner) }

// Token returns an API token of org.
func (s *Service) Token(ctx context.Context, org tenants.OrgID, whose Whose, id ClientID) (t APIToken, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		t, err = findToken(r, org, whose, id)
		return err
	})
	return t, err
}

func findToken(r Reader, org tenants.OrgID, whose Whose, id ClientID) (APIToken, error) {
	t, err := r.APIToken(org, id)
	if err == nil && !whose.includes(t) {
		return APIToken{}, problem.Hidden()
	}
	return t, err
}

// Tokens returns a page of the API tokens of org and the number on all pages.
func (s *Service) Tokens(ctx context.Context, org tenants.OrgID, whose Whose, q tenants.Query) (list []APIToken, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.APITokens(org, whose, q)
		return err
	})
	return list, total, err
}

// RenameToken gives an API token another name; nothing else of one can change.
func (s *Service) RenameToken(ctx context.Context, by tenants.Caller, org tenants.OrgID, whose Whose, id ClientID, name string) (t APIToken, err error) {
	if err := validTokenName(name); err != nil {
		return APIToken{}, err
	}
	now := s.clock()
	err = s.change(ctx, by, func(tx Tx) error {
		if t, err = findToken(tx, org, whose, id); err != nil || t.Name == name {
			return err
		}
		if err := tx.RenameAPIToken(org, id, name); err != nil {
			return err
		}
		renamed := tenants.Changed(map[string][2]string{"name": {t.Name, name}})
		t.Name = name
		e := t.entry(now, by, journal.APITokenUpdated)
		maps.Copy(e.Detail, renamed)
		return tx.Record(e)
	})
	return t, err
}

// DeleteToken ends an API token and every session that it opened (R4).
func (s *Service) DeleteToken(ctx context.Context, by tenants.Caller, org tenants.OrgID, whose Whose, id ClientID) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		t, err := findToken(tx, org, whose, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteAPIToken(t, now); err != nil {
			return err
		}
		return tx.Record(t.entry(now, by, journal.APITokenDeleted))
	})
}

// entry is the journal's line about something that happened to an API token.
func (t APIToken) entry(at time.Time, by tenants.Caller, action journal.Action) journal.Entry {
	return journal.Entry{
		At: at, Org: string(t.Org), Actor: by.Actor(), Action: action,
		Subject:   journal.Subject{Kind: journal.KindAPIToken, ID: string(t.ID), Name: t.Name},
		RequestID: by.RequestID, Source: by.Address,
		Detail: map[string]string{"owner": string(t.Owner), "ownerName": t.OwnerName},
	}
}
