package apps

import (
	"context"
	"slices"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// MostDeleted is how many apps one request deletes.
const MostDeleted = 15

// Delete deletes apps of org, each by itself: its secret and tokens are refused, and
// it is gone from every organization, when this returns. failed are those that were
// not deleted, and why.
func (s *Service) Delete(ctx context.Context, by tenants.Caller, org tenants.OrgID, ids []ID) (succeeded []ID, failed []Failure, err error) {
	if len(ids) == 0 || len(ids) > MostDeleted {
		return nil, nil, problem.New(problem.BadRequest, "1 to %d apps are deleted at once.", MostDeleted)
	}
	if err := s.asManager(ctx, by, org, func(Tx, services.Standing) error { return nil }); err != nil {
		return nil, nil, err
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		err := s.DeleteOne(ctx, by, org, id)
		switch p := problem.As(err); {
		case err == nil:
			succeeded = append(succeeded, id)
		case p != nil && p.Code.Row().Status < 500:
			failed = append(failed, Failure{ID: string(id), Err: p})
		default:
			return nil, nil, err
		}
	}
	return succeeded, failed, nil
}

// DeleteOne deletes one app of org.
func (s *Service) DeleteOne(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID) error {
	now := s.clock()
	return s.asManager(ctx, by, org, func(tx Tx, standing services.Standing) error {
		_, a, err := judged(tx, standing, by, org, id, now)
		if err != nil {
			return err
		}
		orgs, err := tx.MemberOf(id)
		if err != nil {
			return err
		}
		if err := tx.DeleteApp(org, id); err != nil {
			return err
		}
		for _, o := range orgs {
			if err := services.Settle(tx, o, holder(id), by, now); err != nil {
				return err
			}
			if o == org {
				continue
			}
			if err := tx.Record(a.entry(now, by, o, journal.AppDeleted, map[string]string{"owner": string(org)})); err != nil {
				return err
			}
		}
		return tx.Record(a.entry(now, by, org, journal.AppDeleted, nil))
	})
}
