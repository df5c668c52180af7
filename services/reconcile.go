package services

import (
	"context"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Reconcile makes accounts agree with roles where time alone has changed what counts:
// roles that have ended. It returns how many instances it settled.
func (s *Service) Reconcile(ctx context.Context) (settled int, err error) {
	all, err := s.EveryInstance(ctx)
	if err != nil {
		return 0, err
	}
	list, err := s.Definitions(ctx)
	if err != nil {
		return 0, err
	}
	definitions := map[DefinitionID]Definition{}
	for _, d := range list {
		definitions[d.ID] = d
	}
	for _, in := range all {
		off, err := s.disagrees(ctx, in, definitions[in.Definition])
		if err == nil && off {
			settled++
			now := s.clock()
			err = s.store.InTx(ctx, func(tx Tx) error { return settleInstance(tx, in, tenants.Caller{}, now) })
		}
		if err != nil && !problem.Has(err, problem.NotFound) { // it was deleted
			return settled, err
		}
	}
	return settled, nil
}

// disagrees reports whether the accounts of an instance are not those of the apps with
// a role there.
func (s *Service) disagrees(ctx context.Context, in ServiceInstance, d Definition) (off bool, err error) {
	now := s.clock()
	err = s.store.View(ctx, func(r Reader) error {
		held, err := r.HeldOn(in.Org, in.Definition, in.ID)
		if err != nil {
			return err
		}
		live, err := liveAccounts(r, in)
		if err != nil {
			return err
		}
		off = !sameApps(held, live, d, in, now)
		return nil
	})
	return off, err
}

func sameApps(held []Held, live []InstanceAccount, d Definition, in ServiceInstance, now time.Time) bool {
	wanted := map[Holder]bool{}
	for _, h := range held {
		if in.takesApps() && h.Kind == tenants.KindApp && len(h.ServiceRoles(d, in.ID, now)) > 0 {
			wanted[h.Holder] = true
		}
	}
	for _, a := range live {
		if a.Manual() {
			continue
		}
		if !wanted[a.App] {
			return false
		}
		delete(wanted, a.App)
	}
	return len(wanted) == 0
}
