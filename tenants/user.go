package tenants

import (
	"time"

	"causeway/internal/journal"
)

// Providers of identity, as VCD's XML spells them. Only INTEGRATED users have a
// password here; the others exist so that what clients import is kept.
const (
	ProviderIntegrated = "INTEGRATED"
	ProviderSAML       = "SAML"
	ProviderOAuth      = "OAUTH"
	ProviderLDAP       = "LDAP"
)

// User is a person of an organization.
type User struct {
	ID           UserID
	Org          OrgID
	Name         string // lower case, unique in its organization
	FullName     string
	Description  string
	Email        string
	ProviderType string // one of the Provider constants
	Profile      Profile
	Role         RoleID // local or published global
	Enabled      bool
	Locked       bool   // filled in by reads: some address is locked out
	PasswordHash string // argon2id, PHC string format; empty for imported users
	Quota        QuotaPolicyID
	CreatedAt    time.Time
}

// Profile is what the gateway keeps of a user without using it.
type Profile struct {
	GivenName         string `json:"givenName,omitempty"`
	FamilyName        string `json:"familyName,omitempty"`
	Telephone         string `json:"telephone,omitempty"`
	IM                string `json:"im,omitempty"`
	NameInSource      string `json:"nameInSource,omitempty"`
	GroupRole         bool   `json:"groupRole,omitempty"`
	InheritGroupRoles bool   `json:"inheritGroupRoles,omitempty"`
	StoredVMQuota     int    `json:"storedVmQuota,omitempty"`
	DeployedVMQuota   int    `json:"deployedVmQuota,omitempty"`
}

// LoginFailures counts wrong passwords for one user from one source.
type LoginFailures struct {
	Org         OrgID
	User        UserID
	Source      string
	Failures    int
	LastAt      time.Time
	LockedUntil time.Time // zero while not locked
}

func (u User) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindUser, ID: string(u.ID), Name: u.Name}
}
