package federation

import (
	"context"

	"causeway/tenants"
)

// Office is the store of those who change associations: who they are is judged
// where the change is made, and its receipt is written there. See tenants.Store
// for the meaning of View and InTx.
type Office interface {
	View(ctx context.Context, f func(OfficeReader) error) error
	InTx(ctx context.Context, f func(OfficeTx) error) error
}

// OfficeReader reads associations as administrators list them.
type OfficeReader interface {
	Reader
	tenants.Ground
	// OrgAssociationPage lists those of one local organization by localOrgId, orgId,
	// orgName, siteId, siteName, status, mapUsers and direct.
	OrgAssociationPage(local tenants.OrgID, q tenants.Query) ([]ListedOrgAssociation, int, error)
	// EveryOrgAssociation lists those of all, likewise. Provider only.
	EveryOrgAssociation(q tenants.Query) ([]ListedOrgAssociation, int, error)
	// CountAssociatedWith is how many local organizations hold with one site.
	CountAssociatedWith(site tenants.SiteID) (int, error)
}

// OfficeTx changes associations.
type OfficeTx interface {
	Tx
	OfficeReader
	// LockOrganization holds an organization's row, see tenants.Tx. Of several, the
	// one with the smallest identifier is held first.
	LockOrganization(id tenants.OrgID) error
	// LockSiteAssociation holds an association with a site: it is neither changed nor
	// deleted before the transaction ends, and no contact changes its status.
	LockSiteAssociation(site tenants.SiteID) error
	// LockOrgAssociation does the same for an association of an organization.
	LockOrgAssociation(local tenants.OrgID, remote tenants.LocationID) error
	CreateTask(tenants.Task) error
}

// ListedOrgAssociation is an association in a list, with the names that are kept
// elsewhere.
type ListedOrgAssociation struct {
	OrgAssociation
	LocalName string
	SiteName  string // of the remote organization's site; empty for one that is not associated any more
}

// Segment names the remote organization in an address: by its identifier, and by
// its site as well where that is not enough, for the provider's organization has
// the same identifier everywhere.
func (a OrgAssociation) Segment() string {
	if a.Remote == tenants.SystemOrgID {
		return a.Location().String()
	}
	return string(a.Remote)
}
