package federation

import (
	"time"

	"causeway/tenants"
)

// Status of an association, as VCD names it.
type Status string

const (
	// Asymmetric: we hold the association, the other side has not reciprocated.
	Asymmetric Status = "ASYMMETRIC"
	// StatusActive: both sides hold it and the last contact worked.
	StatusActive Status = "ACTIVE"
	// Unreachable: both sides hold it, the peer cannot be reached now.
	Unreachable Status = "UNREACHABLE"
)

// Self is this site.
type Self struct {
	ID        tenants.SiteID
	Name      string
	Root      []byte // site root key: PKCS #8, DER, sealed
	CreatedAt time.Time
}

// SiteAssociation is what we hold about a peer site. RestEndpoint is where it
// can always be asked for its peer address, whatever gossip says.
type SiteAssociation struct {
	Site                    tenants.SiteID
	Name                    string
	RestEndpoint            string // https://host[:port]/api
	BaseUIEndpoint          string
	RestEndpointCertificate string // PEM; an extra root for RestEndpoint, never an identity
	PublicKey               string // PEM, the peer's root key: this is who it is
	Status                  Status
	CreatedAt               time.Time
}

// OrgAssociation lets principals of Local act in Remote and the other way
// round, each under the fulfilling organization's own account and role.
type OrgAssociation struct {
	Local      tenants.OrgID
	Remote     tenants.OrgID
	RemoteName string
	Site       tenants.SiteID // of Remote; our own id for organizations of one site
	PublicKey  string         // PEM, the remote organization's key
	Status     Status
	MapUsers   bool // whether people map by name; service accounts always do
	CreatedAt  time.Time
}
