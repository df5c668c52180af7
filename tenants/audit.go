package tenants

import (
	"context"

	"causeway/internal/journal"
)

// Audit lists what was done in org, from the journal.
func (s *Service) Audit(ctx context.Context, org OrgID, q Query) (list []journal.Row, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.Audit(org, q)
		return err
	})
	return list, total, err
}
