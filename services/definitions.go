package services

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Definitions lists all service definitions, by name.
func (s *Service) Definitions(ctx context.Context) (list []Definition, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, err = r.Definitions()
		return err
	})
	return list, err
}

// Definition reads one.
func (s *Service) Definition(ctx context.Context, id DefinitionID) (d Definition, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		d, err = r.Definition(id)
		return err
	})
	return d, err
}

// CreateDefinition keeps a definition of the provider's. It may bring its id along,
// to be the same at several sites.
func (s *Service) CreateDefinition(ctx context.Context, by tenants.Caller, d Definition) (Definition, error) {
	if d.ID == "" {
		d.ID = DefinitionID(tenants.NewID())
	}
	return s.put(ctx, by, d, func(tx Tx) error {
		_, err := tx.Definition(d.ID)
		switch {
		case err == nil:
			return problem.New(problem.DuplicateName, "There is a service definition with this id.")
		case problem.Has(err, problem.NotFound):
			return nil
		}
		return err
	})
}

// ReplaceDefinition changes a definition of the provider's. What it permits changes at
// once, in all instances.
func (s *Service) ReplaceDefinition(ctx context.Context, by tenants.Caller, d Definition) (Definition, error) {
	var before Definition
	d, err := s.put(ctx, by, d, func(tx Tx) (err error) {
		if before, err = tx.Definition(d.ID); err != nil {
			return err
		}
		return notOurs(before)
	})
	if err != nil || sameRoles(before, d) {
		return d, err
	}
	return d, s.settleAll(ctx, by, d.ID)
}

func (s *Service) put(ctx context.Context, by tenants.Caller, d Definition, check func(Tx) error) (Definition, error) {
	if err := CheckDefinition(d); err != nil {
		return Definition{}, err
	}
	now := s.clock()
	d.BuiltIn, d.UpdatedAt = false, now
	err := s.change(ctx, by, now, func(tx Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		return putDefinition(tx, by, d, now)
	})
	return d, err
}

func putDefinition(tx Tx, by tenants.Caller, d Definition, now time.Time) error {
	if err := tx.PutDefinition(d); err != nil {
		return err
	}
	return tx.Record(entry(by, now, tenants.SystemOrgID, journal.DefinitionPut, d.subject(), map[string]string{
		"version": strconv.Itoa(d.Version), "permissions": strconv.Itoa(len(d.Permissions)),
		"roles": strconv.Itoa(len(d.Roles)), "routes": strconv.Itoa(len(d.Routes)),
	}))
}

// DeleteDefinition is problem.Conflict while there are instances of it.
func (s *Service) DeleteDefinition(ctx context.Context, by tenants.Caller, id DefinitionID) error {
	now := s.clock()
	return s.change(ctx, by, now, func(tx Tx) error {
		d, err := tx.Definition(id)
		if err != nil {
			return err
		}
		if err := notOurs(d); err != nil {
			return err
		}
		if err := tx.DeleteDefinition(id); err != nil {
			return err
		}
		return tx.Record(entry(by, now, tenants.SystemOrgID, journal.DefinitionDeleted, d.subject(), nil))
	})
}

func notOurs(d Definition) error {
	if d.BuiltIn {
		return problem.New(problem.Forbidden, "The service definition %s ships with the gateway and cannot be changed.", d.Name)
	}
	return nil
}

func (d Definition) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindDefinition, ID: string(d.ID), Name: d.Name}
}

// PutBuiltIn keeps the definitions that ship with us, where what is kept is older. A
// cell of an older version leaves alone what a newer one wrote.
func (s *Service) PutBuiltIn(ctx context.Context) error {
	list, err := BuiltIn()
	if err != nil {
		return err
	}
	for _, d := range list {
		changed, err := s.putOwn(ctx, d)
		if err != nil {
			return err
		}
		if changed {
			if err := s.settleAll(ctx, tenants.Caller{}, d.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// putOwn reports whether roles changed that somebody may hold.
func (s *Service) putOwn(ctx context.Context, d Definition) (changed bool, err error) {
	now := s.clock()
	d.UpdatedAt = now
	err = s.change(ctx, tenants.Caller{}, now, func(tx Tx) error {
		changed = false
		before, err := tx.Definition(d.ID)
		switch {
		case problem.Has(err, problem.NotFound):
		case err != nil:
			return err
		case before.Version >= d.Version:
			return nil
		default:
			changed = !sameRoles(before, d)
		}
		return putDefinition(tx, tenants.Caller{}, d, now)
	})
	return changed, err
}

func sameRoles(a, b Definition) bool {
	names := func(d Definition) []string {
		list := make([]string, 0, len(d.Roles))
		for _, r := range d.Roles {
			list = append(list, r.Name)
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(names(a), names(b))
}

// settleAll settles all instances of a definition, each in a transaction of its own:
// what their roles permit is right already, and [Service.Reconcile] finds what a crash
// leaves.
func (s *Service) settleAll(ctx context.Context, by tenants.Caller, id DefinitionID) error {
	all, err := s.EveryInstance(ctx)
	if err != nil {
		return err
	}
	for _, in := range all {
		if in.Definition != id {
			continue
		}
		now := s.clock()
		err := s.store.InTx(ctx, func(tx Tx) error { return settleInstance(tx, in, by, now) })
		if err != nil && !problem.Has(err, problem.NotFound) { // it was deleted
			return err
		}
	}
	return nil
}

// settleInstance settles everybody who holds or may have held a role in an instance.
func settleInstance(tx Tx, in ServiceInstance, by tenants.Caller, now time.Time) error {
	if err := tx.LockOrganization(in.Org); err != nil {
		return err
	}
	holders, err := appsOn(tx, in)
	if err != nil {
		return err
	}
	for _, h := range holders {
		err := tx.LockHolder(in.Org, h)
		if err != nil && !problem.Has(err, problem.NotFound) {
			return err
		}
		if err := Settle(tx, in.Org, h, by, now); err != nil {
			return err
		}
	}
	return nil
}

// appsOn are the apps with a grant that concerns an instance or with an account in it,
// in the order in which everybody locks them.
func appsOn(r Reader, in ServiceInstance) ([]Holder, error) {
	held, err := r.HeldOn(in.Org, in.Definition, in.ID)
	if err != nil {
		return nil, err
	}
	var holders []Holder
	for _, h := range held {
		if h.Kind == tenants.KindApp {
			holders = append(holders, h.Holder)
		}
	}
	live, err := liveAccounts(r, in)
	if err != nil {
		return nil, err
	}
	for _, a := range live {
		if !a.Manual() {
			holders = append(holders, a.App)
		}
	}
	slices.SortFunc(holders, func(a, b Holder) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.ID, b.ID))
	})
	return slices.Compact(holders), nil
}

// liveAccounts are all accounts that live in an instance.
func liveAccounts(r Reader, in ServiceInstance) (all []InstanceAccount, err error) {
	for page := 1; ; page++ {
		some, total, err := r.InstanceAccounts(in.Org, in.ID, onlyLive(tenants.Query{Page: page, PageSize: everyPage}))
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(all) >= total || len(some) == 0 {
			return all, nil
		}
	}
}

// onlyLive leaves ended accounts out of a list.
func onlyLive(q tenants.Query) tenants.Query {
	if q.Where != "" {
		q.Where = "(" + q.Where + ") AND "
	}
	q.Where += "ended_at = ?"
	q.Args = append(slices.Clone(q.Args), int64(0))
	return q
}
