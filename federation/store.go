package federation

import (
	"context"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Store keeps this site's identity and its associations; see tenants.Store for
// the meaning of View and InTx.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error
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
	// OrgKey is the organization's own key: PKCS #8, DER, sealed.
	OrgKey(org tenants.OrgID) ([]byte, error)
}

// Tx reads and writes in one transaction.
type Tx interface {
	Reader
	CreateSelf(Self) error
	// PutSiteAssociation creates or replaces by site.
	PutSiteAssociation(SiteAssociation) error
	// PutOrgAssociation creates or replaces by local and remote organization and site.
	PutOrgAssociation(OrgAssociation) error
	// CreateOrgKey stores a key once; a second call is problem.Conflict.
	CreateOrgKey(org tenants.OrgID, sealed []byte) error
	Record(journal.Entry) error
}
