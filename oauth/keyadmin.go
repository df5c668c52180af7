package oauth

import (
	"context"
	"slices"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// KeyInfo is what administrators see of a key.
type KeyInfo struct {
	ID        string
	Purpose   Purpose
	Algorithm string
	CreatedAt time.Time // published from then on
	SignsFrom time.Time
	RetiredAt time.Time // zero while it verifies
	State     KeyState
}

func infoOf(k SigningKey, all []SigningKey, now time.Time) KeyInfo {
	return KeyInfo{
		ID: k.ID, Purpose: k.Purpose, Algorithm: k.Algorithm,
		CreatedAt: k.CreatedAt, SignsFrom: k.SignsFrom, RetiredAt: k.RetiredAt, State: stateOf(k, all, now),
	}
}

// Keys lists the site's signing keys, the retired ones too, the newest first.
func (s *Service) Keys(ctx context.Context) ([]KeyInfo, error) {
	var keys []SigningKey
	err := s.store.View(ctx, func(r Reader) (err error) {
		keys, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(keys, func(a, b SigningKey) int { return byAge(b, a) })
	now := s.clock()
	list := make([]KeyInfo, 0, len(keys))
	for _, k := range keys {
		list = append(list, infoOf(k, keys, now))
	}
	return list, nil
}

// KeyRotation asks for a new key.
type KeyRotation struct {
	Purpose Purpose
	AtOnce  bool // sign with it now, instead of publishing it ahead
}

// RotateKey makes a new key. While one is published that has yet to sign it is
// problem.Conflict, unless the new one is to sign at once.
func (s *Service) RotateKey(ctx context.Context, by tenants.Caller, r KeyRotation) (KeyInfo, error) {
	if !slices.Contains(keyPurposes, r.Purpose) {
		return KeyInfo{}, problem.New(problem.BadRequest, "There are no keys for this purpose.")
	}
	now := s.clock()
	made, err := s.newKey(r.Purpose, now)
	if err != nil {
		return KeyInfo{}, err
	}
	if made.SignsFrom = now; !r.AtOnce {
		made.SignsFrom = now.Add(s.policy.Keys.PublishAhead)
	}
	var info KeyInfo
	err = s.changeKeys(ctx, func(tx Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		keys, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		if list := living(keys, r.Purpose); !r.AtOnce && len(list) > 0 && list[len(list)-1].SignsFrom.After(now) {
			return problem.New(problem.Conflict, "A successor is published already and signs from %s.", list[len(list)-1].SignsFrom.Format(time.RFC3339))
		}
		info = infoOf(made, append(keys, made), now)
		return s.create(tx, by, made)
	})
	return info, err
}

// RetireKey takes all worth from what a key signed, at once and on every cell: for
// a key that somebody may have got hold of. If it was to sign, a new one signs
// instead. Sessions and refresh tokens live on: who held a token of the key
// refreshes or logs in. Retiring a retired key changes nothing.
func (s *Service) RetireKey(ctx context.Context, by tenants.Caller, kid string) (KeyInfo, error) {
	now := s.clock()
	purpose, err := s.purposeOf(ctx, kid)
	if err != nil {
		return KeyInfo{}, err
	}
	instead, err := s.newKey(purpose, now)
	if err != nil {
		return KeyInfo{}, err
	}
	instead.SignsFrom = now
	var info KeyInfo
	err = s.changeKeys(ctx, func(tx Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		keys, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(keys, func(k SigningKey) bool { return k.ID == kid })
		if at < 0 {
			return problem.Hidden()
		}
		if k := keys[at]; !k.retired() {
			current, _ := signing(keys, k.Purpose, now)
			if err := s.retire(tx, by, k, now, "by hand"); err != nil {
				return err
			}
			keys[at].RetiredAt = now
			if current.ID == kid {
				if err := s.create(tx, by, instead); err != nil {
					return err
				}
			}
		}
		info = infoOf(keys[at], keys, now)
		return nil
	})
	return info, err
}

func (s *Service) purposeOf(ctx context.Context, kid string) (p Purpose, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		keys, err := r.SigningKeys()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(keys, func(k SigningKey) bool { return k.ID == kid })
		if at < 0 {
			return problem.Hidden()
		}
		p = keys[at].Purpose
		return nil
	})
	return p, err
}
