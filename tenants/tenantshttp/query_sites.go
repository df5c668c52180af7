package tenantshttp

import (
	"context"

	"causeway/federation"
	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

const (
	mediaSiteAssociation = "application/vnd.vmware.admin.siteAssociation+xml"
	mediaOrgAssociation  = "application/vnd.vmware.admin.organizationAssociation+xml"
)

// Associations reads what this site knows of others.
type Associations interface {
	Sites(ctx context.Context) ([]federation.SiteAssociation, error)
	Orgs(ctx context.Context, local tenants.OrgID, q tenants.Query) ([]federation.ListedOrgAssociation, int, error)
	EveryOrg(ctx context.Context, q tenants.Query) ([]federation.ListedOrgAssociation, int, error)
}

var siteRecordFields = fiql.Fields{
	"id":   {Column: "id", Kind: fiql.URN, URN: "site"},
	"name": {Column: "name", Kind: fiql.Text},
}

// siteRecords are this site and those it is associated with.
func siteRecords(h *Handler, ctx context.Context, _ httpapi.Call) ([]record, error) {
	list, err := h.Associations.Sites(ctx)
	if err != nil {
		return nil, err
	}
	self := h.site()
	records := []record{siteRecord(self.ID, self.Name, h.PublicURL+"/api", h.PublicURL)}
	for _, a := range list {
		records = append(records, siteRecord(tenants.URN("site", a.Site), a.Name, a.RestEndpoint, a.BaseUIEndpoint))
	}
	return records, nil
}

func siteRecord(id, name, rest, ui string) record {
	self := reference{Href: rest + "/site", ID: id, Name: name, Type: "application/vnd.vmware.admin.site+xml"}
	return recordOf("href", self, "id", id, "name", name, "restApiEndpoint", rest, "uiEndpoint", ui)
}

var siteAssociationFields = fiql.Fields{
	"associatedSiteId":   {Column: "associatedSiteId", Kind: fiql.URN, URN: "site"},
	"associatedSiteName": {Column: "associatedSiteName", Kind: fiql.Text},
	"status":             {Column: "status", Kind: fiql.Text},
}

func siteAssociationRecords(h *Handler, ctx context.Context, _ httpapi.Call) ([]record, error) {
	list, err := h.Associations.Sites(ctx)
	if err != nil {
		return nil, err
	}
	var records []record
	for _, a := range list {
		id := tenants.URN("site", a.Site)
		self := reference{Href: h.PublicURL + "/api/site/associations/" + string(a.Site), ID: id, Name: a.Name, Type: mediaSiteAssociation}
		records = append(records, recordOf(
			"href", self, "associatedSiteName", a.Name, "associatedSiteId", id,
			"restEndpoint", a.RestEndpoint, "baseUiEndpoint", a.BaseUIEndpoint, "status", string(a.Status),
		))
	}
	return records, nil
}

var orgAssociationFields = fiql.Fields{
	"siteId":     {Column: "site_id", Kind: fiql.URN, URN: "site"},
	"siteName":   {Column: "site_name", Kind: fiql.Text},
	"localOrgId": {Column: "org_id", Kind: fiql.URN, URN: "org"},
	"orgId":      {Column: "remote_org_id", Kind: fiql.URN, URN: "org"},
	"orgName":    {Column: "remote_name", Kind: fiql.Text},
	"status":     {Column: "status", Kind: fiql.Text},
}

// orgAssociationRecords are the associations of the organization in which the
// request is fulfilled; for a provider at home, those of all.
var orgAssociationRecords = fromStore(
	func(h *Handler, ctx context.Context, call httpapi.Call, q tenants.Query) ([]federation.ListedOrgAssociation, int, error) {
		if call.Principal.Provider() && call.Org.System() {
			return h.Associations.EveryOrg(ctx, q)
		}
		return h.Associations.Orgs(ctx, call.Org.ID, q)
	},
	func(h *Handler, _ httpapi.Call, a federation.ListedOrgAssociation) record {
		remote := tenants.URN("org", a.Remote)
		self := reference{Href: h.adminOrgHref(a.Local) + "/associations/" + a.Segment(), ID: remote, Name: a.RemoteName, Type: mediaOrgAssociation}
		return recordOf(
			"href", self, "siteId", tenants.URN("site", a.Site), "localOrgId", tenants.URN("org", a.Local), "orgId", remote,
			"siteName", a.SiteName, "orgName", a.RemoteName, "status", string(a.Status),
		)
	},
)
