package apps

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/services"
	"causeway/tenants"
)

// Regenerate replaces the secret: the old one, one of a rotation under way, and every
// access token that was got with either are refused when this returns (CSP-40,
// CSP-41).
func (s *Service) Regenerate(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID) (secret.Text, error) {
	return s.regenerate(ctx, by, org, id, func(Secret) error { return nil })
}

// RegenerateFrom is Regenerate while version is the secret's, and problem.Conflict
// after that: a form that is sent twice does not end the secret that it has just made.
func (s *Service) RegenerateFrom(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, version int64) (secret.Text, error) {
	return s.regenerate(ctx, by, org, id, func(now Secret) error {
		if now.Version != version {
			return problem.New(problem.Conflict, "The secret has been replaced meanwhile, and was shown to whoever did that.")
		}
		return nil
	})
}

func (s *Service) regenerate(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, may func(Secret) error) (secret.Text, error) {
	fresh := NewSecret()
	digest := s.digest(fresh.Reveal())
	_, err := s.editSecret(ctx, by, org, id, func(e editing) (_ Secret, _ journal.Action, err error) {
		if err := may(e.app.Secret); err != nil {
			return Secret{}, "", err
		}
		return Secret{Digest: digest, Version: e.app.Secret.Version + 1}, journal.AppSecretReplaced, e.mayLearnSecret()
	})
	if err != nil {
		return "", err
	}
	return fresh, nil
}

// Rotate gives the app another secret; the old one and its tokens work on for
// overlap, or for as long as the app or the operator says if that is zero. To ask
// again for what was done changes nothing: a client may have lost the answer.
func (s *Service) Rotate(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, fresh secret.Text, overlap time.Duration) error {
	if err := checkSecret(fresh); err != nil {
		return err
	}
	if overlap != 0 && (overlap < minOverlap || overlap > maxOverlap) {
		return outOf("secretRotationExpirationInSeconds", minOverlap, maxOverlap)
	}
	digest := s.digest(fresh.Reveal())
	_, err := s.edit(ctx, by, org, id, func(e editing) (journal.Action, map[string]string, error) {
		a, now := e.app, e.now
		if err := cmp.Or(a.mayRotate(e.r.Standing), e.mayReach(*a), e.mayLearnSecret()); err != nil {
			return "", nil, err
		}
		switch rotating := a.Secret.rotating(now); {
		case secret.Equal(digest, a.Secret.Digest) && rotating:
			return "", nil, nil
		case secret.Equal(digest, a.Secret.Digest):
			return "", nil, problem.New(problem.BadRequest, "This is the app's secret already.")
		case rotating:
			return "", nil, problem.New(problem.Conflict, "The secret is being rotated until %s; end that first.", a.Secret.OldUntil.Format(time.RFC3339))
		}
		until := now.Add(firstOf(overlap, a.RotationOverlap, s.policy.RotationOverlap))
		a.Secret = Secret{Digest: digest, Version: a.Secret.Version + 1, Old: a.Secret.Digest, OldUntil: until}
		detail := a.Secret.detail()
		detail["until"] = until.Format(time.RFC3339)
		return journal.AppSecretRotated, detail, nil
	})
	return err
}

// EndRotation ends the old secret of a rotation and the tokens that were got with it.
// Where there is none nothing changes.
func (s *Service) EndRotation(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID) error {
	_, err := s.editSecret(ctx, by, org, id, func(e editing) (Secret, journal.Action, error) {
		was := e.app.Secret
		if !was.rotating(e.now) {
			return was, "", nil
		}
		return Secret{Digest: was.Digest, Version: was.Version}, journal.AppRotationEnded, nil
	})
	return err
}

// editSecret is edit for the secret alone. No action is no change.
func (s *Service) editSecret(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, f func(editing) (Secret, journal.Action, error)) (App, error) {
	return s.edit(ctx, by, org, id, func(e editing) (action journal.Action, _ map[string]string, err error) {
		if err := e.app.mayRotate(e.r.Standing); err != nil {
			return "", nil, err
		}
		e.app.Secret, action, err = f(e)
		return action, e.app.Secret.detail(), err
	})
}

func (a App) mayRotate(standing services.Standing) error {
	if a.OwnerOnlyRotation && !standing.Is(services.OrgOwner) {
		return problem.New(problem.Forbidden, "Only an Organization Owner changes the secret of this app.")
	}
	return nil
}

func (s Secret) detail() map[string]string {
	return map[string]string{"version": strconv.FormatInt(s.Version, 10)}
}

// rotating reports whether an old secret works beside the current one.
func (s Secret) rotating(now time.Time) bool { return len(s.Old) > 0 && now.Before(s.OldUntil) }

// Rotating is until when an old secret works beside the current one; zero is that
// none does.
func (s Secret) Rotating(now time.Time) time.Time {
	if !s.rotating(now) {
		return time.Time{}
	}
	return s.OldUntil
}

// opens is the version of the secret that digest is of. Everything is compared
// whatever was found, so that time tells nothing.
func (s Secret) opens(digest oauth.Digest, now time.Time) (version int64, ok bool) {
	current, old := secret.Equal(s.Digest, digest), secret.Equal(s.Old, digest)
	switch {
	case current:
		return s.Version, true
	case old && s.rotating(now):
		return s.Version - 1, true
	}
	return 0, false
}

// until is how long tokens of a version of the secret are good; zero is for as long
// as they say.
func (s Secret) until(version int64, now time.Time) (end time.Time, ok bool) {
	switch {
	case version == s.Version:
		return time.Time{}, true
	case version == s.Version-1 && s.rotating(now):
		return s.OldUntil, true
	}
	return time.Time{}, false
}

func firstOf(given ...time.Duration) time.Duration {
	for _, d := range given {
		if d > 0 {
			return d
		}
	}
	return 0
}
