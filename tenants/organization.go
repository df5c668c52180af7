package tenants

import (
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// Organization is a tenant of this site, or the provider's own (System).
type Organization struct {
	ID          OrgID
	Name        string // unique at a site without regard to case
	DisplayName string
	Description string
	Enabled     bool
	Settings    OrgSettings
	Quota       QuotaPolicyID // empty: none
	CreatedAt   time.Time
}

// System reports whether o is the provider's organization.
func (o Organization) System() bool { return o.ID == SystemOrgID }

func (o Organization) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindOrganization, ID: string(o.ID), Name: o.Name}
}

// OrgSettings are what clients read and write of an organization beside its
// names. The policies of passwords and tokens are enforced here; the rest belongs to
// compute and storage behind the gateway and is kept to be shown again.
type OrgSettings struct {
	CanPublishCatalogs       bool `json:"canPublishCatalogs,omitempty"`
	CanPublishExternally     bool `json:"canPublishExternally,omitempty"`
	CanSubscribe             bool `json:"canSubscribe,omitempty"`
	DeployedVMQuota          int  `json:"deployedVmQuota,omitempty"`
	StoredVMQuota            int  `json:"storedVmQuota,omitempty"`
	UseServerBootSequence    bool `json:"useServerBootSequence,omitempty"`
	DelayAfterPowerOnSeconds int  `json:"delayAfterPowerOnSeconds,omitempty"`

	VAppLease         Lease `json:"vAppLease,omitzero"`
	VAppTemplateLease Lease `json:"vAppTemplateLease,omitzero"`

	LdapMode          string `json:"ldapMode,omitempty"` // empty is NONE
	LdapCustomUsersOU string `json:"ldapCustomUsersOu,omitempty"`

	Passwords PasswordPolicy `json:"passwords,omitzero"`
	Tokens    TokenPolicy    `json:"tokens,omitzero"`
}

// Lease bounds how long virtual machines run and are stored.
type Lease struct {
	DeleteOnStorageExpiration    bool `json:"deleteOnStorageExpiration,omitempty"`
	DeploymentSeconds            int  `json:"deploymentSeconds,omitempty"`
	StorageSeconds               int  `json:"storageSeconds,omitempty"`
	PowerOffOnRuntimeLeaseExpiry bool `json:"powerOffOnRuntimeLeaseExpiry,omitempty"`
}

// PasswordPolicy says when wrong passwords lock an address out of an account.
// Zero numbers stand for the usual ones, see [PasswordPolicy.Attempts] and
// [PasswordPolicy.LockedFor].
type PasswordPolicy struct {
	LockoutEnabled         bool `json:"lockoutEnabled,omitempty"`
	InvalidLogins          int  `json:"invalidLogins,omitempty"`
	LockoutIntervalMinutes int  `json:"lockoutIntervalMinutes,omitempty"`
}

// Attempts is how many wrong passwords in a row lock an address out.
func (p PasswordPolicy) Attempts() int {
	if p.InvalidLogins == 0 {
		return 5
	}
	return p.InvalidLogins
}

// LockedFor is how long an address stays locked out.
func (p PasswordPolicy) LockedFor() time.Duration {
	if p.LockoutIntervalMinutes == 0 {
		return 10 * time.Minute
	}
	return time.Duration(p.LockoutIntervalMinutes) * time.Minute
}

// ListedOrganization is an organization in a list, with what is counted there.
type ListedOrganization struct {
	Organization
	Users int
}

// maxNumber is the largest number of VCD's schema (xs:int), so that clients can
// read back what others wrote.
const maxNumber = 1<<31 - 1

// check is checkTexts, and whether the name can be had. A login is split at its
// last @, so an organization with one in its name could never be logged in to.
func (o Organization) check() error {
	if err := checkName("an organization", o.Name); err != nil {
		return err
	}
	if strings.Contains(o.Name, "@") {
		return problem.New(problem.BadRequest, "The name of an organization has no @.").In("name")
	}
	return o.checkTexts()
}

func (o Organization) checkTexts() error {
	for what, text := range map[string]string{
		"full name of an organization": o.DisplayName, "description of an organization": o.Description,
		"CustomUsersOu": o.Settings.LdapCustomUsersOU,
	} {
		if err := checkText(what, text); err != nil {
			return err
		}
	}
	return o.Settings.check()
}

func (s OrgSettings) check() error {
	for what, n := range map[string]int{
		"DeployedVMQuota": s.DeployedVMQuota, "StoredVmQuota": s.StoredVMQuota, "DelayAfterPowerOnSeconds": s.DelayAfterPowerOnSeconds,
		"DeploymentLeaseSeconds": s.VAppLease.DeploymentSeconds, "StorageLeaseSeconds": s.VAppLease.StorageSeconds,
		"StorageLeaseSeconds of templates": s.VAppTemplateLease.StorageSeconds,
	} {
		if n < 0 || n > maxNumber {
			return problem.New(problem.BadRequest, "%s must be a number from 0 to %d.", what, maxNumber)
		}
	}
	switch p := s.Passwords; {
	case p.InvalidLogins < 0 || p.InvalidLogins > 100:
		return problem.New(problem.BadRequest, "InvalidLoginsBeforeLockout must be a number from 1 to 100, or 0 for the usual.").In("invalidLogins")
	case p.LockoutIntervalMinutes < 0 || p.LockoutIntervalMinutes > 24*60:
		return problem.New(problem.BadRequest, "AccountLockoutIntervalMinutes must be a number from 1 to 1440, or 0 for the usual.").In("lockoutIntervalMinutes")
	case s.LdapMode != "" && s.LdapMode != "SYSTEM":
		return problem.New(problem.BadRequest, "OrgLdapMode must be NONE or SYSTEM: the gateway keeps no settings of a directory.")
	}
	return s.Tokens.check()
}
