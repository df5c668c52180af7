package federation

import (
	"net/netip"
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
	// StatusError: the sites reach each other and cannot work together; the reason
	// says why. Nothing crosses.
	StatusError Status = "ERROR"
)

// Self is this site.
type Self struct {
	ID        tenants.SiteID
	Name      string
	Root      []byte // the first root key: PKCS #8, DER, sealed
	CreatedAt time.Time
	// BundleSeq numbers what the site says of itself. It begins with the seconds
	// since 1970 and only grows, also where a backup brought an older one back.
	BundleSeq uint64
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
	// NextKey is the root key that the peer has announced, signed with PublicKey;
	// PEM, or empty. A certificate that it signed makes it PublicKey.
	NextKey string
	// Bundle is the last one the peer signed, BundleSeq its number: there is no way
	// back to an older one.
	Bundle    string
	BundleSeq uint64
	// Allowed are the networks in which the peer's addresses must lie; none allows
	// all.
	Allowed []netip.Prefix

	Status      Status
	Reason      string    // for people: why the status is not ACTIVE
	StatusAt    time.Time // when the status last changed
	ContactedAt time.Time // when the peer last answered, to the minute; zero if never
	// DirSeq is how far the peer's directory of organizations has been read.
	DirSeq    int64
	CreatedAt time.Time
}

// OrgAssociation lets principals of Local act in Remote and the other way
// round, each under the fulfilling organization's own account and role.
type OrgAssociation struct {
	Local      tenants.OrgID
	Remote     tenants.OrgID
	RemoteName string
	Site       tenants.SiteID // of Remote; our own id for organizations of one site
	PublicKey  string         // PEM, the remote organization's key
	MapUsers   bool           // whether people map by name; service accounts always do
	// Direct lets principals of Remote show its tokens here; each is checked at its
	// home.
	Direct bool
	// RemoteEnabled is what the remote site last said.
	RemoteEnabled bool

	Status    Status
	Reason    string    // for people: why the status is not ACTIVE
	StatusAt  time.Time // when the status last changed
	CreatedAt time.Time
}

// Location is the remote organization.
func (a OrgAssociation) Location() tenants.LocationID {
	return tenants.LocationID{Org: a.Remote, Site: a.Site}
}
