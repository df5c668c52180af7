package oauth

import (
	"cmp"
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/tenants"
)

// KeyPolicy is how keys live.
type KeyPolicy struct {
	Algorithm    string        // of new keys: ES256 (empty, too) or RS256
	RotateEvery  time.Duration // a key signs for so long; zero is until somebody rotates
	PublishAhead time.Duration // a key is published so long before it signs, in its stead
}

const (
	// longestToken is the most that a token's life can be set to. A setting that
	// was made shorter must not kill what was issued before.
	longestToken = 30 * 24 * time.Hour
	// settled is how old the newest key is before it gives way because it has
	// another algorithm than it should: cells that disagree while a setting is
	// changed must not make keys against each other all the time.
	settled = time.Hour
	// handover is how long after its successor has begun a key can still sign: at
	// a cell whose clock is behind.
	handover = time.Minute
)

// keyPurposes are those that this version makes keys for.
var keyPurposes = []Purpose{PurposeAccessToken, PurposeServiceToken, PurposeInstance}

// Start makes sure that there is a key to sign with.
func (s *Service) Start(ctx context.Context) error {
	if err := s.KeepKeys(ctx); err != nil {
		return err
	}
	_, err := s.signer.current(ctx)
	return err
}

// KeepKeys takes keys a step on in their lives: it publishes a successor when the
// time has come, and retires keys whose last token is over. Every cell calls it
// about once a minute; however many do at once, each step is taken once.
func (s *Service) KeepKeys(ctx context.Context) error {
	if err := s.keepKeys(ctx, PurposeAccessToken); err != nil {
		return err
	}
	set, err := s.signer.current(ctx)
	if err != nil {
		return err
	}
	for _, p := range []Purpose{PurposeServiceToken, PurposeInstance} {
		if len(living(set.list, p)) == 0 { // the first token makes the first
			continue
		}
		if err := s.keepKeys(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) keepKeys(ctx context.Context, p Purpose) error {
	now := s.clock()
	var keys []SigningKey
	err := s.store.View(ctx, func(r Reader) (err error) {
		keys, err = r.SigningKeys()
		return err
	})
	plan := s.plan(keys, p, now)
	if err != nil || plan.none() {
		return err
	}
	var successor SigningKey
	if plan.create {
		if successor, err = s.newKey(p, now); err != nil {
			return err
		}
	}
	return s.changeKeys(ctx, func(tx Tx) error {
		keys, err := tx.SigningKeys() // another cell may have been first
		if err != nil {
			return err
		}
		return s.carryOut(tx, s.plan(keys, p, now), successor, now)
	})
}

// changeKeys runs f while nobody else changes keys.
func (s *Service) changeKeys(ctx context.Context, f func(Tx) error) error {
	defer s.signer.forget() // this cell may follow the journal late
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.LockSigningKeys(); err != nil {
			return err
		}
		return f(tx)
	})
}

// keyPlan is what there is to do for one purpose.
type keyPlan struct {
	create    bool
	signsFrom time.Time
	erase     []string // private parts that sign no more
	retire    []SigningKey
}

func (p keyPlan) none() bool { return !p.create && len(p.erase) == 0 && len(p.retire) == 0 }

func (s *Service) plan(keys []SigningKey, p Purpose, now time.Time) keyPlan {
	list := living(keys, p)
	if len(list) == 0 { // the very first: nothing to publish it ahead of
		return keyPlan{create: true, signsFrom: now}
	}
	var plan keyPlan
	for i, k := range list[:len(list)-1] {
		began := list[i+1].SignsFrom
		if now.After(began.Add(s.longestToken() + handover + leeway)) {
			plan.retire = append(plan.retire, k)
		} else if len(k.Private) > 0 && now.After(began.Add(handover)) {
			plan.erase = append(plan.erase, k.ID)
		}
	}
	if s.due(list[len(list)-1], now) {
		plan.create, plan.signsFrom = true, now.Add(s.policy.Keys.PublishAhead)
	}
	return plan
}

// due says whether the newest key needs a successor.
func (s *Service) due(newest SigningKey, now time.Time) bool {
	rules := s.policy.Keys
	if newest.Algorithm != s.keyAlgorithm(newest.Purpose) && !now.Before(newest.CreatedAt.Add(settled)) {
		return true
	}
	return rules.RotateEvery > 0 && !now.Before(newest.SignsFrom.Add(rules.RotateEvery-rules.PublishAhead))
}

// keyAlgorithm is what new keys of a purpose are for. Clients of service tokens read
// the public key as RSA.
func (s *Service) keyAlgorithm(p Purpose) string {
	switch p {
	case PurposeServiceToken:
		return RS256
	case PurposeInstance:
		return ES256
	}
	return cmp.Or(s.policy.Keys.Algorithm, ES256)
}

func (s *Service) longestToken() time.Duration {
	return max(longestToken, s.policy.UserLifetime, s.policy.AccountLifetime)
}

func (s *Service) carryOut(tx Tx, plan keyPlan, successor SigningKey, now time.Time) error {
	for _, id := range plan.erase {
		if err := tx.EraseSigningKey(id); err != nil {
			return err
		}
	}
	for _, k := range plan.retire {
		if err := s.retire(tx, tenants.Caller{}, k, now, "over"); err != nil {
			return err
		}
	}
	if !plan.create || successor.ID == "" {
		return nil
	}
	successor.SignsFrom = plan.signsFrom
	return s.create(tx, tenants.Caller{}, successor)
}

// newKey makes a key that says nothing yet of when it signs.
func (s *Service) newKey(p Purpose, now time.Time) (SigningKey, error) {
	public, private, err := newPair(s.keyAlgorithm(p))
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{
		ID: keyPrefix(s.site) + secret.Base62(16), Purpose: p, Algorithm: s.keyAlgorithm(p),
		Public: public, Private: s.keys.Seal(sealedFor(p), private), CreatedAt: now,
	}, nil
}

// keyPrefix is what ids of a site's keys begin with.
func keyPrefix(site tenants.SiteID) string { return string(site) + "." }

func (s *Service) create(tx Tx, by tenants.Caller, k SigningKey) error {
	if err := tx.CreateSigningKey(k); err != nil {
		return err
	}
	return tx.Record(keyEntry(by, k.CreatedAt, journal.KeyCreated, k, map[string]string{
		"purpose": string(k.Purpose), "algorithm": k.Algorithm, "signsFrom": k.SignsFrom.Format(time.RFC3339),
	}))
}

func (s *Service) retire(tx Tx, by tenants.Caller, k SigningKey, now time.Time, why string) error {
	retired, err := tx.RetireSigningKey(k.ID, now)
	if err != nil || !retired {
		return err
	}
	return tx.Record(keyEntry(by, now, journal.KeyRetired, k, map[string]string{"purpose": string(k.Purpose), "why": why}))
}

func keyEntry(by tenants.Caller, at time.Time, action journal.Action, k SigningKey, detail map[string]string) journal.Entry {
	actor := by.Actor()
	if by.Principal.ID == "" {
		actor = journal.System
	}
	return journal.Entry{
		At: at, Org: string(tenants.SystemOrgID), Actor: actor, Action: action,
		Subject:   journal.Subject{Kind: journal.KindKey, ID: k.ID, Name: string(k.Purpose)},
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
