package tenantshttp

import (
	"context"

	"causeway/federation"
	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

// Associations reads what this site knows of others.
type Associations interface {
	View(ctx context.Context, f func(federation.Reader) error) error
}

func (h *Handler) siteAssociations(ctx context.Context) (list []federation.SiteAssociation, err error) {
	err = h.Associations.View(ctx, func(r federation.Reader) error {
		list, err = r.SiteAssociations()
		return err
	})
	return list, err
}

var siteRecordFields = fiql.Fields{
	"id":   {Column: "id", Kind: fiql.URN, URN: "site"},
	"name": {Column: "name", Kind: fiql.Text},
}

// siteRecords are this site and those it is associated with.
func siteRecords(h *Handler, ctx context.Context, _ httpapi.Call) ([]record, error) {
	list, err := h.siteAssociations(ctx)
	if err != nil {
		return nil, err
	}
	records := []record{siteRecord(h.Site.ID, h.Site.Name, h.PublicURL+"/api", h.PublicURL)}
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
	list, err := h.siteAssociations(ctx)
	if err != nil {
		return nil, err
	}
	var records []record
	for _, a := range list {
		id := tenants.URN("site", a.Site)
		self := reference{Href: h.PublicURL + "/api/site/associations/" + string(a.Site), ID: id, Name: a.Name, Type: "application/vnd.vmware.admin.siteAssociation+xml"}
		records = append(records, recordOf(
			"href", self, "associatedSiteName", a.Name, "associatedSiteId", id,
			"restEndpoint", a.RestEndpoint, "baseUiEndpoint", a.BaseUIEndpoint, "status", string(a.Status),
		))
	}
	return records, nil
}

var orgAssociationFields = fiql.Fields{
	"siteId":     {Column: "siteId", Kind: fiql.URN, URN: "site"},
	"siteName":   {Column: "siteName", Kind: fiql.Text},
	"localOrgId": {Column: "localOrgId", Kind: fiql.URN, URN: "org"},
	"orgId":      {Column: "orgId", Kind: fiql.URN, URN: "org"},
	"orgName":    {Column: "orgName", Kind: fiql.Text},
	"status":     {Column: "status", Kind: fiql.Text},
}

// orgAssociationRecords are the associations of the organization in which the
// request is fulfilled.
func orgAssociationRecords(h *Handler, ctx context.Context, call httpapi.Call) (records []record, err error) {
	var sites []federation.SiteAssociation
	var list []federation.OrgAssociation
	err = h.Associations.View(ctx, func(r federation.Reader) error {
		if sites, err = r.SiteAssociations(); err != nil {
			return err
		}
		list, err = r.OrgAssociations(call.Org.ID)
		return err
	})
	names := map[tenants.SiteID]string{h.SiteID: h.Site.Name}
	for _, s := range sites {
		names[s.Site] = s.Name
	}
	for _, a := range list {
		remote := tenants.URN("org", a.Remote)
		self := reference{
			Href: h.adminOrgHref(a.Local) + "/associations/" + string(a.Remote), ID: remote, Name: a.RemoteName,
			Type: "application/vnd.vmware.admin.organizationAssociation+xml",
		}
		records = append(records, recordOf(
			"href", self, "siteId", tenants.URN("site", a.Site), "localOrgId", tenants.URN("org", a.Local), "orgId", remote,
			"siteName", names[a.Site], "orgName", a.RemoteName, "status", string(a.Status),
		))
	}
	return records, err
}
