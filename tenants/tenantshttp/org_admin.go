package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

const (
	mediaAdminOrg = "application/vnd.vmware.admin.organization+xml"
	mediaMetadata = "application/vnd.vmware.vcloud.metadata+xml"
)

var (
	viewOrganization   = []tenants.Right{tenants.RightOrganizationView, tenants.RightAdministratorView}
	editOrganization   = []tenants.Right{tenants.RightOrganizationEdit}
	createOrganization = []tenants.Right{tenants.RightOrganizationCreate}
	// changeOrganization is for routes whose body says which right it takes.
	changeOrganization = tenants.OrganizationEditRights()
)

// orgRoutes are the organizations below /api and /cloudapi.
func (h *Handler) orgRoutes() []httpapi.Route {
	const one = "/api/admin/org/:id"
	routes := []httpapi.Route{
		{Method: http.MethodGet, Path: one, Rights: viewOrganization, Do: h.adminOrg},
		{Method: http.MethodPost, Path: "/api/admin/orgs", Rights: createOrganization, Do: h.adminOrgCreate},
		{Method: http.MethodPut, Path: one, Rights: changeOrganization, Do: h.adminOrgUpdate},
		{Method: http.MethodDelete, Path: one, Rights: createOrganization, Do: h.adminOrgDelete},
		{Method: http.MethodPost, Path: one + "/action/enable", Rights: editOrganization, Do: h.adminOrgEnable},
		{Method: http.MethodPost, Path: one + "/action/disable", Rights: editOrganization, Do: h.adminOrgDisable},
		{Method: http.MethodGet, Path: one + "/metadata", Rights: viewOrganization, Do: h.adminOrgMetadata},
	}
	return append(append(routes, h.settingsRoutes()...), h.cloudOrgRoutes()...)
}

// adminOrgXML has every element always: SDKs look into them unasked.
type adminOrgXML struct {
	XMLName     xml.Name        `xml:"http://www.vmware.com/vcloud/v1.5 AdminOrg" json:"-"`
	Href        string          `xml:"href,attr" json:"href"`
	ID          string          `xml:"id,attr" json:"id"`
	Name        string          `xml:"name,attr" json:"name"`
	Type        string          `xml:"type,attr" json:"type"`
	Links       []link          `xml:"Link" json:"link"`
	Description string          `xml:"Description" json:"description"`
	FullName    string          `xml:"FullName" json:"fullName"`
	IsEnabled   bool            `xml:"IsEnabled" json:"isEnabled"`
	Settings    orgSettings     `xml:"Settings" json:"settings"`
	Users       userReferences  `xml:"Users" json:"users"`
	Groups      struct{}        `xml:"Groups" json:"groups"`
	Catalogs    struct{}        `xml:"Catalogs" json:"catalogs"`
	Vdcs        struct{}        `xml:"Vdcs" json:"vdcs"`
	Networks    struct{}        `xml:"Networks" json:"networks"`
	Rights      rightReferences `xml:"RightReferences" json:"rightReferences"`
	Roles       roleReferences  `xml:"RoleReferences" json:"roleReferences"`
}

type userReferences struct {
	List []reference `xml:"UserReference" json:"userReference"`
}

func (h *Handler) adminOrg(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	return h.writeAdminOrg(c, call, org, http.StatusOK)
}

func (h *Handler) writeAdminOrg(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, status int) error {
	href := h.adminOrgHref(org.ID)
	body := adminOrgXML{
		Href: href, ID: tenants.URN("org", org.ID), Name: org.Name, Type: mediaAdminOrg,
		Links: []link{
			{Rel: "down", Type: mediaOrgAssociations, Href: href + "/associations"},
			{Rel: "down", Type: mediaTasksList, Href: h.tasksListHref(org.ID)},
			{Rel: "alternate", Type: mediaOrg, Href: h.orgHref(org.ID)},
		},
		Description: org.Description, FullName: org.DisplayName, IsEnabled: org.Enabled,
	}
	body.Settings.at(href+"/settings", mediaOrgSettings)
	body.Settings.show(org.Settings)
	if err := h.fillAdminOrg(c, call, org, &body); err != nil {
		return err
	}
	writeStatus(c, status, mediaAdminOrg, body)
	return nil
}

// maxListedUsers bounds the users in one answer. Clients that look a user up in
// this list know no pages; in larger organizations they find the rest by
// /api/query and /cloudapi.
const maxListedUsers = 10_000

