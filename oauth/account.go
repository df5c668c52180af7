package oauth

import (
	"time"

	"causeway/tenants"
)

// ClientID is a service account's OAuth client_id: a lower-case UUID, the last
// part of urn:vcloud:serviceAccount:<id>.
type ClientID string

// Status of a service account. It is derived, never stored: ACTIVE while a live
// token family exists, else GRANTED while a granted request waits to be fetched,
// else REQUESTED while one waits for an answer, else CREATED (VCD-26…29).
type Status string

const (
	Created   Status = "CREATED"
	Requested Status = "REQUESTED"
	Granted   Status = "GRANTED"
	Active    Status = "ACTIVE"
)

// ServiceAccount is an app's identity in one organization. The same software at
// several sites or organizations is told by Name and SoftwareID together.
type ServiceAccount struct {
	ID              ClientID
	Org             tenants.OrgID
	Name            string // unique in its organization
	SoftwareID      string // UUID of the software, the same for all versions and instances; byte for byte as given
	SoftwareVersion string
	URI             string
	Role            tenants.RoleID
	Quota           tenants.QuotaPolicyID // empty: none; assigned by package tenants
	CreatedAt       time.Time
	Status          Status // filled in by reads
}
