package services

import (
	"time"

	"causeway/tenants"
)

// Holder is who holds roles in an organization beside the role of a user: an app of
// this site or of another, or a user.
type Holder struct {
	Kind tenants.PrincipalKind // tenants.KindApp or tenants.KindUser
	Site tenants.SiteID        // of an app whose home is another site; empty here
	ID   string                // client id or user id
}

// HolderOf is p as a holder. A user's API token holds what the user holds.
func HolderOf(p tenants.Principal) Holder {
	h := Holder{Kind: p.Kind, ID: p.ID}
	if p.Kind == tenants.KindAPIToken {
		h.Kind = tenants.KindUser
	}
	if p.Kind == tenants.KindApp {
		h.Site = p.Via
	}
	return h
}

// GrantKind says what kind of role a grant is of.
type GrantKind string

// The kinds of role on the CSP face of an organization.
const (
	GrantOrganization GrantKind = "organization"
	GrantService      GrantKind = "service"
	GrantCustom       GrantKind = "custom"
)

// Grant is one role that a holder has in an organization.
type Grant struct {
	Kind       GrantKind
	Definition DefinitionID // of a service role; empty for others
	Role       string       // org_member, aoa:dashboards, or the name of a custom role
	Resource   string       // of a service role: the id of the instance; empty is each one
	ExpiresAt  time.Time    // zero: never
}

// Live reports whether the grant counts at a time.
func (g Grant) Live(now time.Time) bool { return g.ExpiresAt.IsZero() || now.Before(g.ExpiresAt) }

// Held is what a holder has in one organization.
type Held struct {
	Holder
	Org    tenants.OrgID
	Name   string        // display name of an app of this site; empty for others
	Owner  tenants.OrgID // of an app of this site
	Epoch  int64         // of an app: which time it was added, see tenants.Principal.Epoch
	Grants []Grant       // also those that are over
	// Ceiling is what the owner of an app lets it be given anywhere; nil is no bound:
	// for users, and for apps of other sites.
	Ceiling *Ceiling
}

// Ceiling is allowedScopes on the wire: effective is what an organization granted
// and the owner of the app allows. Custom roles are not bounded by it: what an
// organization makes of permissions its own is for that organization to say.
type Ceiling struct {
	General  []string         `json:"generalScopes"`
	AllOrg   bool             `json:"allOrganizationRoles"`
	Org      []string         `json:"organizationRoles"`
	Services []ServiceCeiling `json:"services"`
}

// ServiceCeiling bounds the roles of one service. Of a role with a resource only
// grants on that instance count.
type ServiceCeiling struct {
	Definition DefinitionID `json:"serviceDefinitionId"`
	All        bool         `json:"allRoles"`
	Roles      []ScopedRole `json:"roles"`
}

// ScopedRole is a role, maybe on one instance only.
type ScopedRole struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

// CustomRole is a role that an organization made of permissions of services. It
// counts in each instance where its holder has a service role, too (CSP-29).
type CustomRole struct {
	Org         tenants.OrgID
	Name        string // ^[a-zA-Z0-9_-]{2,30}$, unique in its organization
	DisplayName string
	Description string
	Permissions []ServicePermission
	CreatedAt   time.Time
	CreatedBy   string
	UpdatedAt   time.Time
	UpdatedBy   string
}

// ServicePermission is a permission of a service, as external/<definition>/<name>
// on the wire.
type ServicePermission struct {
	Definition DefinitionID `json:"serviceDefinitionId"`
	Permission Permission   `json:"permission"`
}