// fillAdminOrg lists what is in the organization, as far as the caller's rights
// show it.
func (h *Handler) fillAdminOrg(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, body *adminOrgXML) error {
	h.fillCatalog(c, call, org, &body.Rights, &body.Roles)
	body.Users.List = []reference{}
	if !h.may(c, call, org.ID, tenants.RightUserView, tenants.RightUserManage) {
		return nil
	}
	users, _, err := h.Tenants.Users(c.Request.Context(), org.ID, tenants.Query{Page: 1, PageSize: maxListedUsers})
	for _, u := range users {
		body.Users.List = append(body.Users.List, h.entity("user", string(u.ID), u.Name))
	}
	return err
}

// fillCatalog lists the rights and roles that are available in org.
func (h *Handler) fillCatalog(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, rights *rightReferences, roles *roleReferences) {
	rights.List, roles.List = []reference{}, []reference{}
	if h.may(c, call, org.ID, tenants.RightRightView) {
		*rights = h.rightReferences(org.Available())
	}
	if h.may(c, call, org.ID, tenants.RightRoleView, tenants.RightRoleManage) {
		*roles = h.roleReferences(call, org)
	}
}

// adminOrgBody is what clients write of an organization. References and links
// that they send back say nothing.
type adminOrgBody struct {
	XMLName     xml.Name    `xml:"http://www.vmware.com/vcloud/v1.5 AdminOrg" json:"-"`
	Name        string      `xml:"name,attr" json:"name"`
	Description string      `xml:"Description" json:"description"`
	FullName    string      `xml:"FullName" json:"fullName"`
	IsEnabled   bool        `xml:"IsEnabled" json:"isEnabled"`
	Settings    orgSettings `xml:"Settings" json:"settings"`
}

func (b *adminOrgBody) apply(o *tenants.Organization) {
	o.Name, o.Description, o.DisplayName, o.Enabled = b.Name, b.Description, b.FullName, b.IsEnabled
	b.Settings.apply(&o.Settings)
}

func (h *Handler) adminOrgCreate(c *gin.Context, call httpapi.Call) error {
	ctx := c.Request.Context()
	var body adminOrgBody
	if err := httpapi.ParseBody(c.Request, &body); err != nil {
		return err
	}
	var o tenants.Organization
	body.apply(&o)
	o, err := h.Tenants.CreateOrganization(ctx, call.Caller, o)
	if err != nil {
		return err
	}
	org, err := h.Orgs.Organization(ctx, o.ID)
	if err != nil {
		return err
	}
	c.Header("Location", h.adminOrgHref(o.ID))
	return h.writeAdminOrg(c, call, org, http.StatusCreated)
}

func (h *Handler) adminOrgUpdate(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	var body adminOrgBody
	if err := httpapi.ParseBody(c.Request, &body); err != nil {
		return err
	}
	if _, err = h.Tenants.UpdateOrganization(c.Request.Context(), call.Caller, org.ID, body.apply); err != nil {
		return err
	}
	if org, err = h.Orgs.Organization(c.Request.Context(), org.ID); err != nil {
		return err
	}
	return h.writeAdminOrg(c, call, org, http.StatusOK)
}

// adminOrgDelete answers with a task that is done. force and recursive, which
// SDKs send along, ask for no more than what happens: everything goes.
func (h *Handler) adminOrgDelete(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	task, err := h.Tenants.DeleteOrganization(c.Request.Context(), call.Caller, org.ID)
	if err != nil {
		return err
	}
	return h.acceptedTask(c, task)
}

func (h *Handler) adminOrgEnable(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Tenants.EnableOrganization(c.Request.Context(), call.Caller, org.ID))
}

func (h *Handler) adminOrgDisable(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Tenants.DisableOrganization(c.Request.Context(), call.Caller, org.ID))
}

type metadataXML struct {
	XMLName xml.Name   `xml:"http://www.vmware.com/vcloud/v1.5 Metadata" json:"-"`
	Href    string     `xml:"href,attr" json:"href"`
	Type    string     `xml:"type,attr" json:"type"`
	Entries []struct{} `xml:"MetadataEntry" json:"metadataEntry"`
}

// adminOrgMetadata is always empty: Terraform reads it on every refresh.
func (h *Handler) adminOrgMetadata(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	write(c, mediaMetadata, metadataXML{Href: h.adminOrgHref(org.ID) + "/metadata", Type: mediaMetadata, Entries: []struct{}{}})
	return nil
}
