package services

import (
	"context"

	"causeway/tenants"
)

// DefinitionUses is who would notice a change of a definition.
type DefinitionUses struct {
	Instances []ServiceInstance
	// Holders counts, by role, the apps and people of the instances' organizations
	// that hold it.
	Holders map[string]int
}

// DefinitionUses tells who would notice a change of a definition. Provider only.
func (s *Service) DefinitionUses(ctx context.Context, id DefinitionID) (DefinitionUses, error) {
	var u DefinitionUses
	type held struct {
		org  tenants.OrgID
		who  Holder
		role string
	}
	err := s.store.View(ctx, func(r Reader) error {
		u = DefinitionUses{Holders: map[string]int{}}
		every, err := r.EveryInstance()
		if err != nil {
			return err
		}
		seen := map[held]bool{}
		for _, in := range every {
			if in.Definition != id {
				continue
			}
			u.Instances = append(u.Instances, in)
			holders, err := r.HeldOn(in.Org, id, in.ID)
			if err != nil {
				return err
			}
			for _, h := range holders {
				for _, g := range h.Grants {
					if g.onInstance(id, in.ID) {
						seen[held{in.Org, h.Holder, g.Role}] = true
					}
				}
			}
		}
		for one := range seen {
			u.Holders[one.role]++
		}
		return nil
	})
	return u, err
}

// InstanceUses is what ends with an instance.
type InstanceUses struct {
	Apps, Manual int // accounts that live in it
	Grants       int // roles that were given on it alone
}

// InstanceUses tells what ends with an instance. Provider only.
func (s *Service) InstanceUses(ctx context.Context, org tenants.OrgID, id InstanceID) (u InstanceUses, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		u = InstanceUses{}
		in, err := r.ServiceInstance(org, id)
		if err != nil {
			return err
		}
		live, err := liveAccounts(r, in)
		if err != nil {
			return err
		}
		for _, a := range live {
			if a.Manual() {
				u.Manual++
			} else {
				u.Apps++
			}
		}
		holders, err := r.HeldOn(org, in.Definition, id)
		if err != nil {
			return err
		}
		for _, h := range holders {
			for _, g := range h.Grants {
				if g.onInstance(in.Definition, id) && g.Resource != "" {
					u.Grants++
				}
			}
		}
		return nil
	})
	return u, err
}
