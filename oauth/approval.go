package oauth

import (
	"context"
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

// LookUp finds the open request of org that belongs to a user code. Unknown,
// expired, answered and another organization's codes are all
// problem.UnknownUserCode.
func (s *Service) LookUp(ctx context.Context, org *tenants.Snapshot, userCode string) (AccessRequest, error) {
	now := s.clock()
	var found AccessRequest
	err := s.store.View(ctx, func(r Reader) (err error) {
		if found.Request, err = s.pending(r, org, userCode, now); err != nil {
			return err
		}
		if found.Account, err = r.ServiceAccount(org.ID, found.Request.Account, now); err != nil {
			return withAccount(err)
		}
		open, err := r.OpenDevices(org.ID, found.Account.ID, now)
		for _, d := range open {
			if d.ID != found.Request.ID {
				found.Parallel++
			}
		}
		return err
	})
	if err != nil {
		return AccessRequest{}, err
	}
	found.RoleName, _ = org.RoleName(found.Account.Role)
	found.Rights = org.MachineRights(found.Account.Role)
	return found, nil
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
	return s.decide(ctx, by, org, userCode, DeviceGranted, journal.DeviceGranted)
}

// Deny refuses the request; the app's next poll is access_denied.
func (s *Service) Deny(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode string) error {
	return s.decide(ctx, by, org, userCode, DeviceDenied, journal.DeviceDenied)
}

func (s *Service) decide(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, userCode string, to DeviceState, action journal.Action) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		d, err := s.pending(tx, org, userCode, now)
		if err != nil {
			return err
		}
		account, err := held(tx, org.ID, d.Account, now)
		if err != nil {
			return withAccount(err)
		}
		if to == DeviceGranted {
			role, err := tx.Role(org.ID, account.Role)
			if problem.Has(err, problem.NotFound) { // whatever it allows once it is published again
				err = problem.New(problem.Forbidden, "The account's role is no longer published to organization %s.", org.Name)
			}
			if err != nil {
				return err
			}
			if err := tenants.MayGive(tx, by.Principal, role, tenants.KindServiceAccount); err != nil {
				return err
			}
		}
		moved, err := tx.MoveDevice(org.ID, d.ID, DevicePending, to, now)
		if err != nil {
			return err
		}
		if !moved { // somebody else answered in between
			return unknownUserCode()
		}
		return tx.Record(entry(now, by, account, action, map[string]string{
			"deviceRequest": d.ID, "requester": d.Address, "userAgent": d.UserAgent,
		}))
	})
}
