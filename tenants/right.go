package tenants

// Right is the name of something a role may allow, as clients spell it.
type Right string

// The rights that routes of this gateway ask for.
const (
	RightAdministratorView       Right = "General: Administrator View"
	RightAdministratorControl    Right = "General: Administrator Control"
	RightOrganizationView        Right = "Organization: View"
	RightOrganizationEdit        Right = "Organization: Edit Properties"
	RightOrganizationCreate      Right = "Organization: Create or Delete"
	RightOrganizationName        Right = "Organization: Edit Name"
	RightOrganizationLeases      Right = "Organization: Edit Leases Policy"
	RightOrganizationLDAP        Right = "Organization: Edit LDAP Settings"
	RightOrganizationPasswords   Right = "Organization: Edit Password Policy"
	RightOrganizationQuotas      Right = "Organization: Edit Quotas Policy"
	RightOrganizationOAuth       Right = "Organization: Edit OAuth Settings"
	RightOrgAssociationsView     Right = "Organization Associations: View"
	RightOrgAssociationsManage   Right = "Organization Associations: Manage"
	RightOrgAssociationsSettings Right = "Organization: Edit Association Settings"
	RightUserView                Right = "Group / User: View"
	RightUserManage              Right = "Group / User: Manage"
	RightRoleView                Right = "Role: View"
	RightRoleManage              Right = "Role: Create, Edit, Delete, or Copy"
	RightRightView               Right = "Right: View"
	RightGlobalRoleView          Right = "Global Role: View"
	RightGlobalRoleEdit          Right = "Global Role: Edit"
	RightBundleView              Right = "Rights Bundle: View"
	RightBundleEdit              Right = "Rights Bundle: Edit"
	RightAccountsView            Right = "Service Accounts: View"
	RightAccountsLimitedView     Right = "Service Accounts: Limited View"
	RightAccountsManage          Right = "Service Accounts: Manage"
	RightTokenManage             Right = "API Tokens: Manage"
	RightTokenManageAll          Right = "API Tokens: Manage All"
	RightSessionView             Right = "Session: View"
	RightSessionManage           Right = "Session: Manage"
	RightQuotaView               Right = "Quota Policy: View"
	RightQuotaManage             Right = "Quota Policy: Manage"
	RightAuditView               Right = "Audit Trail: View"
	RightTaskView                Right = "Task: View Tasks"
	RightTaskControl             Right = "Task: Resume, Abort, or Fail"
	RightSiteView                Right = "Site: View"
	RightSiteManage              Right = "Site: Manage"
	RightInstanceView            Right = "Service Instance: View"
	RightInstanceManage          Right = "Service Instance: Manage"
)

// The rights that make a user's role one of the organization roles of the CSP face.
const (
	RightOrgOwner         Right = "Organization Role: Owner"
	RightOrgAdministrator Right = "Organization Role: Administrator"
	RightOrgMember        Right = "Organization Role: Member"
	RightOrgDeveloper     Right = "Organization Role: Developer"
	RightOrgSupportUser   Right = "Organization Role: Support User"
	RightOrgBilling       Right = "Organization Role: Billing Read-only"
	RightOrgLogAuditor    Right = "Organization Role: Access Log Auditor"
	RightOrgInstaller     Right = "Organization Role: Software Installer"
	RightOrgMSP           Right = "Organization Role: Managed Service Provider"
)

// RightInfo is a catalog row.
type RightInfo struct {
	Name     Right  `yaml:"name"`
	Kind     string `yaml:"kind"` // VIEW or MODIFY
	Provider bool   `yaml:"provider"`
	// Machine is false for rights that no machine principal ever has (VCD-30…36).
	Machine     *bool   `yaml:"machine"`
	Description string  `yaml:"description"`
	Implies     []Right `yaml:"implies"` // all of them: what they imply in turn is listed, too
	Category    string  `yaml:"-"`
	// Index is the position in the catalog of this build. Another version may
	// put the right elsewhere, so it is never stored or sent.
	Index int `yaml:"-"`

	id string
}

// ID is the right's UUID: the same at every site and in every version.
func (r RightInfo) ID() string { return r.id }

// CategoryID is the identifier of the category that the right is in.
func (r RightInfo) CategoryID() string { return categoryID(r.Category) }

// ForMachines reports whether a service account can ever use the right.
func (r RightInfo) ForMachines() bool { return r.Machine == nil || *r.Machine }

// Category is a group of rights, as clients show them.
type Category struct {
	ID, Name string
}
