package tenantshttp

import "causeway/tenants"

// The groups of settings as VCD's XML and JSON have them, spelling included.

type general struct {
	CanPublishCatalogs       bool `xml:"CanPublishCatalogs" json:"canPublishCatalogs"`
	CanPublishExternally     bool `xml:"CanPublishExternally" json:"canPublishExternally"`
	CanSubscribe             bool `xml:"CanSubscribe" json:"canSubscribe"`
	DeployedVMQuota          int  `xml:"DeployedVMQuota" json:"deployedVMQuota"`
	StoredVMQuota            int  `xml:"StoredVmQuota" json:"storedVmQuota"`
	UseServerBootSequence    bool `xml:"UseServerBootSequence" json:"useServerBootSequence"`
	DelayAfterPowerOnSeconds int  `xml:"DelayAfterPowerOnSeconds" json:"delayAfterPowerOnSeconds"`
}

func (g *general) show(s tenants.OrgSettings) {
	*g = general{
		CanPublishCatalogs: s.CanPublishCatalogs, CanPublishExternally: s.CanPublishExternally, CanSubscribe: s.CanSubscribe,
		DeployedVMQuota: s.DeployedVMQuota, StoredVMQuota: s.StoredVMQuota,
		UseServerBootSequence: s.UseServerBootSequence, DelayAfterPowerOnSeconds: s.DelayAfterPowerOnSeconds,
	}
}

func (g *general) apply(s *tenants.OrgSettings) {
	s.CanPublishCatalogs, s.CanPublishExternally, s.CanSubscribe = g.CanPublishCatalogs, g.CanPublishExternally, g.CanSubscribe
	s.DeployedVMQuota, s.StoredVMQuota = g.DeployedVMQuota, g.StoredVMQuota
	s.UseServerBootSequence, s.DelayAfterPowerOnSeconds = g.UseServerBootSequence, g.DelayAfterPowerOnSeconds
}

type lease struct {
	DeleteOnStorage   bool `xml:"DeleteOnStorageLeaseExpiration" json:"deleteOnStorageLeaseExpiration"`
	DeploymentSeconds int  `xml:"DeploymentLeaseSeconds" json:"deploymentLeaseSeconds"`
	StorageSeconds    int  `xml:"StorageLeaseSeconds" json:"storageLeaseSeconds"`
	PowerOff          bool `xml:"PowerOffOnRuntimeLeaseExpiration" json:"powerOffOnRuntimeLeaseExpiration"`
}

func (l *lease) show(s tenants.OrgSettings) {
	of := s.VAppLease
	*l = lease{of.DeleteOnStorageExpiration, of.DeploymentSeconds, of.StorageSeconds, of.PowerOffOnRuntimeLeaseExpiry}
}

func (l *lease) apply(s *tenants.OrgSettings) {
	s.VAppLease = tenants.Lease{
		DeleteOnStorageExpiration: l.DeleteOnStorage, DeploymentSeconds: l.DeploymentSeconds,
		StorageSeconds: l.StorageSeconds, PowerOffOnRuntimeLeaseExpiry: l.PowerOff,
	}
}

// templateLease is a lease of what does not run.
type templateLease struct {
	DeleteOnStorage bool `xml:"DeleteOnStorageLeaseExpiration" json:"deleteOnStorageLeaseExpiration"`
	StorageSeconds  int  `xml:"StorageLeaseSeconds" json:"storageLeaseSeconds"`
}

func (l *templateLease) show(s tenants.OrgSettings) {
	*l = templateLease{s.VAppTemplateLease.DeleteOnStorageExpiration, s.VAppTemplateLease.StorageSeconds}
}

func (l *templateLease) apply(s *tenants.OrgSettings) {
	s.VAppTemplateLease = tenants.Lease{DeleteOnStorageExpiration: l.DeleteOnStorage, StorageSeconds: l.StorageSeconds}
}

const noLDAP = "NONE"

type ldap struct {
	Mode    string `xml:"OrgLdapMode" json:"orgLdapMode"`
	UsersOU string `xml:"CustomUsersOu,omitempty" json:"customUsersOu,omitempty"`
}

func (l *ldap) show(s tenants.OrgSettings) {
	*l = ldap{s.LdapMode, s.LdapCustomUsersOU}
	if l.Mode == "" {
		l.Mode = noLDAP
	}
}

func (l *ldap) apply(s *tenants.OrgSettings) {
	s.LdapMode, s.LdapCustomUsersOU = l.Mode, l.UsersOU
	if s.LdapMode == noLDAP {
		s.LdapMode = ""
	}
}

// passwords show the numbers that count where none were given.
type passwords struct {
	LockoutEnabled  bool `xml:"AccountLockoutEnabled" json:"accountLockoutEnabled"`
	InvalidLogins   int  `xml:"InvalidLoginsBeforeLockout" json:"invalidLoginsBeforeLockout"`
	IntervalMinutes int  `xml:"AccountLockoutIntervalMinutes" json:"accountLockoutIntervalMinutes"`
}

func (p *passwords) show(s tenants.OrgSettings) {
	*p = passwords{s.Passwords.LockoutEnabled, s.Passwords.Attempts(), int(s.Passwords.LockedFor().Minutes())}
}

// apply leaves what comes back as it was shown: the usual numbers are not given
// ones, and to send them back takes no right.
func (p *passwords) apply(s *tenants.OrgSettings) {
	var shown passwords
	if shown.show(*s); *p == shown {
		return
	}
	s.Passwords = tenants.PasswordPolicy{
		LockoutEnabled: p.LockoutEnabled, InvalidLogins: p.InvalidLogins, LockoutIntervalMinutes: p.IntervalMinutes,
	}
}
