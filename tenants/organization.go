package tenants

import "time"

// Organization is a tenant of this site, or the provider's own (System).
type Organization struct {
	ID          OrgID
	Name        string // unique at a site without regard to case
	DisplayName string
	Description string
	Enabled     bool
	CreatedAt   time.Time
}

// System reports whether o is the provider's organization.
func (o Organization) System() bool { return o.ID == SystemOrgID }

// User is a person who logs in with a password at this site.
type User struct {
	ID           UserID
	Org          OrgID
	Name         string // lower case, unique in its organization
	FullName     string
	Role         RoleID
	Enabled      bool
	PasswordHash string // argon2id, PHC string format
	CreatedAt    time.Time
}

// Role is a named set of rights in one organization.
type Role struct {
	ID          RoleID
	Org         OrgID
	Name        string // unique in its organization
	Description string
	Rights      []Right
}
