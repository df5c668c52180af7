package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// AccessRequest is what an administrator sees before saying yes (VCD-80). It
// holds no code.
type AccessRequest struct {
	Request  DeviceRequest
	Account  ServiceAccount
	RoleName string
	Rights   []tenants.Right // what the account could do
	Parallel int             // other open requests of the same account
}

// Shown is a digest of what matters to say yes: it changes when the account or what
// it could do does, see [Service.GrantShown].
func (a AccessRequest) Shown() string {
	body, _ := json.Marshal([]any{ // strings always marshal
		a.Request.ID, a.Request.Address, a.Request.UserAgent, a.Account.ID, a.Account.Org, a.Account.Name,
		a.Account.SoftwareID, a.Account.SoftwareVersion, a.Account.URI, a.Account.Role, a.RoleName, a.Rights,
	})
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// LookUp finds the open request of org that belongs to a user code. Unknown,
// expired, answered and another organization's codes are all
// problem.UnknownUserCode.
func (s *Service) LookUp(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode string) (found AccessRequest, err error) {
	now := s.clock()
	err = s.tried(ctx, by, org, func() error {
		return s.store.View(ctx, func(r Reader) (err error) {
			request, err := s.pending(r, org, userCode, now)
			if err != nil {
				return err
			}
			account, err := r.ServiceAccount(org.ID, request.Account, now)
			if err != nil {
				return withAccount(err)
			}
			if found, err = about(r, request, account); err != nil {
				return err
			}
			found.Parallel, err = others(r, request, now)
			return err
		})
	})
	if err != nil {
		return AccessRequest{}, err
	}
	return found, nil
}

// about says what granting a request would allow, by what the database says.
func about(r Reader, request DeviceRequest, account ServiceAccount) (AccessRequest, error) {
	found := AccessRequest{Request: request, Account: account}
	role, err := r.Role(account.Org, account.Role)
	if problem.Has(err, problem.NotFound) { // no longer published, and allows nothing
		return found, nil
	}
	if err != nil {
		return found, err
	}
	found.RoleName = role.Name
	found.Rights, err = tenants.Allowed(r, role, tenants.KindServiceAccount)
	return found, err
}

// others counts the open requests of the same account.
func others(r Reader, request DeviceRequest, now time.Time) (n int, err error) {
	open, err := r.OpenDevices(request.Org, request.Account, now)
	for _, d := range open {
		if d.ID != request.ID {
			n++
		}
	}
	return n, err
}

func (s *Service) pending(r Reader, org *tenants.Snapshot, userCode string, now time.Time) (DeviceRequest, error) {
	code, ok := secret.NormalizeUserCode(userCode)
	if !ok {
		return DeviceRequest{}, unknownUserCode()
	}
	d, err := r.DeviceByUserCode(org.ID, s.digest(digestUser, code), now)
	if problem.Has(err, problem.NotFound) || (err == nil && d.State != DevicePending) {
		return DeviceRequest{}, unknownUserCode()
	}
	return d, err
}

func unknownUserCode() error {
	return problem.New(problem.UnknownUserCode, "No open access request has this user code.")
}

// withAccount makes of an account that was deleted since its request was found
// what it would be a moment later: the request went with it.
func withAccount(err error) error {
	if problem.Has(err, problem.NotFound) {
		return unknownUserCode()
	}
	return err
}

// Grant lets the holder of the matching device code fetch tokens, once. The
// grantor must hold every right the account would have.
func (s *Service) Grant(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode string) error {
	return s.decide(ctx, by, org, userCode, decision{DeviceGranted, journal.DeviceGranted, s.mayGrant})
}

// GrantShown is Grant for who was shown what shown is the digest of. When that
// changed meanwhile it is problem.Conflict: yes was said to something else (R2). It
// tells whose request it was.
func (s *Service) GrantShown(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode, shown string) (granted ClientID, err error) {
	check := func(tx Tx, by tenants.Caller, org *tenants.Snapshot, d DeviceRequest, account ServiceAccount) error {
		found, err := about(tx, d, account)
		if err != nil {
			return err
		}
		if found.Shown() != shown {
			return problem.New(problem.Conflict, "The request or its account was changed since it was looked up.")
		}
		granted = account.ID
		return s.mayGrant(tx, by, org, d, account)
	}
	err = s.decide(ctx, by, org, userCode, decision{DeviceGranted, journal.DeviceGranted, check})
	return granted, err
}

// Deny refuses the request; the app's next poll is access_denied.
func (s *Service) Deny(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode string) error {
	anybody := func(Tx, tenants.Caller, *tenants.Snapshot, DeviceRequest, ServiceAccount) error { return nil }
	return s.decide(ctx, by, org, userCode, decision{DeviceDenied, journal.DeviceDenied, anybody})
}

// decision is an answer to a request, and who may give it.
type decision struct {
	to     DeviceState
	action journal.Action
	check  func(Tx, tenants.Caller, *tenants.Snapshot, DeviceRequest, ServiceAccount) error
}

func (s *Service) mayGrant(tx Tx, by tenants.Caller, org *tenants.Snapshot, _ DeviceRequest, account ServiceAccount) error {
	role, err := tx.Role(org.ID, account.Role)
	if problem.Has(err, problem.NotFound) { // whatever it allows once it is published again
		err = problem.New(problem.Forbidden, "The account's role is no longer published to organization %s.", org.Name)
	}
	if err != nil {
		return err
	}
	return tenants.MayGive(tx, by.Principal, role, tenants.KindServiceAccount)
}

func (s *Service) decide(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode string, what decision) error {
	now := s.clock()
	return s.tried(ctx, by, org, func() error {
		return s.change(ctx, by, func(tx Tx) error {
			d, err := s.pending(tx, org, userCode, now)
			if err != nil {
				return err
			}
			account, err := held(tx, org.ID, d.Account, now)
			if err != nil {
				return withAccount(err)
			}
			if err := what.check(tx, by, org, d, account); err != nil {
				return err
			}
			moved, err := tx.MoveDevice(org.ID, d.ID, DevicePending, what.to, now)
			if err != nil {
				return err
			}
			if !moved { // somebody else answered in between
				return unknownUserCode()
			}
			return tx.Record(entry(now, by, account, what.action, map[string]string{
				"deviceRequest": d.ID, "requester": d.Address, "userAgent": d.UserAgent,
			}))
		})
	})
}
