package federationhttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

const (
	adminOrg       = "/api/admin/org/"
	orgsEnd        = "/associations"
	mediaOrgs      = "application/vnd.vmware.admin.organizationAssociations+xml"
	mediaOrgMember = "application/vnd.vmware.admin.organizationAssociation+xml"
)

func (h *Associations) orgRoutes() []httpapi.Route {
	const all = adminOrg + ":id" + orgsEnd
	const one = all + "/:remote"
	return []httpapi.Route{
		{Method: http.MethodGet, Path: all, Rights: viewOrgs, Do: h.orgs},
		{Method: http.MethodPost, Path: all, Rights: manageOrgs, Do: h.orgCreate},
		{Method: http.MethodPut, Path: all, Rights: manageOrgs, Do: h.orgsReplace},
		{Method: http.MethodGet, Path: all + localData, Rights: viewOrgs, Do: h.orgLocal},
		{Method: http.MethodGet, Path: one, Rights: viewOrgs, Do: h.orgMember},
		{Method: http.MethodDelete, Path: one, Rights: manageOrgs, Do: h.orgDelete},
	}
}

// orgMember is association data of an organization. It has no endpoint: that is
// its site's.
type orgMember struct {
	Href      string         `xml:"href,attr" json:"href"`
	Type      string         `xml:"type,attr" json:"type"`
	Links     []httpapi.Link `xml:"Link" json:"link"`
	SiteID    string         `xml:"SiteId" json:"siteId"`
	OrgID     string         `xml:"OrgId" json:"orgId"`
	SiteName  string         `xml:"SiteName,omitempty" json:"siteName,omitempty"`
	OrgName   string         `xml:"OrgName" json:"orgName"`
	PublicKey string         `xml:"OrgPublicKey" json:"orgPublicKey"`
	Status    string         `xml:"Status,omitempty" json:"status,omitempty"`
}

type orgMemberXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 OrgAssociationMember" json:"-"`
	orgMember
}

type orgMembersXML struct {
	XMLName xml.Name       `xml:"http://www.vmware.com/vcloud/v1.5 OrgAssociations" json:"-"`
	Href    string         `xml:"href,attr" json:"href"`
	Type    string         `xml:"type,attr" json:"type"`
	Links   []httpapi.Link `xml:"Link" json:"link"`
	Members []orgMember    `xml:"OrgAssociationMember" json:"orgAssociationMember"`
}

func (h *Associations) orgsHref(local tenants.OrgID) string { return orgsHref(h.PublicURL, local) }

func orgsHref(publicURL string, local tenants.OrgID) string {
	return publicURL + adminOrg + string(local) + orgsEnd
}

func (h *Associations) orgs(c *gin.Context, call httpapi.Call) error {
	org, err := h.Org(c, call)
	if err != nil {
		return err
	}
	held, err := h.Service.AllOrgs(c.Request.Context(), org.ID)
	if err != nil {
		return err
	}
	href := h.orgsHref(org.ID)
	list := orgMembersXML{
		Href: href, Type: mediaOrgs, Members: []orgMember{},
		Links: []httpapi.Link{{Rel: "down", Type: mediaOrgMember, Href: href + localData}, {Rel: "add", Type: mediaOrgMember, Href: href}},
	}
	for _, a := range held {
		list.Members = append(list.Members, h.renderOrg(a))
	}
	httpapi.Document(c, http.StatusOK, mediaOrgs, list)
	return nil
}

func (h *Associations) renderOrg(a federation.ListedOrgAssociation) orgMember {
	href := h.orgsHref(a.Local) + "/" + a.Segment()
	return orgMember{
		Href: href, Type: mediaOrgMember, Links: []httpapi.Link{{Rel: "remove", Type: mediaOrgMember, Href: href}},
		SiteID: tenants.URN("site", a.Site), OrgID: tenants.URN("org", a.Remote), SiteName: a.SiteName, OrgName: a.RemoteName,
		PublicKey: a.PublicKey, Status: string(a.Status),
	}
}

func (h *Associations) orgLocal(c *gin.Context, call httpapi.Call) error {
	org, err := h.Org(c, call)
	if err != nil {
		return err
	}
	d, err := h.Service.LocalOrg(c.Request.Context(), org.Organization)
	if err != nil {
		return err
	}
	httpapi.Document(c, http.StatusOK, mediaOrgMember, localOrg(d, h.PublicURL))
	return nil
}

// held is the association that the path names, of the organization that it names.
func (h *Associations) held(c *gin.Context, call httpapi.Call) (a federation.ListedOrgAssociation, err error) {
	org, err := h.Org(c, call)
	if err != nil {
		return a, err
	}
	remote, err := remoteOf(c)
	if err != nil {
		return a, err
	}
	return h.Service.Org(c.Request.Context(), org.ID, remote)
}

func (h *Associations) orgMember(c *gin.Context, call httpapi.Call) error {
	a, err := h.held(c, call)
	if err != nil {
		return err
	}
	httpapi.Document(c, http.StatusOK, mediaOrgMember, orgMemberXML{orgMember: h.renderOrg(a)})
	return nil
}

func (h *Associations) orgCreate(c *gin.Context, call httpapi.Call) error {
	org, err := h.Org(c, call)
	if err != nil {
		return err
	}
	d, err := parseOrg(c.Request)
	if err != nil {
		return err
	}
	t, err := h.Service.AssociateOrg(c.Request.Context(), call.Caller, org.ID, d)
	return h.answer(c, t, err)
}

func (h *Associations) orgsReplace(c *gin.Context, call httpapi.Call) error {
	org, err := h.Org(c, call)
	if err != nil {
		return err
	}
	list, err := parseOrgs(c.Request)
	if err != nil {
		return err
	}
	t, err := h.Service.ReplaceOrgs(c.Request.Context(), call.Caller, org.ID, list)
	return h.answer(c, t, err)
}

func (h *Associations) orgDelete(c *gin.Context, call httpapi.Call) error {
	a, err := h.held(c, call)
	if err != nil {
		return err
	}
	t, err := h.Service.RemoveOrg(c.Request.Context(), call.Caller, a.Local, a.Location())
	return h.answer(c, t, err)
}
