package tenants

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// QuotaHolder is what a quota policy can be assigned to. Kind is that of its
// URN; Name is for the records.
type QuotaHolder struct {
	Kind string
	ID   string
	Name string
}

// Kinds of QuotaHolder.
const (
	HolderUser         = "user"
	HolderAccount      = "serviceAccount"
	HolderOrganization = "org"
)

// QuotaHeld returns the policy that h holds, or problem.NotFound if there is no
// such holder in org. The zero policy is none.
func (s *Service) QuotaHeld(ctx context.Context, org OrgID, h QuotaHolder) (p QuotaPolicy, err error) {
	now := s.clock()
	err = s.store.View(ctx, func(r Reader) error {
		id, err := held(r, org, h, now)
		if err != nil || id == "" {
			return err
		}
		p, err = r.QuotaPolicy(org, id)
		return err
	})
	return p, err
}

func held(r Reader, org OrgID, h QuotaHolder, now time.Time) (QuotaPolicyID, error) {
	switch h.Kind {
	case HolderUser:
		u, err := r.User(org, UserID(h.ID), now)
		return u.Quota, err
	case HolderAccount:
		return r.AccountQuota(org, h.ID)
	case HolderOrganization:
		if OrgID(h.ID) != org {
			return "", problem.Hidden()
		}
		o, err := r.Organization(org)
		return o.Quota, err
	}
	return "", problem.Hidden()
}

// AssignQuota gives h the policy, or none if it is empty, and returns the task
// that tells so. An organization's own quota is the provider's to grant: it would
// bound nothing if the organization's administrators could lift it.
func (s *Service) AssignQuota(ctx context.Context, by Caller, org OrgID, h QuotaHolder, policy QuotaPolicyID) (Task, error) {
	if h.Kind == HolderOrganization && !by.Principal.Provider() {
		return Task{}, problem.New(problem.Forbidden, "Only the provider assigns a quota policy to an organization.")
	}
	now := s.clock()
	task := DoneTask(by, org, now, "quotaPolicyAssign", "Assigned a quota policy to "+h.Kind+" "+h.Name, TaskEntity(h))
	err := s.change(ctx, by, func(tx Tx) error {
		before, err := held(tx, org, h, now)
		if err != nil {
			return err
		}
		if err := assign(tx, org, h, policy); err != nil {
			return err
		}
		if before != policy {
			detail := map[string]string{"quotaPolicy.old": string(before), "quotaPolicy.new": string(policy)}
			if err := record(tx, by, now, org, journal.QuotaPolicyAssigned, h.subject(), detail); err != nil {
				return err
			}
		}
		return tx.CreateTask(task)
	})
	return task, err
}

func assign(tx Tx, org OrgID, h QuotaHolder, policy QuotaPolicyID) (err error) {
	switch h.Kind {
	case HolderUser:
		err = tx.SetUserQuota(org, UserID(h.ID), policy)
	case HolderAccount:
		err = tx.SetAccountQuota(org, h.ID, policy)
	default:
		err = tx.SetOrganizationQuota(org, policy)
	}
	if problem.Has(err, problem.NotFound) { // the holder was there a moment ago
		return problem.New(problem.BadRequest, "The organization has no such quota policy.")
	}
	return err
}

// subject is the holder and not the policy, so that caches that know the holder
// follow.
func (h QuotaHolder) subject() journal.Subject {
	kind := map[string]string{
		HolderUser: journal.KindUser, HolderAccount: journal.KindAccount, HolderOrganization: journal.KindOrganization,
	}[h.Kind]
	return journal.Subject{Kind: kind, ID: h.ID, Name: h.Name}
}
