package oauth

import (
	"context"
	"strconv"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// RevokeToken ends what a token gives access to (RFC 7009 §2.1): of an access
// token its session, of a service account's refresh token, whatever its
// generation, all that [Service.Revoke] ends, and of a user's refresh token the
// API token. It reports whether there was anything to end: what nobody was given
// and what is over already are no errors (§2.2).
//
// Whoever holds a token may end it, so the journal names the token's own principal;
// but a token that can only be a copy raises the alarm that it raises at a refresh.
// client may be empty. A token of another organization or client is refused and
// left alone: a success would tell its holder that it is dead.
func (s *Service) RevokeToken(ctx context.Context, by tenants.Caller, org tenants.OrgID, client ClientID, token secret.Text) (revoked bool, err error) {
	now := s.clock()
	shown, err := s.identify(ctx, token.Reveal(), now)
	if err == nil {
		err = shown.meantFor(org, client)
	}
	if err == nil {
		revoked, err = s.endShown(ctx, by, shown, now)
	}
	if problem.Has(err, problem.NotFound) { // or ended by somebody else just now
		return false, nil
	}
	return revoked, err
}

func (s *Service) endShown(ctx context.Context, by tenants.Caller, shown revocable, now time.Time) (revoked bool, err error) {
	org, err := s.orgs.Organization(ctx, shown.org)
	if err != nil {
		return false, err
	}
	rules := s.rotation(org)
	err = s.store.InTx(ctx, func(tx Tx) error {
		revoked, err = shown.end(tx, by, rules, now)
		return err
	})
	return revoked, err
}

// revocable is what a token turned out to be.
type revocable struct {
	org    tenants.OrgID
	client string
	// end reads again what was read outside the transaction. False means that
	// nothing was left to end.
	end func(tx Tx, by tenants.Caller, rules tenants.Rotation, now time.Time) (bool, error)
}

func (t revocable) meantFor(org tenants.OrgID, client ClientID) error {
	switch {
	case t.org != org:
		return problem.New(problem.InvalidGrant, "The token was not issued for this organization, so nothing was revoked.")
	case client != "" && string(client) != t.client:
		return problem.New(problem.InvalidGrant, "The token was issued to another client, so nothing was revoked.")
	}
	return nil
}

// identify finds out what a token is, whatever its type is said to be (RFC 7009
// §2.1). problem.NotFound is nothing that can be revoked.
func (s *Service) identify(ctx context.Context, token string, now time.Time) (found revocable, err error) {
	looks, err := s.looks(ctx, token, now)
	if err != nil {
		return revocable{}, err
	}
	err = s.store.View(ctx, func(r Reader) error {
		for _, look := range looks {
			if found, err = look(r); !problem.Has(err, problem.NotFound) {
				return err
			}
		}
		return err
	})
	return found, err
}

// looks are where a token can be found. An access token that was not signed here
// costs the database nothing.
func (s *Service) looks(ctx context.Context, token string, now time.Time) (looks []func(Reader) (revocable, error), err error) {
	signed := strings.Contains(token, ".") // no other token has one
	if !signed {
		digest := s.digest(digestRefresh, token)
		looks = append(looks,
			func(r Reader) (revocable, error) { return ofFamily(r, digest) },
			func(r Reader) (revocable, error) { return ofAPIToken(r, digest) })
	}
	if signed || secret.IsLegacyToken(token) {
		find, _, err := s.finder(ctx, token)
		if problem.Has(err, problem.Unauthenticated) {
			err = problem.New(problem.NotFound, "The access token is not valid.")
		}
		if err != nil {
			return nil, err
		}
		looks = append(looks, func(r Reader) (revocable, error) { return ofSession(r, find, now) })
	}
	return looks, nil
}

func ofFamily(r Reader, digest Digest) (revocable, error) {
	shown, err := r.RefreshToken(digest)
	return revocable{shown.Org, string(shown.Account), func(tx Tx, by tenants.Caller, rules tenants.Rotation, now time.Time) (bool, error) {
		a, err := held(tx, shown.Org, shown.Account, now)
		if err != nil {
			return false, err
		}
		// The account may have got another family since: this token is not of that.
		again, err := tx.RefreshToken(digest)
		if err != nil || !again.RevokedAt.IsZero() {
			return false, err
		}
		if err := endAccess(tx, a, now); err != nil {
			return false, err
		}
		return true, tx.Record(familyEnded(by, a, again, rules, now))
	}}, err
}

// familyEnded is an account's own wish, unless the token is a copy that only somebody
// else can have shown.
func familyEnded(by tenants.Caller, a ServiceAccount, shown Presented, rules tenants.Rotation, now time.Time) journal.Entry {
	if replays(rules, shown, by.Source, now) {
		return entry(now, by, a, journal.FamilyReplayed, bothParties(by, shown))
	}
	by.Principal = tenants.Principal{Kind: tenants.KindServiceAccount, ID: string(a.ID), Name: a.Name, Org: a.Org}
	return entry(now, by, a, journal.AccountRevoked, map[string]string{"by": "token", "family": shown.Family.ID, "generation": strconv.Itoa(shown.Shown)})
}

func ofAPIToken(r Reader, digest Digest) (revocable, error) {
	t, err := r.APITokenByDigest(digest)
	return revocable{t.Org, string(t.ID), func(tx Tx, by tenants.Caller, _ tenants.Rotation, now time.Time) (bool, error) {
		if err := tx.DeleteAPIToken(t, now); err != nil {
			return false, err
		}
		by.Principal = tenants.Principal{Kind: tenants.KindAPIToken, ID: string(t.Owner), Name: t.OwnerName, Org: t.Org}
		return true, tx.Record(t.entry(now, by, journal.APITokenDeleted))
	}}, err
}

func ofSession(r Reader, find func(Reader) (Session, error), now time.Time) (revocable, error) {
	session, err := find(r)
	if problem.Has(err, problem.Unauthenticated) || err == nil && (!session.EndedAt.IsZero() || !now.Before(session.ExpiresAt)) {
		err = problem.New(problem.NotFound, "The session is over.")
	}
	return revocable{session.Org, session.Client(), func(tx Tx, by tenants.Caller, _ tenants.Rotation, now time.Time) (bool, error) {
		again, err := tx.Session(session.ID)
		if err != nil || !again.EndedAt.IsZero() {
			return false, err
		}
		by.Principal = tenants.Principal{Kind: session.Kind, ID: session.Principal, Name: session.Name, Org: session.Org}
		return true, endSession(tx, by, session, now)
	}}, err
}
