package tenants

import (
	"context"

	"causeway/internal/journal"
)

// Store keeps organizations, users and roles. InTx may run its function again
// after a conflict, so the function does no network and reads no clock. When a
// committed transaction wrote to the journal, InTx returns only after this
// cell's caches have followed it: whoever is told "done" sees it done.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error
}

// Reader reads. Absence is problem.NotFound, never a zero value; another
// organization's row looks exactly like no row.
type Reader interface {
	Organization(id OrgID) (Organization, error)
	// OrganizationByName compares folded names (see FoldName).
	OrganizationByName(name string) (Organization, error)
	// Organizations lists all, System first, then by name. Provider only.
	Organizations() ([]Organization, error)
	User(org OrgID, id UserID) (User, error)
	UserByName(org OrgID, name string) (User, error)
	Role(org OrgID, id RoleID) (Role, error)
	RoleByName(org OrgID, name string) (Role, error)
	// Roles lists an organization's roles with their rights, by name.
	Roles(org OrgID) ([]Role, error)
}

// Tx reads and writes in one transaction. Creating what exists is
// problem.DuplicateName.
type Tx interface {
	Reader
	CreateOrganization(Organization) error
	CreateUser(User) error
	CreateRole(Role) error
	// SetRoleRights replaces the rights of a role.
	SetRoleRights(org OrgID, id RoleID, rights []Right) error
	// Record appends to the journal in this transaction.
	Record(journal.Entry) error
}
