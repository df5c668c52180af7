package tenants

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/ratelimit"
)

// Store keeps organizations, users, roles and what is published to them. InTx
// may run its function again after a conflict, so the function does no network
// and reads no clock. When a committed transaction wrote to the journal, InTx
// returns only after this cell's caches have followed it: whoever is told
// "done" sees it done.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error
}

// Reader reads. Absence is problem.NotFound, never a zero value; another
// organization's row looks exactly like no row. Lists return a page and the
// number of rows on all pages.
type Reader interface {
	Ground
	OrganizationReader
	UserReader
	RoleReader
	PublicationReader
	QuotaReader
	LimitReader
	RecordReader
}

// OrganizationReader reads organizations.
type OrganizationReader interface {
	// OrganizationByName compares folded names (see FoldName).
	OrganizationByName(name string) (Organization, error)
	// Organizations lists all by id and name, with nothing else of them: System
	// first, then by name. Provider only.
	Organizations() ([]Organization, error)
	// OrganizationNames tells the names of those that exist. Provider only.
	OrganizationNames(ids []OrgID) (map[OrgID]string, error)
	// OrganizationPage lists them by id, name, display_name, description,
	// enabled and created_at. Provider only.
	OrganizationPage(q Query) ([]ListedOrganization, int, error)
	// CountOrganizations counts all, System included.
	CountOrganizations() (int, error)
}

// UserReader reads people. now decides who is locked out.
type UserReader interface {
	UserByName(org OrgID, name string, now time.Time) (User, error)
	// Users lists by id, name, full_name, description, email, provider_type,
	// provider (the same, with LOCAL for INTEGRATED), role_id, enabled, locked and
	// created_at.
	Users(org OrgID, q Query, now time.Time) ([]User, int, error)
	// UserOrg tells whose user this is: providers reach any user by its id
	// alone. It gives away nothing else.
	UserOrg(id UserID) (OrgID, error)
	LoginFailures(org OrgID, user UserID, source string) (LoginFailures, error)
	// LockedSources counts the sources that are locked out of a user's login.
	LockedSources(org OrgID, user UserID, now time.Time) (int, error)
}

// RoleReader reads the roles that can be held in an organization: its own and
// the global roles published to it. Of two with one name its own comes first.
type RoleReader interface {
	RoleByName(org OrgID, name string) (Role, error)
	// Roles lists all with their rights, by name.
	Roles(org OrgID) ([]Role, error)
	// RolePage lists them without rights, by id, name, description and read_only.
	RolePage(org OrgID, q Query) ([]Role, int, error)
}

// PublicationReader reads global roles and rights bundles. Provider only.
type PublicationReader interface {
	Publication(kind PublicationKind, id PublicationID) (Publication, error)
	// Publications lists them without rights, by id, name, description,
	// read_only and publish_all.
	Publications(kind PublicationKind, q Query) ([]Publication, int, error)
	// PublicationTenants lists whom it is published to, by id and name.
	PublicationTenants(kind PublicationKind, id PublicationID, q Query) ([]Organization, int, error)
}

// QuotaReader reads quota policies.
type QuotaReader interface {
	QuotaPolicy(org OrgID, id QuotaPolicyID) (QuotaPolicy, error)
	// QuotaPolicies lists by id, name, description and auto_generated.
	QuotaPolicies(org OrgID, q Query) ([]QuotaPolicy, int, error)
	QuotaPolicyOrg(id QuotaPolicyID) (OrgID, error)
}

// LimitReader reads what the provider has set instead of the site's limits.
type LimitReader interface {
	// OrganizationLimits is empty for most.
	OrganizationLimits(org OrgID) (ratelimit.Limits, error)
	// EveryOrganizationLimits lists the organizations that have any, for the limiter
	// of a cell; their names are folded.
	EveryOrganizationLimits() ([]ratelimit.OrgLimits, error)
}

// RecordReader reads what was done.
type RecordReader interface {
	Task(org OrgID, id TaskID) (Task, error)
	TaskOrg(id TaskID) (OrgID, error)
	// Tasks lists by id, name, operation, status, started_at and ended_at, the
	// newest first.
	Tasks(org OrgID, q Query) ([]Task, int, error)
	// Audit lists an organization's journal by seq, at, action, subject_kind and
	// subject_id, the newest first.
	Audit(org OrgID, q Query) ([]journal.Row, int, error)
	// WasRecorded reports whether the organization's journal has the action.
	WasRecorded(org OrgID, action journal.Action) (bool, error)
}

