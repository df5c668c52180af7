package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const mediaOrg = "application/vnd.vmware.vcloud.org+xml"

const (
	mediaOrgList         = "application/vnd.vmware.vcloud.orgList+xml"
	mediaTasksList       = "application/vnd.vmware.vcloud.tasksList+xml"
	mediaOrgAssociations = "application/vnd.vmware.admin.organizationAssociations+xml"
)

type link = httpapi.Link

type orgXML struct {
	XMLName     xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Org" json:"-"`
	Href        string   `xml:"href,attr" json:"href"`
	ID          string   `xml:"id,attr" json:"id"`
	Name        string   `xml:"name,attr" json:"name"`
	Type        string   `xml:"type,attr" json:"type"`
	Links       []link   `xml:"Link" json:"link"`
	Description string   `xml:"Description" json:"description"`
	FullName    string   `xml:"FullName" json:"fullName"`
	IsEnabled   bool     `xml:"IsEnabled" json:"isEnabled"`
}

type orgRefXML struct {
	Href string `xml:"href,attr" json:"href"`
	Name string `xml:"name,attr" json:"name"`
	Type string `xml:"type,attr" json:"type"`
}

type orgListXML struct {
	XMLName xml.Name    `xml:"http://www.vmware.com/vcloud/v1.5 OrgList" json:"-"`
	Href    string      `xml:"href,attr" json:"href"`
	Type    string      `xml:"type,attr" json:"type"`
	Orgs    []orgRefXML `xml:"Org" json:"org"`
}

// orgList shows a provider every organization, others the one they act in. SDKs
// call it right after each token exchange.
func (h *Handler) orgList(c *gin.Context, call httpapi.Call) error {
	orgs := []tenants.Organization{call.Org.Organization}
	if call.Principal.Provider() && call.Org.System() {
		var err error
		if orgs, err = h.Tenants.EveryOrganization(c.Request.Context()); err != nil {
			return err
		}
	}
	body := h.newOrgList()
	for _, o := range orgs {
		body.Orgs = append(body.Orgs, orgRefXML{Href: h.orgHref(o.ID), Name: o.Name, Type: mediaOrg})
	}
	write(c, body.Type, body)
	return nil
}

func (h *Handler) newOrgList() orgListXML {
	return orgListXML{Href: h.PublicURL + "/api/org/", Type: mediaOrgList, Orgs: []orgRefXML{}}
}

func (h *Handler) org(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	write(c, mediaOrg, orgXML{
		Href: h.orgHref(org.ID), ID: tenants.URN("org", org.ID), Name: org.Name, Type: mediaOrg,
		Links: []link{
			{Rel: "up", Type: mediaOrgList, Href: h.PublicURL + "/api/org/"},
			{Rel: "down", Type: mediaTasksList, Href: h.tasksListHref(org.ID)},
			{Rel: "alternate", Type: mediaAdminOrg, Href: h.adminOrgHref(org.ID)},
			{Rel: "down", Type: mediaOrgAssociations, Href: h.adminOrgHref(org.ID) + "/associations"},
		},
		Description: org.Description, FullName: org.DisplayName, IsEnabled: org.Enabled,
	})
	return nil
}

// OrgOf is the organization that the path names, if the caller may see it.
func (h *Handler) OrgOf(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, error) {
	return h.orgOf(c, call)
}

// AcceptedTask answers a request of /api with its task, which is done.
func (h *Handler) AcceptedTask(c *gin.Context, t tenants.Task) error { return h.acceptedTask(c, t) }

// orgOf is the organization that the path names, if the caller may see it.
func (h *Handler) orgOf(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, error) {
	id, err := tenants.ParseID[tenants.OrgID]("org", c.Param("id"))
	if err != nil {
		return nil, err
	}
	return h.visible(c, call, id)
}

// visible is the organization if the caller may see it: the one in which the
// request is fulfilled, or for a provider at home any. Absent and foreign look
// alike (R6).
func (h *Handler) visible(c *gin.Context, call httpapi.Call, id tenants.OrgID) (*tenants.Snapshot, error) {
	if id == call.Org.ID {
		return call.Org, nil
	}
	if !call.Principal.Provider() || !call.Org.System() {
		return nil, problem.Hidden()
	}
	org, err := h.Orgs.Organization(c.Request.Context(), id)
	if problem.Has(err, problem.NotFound) {
		err = problem.Hidden()
	}
	return org, err
}

// may reports whether the caller has one of the rights in org.
func (h *Handler) may(c *gin.Context, call httpapi.Call, org tenants.OrgID, rights ...tenants.Right) bool {
	return h.Orgs.Require(c.Request.Context(), call.Principal, org, rights...) == nil
}

func (h *Handler) orgHref(id tenants.OrgID) string { return h.PublicURL + "/api/org/" + string(id) }

func (h *Handler) adminOrgHref(id tenants.OrgID) string {
	return h.PublicURL + "/api/admin/org/" + string(id)
}

func (h *Handler) tasksListHref(id tenants.OrgID) string {
	return h.PublicURL + "/api/tasksList/" + string(id)
}

// write answers in XML, or in JSON where the client asked for that.
func write(c *gin.Context, media string, v any) { writeStatus(c, http.StatusOK, media, v) }

func writeStatus(c *gin.Context, status int, media string, v any) {
	httpapi.Document(c, status, media, v)
}
