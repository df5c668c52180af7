package tenantshttp

import (
	"net/http"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// userBody is a user as OpenAPI shows it. A password never is.
type userBody struct {
	ID                string        `json:"id"`
	Username          string        `json:"username"`
	FullName          string        `json:"fullName"`
	GivenName         *string       `json:"givenName"`
	FamilyName        *string       `json:"familyName"`
	Description       string        `json:"description"`
	Email             string        `json:"email"`
	Phone             string        `json:"phone"`
	NameInSource      string        `json:"nameInSource"`
	Enabled           bool          `json:"enabled"`
	Locked            bool          `json:"locked"`
	Stranded          bool          `json:"stranded"`
	IsGroupRole       bool          `json:"isGroupRole"`
	InheritGroupRoles bool          `json:"inheritGroupRoles"`
	ProviderType      string        `json:"providerType"`
	Password          *string       `json:"password"`
	DeployedVMQuota   int           `json:"deployedVmQuota"`
	StoredVMQuota     int           `json:"storedVmQuota"`
	Roles             []httpapi.Ref `json:"roleEntityRefs"`
	EffectiveRoles    []httpapi.Ref `json:"effectiveRoleEntityRefs"`
	Org               httpapi.Ref   `json:"orgEntityRef"`
}

// localUser is what OpenAPI calls users with a password; XML says INTEGRATED.
const localUser = "LOCAL"

func newUserBody(org *tenants.Snapshot, u tenants.User) userBody {
	name, _ := org.RoleName(u.Role)
	roles := []httpapi.Ref{{Name: name, ID: tenants.URN("role", u.Role)}}
	body := userBody{
		ID: tenants.URN("user", u.ID), Username: u.Name, FullName: u.FullName, GivenName: nullable(u.Profile.GivenName),
		FamilyName: nullable(u.Profile.FamilyName), Description: u.Description, Email: u.Email, Phone: u.Profile.Telephone,
		NameInSource: u.Profile.NameInSource, Enabled: u.Enabled, Locked: u.Locked, IsGroupRole: u.Profile.GroupRole,
		InheritGroupRoles: u.Profile.InheritGroupRoles, ProviderType: u.ProviderType,
		DeployedVMQuota: u.Profile.DeployedVMQuota, StoredVMQuota: u.Profile.StoredVMQuota,
		Roles: roles, EffectiveRoles: roles, Org: httpapi.Ref{Name: org.Name, ID: tenants.URN("org", org.ID)},
	}
	if u.ProviderType == tenants.ProviderIntegrated {
		body.ProviderType = localUser
	}
	return body
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// userInput is what OpenAPI takes of a user. Organization and identifiers are
// not among it: what a body says moves nobody (R6).
type userInput struct {
	Username          string        `json:"username"`
	FullName          string        `json:"fullName"`
	GivenName         string        `json:"givenName"`
	FamilyName        string        `json:"familyName"`
	Description       string        `json:"description"`
	Email             string        `json:"email"`
	Phone             string        `json:"phone"`
	NameInSource      string        `json:"nameInSource"`
	Enabled           *bool         `json:"enabled"`
	Locked            *bool         `json:"locked"`
	IsGroupRole       bool          `json:"isGroupRole"`
	InheritGroupRoles bool          `json:"inheritGroupRoles"`
	ProviderType      string        `json:"providerType"`
	Password          secret.Text   `json:"password"`
	DeployedVMQuota   int           `json:"deployedVmQuota"`
	StoredVMQuota     int           `json:"storedVmQuota"`
	Roles             []httpapi.Ref `json:"roleEntityRefs"`

	role tenants.RoleID
}

func parseUser(r *http.Request) (in userInput, err error) {
	if err := httpapi.ParseJSON(r, &in); err != nil {
		return in, err
	}
	if len(in.Roles) != 1 {
		return in, problem.New(problem.BadRequest, "A user has exactly one role in roleEntityRefs.")
	}
	switch in.ProviderType {
	case localUser:
		in.ProviderType = tenants.ProviderIntegrated
	case tenants.ProviderIntegrated: // XML's word
		return in, problem.New(problem.BadRequest, "The providerType is LOCAL, LDAP, SAML or OAUTH.")
	}
	in.role, err = tenants.ParseID[tenants.RoleID]("role", in.Roles[0].ID)
	return in, err
}

// change replaces what OpenAPI shows of a user. What XML alone knows stays, and
// so does what is absent and has no empty value.
func (in userInput) change(u *tenants.User) {
	if in.Username != "" {
		u.Name = in.Username
	}
	if in.ProviderType != "" {
		u.ProviderType = in.ProviderType
		u.Profile.External = u.Imported()
	}
	if in.Enabled != nil {
		u.Enabled = *in.Enabled
	}
	u.FullName, u.Description, u.Email, u.Role = in.FullName, in.Description, in.Email, in.role
	p := &u.Profile
	p.GivenName, p.FamilyName, p.Telephone, p.NameInSource = in.GivenName, in.FamilyName, in.Phone, in.NameInSource
	p.GroupRole, p.InheritGroupRoles = in.IsGroupRole, in.InheritGroupRoles
	p.DeployedVMQuota, p.StoredVMQuota = in.DeployedVMQuota, in.StoredVMQuota
}
