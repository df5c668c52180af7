package services

import "causeway/tenants"

// OrgRole is an organization role of the CSP face, by its name there.
type OrgRole string

// The organization roles (docs: one organization has two faces). A user has those
// whose rights the user's role lists; an app has those that were granted to it.
const (
	OrgOwner            OrgRole = "org_owner"
	OrgAdmin            OrgRole = "org_admin"
	OrgMember           OrgRole = "org_member"
	Developer           OrgRole = "developer"
	SupportUser         OrgRole = "support_user"
	BillingReadOnly     OrgRole = "billing_read_only"
	LogAuditor          OrgRole = "log_auditor"
	SoftwareInstaller   OrgRole = "software_installer"
	ManagedServiceAdmin OrgRole = "msp"
)

// OrgRoleInfo is a role as people read of it.
type OrgRoleInfo struct {
	Name        OrgRole
	DisplayName string
	Description string
	Right       tenants.Right // by which a user's role gives it
}

var orgRoles = []OrgRoleInfo{
	{OrgOwner, "Organization Owner", "Does everything in the organization, and may take any role in it.", tenants.RightOrgOwner},
	{OrgAdmin, "Organization Administrator", "Gives service roles to members and apps, none of which it outranks.", tenants.RightOrgAdministrator},
	{OrgMember, "Organization Member", "Sees the organization.", tenants.RightOrgMember},
	{Developer, "Developer", "Creates and manages server-to-server apps, beside another organization role.", tenants.RightOrgDeveloper},
	{SupportUser, "Support User", "Opens and follows support requests.", tenants.RightOrgSupportUser},
	{BillingReadOnly, "Billing Read-only", "Sees billing.", tenants.RightOrgBilling},
	{LogAuditor, "Access Log Auditor", "Reads the access log.", tenants.RightOrgLogAuditor},
	{SoftwareInstaller, "Software Installer", "Downloads and installs software.", tenants.RightOrgInstaller},
	{ManagedServiceAdmin, "Managed Service Provider", "Acts for the organization as its service provider.", tenants.RightOrgMSP},
}

// OrgRoles lists all organization roles, the strongest first.
func OrgRoles() []OrgRoleInfo { return orgRoles }

// KnownOrgRole reports whether there is such a role.
func KnownOrgRole(name string) bool {
	for _, r := range orgRoles {
		if string(r.Name) == name {
			return true
		}
	}
	return false
}

// RolesByRight are the organization roles of a user whose role allows has.
func RolesByRight(has func(tenants.Right) bool) []OrgRole {
	var roles []OrgRole
	for _, r := range orgRoles {
		if has(r.Right) {
			roles = append(roles, r.Name)
		}
	}
	return roles
}
