package oauth

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Registration asks for a service account (RFC 7591 flavour, VCD-60).
type Registration struct {
	ClientName      string
	SoftwareID      string
	SoftwareVersion string
	ClientURI       string
	Scope           string
}

// Register creates a service account in org, in status CREATED. The caller's
// right to manage accounts there has been checked; what is checked here is that
// the role exists and allows nothing the caller lacks.
func (s *Service) Register(ctx context.Context, by tenants.Caller, org *tenants.Snapshot, reg Registration) (ServiceAccount, error) {
	if !tenants.ValidName(reg.ClientName) {
		return ServiceAccount{}, problem.New(problem.BadRequest, "client_name is required: up to %d bytes, no control characters, no space around it.", tenants.MaxName).In("name")
	}
	roleName, err := ParseRoleScope(reg.Scope)
	if err != nil {
		return ServiceAccount{}, err
	}
	account := ServiceAccount{
		ID: ClientID(tenants.NewID()), Org: org.ID, Name: reg.ClientName, SoftwareID: reg.SoftwareID,
		SoftwareVersion: reg.SoftwareVersion, URI: reg.ClientURI, CreatedAt: s.clock(), Status: Created,
	}
	if err := validSoftware(account); err != nil {
		return ServiceAccount{}, err
	}
	err = s.change(ctx, by, func(tx Tx) error {
		role, err := tx.RoleByName(org.ID, roleName)
		if problem.Has(err, problem.NotFound) {
			return problem.New(problem.InvalidScope, "Organization %s has no role with the name in scope.", org.Name)
		}
		if err != nil {
			return err
		}
		account.Role = role.ID
		if err := tenants.MayGive(tx, by.Principal, role, tenants.KindServiceAccount); err != nil {
			return err
		}
		if err := tx.CreateServiceAccount(account); err != nil {
			return err
		}
		return tx.Record(entry(account.CreatedAt, by, account, journal.AccountCreated, map[string]string{
			"role": role.Name, "softwareId": account.SoftwareID, "softwareVersion": account.SoftwareVersion,
		}))
	})
	return account, err
}

// mayRule answers nil when the caller may give the role that the account holds:
// whoever changes what stands behind an account that may do more than they may
// could act as that account (R7). A role that is no longer published allows
// nothing, and an account that keeps it cannot be changed.
func mayRule(tx Tx, by tenants.Caller, a ServiceAccount) error {
	role, err := tx.Role(a.Org, a.Role)
	if problem.Has(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tenants.MayGive(tx, by.Principal, role, tenants.KindServiceAccount)
}

// What the vendor says of the software is informational, and bounded only so
// that a list stays readable; in bytes.
const (
	maxVersion = 255
	maxURI     = 2048
)

// validSoftware checks what the vendor of the software says about it
// (VCD-45…54).
func validSoftware(a ServiceAccount) error {
	if err := CheckSoftwareID(a.SoftwareID); err != nil {
		return err
	}
	if err := CheckVersion(a.SoftwareVersion); err != nil {
		return err
	}
	return CheckURI(a.URI)
}

// CheckSoftwareID answers nil for what can be a software ID.
func CheckSoftwareID(id string) error {
	if _, err := tenants.ParseUUID(id); err != nil {
		return problem.New(problem.BadRequest, "software_id must be a UUID.").In("softwareId")
	}
	return nil
}

// CheckVersion answers nil for what can be a software version.
func CheckVersion(version string) error {
	// PostgreSQL keeps no NUL.
	if len(version) > maxVersion || !utf8.ValidString(version) || strings.ContainsRune(version, 0) {
		return problem.New(problem.BadRequest, "software_version is text of at most %d bytes.", maxVersion).In("softwareVersion")
	}
	return nil
}

// CheckURI answers nil for what can be a client URI, which is never fetched.
func CheckURI(uri string) error {
	if uri == "" {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil || len(uri) > maxURI || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return problem.New(problem.BadRequest, "client_uri must be an absolute http or https URL.").In("uri")
	}
	return nil
}

// entry is the journal's line about something that happened to an account.
func entry(at time.Time, by tenants.Caller, a ServiceAccount, action journal.Action, detail map[string]string) journal.Entry {
	return journal.Entry{
		At: at, Org: string(a.Org), Actor: by.Actor(), Action: action,
		Subject:   journal.Subject{Kind: journal.KindAccount, ID: string(a.ID), Name: a.Name},
		RequestID: by.RequestID, Source: by.Address, Detail: detail,
	}
}
