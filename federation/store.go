package federation

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Store keeps this site's identity and its associations; see tenants.Store for
// the meaning of View and InTx.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error

	// UseAssertion remembers for all cells of the site that a site's assertion was
	// used, until it could not be accepted any more. It is false for one that was.
	UseAssertion(ctx context.Context, site tenants.SiteID, id string, until time.Time) (bool, error)
}

// Reader reads. Absence is problem.NotFound.
type Reader interface {
	Self() (Self, error)
	SiteAssociation(site tenants.SiteID) (SiteAssociation, error)
	SiteAssociations() ([]SiteAssociation, error)
	// OrgAssociations lists the associations of one local organization.
	OrgAssociations(local tenants.OrgID) ([]OrgAssociation, error)
	// OrgAssociation is one of them. An organization is told by its site as well:
	// the provider's has the same id everywhere.
	OrgAssociation(local tenants.OrgID, remote tenants.LocationID) (OrgAssociation, error)
	// AssociatedWith lists what local organizations hold with one site, by local
	// organization and then remote, at most limit of them, beginning after the pair
	// given; an empty one begins at the first.
	AssociatedWith(site tenants.SiteID, after Pair, limit int) ([]OrgAssociation, error)
	// Shared lists the local sides of what is held with one site, in the same way.
	Shared(site tenants.SiteID, after Pair, limit int) ([]Shared, error)
	// SharedBy lists those of some local organizations, at most limit of them.
	SharedBy(site tenants.SiteID, local []tenants.OrgID, limit int) ([]Shared, error)
	// SharedPairs lists those of some pairs.
	SharedPairs(site tenants.SiteID, pairs []Pair) ([]Shared, error)
	// DirectSites are the sites of whose organizations one shows tokens here.
	DirectSites() ([]tenants.SiteID, error)
	// DirectPairs are those organizations of one site, with whom they are associated.
	DirectPairs(site tenants.SiteID) ([]Pair, error)
	// OrgKey is the organization's own key: PKCS #8, DER, sealed.
	OrgKey(org tenants.OrgID) ([]byte, error)
	// Roots are this site's root keys, the oldest first; none while it has only its
	// first.
	Roots() ([]Root, error)
}

// Pair is a local and a remote organization that may be associated.
type Pair struct{ Local, Remote tenants.OrgID }

// Shared is an association as the remote organization's site may know it: what the
// local organization is called, and whether it is enabled.
type Shared struct {
	Pair
	Name    string
	Enabled bool
}

// Root is one of this site's root keys. It is published to peers from the moment
// it is made, signs from SignsFrom on, and counts until RetiredAt; zero is never.
type Root struct {
	ID        string // its fingerprint
	Sealed    []byte // PKCS #8, DER, sealed; empty once it is retired
	CreatedAt time.Time
	SignsFrom time.Time
	RetiredAt time.Time
	// Succession is what the key before it says about this one, signed; empty where
	// there is none whose word counts.
	Succession string
}

// Tx reads and writes in one transaction, in which callers are judged anew.
type Tx interface {
	Reader
	tenants.Ground
	CreateSelf(Self) error
	RenameSelf(name string) error
	// RenewBundle numbers what the site says of itself anew, and holds off others
	// who would until the transaction ends: whoever changes root keys begins with it.
	RenewBundle(at time.Time) error
	CreateRoot(Root) error
	// AdvanceRoot has a key sign from now on and on its own word alone.
	AdvanceRoot(id string, at time.Time) error
	// RetireRoot forgets the private part, too.
	RetireRoot(id string, at time.Time) error
	// PutSiteAssociation creates or replaces by site.
	PutSiteAssociation(SiteAssociation) error
	// PutOrgAssociation creates or replaces by local and remote organization and site.
	PutOrgAssociation(OrgAssociation) error
	// DeleteSiteAssociation and DeleteOrgAssociation are problem.NotFound for what
	// is not held. The organizations' associations with a site outlive the site's:
	// whoever deletes that one decides about them.
	DeleteSiteAssociation(site tenants.SiteID) error
	DeleteOrgAssociation(local tenants.OrgID, remote tenants.LocationID) error

	// What contact with a site finds out is set by itself: an administrator may be
	// changing the rest of the row. Each reports whether it changed anything, and
	// the status of an association changes only while it is still the one seen.
	SetSiteStatus(site tenants.SiteID, seen Status, now StatusChange) (bool, error)
	SetOrgStatus(local tenants.OrgID, remote tenants.LocationID, seen Status, now StatusChange) (bool, error)
	// SetRemote notes what the remote organization is called and whether it is
	// enabled.
	SetRemote(local tenants.OrgID, remote tenants.LocationID, name string, enabled bool) (bool, error)
	// SetContact notes when a site answered and how far its directory was read.
	SetContact(site tenants.SiteID, at time.Time, dirSeq int64) error
	// SetBundle keeps a bundle that is not older than the one kept, and the keys it
	// leaves pinned: public must be what is pinned when the caller looked.
	SetBundle(site tenants.SiteID, public string, b Pinned) (bool, error)
	// CreateOrgKey stores a key once; a second call is problem.Conflict.
	CreateOrgKey(org tenants.OrgID, sealed []byte) error
	Record(journal.Entry) error
}

// StatusChange is what an association becomes, and why.
type StatusChange struct {
	Status Status
	Reason string
	At     time.Time
}

// Pinned is what a bundle tells of a site's keys, and the bundle itself.
type Pinned struct {
	PublicKey, NextKey string // PEM; NextKey may be empty
	Bundle             string
	Seq                uint64
}
