package services

import (
	"context"
	"regexp"
	"strings"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// manualPrefix begins the id of an account that was made by hand.
const manualPrefix = "sa::"

// manualName is what follows it: an account's name is in lower case, however it was
// written.
var manualName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,99}$`)

// The group that all accounts of an instance are in, and nobody else (CSP-19). It has
// no roles and no permissions, and is as it is.
const (
	AccountsGroup     = "service-accounts"
	AccountsGroupName = "Service Accounts"
)

// maxManual is how many accounts made by hand an instance can have.
const maxManual = 1000

// ParseManual reads the name of an account made by hand, with or without its prefix.
func ParseManual(name string) (string, error) {
	name = strings.TrimPrefix(strings.ToLower(name), manualPrefix)
	if !manualName.MatchString(name) {
		return "", problem.New(problem.BadRequest, "The name of a service account is sa:: and up to 100 letters, digits, dots, dashes, underscores and at-signs.").In("id")
	}
	return manualPrefix + name, nil
}

// CreateAccount makes a service account in an instance by hand. It stands for itself
// there and holds no roles; no two of an organization are ever called alike, since
// rules of an instance may name one that has ended.
func (s *Service) CreateAccount(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, name string) (a InstanceAccount, err error) {
	name, err = ParseManual(name)
	if err != nil {
		return InstanceAccount{}, err
	}
	err = s.changeAccounts(ctx, by, org, id, func(tx Tx, in ServiceInstance, r run) error {
		_, total, err := tx.InstanceAccounts(org, id, onlyLive(tenants.Query{Where: "kind = ?", Args: []any{"manual"}, Page: 1, PageSize: 1}))
		if err != nil {
			return err
		}
		if total >= maxManual {
			return problem.New(problem.BadRequest, "An instance has at most %d service accounts made by hand.", maxManual)
		}
		a = InstanceAccount{Org: org, ID: name, Instance: id, Name: name, CreatedAt: r.now, Hook: in.newHook(r.now)}
		if err := tx.CreateAccount(a); err != nil {
			return err
		}
		return tx.Record(entry(by, r.now, org, journal.InstAccountCreated, a.subject(), a.detail()))
	})
	return a, err
}

// EndAccount ends an account that was made by hand. One of an app ends with the roles
// of the app.
func (s *Service) EndAccount(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, account string) error {
	return s.changeAccounts(ctx, by, org, id, func(tx Tx, in ServiceInstance, r run) error {
		a, err := accountIn(tx, org, id, account)
		switch {
		case err != nil:
			return err
		case !a.Manual():
			return problem.New(problem.Conflict, "The account follows the roles of the app %s.", a.App.ID)
		}
		return endAccount(tx, a, []ServiceInstance{in}, by, r.now)
	})
}

// accountIn finds a live account of an instance.
func accountIn(r Reader, org tenants.OrgID, in InstanceID, account string) (InstanceAccount, error) {
	list, _, err := r.InstanceAccounts(org, in, onlyLive(tenants.Query{Where: "id = ?", Args: []any{account}, Page: 1, PageSize: 1}))
	if err != nil {
		return InstanceAccount{}, err
	}
	if len(list) == 0 {
		return InstanceAccount{}, problem.Hidden()
	}
	return list[0], nil
}

// Accounts lists the live accounts of an instance: those of its apps and those made by
// hand, which are the subjects that its own rules can name (CSP-20).
func (s *Service) Accounts(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, q tenants.Query) (list []InstanceAccount, total int, err error) {
	err = s.viewOrg(ctx, by, org, func(r Reader) error {
		if _, err := r.ServiceInstance(org, id); err != nil {
			return err
		}
		list, total, err = r.InstanceAccounts(org, id, onlyLive(q))
		return err
	})
	return list, total, err
}

// Account reads one that lives.
func (s *Service) Account(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, account string) (a InstanceAccount, err error) {
	err = s.viewOrg(ctx, by, org, func(r Reader) error {
		a, err = accountIn(r, org, id, account)
		return err
	})
	return a, err
}

// OrgInstances lists an organization's instances for its members and apps.
func (s *Service) OrgInstances(ctx context.Context, by tenants.Caller, org tenants.OrgID, q tenants.Query) (list []ServiceInstance, total int, err error) {
	err = s.viewOrg(ctx, by, org, func(r Reader) error {
		list, total, err = r.ServiceInstances(org, q)
		return err
	})
	return list, total, err
}

// OrgInstance reads one of them.
func (s *Service) OrgInstance(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID) (in ServiceInstance, err error) {
	err = s.viewOrg(ctx, by, org, func(r Reader) error {
		in, err = r.ServiceInstance(org, id)
		return err
	})
	return in, err
}
