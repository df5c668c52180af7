package tenants

import "causeway/internal/problem"

// OrganizationEditRights are the rights by which something of an organization
// can be changed. Which of them a change takes, only the change can say: see
// [Service.UpdateOrganization].
func OrganizationEditRights() []Right {
	return []Right{
		RightOrganizationEdit, RightOrganizationName, RightOrganizationLeases,
		RightOrganizationLDAP, RightOrganizationPasswords, RightOrganizationQuotas, RightOrganizationOAuth,
	}
}

// settingsGroup is a part of an organization's settings with the right that it
// takes to change it.
type settingsGroup struct {
	name  string
	right Right
	of    func(OrgSettings) any // the group's values, to be compared
}

// settingsGroups are all settings. What belongs to no other group is general.
var settingsGroups = []settingsGroup{
	{"general", RightOrganizationEdit, func(s OrgSettings) any {
		s.DeployedVMQuota, s.StoredVMQuota, s.VAppLease, s.VAppTemplateLease = 0, 0, Lease{}, Lease{}
		s.LdapMode, s.LdapCustomUsersOU, s.Passwords, s.Tokens = "", "", PasswordPolicy{}, TokenPolicy{}
		return s
	}},
	{"quotas", RightOrganizationQuotas, func(s OrgSettings) any { return [2]int{s.DeployedVMQuota, s.StoredVMQuota} }},
	{"vAppLeaseSettings", RightOrganizationLeases, func(s OrgSettings) any { return s.VAppLease }},
	{"vAppTemplateLeaseSettings", RightOrganizationLeases, func(s OrgSettings) any { return s.VAppTemplateLease }},
	{"ldap", RightOrganizationLDAP, func(s OrgSettings) any { return [2]string{s.LdapMode, s.LdapCustomUsersOU} }},
	{"passwordPolicy", RightOrganizationPasswords, func(s OrgSettings) any { return s.Passwords }},
	{"tokenPolicy", RightOrganizationOAuth, func(s OrgSettings) any { return s.Tokens }},
}

// differ are the groups of settings in which s and o are not the same.
func (s OrgSettings) differ(o OrgSettings) (groups []settingsGroup) {
	for _, g := range settingsGroups {
		if g.of(s) != g.of(o) {
			groups = append(groups, g)
		}
	}
	return groups
}

// takes are the rights that it takes to make after of o.
func (o Organization) takes(after Organization) (rights RightSet) {
	for _, g := range o.Settings.differ(after.Settings) {
		rights.Add(g.right)
	}
	if o.Name != after.Name {
		rights.Add(RightOrganizationName)
	}
	after.Name, after.Settings = o.Name, o.Settings
	if after != o {
		rights.Add(RightOrganizationEdit)
	}
	return rights
}

// mayBecome answers nil when a caller who has the rights may make o of old.
func mayBecome(by Caller, rights RightSet, old, o Organization) error {
	reserved := o.Name != old.Name || o.Enabled != old.Enabled
	switch lacking := old.takes(o).Minus(rights).List(); {
	case reserved && !by.Principal.Provider():
		return problem.New(problem.Forbidden, "Only the provider changes an organization's name and whether it is enabled.")
	case reserved && o.System():
		return problem.New(problem.BadRequest, "The provider's organization keeps its name and stays enabled.")
	case len(lacking) > 0:
		return problem.New(problem.Forbidden, "The change takes the right %q, which the caller's role does not allow.", string(lacking[0]))
	case o.Name == old.Name:
		return o.checkTexts() // names that were good once stay so
	}
	return o.check()
}
