package oauth

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Account returns one account of org.
func (s *Service) Account(ctx context.Context, org tenants.OrgID, id ClientID) (a ServiceAccount, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		a, err = r.ServiceAccount(org, id, s.clock())
		return err
	})
	return a, err
}

// AccountOrg tells which organization owns an account, for providers who name
// it by id alone.
func (s *Service) AccountOrg(ctx context.Context, id ClientID) (org tenants.OrgID, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		org, err = r.AccountOrg(id)
		return err
	})
	return org, err
}

// Counterpart is the account in org that stands for the same software as one at
// another site or organization: same name and same software id (VCD-38). The
// error says which of the two fails; only authenticated principals of associated
// organizations get to see it.
func (s *Service) Counterpart(ctx context.Context, org tenants.OrgID, name, softwareID string) (tenants.Principal, error) {
	var a ServiceAccount
	var quota string
	err := s.store.View(ctx, func(r Reader) (err error) {
		if a, err = r.ServiceAccountByName(org, name, s.clock()); err != nil {
			return err
		}
		quota, err = tenants.PinQuota(r, org, a.Quota)
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return tenants.Principal{}, problem.New(problem.Forbidden, "The fulfilling organization has no service account named %q.", name).
			With(problem.FactReason, problem.ReasonNoCounter)
	}
	if err != nil {
		return tenants.Principal{}, err
	}
	if a.SoftwareID != softwareID {
		return tenants.Principal{}, problem.New(problem.Forbidden, "The fulfilling organization's service account %q has another software ID.", name).
			With(problem.FactReason, problem.ReasonNoCounter)
	}
	now, err := tenants.ParseQuota(quota)
	return tenants.Principal{
		Kind: tenants.KindServiceAccount, ID: string(a.ID), Name: a.Name, SoftwareID: a.SoftwareID, Org: a.Org, Role: a.Role, Quota: now,
	}, err
}

// Accounts returns a page of org's accounts and the number on all pages.
func (s *Service) Accounts(ctx context.Context, org tenants.OrgID, q tenants.Query) (list []ServiceAccount, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.ServiceAccounts(org, q, s.clock())
		return err
	})
	return list, total, err
}

// Edit is what may be changed of an account (VCD-88). Running sessions keep what
// they were issued under until the next refresh (VCD-89).
type Edit struct {
	Role            tenants.RoleID
	SoftwareID      string
	SoftwareVersion string
	URI             string
}

// Update changes an account.
func (s *Service) Update(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, id ClientID, e Edit) (ServiceAccount, error) {
	var after ServiceAccount
	now := s.clock()
	err := s.change(ctx, by, func(tx Tx) error {
		before, err := held(tx, org.ID, id, now)
		if err != nil {
			return err
		}
		if err := mayRule(tx, by, before); err != nil {
			return err
		}
		after = before
		after.Role, after.SoftwareID, after.SoftwareVersion, after.URI = e.Role, e.SoftwareID, e.SoftwareVersion, e.URI
		if err := validSoftware(after); err != nil {
			return err
		}
		role, err := tx.Role(org.ID, after.Role)
		if problem.Has(err, problem.NotFound) {
			return problem.New(problem.BadRequest, "Organization %s has no such role.", org.Name)
		}
		if err != nil {
			return err
		}
		if err := tenants.MayGive(tx, by.Principal, role, tenants.KindServiceAccount); err != nil {
			return err
		}
		if err := tx.UpdateServiceAccount(after); err != nil {
			return err
		}
		return tx.Record(entry(now, by, after, journal.AccountUpdated, changes(before, after)))
	})
	return after, err
}

// changes lists old and new values of what an edit changed (VCD-51).
func changes(before, after ServiceAccount) map[string]string {
	return tenants.Changed(map[string][2]string{
		"role":            {string(before.Role), string(after.Role)},
		"softwareId":      {before.SoftwareID, after.SoftwareID},
		"softwareVersion": {before.SoftwareVersion, after.SoftwareVersion},
		"uri":             {before.URI, after.URI},
	})
}

// held reads an account and holds it until the end of the transaction: what is
// decided by the role it has stays true.
func held(tx Tx, org tenants.OrgID, id ClientID, now time.Time) (ServiceAccount, error) {
	if err := tx.LockServiceAccount(org, id); err != nil {
		return ServiceAccount{}, err
	}
	return tx.ServiceAccount(org, id, now)
}

// TakeOwnership makes the caller answer for an account from now on. Accounts
// belong to their organization, so there is nothing to move: the journal names
// who took over.
func (s *Service) TakeOwnership(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, id ClientID) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		a, err := held(tx, org.ID, id, now)
		if err != nil {
			return err
		}
		if err := mayRule(tx, by, a); err != nil {
			return err
		}
		return tx.Record(entry(now, by, a, journal.AccountTakenOver, nil))
	})
}

// Revoke ends an account's token and all its sessions; the account stays and an
// open request stays open (VCD-90…93). It succeeds on an account without a
// token, too: clients revoke right after they create.
func (s *Service) Revoke(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ClientID) error {
	return s.end(ctx, by, org, id, revoke)
}

// Delete removes an account and ends everything that hung on it.
func (s *Service) Delete(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ClientID) error {
	return s.end(ctx, by, org, id, func(tx Tx, by tenants.Caller, a ServiceAccount, now time.Time) error {
		if err := endTokens(tx, a, now); err != nil {
			return err
		}
		if err := tx.DeleteServiceAccount(org, id, now); err != nil {
			return err
		}
		return tx.Record(entry(now, by, a, journal.AccountDeleted, nil))
	})
}

func (s *Service) end(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ClientID, how func(Tx, tenants.Caller, ServiceAccount, time.Time) error) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		a, err := held(tx, org, id, now)
		if err != nil {
			return err
		}
		return how(tx, by, a, now)
	})
}

// revoke ends what gives access in the name of an account that is held.
func revoke(tx Tx, by tenants.Caller, a ServiceAccount, now time.Time) error {
	if err := endAccess(tx, a, now); err != nil {
		return err
	}
	return tx.Record(entry(now, by, a, journal.AccountRevoked, nil))
}

// endAccess ends what an account holds and what was granted to it.
func endAccess(tx Tx, a ServiceAccount, now time.Time) error {
	if err := endTokens(tx, a, now); err != nil {
		return err
	}
	open, err := tx.OpenDevices(a.Org, a.ID, now)
	if err != nil {
		return err
	}
	// A granted request would turn into a token by itself.
	for _, d := range open {
		if d.State == DeviceGranted {
			if _, err := tx.MoveDevice(a.Org, d.ID, DeviceGranted, DeviceDead, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func endTokens(tx Tx, a ServiceAccount, now time.Time) error {
	if err := tx.RevokeFamilies(a.Org, a.ID, now); err != nil {
		return err
	}
	return tx.EndSessionsOf(a.Org, tenants.KindServiceAccount, string(a.ID), now)
}
