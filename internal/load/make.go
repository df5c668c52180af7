package load

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"

	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// AdministratorName is the user of each organization who has the password.
const AdministratorName = "administrator"

// softwareNamespace gives a piece of software the same identifier in every
// organization, which is how the same software is known.
var softwareNamespace = uuid.MustParse("5b1f9c64-8f0f-4a55-9d43-1f7ff4f7c8b2")

// deployer and auditor are the roles that each organization has of its own.
var (
	deployer = []tenants.Right{
		tenants.RightOrganizationView, tenants.RightTaskView, tenants.RightAccountsView, tenants.RightSessionView, tenants.RightQuotaView,
	}
	auditor = []tenants.Right{
		tenants.RightOrganizationView, tenants.RightTaskView, tenants.RightAuditView, tenants.RightUserView, tenants.RightRoleView,
	}
	administrator = []tenants.Right{
		tenants.RightOrganizationView, tenants.RightOrganizationEdit, tenants.RightTaskView, tenants.RightAccountsView,
		tenants.RightAccountsManage, tenants.RightUserView, tenants.RightUserManage, tenants.RightRoleView, tenants.RightRoleManage,
	}
)

// maker makes organizations.
type maker struct {
	Options
	adminRole    tenants.RoleID // published to everybody; empty: each organization gets its own
	adminHash    string
	nobodysHash  string // of a password that nobody knows
	now          time.Time
	requestUntil time.Time
}

// organization adds the one with this number to b.
func (m *maker) organization(b *store.Bulk, n int) {
	org := tenants.Organization{
		ID: newID[tenants.OrgID](), Name: organizationName(n), DisplayName: displayName(n),
		Description: "Made to see how the site behaves at size.", Enabled: true, CreatedAt: m.now,
	}
	b.Organizations = append(b.Organizations, org)
	// Cells remember names and how many organizations there are.
	b.Entries = append(b.Entries, journal.Entry{
		At: m.now, Org: string(org.ID), Actor: journal.System, Action: journal.OrganizationCreated,
		Subject: journal.Subject{Kind: journal.KindOrganization, ID: string(org.ID), Name: org.Name},
	})
	role := func(name string, rights []tenants.Right) tenants.RoleID {
		r := tenants.Role{ID: newID[tenants.RoleID](), Org: org.ID, Name: name, Rights: rights}
		b.Roles = append(b.Roles, r)
		return r.ID
	}
	admin := m.adminRole
	if admin == "" {
		admin = role(tenants.OrganizationAdministrator, administrator)
	}
	own := []tenants.RoleID{role("Deployer", deployer), role("Auditor", auditor)}
	for i := range m.Users {
		b.Users = append(b.Users, m.user(org, i, admin, own))
	}
	for i := range m.Accounts {
		m.account(b, org, i, pick(own, i))
	}
}

func (m *maker) user(org tenants.Organization, n int, admin tenants.RoleID, own []tenants.RoleID) tenants.User {
	u := tenants.User{
		ID: newID[tenants.UserID](), Org: org.ID, ProviderType: tenants.ProviderIntegrated, Enabled: true, CreatedAt: m.now,
	}
	if n == 0 {
		u.Name, u.FullName, u.Role, u.PasswordHash = AdministratorName, "Administrator", admin, m.adminHash
	} else {
		u.Name, u.FullName = person(n - 1)
		u.Role, u.PasswordHash = pick(own, n), m.nobodysHash
	}
	u.Email = u.Name + "@" + org.Name + ".example"
	return u
}

// account makes six of ten active, and one of ten each wait for an answer and to
// be fetched: no token or code of theirs exists, only what is kept of them.
func (m *maker) account(b *store.Bulk, org tenants.Organization, n int, role tenants.RoleID) {
	p := pick(software, n)
	a := oauth.ServiceAccount{
		ID: newID[oauth.ClientID](), Org: org.ID, Name: fmt.Sprintf("%s-%d", p.name, n+1),
		SoftwareID: uuid.NewSHA1(softwareNamespace, []byte(p.name)).String(), SoftwareVersion: p.version,
		URI: "https://" + p.name + "." + org.Name + ".example", Role: role, CreatedAt: m.now,
	}
	b.Accounts = append(b.Accounts, a)
	switch n % 10 {
	case 0, 1, 2, 3, 4, 5:
		f := oauth.Family{ID: tenants.NewID(), Org: org.ID, Account: a.ID, Current: digest(), CreatedAt: m.now}
		b.Families = append(b.Families, f)
		b.Sessions = append(b.Sessions, oauth.Session{
			ID: newID[tenants.SessionID](), Org: org.ID, Kind: tenants.KindServiceAccount, Principal: string(a.ID), Name: a.Name,
			SoftwareID: a.SoftwareID, Role: role, Family: f.ID, CreatedAt: m.now, ExpiresAt: m.requestUntil, LastUsed: m.now,
		})
	case 6:
		b.Devices = append(b.Devices, m.request(a, oauth.DevicePending))
	case 7:
		b.Devices = append(b.Devices, m.request(a, oauth.DeviceGranted))
	}
}

func (m *maker) request(a oauth.ServiceAccount, state oauth.DeviceState) oauth.DeviceRequest {
	return oauth.DeviceRequest{
		ID: tenants.NewID(), Org: a.Org, Account: a.ID, DeviceCode: digest(), UserCode: digest(), State: state,
		CreatedAt: m.now, ExpiresAt: m.requestUntil, Interval: time.Minute,
		Source: "192.0.2.1", Address: "192.0.2.1", UserAgent: "causeway load",
	}
}

func newID[T ~string]() T { return T(tenants.NewID()) }

// digest is one of nothing that exists.
func digest() oauth.Digest {
	d := make([]byte, 32)
	_, _ = rand.Read(d) // never fails
	return d
}
