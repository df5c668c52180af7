package tenantshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

const cloudOrgs = "/cloudapi/1.0.0/orgs"

func (h *Handler) cloudOrgRoutes() []httpapi.Route {
	return []httpapi.Route{
		{Method: http.MethodGet, Path: cloudOrgs, Rights: viewOrganization, List: httpapi.Pages{}, Do: h.cloudOrgList},
		{Method: http.MethodPost, Path: cloudOrgs, Rights: createOrganization, Do: h.cloudOrgCreate},
		{Method: http.MethodGet, Path: cloudOrgs + "/:id", Rights: viewOrganization, Do: h.cloudOrg},
		{Method: http.MethodPut, Path: cloudOrgs + "/:id", Rights: changeOrganization, Do: h.cloudOrgUpdate},
		{Method: http.MethodDelete, Path: cloudOrgs + "/:id", Rights: createOrganization, Do: h.cloudOrgDelete},
	}
}

// cloudOrg is an organization on the OpenAPI wire. The counters of what lives
// behind the gateway are 0.
type cloudOrg struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
	Enabled     bool   `json:"isEnabled"`
	VDCs        int    `json:"orgVdcCount"`
	Catalogs    int    `json:"catalogCount"`
	VApps       int    `json:"vappCount"`
	RunningVMs  int    `json:"runningVMCount"`
	Users       int    `json:"userCount"`
	Disks       int    `json:"diskCount"`
	CanPublish  bool   `json:"canPublish"`
}

func renderCloudOrg(o tenants.ListedOrganization) cloudOrg {
	return cloudOrg{
		ID: tenants.URN("org", o.ID), Name: o.Name, DisplayName: o.DisplayName, Description: o.Description,
		Enabled: o.Enabled, Users: o.Users, CanPublish: o.Settings.CanPublishCatalogs,
	}
}

// cloudOrgBody is what clients write of an organization. What is switched on or
// off stays as it is where a body leaves it out: nothing said must not end the
// sessions of an organization.
type cloudOrgBody struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
	Enabled     *bool  `json:"isEnabled"`
	CanPublish  *bool  `json:"canPublish"`
}

func (b cloudOrgBody) apply(o *tenants.Organization) {
	o.Name, o.DisplayName, o.Description = b.Name, b.DisplayName, b.Description
	if b.Enabled != nil {
		o.Enabled = *b.Enabled
	}
	if b.CanPublish != nil {
		o.Settings.CanPublishCatalogs = *b.CanPublish
	}
}

func (h *Handler) cloudOrgList(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, tenants.OrganizationFields, maxPageSize)
	if err != nil {
		return err
	}
	list, total, err := h.Tenants.Organizations(c.Request.Context(), call.Org.ID, q)
	if err != nil {
		return err
	}
	values := make([]cloudOrg, 0, len(list))
	for _, o := range list {
		values = append(values, renderCloudOrg(o))
	}
	httpapi.WritePage(c, h.PublicURL, "Orgs", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (h *Handler) cloudOrg(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	return h.writeCloudOrg(c, org.ID, http.StatusOK)
}

// writeCloudOrg reads the organization as lists do, for its counters.
func (h *Handler) writeCloudOrg(c *gin.Context, id tenants.OrgID, status int) error {
	o, err := h.Tenants.Organization(c.Request.Context(), id)
	if err != nil {
		return err
	}
	httpapi.JSON(c, status, renderCloudOrg(o))
	return nil
}

func (h *Handler) cloudOrgCreate(c *gin.Context, call httpapi.Call) error {
	var body cloudOrgBody
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	o := tenants.Organization{Enabled: true}
	body.apply(&o)
	o, err := h.Tenants.CreateOrganization(c.Request.Context(), call.Caller, o)
	if err != nil {
		return err
	}
	c.Header("Location", h.PublicURL+cloudOrgs+"/"+tenants.URN("org", o.ID))
	return h.writeCloudOrg(c, o.ID, http.StatusCreated)
}

func (h *Handler) cloudOrgUpdate(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	var body cloudOrgBody
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	if _, err := h.Tenants.UpdateOrganization(c.Request.Context(), call.Caller, org.ID, body.apply); err != nil {
		return err
	}
	return h.writeCloudOrg(c, org.ID, http.StatusOK)
}

func (h *Handler) cloudOrgDelete(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	_, err = h.Tenants.DeleteOrganization(c.Request.Context(), call.Caller, org.ID)
	return httpapi.NoContent(c, err)
}
