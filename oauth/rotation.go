package oauth

import (
	"context"
	"strconv"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Refresh exchanges a refresh token for its one successor and a new access
// token (RFC 6749 §6, VCD-18).
//
// The successor is a function of the presented token, so a client that lost the
// answer asks again and gets the same token, as long as nobody has presented
// that token yet. Once it was presented, the older token can only be a copy: the
// family is revoked and the journal says who showed what.
//
// client may be empty: SDKs send no client_id. A token of another organization
// is refused and left alone, because clients try one endpoint after the other.
func (s *Service) Refresh(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, client ClientID, token secret.Text) (Tokens, error) {
	r := Rotation{
		Org: org.ID, Client: client, MaxAge: s.rotation(org).MaxAge, Source: by.Source,
		From: s.digest(digestRefresh, token.Reveal()),
	}
	soon := org.Enabled && !s.refreshes.near(org.ID, s.clock())
	known := s.apiTokens.Contains(string(r.From))
	if soon && known {
		if tokens, done, err := s.useAtOnce(ctx, org, r); err != nil || done {
			return tokens, err
		}
	}
	successor := s.keys.Successor(token.Reveal())
	r.To = s.digest(digestRefresh, successor)
	if soon && !known {
		session, done, err := s.rotate(ctx, r)
		if err != nil {
			return Tokens{}, err
		}
		if done {
			s.refreshes.add(org.ID, ClientID(session.Principal))
			return s.issue(ctx, org, session, successor)
		}
		if tokens, done, err := s.useAtOnce(ctx, org, r); err != nil || done {
			return tokens, err
		}
	}
	return s.refreshKnown(ctx, by, org, r, successor)
}

// rotate tries r now. That is all there is to nearly every refresh.
func (s *Service) rotate(ctx context.Context, r Rotation) (Session, bool, error) {
	r.At, r.Lifetime = s.clock(), s.policy.AccountLifetime
	r.Session = tenants.NewSessionID(r.At)
	return s.store.Rotate(ctx, r)
}

// refreshKnown is Refresh for what did not rotate at once: it looks whose token it
// is, and why.
func (s *Service) refreshKnown(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, r Rotation, successor string) (Tokens, error) {
	rules, client := s.rotation(org), r.Client
	// Each turn acts on what it read only if that still holds; a turn that lost
	// a race reads again. The states only move forward, from current to spent to
	// replayed or revoked, so there are few turns.
	for turn := range 4 {
		shown, account, quota, err := s.presented(ctx, org, client, r.From)
		if problem.Has(err, problem.NotFound) {
			return s.refreshAPIToken(ctx, by, org, client, r.From)
		}
		if err != nil {
			return Tokens{}, err
		}
		now := s.clock()
		if turn == 0 && !replays(rules, shown, by.Source, now) { // a replay ends its family whatever the limit
			if err := s.refreshes.count(org.ID, shown.Account); err != nil {
				return Tokens{}, err
			}
		}
		end := rules.End(shown.CreatedAt)
		session := s.newAccountSession(now, shown.Family, end)
		session.of(account, quota)

		var done bool
		switch {
		case !end.IsZero() && !now.Before(end):
			err = s.outlived(ctx, by, account, shown, r.From, end)
		case shown.Shown == shown.Generation:
			r.Client, r.Quota, r.Pin = shown.Account, account.Quota, quota
			session, done, err = s.rotate(ctx, r)
		case inGrace(rules, shown, by.Source, now):
			done, err = s.retry(ctx, by, shown, r.From, session, false)
		case retryAllowed(rules, shown, by.Source, now):
			done, err = s.retry(ctx, by, shown, r.From, session, true)
		default:
			err = s.replayed(ctx, by, account, shown, r.From)
		}
		if problem.Has(err, problem.NotFound) {
			continue // the account was deleted since; reading again says so
		}
		if err != nil {
			return Tokens{}, err
		}
		if done {
			return s.issue(ctx, org, session, successor)
		}
	}
	return Tokens{}, problem.New(problem.Unavailable, "The token is being refreshed by many at once; try again.").After(time.Second)
}

// presented reads what is known of a token, and refuses what can never rotate
// without touching it. What no account was given is problem.NotFound.
func (s *Service) presented(ctx context.Context, org *tenants.Snapshot, client ClientID, digest Digest) (shown Presented, account ServiceAccount, quota string, err error) {
	shown, err = s.store.RefreshToken(ctx, digest)
	if err == nil {
		quota, err = s.mayRotate(ctx, org, client, shown)
	}
	return shown, shown.Holder, quota, aboutPresented(org, shown, err)
}

// mayRotate returns the quota that a session of the token's holder keeps.
func (s *Service) mayRotate(ctx context.Context, org *tenants.Snapshot, client ClientID, shown Presented) (quota string, err error) {
	if err := meantFor(org, client, shown.Org, shown.Account); err != nil {
		return "", err
	}
	switch {
	case !shown.RevokedAt.IsZero():
		return "", problem.New(problem.InvalidGrant, "Invalid refresh token: it was revoked on %s.", shown.RevokedAt.UTC().Format(time.RFC3339))
	case !org.Enabled:
		return "", invalidRefreshToken()
	case shown.Holder.Quota == "":
		return "", nil
	}
	err = s.store.View(ctx, func(r Reader) (err error) {
		quota, err = tenants.PinQuota(r, org.ID, shown.Holder.Quota)
		return err
	})
	return quota, err
}

// invalidRefreshToken is for what was never issued, and for what cannot be told
// from it.
func invalidRefreshToken() *problem.Problem {
	return problem.New(problem.InvalidGrant, "Invalid refresh token").With(problem.FactReason, problem.ReasonUnknown)
}

// meantFor refuses a token that was issued for another organization or client. It
// helps people who try one endpoint after the other, and leaves the token alone.
func meantFor(org *tenants.Snapshot, client ClientID, tokenOrg tenants.OrgID, tokenClient ClientID) error {
	switch {
	case tokenOrg != org.ID:
		return problem.New(problem.InvalidGrant, "Invalid refresh token: it was not issued for this organization. It stays valid where it was issued.")
	case client != "" && client != tokenClient:
		return problem.New(problem.InvalidGrant, "Invalid refresh token: it was issued to another client.")
	}
	return nil
}

// ownGrace is for the source that spent a token: apps refresh in several processes
// at once, and a cell that answers 503 has its clients try again within seconds. No
// organization can mean to lose accounts by that, however little it lets others.
const ownGrace = time.Minute

// inGrace says whether a spent token is shown so soon that it can be a request that
// was under way at the same time. A zero retry window allows nothing.
func inGrace(r tenants.Rotation, shown Presented, source string, now time.Time) bool {
	window := r.GraceWindow
	if source == shown.UsedFrom {
		window = max(window, ownGrace)
	}
	return shown.Shown == shown.Generation-1 && age(shown, now) < min(window, r.RetryWindow)
}

// retryAllowed says whether a spent token may have its successor again later: only
// from the source that spent it, not often, and not after the successor was shown.
func retryAllowed(r tenants.Rotation, shown Presented, source string, now time.Time) bool {
	return shown.Shown == shown.Generation-1 && age(shown, now) < r.RetryWindow &&
		source == shown.UsedFrom && shown.Retries < r.MaxRetries
}

// replays says that a token is shown that can only be a copy.
func replays(r tenants.Rotation, shown Presented, source string, now time.Time) bool {
	return shown.Shown != shown.Generation && !inGrace(r, shown, source, now) && !retryAllowed(r, shown, source, now)
}

// age is how long ago the token was spent. Another cell's clock may be ahead of
// ours; zero stays strict.
func age(shown Presented, now time.Time) time.Duration { return max(now.Sub(shown.UsedAt), 0) }

func (s *Service) retry(ctx context.Context, by tenants.Caller, shown Presented, digest Digest, session Session, counts bool) (done bool, err error) {
	err = s.store.InTx(ctx, func(tx Tx) error {
		if done, err = tx.CountRetry(shown.Org, shown.Family.ID, digest, counts); err != nil || !done {
			return err
		}
		if err := tx.CreateSession(session); err != nil {
			return err
		}
		detail := "generation " + strconv.Itoa(shown.Shown)
		if by.Source != shown.UsedFrom {
			detail += ", first shown from " + shown.UsedFrom
		}
		return tx.Note(Event{At: session.CreatedAt, Org: shown.Org, Account: shown.Account, Kind: "retried", Source: by.Source, Detail: detail})
	})
	return done, err
}

func (s *Service) replayed(ctx context.Context, by tenants.Caller, account ServiceAccount, shown Presented, digest Digest) error {
	if err := s.endFamily(ctx, by, account, shown, digest, journal.FamilyReplayed, bothParties(by, shown)); err != nil {
		return err
	}
	reason := "its successor was already used"
	if shown.Shown == shown.Generation-1 {
		reason = "it was shown again too late, too often or from elsewhere"
	}
	return problem.New(problem.Replayed, "Invalid refresh token: %s, so the token family has been revoked.", reason).With(aboutReplay(shown)...)
}

// bothParties says of a replay who used the token, who went on, and who shows it now.
func bothParties(by tenants.Caller, shown Presented) map[string]string {
	return map[string]string{
		"family":          shown.Family.ID,
		"generation":      strconv.Itoa(shown.Shown),
		"liveGeneration":  strconv.Itoa(shown.Generation),
		"firstShownFrom":  shown.UsedFrom,
		"firstShownAt":    shown.UsedAt.UTC().Format(time.RFC3339),
		"continuedFrom":   shown.WentOnFrom,
		"replayedFrom":    by.Source,
		"replayUserAgent": by.UserAgent,
	}
}

// outlived ends a family that has reached its maximum age: the account is CREATED
// again, as after a revocation.
func (s *Service) outlived(ctx context.Context, by tenants.Caller, account ServiceAccount, shown Presented, digest Digest, end time.Time) error {
	err := s.endFamily(ctx, by, account, shown, digest, journal.FamilyExpired, map[string]string{
		"family": shown.Family.ID, "grantedAt": shown.CreatedAt.UTC().Format(time.RFC3339), "endedAt": end.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	return problem.New(problem.InvalidGrant, "Invalid refresh token: it reached its maximum age on %s; an administrator has to grant access again.", end.UTC().Format(time.RFC3339)).
		With(append(aboutGenerations(shown), problem.FactReason, problem.ReasonExpired, problem.FactAt, factTime(end))...)
}

// endFamily revokes the family of a presented token, unless that happened since.
func (s *Service) endFamily(ctx context.Context, by tenants.Caller, account ServiceAccount, shown Presented, digest Digest, why journal.Action, detail map[string]string) error {
	now := s.clock()
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.LockServiceAccount(shown.Org, shown.Account); err != nil {
			return err
		}
		// The account may have got a new family since; that one did no wrong.
		if again, err := tx.RefreshToken(digest); err != nil || !again.RevokedAt.IsZero() {
			return err
		}
		if err := tx.RevokeFamilies(shown.Org, shown.Account, now); err != nil {
			return err
		}
		if err := tx.EndSessionsOf(shown.Org, tenants.KindServiceAccount, string(shown.Account), now); err != nil {
			return err
		}
		return tx.Record(entry(now, by, account, why, detail))
	})
}
