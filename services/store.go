package services

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Store keeps what this package owns; see tenants.Store for the meaning of View and
// InTx.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error
}

// Reader reads. Absence is problem.NotFound.
type Reader interface {
	tenants.Ground

	// Definitions lists all, by name; Definition reads one.
	Definitions() ([]Definition, error)
	Definition(id DefinitionID) (Definition, error)

	// EveryInstance lists the instances of all organizations, with their hosts: for
	// the table by which a cell finds them, and for nobody else.
	EveryInstance() ([]ServiceInstance, error)
	ServiceInstance(org tenants.OrgID, id InstanceID) (ServiceInstance, error)
	// ServiceInstances lists by id, name, definition_id, mode, prefix, enabled and
	// created_at (microseconds).
	ServiceInstances(org tenants.OrgID, q tenants.Query) ([]ServiceInstance, int, error)
	// InstanceOrg tells whose instance this is: providers reach any by its id alone.
	InstanceOrg(id InstanceID) (tenants.OrgID, error)

	// CustomRoles lists an organization's, by name.
	CustomRoles(org tenants.OrgID) ([]CustomRole, error)
	CustomRole(org tenants.OrgID, name string) (CustomRole, error)

	// Held is what somebody holds in an organization. An app that was not added to it
	// is problem.NotFound; a user may hold nothing.
	Held(org tenants.OrgID, h Holder) (Held, error)
	// HeldOn lists the apps and users of an organization that hold a grant of a
	// definition's roles, on this instance or on each.
	HeldOn(org tenants.OrgID, d DefinitionID, in InstanceID) ([]Held, error)

	// InstanceAccounts lists those of an instance by id, name, kind, created_at and
	// ended_at, also the ended ones; LiveAccounts are an app's in all instances.
	InstanceAccounts(org tenants.OrgID, in InstanceID, q tenants.Query) ([]InstanceAccount, int, error)
	LiveAccounts(org tenants.OrgID, app Holder) ([]InstanceAccount, error)
}

// Tx reads and writes in one transaction. Creating what exists is
// problem.DuplicateName.
type Tx interface {
	Reader

	// PutDefinition creates a definition or replaces it. DeleteDefinition is
	// problem.Conflict while an instance is of it; it takes the grants of its roles along.
	PutDefinition(Definition) error
	DeleteDefinition(id DefinitionID) error

	// LockOrganization holds an organization's row: nobody is given a role in it
	// before the end of the transaction.
	LockOrganization(org tenants.OrgID) error

	CreateInstance(ServiceInstance) error
	// LockInstance holds an instance's row: changes to it come one after the other.
	LockInstance(org tenants.OrgID, id InstanceID) error
	// UpdateInstance replaces everything but organization, id, definition and
	// creation time.
	UpdateInstance(ServiceInstance) error
	// DeleteInstance takes its accounts and hosts along, and the grants on it alone.
	DeleteInstance(org tenants.OrgID, id InstanceID) error

	CreateCustomRole(CustomRole) error
	// LockCustomRole holds the row of one.
	LockCustomRole(org tenants.OrgID, name string) error
	// UpdateCustomRole replaces everything but name and creation.
	UpdateCustomRole(CustomRole) error
	// DeleteCustomRole takes the grants of it along.
	DeleteCustomRole(org tenants.OrgID, name string) error

	Granting
	CreateAccount(InstanceAccount) error
	// EndAccount ends a live account. False means there is none.
	EndAccount(org tenants.OrgID, id string, at time.Time, hook Hook) (bool, error)
	// RepeatHook is [Hooks.SettleHook] as part of a change. An account that has changed
	// since is problem.NotFound.
	RepeatHook(org tenants.OrgID, account, key string, h Hook) error
	Record(journal.Entry) error
}

// Granting changes what holders hold, in a transaction.
type Granting interface {
	// LockHolder holds what somebody holds: an app's membership, a user's row. It is
	// problem.NotFound when the app is no member or the user is gone.
	LockHolder(org tenants.OrgID, h Holder) error
	// PutGrant adds a grant or changes when it expires; DropGrant removes one and
	// reports whether there was one. by is who did it, as audit names people. A grant
	// is problem.NotFound when its holder, its custom role or its service is not there.
	PutGrant(org tenants.OrgID, h Holder, g Grant, by string, at time.Time) error
	DropGrant(org tenants.OrgID, h Holder, g Grant) (bool, error)
}

// Hooks is the queue of what instances are to be told.
type Hooks interface {
	// DueHooks takes up to most pending deliveries that are due, and puts their next
	// attempt off until later: of several cells one gets each. Those of the instances in
	// not are left where they are.
	DueHooks(ctx context.Context, now, later time.Time, most int, not []InstanceID) ([]Delivery, error)
	// SettleHook notes how a delivery ended, if key still is that of the account's
	// last change.
	SettleHook(ctx context.Context, org tenants.OrgID, account, key string, h Hook) error
}

// Delivery is one thing that an instance is to be told.
type Delivery struct {
	InstanceAccount
	URL    string
	Secret []byte // sealed
}