// Tx reads and writes in one transaction. Creating what exists is
// problem.DuplicateName. Role and RoleByName hold the role they return: it is
// neither deleted nor unpublished before the transaction ends.
type Tx interface {
	Reader

	CreateOrganization(Organization) error
	// LockOrganization holds an organization's row: changes to it come one after
	// the other.
	LockOrganization(id OrgID) error
	// UpdateOrganization replaces everything but the id and the creation time.
	UpdateOrganization(Organization) error
	// DeleteOrganization removes an organization with everything in it, and its apps
	// from the others: their accounts there end now. The journal keeps its rows.
	DeleteOrganization(id OrgID, now time.Time) error
	// EndSessions ends every session of an organization.
	EndSessions(org OrgID, now time.Time) error

	// CreateUser and UpdateUser are problem.NotFound when the role cannot be held
	// in the organization.
	CreateUser(User) error
	// LockUser holds a user's row: no session opens for the user until the end
	// of the transaction.
	LockUser(org OrgID, id UserID) error
	// UpdateUser replaces everything but the id and the creation time.
	UpdateUser(User) error
	DeleteUser(org OrgID, id UserID) error
	// EndUserSessions ends a user's sessions, except one that may be named.
	EndUserSessions(org OrgID, user UserID, except SessionID, now time.Time) error
	// PutLoginFailures keeps at most SourcesPerUser sources for each user. Those
	// that are not locked out at LastAt give way first, then the ones that failed
	// longest ago: nobody gets rid of a lock by failing from elsewhere.
	PutLoginFailures(LoginFailures) error
	// ClearLoginFailures forgets a user's failures, from one source or, when it
	// is empty, from all.
	ClearLoginFailures(org OrgID, user UserID, source string) error

	CreateRole(Role) error
	// LockRole holds a row of an organization's own roles: changes to one come
	// one after the other.
	LockRole(org OrgID, id RoleID) error
	// UpdateRole replaces name, description and bundle key.
	UpdateRole(Role) error
	// SetRoleRights replaces the rights of a role.
	SetRoleRights(org OrgID, id RoleID, rights []Right) error
	// DeleteRole is problem.Conflict while somebody holds the role.
	DeleteRole(org OrgID, id RoleID) error

	CreatePublication(Publication) error
	// LockPublication holds a publication's row: changes to one come one after
	// the other.
	LockPublication(kind PublicationKind, id PublicationID) error
	// UpdatePublication replaces name, description, bundle key and PublishAll.
	UpdatePublication(Publication) error
	SetPublicationRights(kind PublicationKind, id PublicationID, rights []Right) error
	// DeletePublication is problem.Conflict while somebody holds the role.
	DeletePublication(kind PublicationKind, id PublicationID) error
	// Publish adds organizations to those it is published to; those that are
	// there already stay. Unpublish removes them.
	Publish(id PublicationID, orgs []OrgID) error
	Unpublish(id PublicationID, orgs []OrgID) error
	// PublishToEach adds every tenant, UnpublishFromAll removes every one.
	PublishToEach(id PublicationID) error
	UnpublishFromAll(id PublicationID) error

	CreateQuotaPolicy(QuotaPolicy) error
	// LockQuotaPolicy holds a policy's row: nobody assigns it until the end of the
	// transaction.
	LockQuotaPolicy(org OrgID, id QuotaPolicyID) error
	UpdateQuotaPolicy(QuotaPolicy) error
	// DeleteQuotaPolicy is problem.Conflict while something holds the policy.
	DeleteQuotaPolicy(org OrgID, id QuotaPolicyID) error
	// SetUserQuota, SetAccountQuota and SetOrganizationQuota assign a policy of
	// the organization; empty takes it away.
	SetUserQuota(org OrgID, user UserID, policy QuotaPolicyID) error
	SetAccountQuota(org OrgID, account string, policy QuotaPolicyID) error
	SetOrganizationQuota(org OrgID, policy QuotaPolicyID) error

	// SetOrganizationLimits replaces an organization's own limits.
	SetOrganizationLimits(org OrgID, limits ratelimit.Limits) error

	CreateTask(Task) error
	// Record appends to the journal in this transaction.
	Record(journal.Entry) error
}
