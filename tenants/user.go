package tenants

import (
	"math"
	"slices"
	"strconv"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
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
	External          bool   `json:"external,omitempty"`
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

// Imported reports whether somebody else checks the user's password. Such a user
// has none here and cannot log in.
func (u User) Imported() bool { return u.ProviderType != ProviderIntegrated }

// userName is how the name of a user is kept. It is checked before folding, which
// would mend what is not UTF-8, and after it, which may make it longer.
func userName(given string) (string, error) {
	if err := checkName("a user", given); err != nil {
		return "", err
	}
	name := FoldName(given)
	return name, checkName("a user", name)
}

// check refuses what cannot be kept and shown again.
func (u User) check() error {
	if !slices.Contains([]string{ProviderIntegrated, ProviderSAML, ProviderOAuth, ProviderLDAP}, u.ProviderType) {
		return problem.New(problem.BadRequest, "The provider of a user's identity is none that we know.")
	}
	for name, text := range u.texts() {
		if err := checkText(name+" of a user", text); err != nil {
			return err
		}
	}
	for name, quota := range map[string]int{"storedVmQuota": u.Profile.StoredVMQuota, "deployedVmQuota": u.Profile.DeployedVMQuota} {
		if quota < 0 || quota > math.MaxInt32 {
			return problem.New(problem.BadRequest, "The %s of a user is a number from 0 to %d.", name, math.MaxInt32)
		}
	}
	return nil
}

func (u User) texts() map[string]string {
	return map[string]string{
		"fullName": u.FullName, "description": u.Description, "email": u.Email, "givenName": u.Profile.GivenName,
		"familyName": u.Profile.FamilyName, "telephone": u.Profile.Telephone, "im": u.Profile.IM, "nameInSource": u.Profile.NameInSource,
	}
}

// changes lists old and new values of what an edit changed, the password never.
func (u User) changes(after User, roleName func(RoleID) string) map[string]string {
	pairs, current := map[string][2]string{}, after.recorded(roleName)
	for name, old := range u.recorded(roleName) {
		pairs[name] = [2]string{old, current[name]}
	}
	return Changed(pairs)
}

func (u User) recorded(roleName func(RoleID) string) map[string]string {
	all := u.texts()
	all["role"], all["roleId"], all["providerType"] = roleName(u.Role), string(u.Role), u.ProviderType
	for name, is := range map[string]bool{
		"enabled": u.Enabled, "external": u.Profile.External, "groupRole": u.Profile.GroupRole, "inheritGroupRoles": u.Profile.InheritGroupRoles,
	} {
		all[name] = strconv.FormatBool(is)
	}
	all["storedVmQuota"], all["deployedVmQuota"] = strconv.Itoa(u.Profile.StoredVMQuota), strconv.Itoa(u.Profile.DeployedVMQuota)
	return all
}
