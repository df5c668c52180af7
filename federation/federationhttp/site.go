package federationhttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	sitePath          = "/api/site"
	sitesPath         = sitePath + "/associations"
	localData         = "/localAssociationData"
	mediaSite         = "application/vnd.vmware.vcloud.site+xml"
	mediaSites        = "application/vnd.vmware.admin.siteAssociations+xml"
	mediaSiteMember   = "application/vnd.vmware.admin.siteAssociation+xml"
	tenantUIBelowBase = "/tenant"
)

func (h *Associations) siteRoutes() []httpapi.Route {
	const one = sitesPath + "/:site"
	return []httpapi.Route{
		{Method: http.MethodGet, Path: sitePath, Rights: viewSites, Do: h.site},
		{Method: http.MethodGet, Path: sitesPath, Rights: viewSites, Do: h.sites},
		{Method: http.MethodPost, Path: sitesPath, Rights: manageSites, Do: h.siteCreate},
		{Method: http.MethodPut, Path: sitesPath, Rights: manageSites, Do: h.sitesReplace},
		{Method: http.MethodGet, Path: sitesPath + localData, Rights: viewSites, Do: h.siteLocal},
		{Method: http.MethodPut, Path: sitesPath + localData, Rights: manageSites, Do: h.siteRename},
		{Method: http.MethodGet, Path: one, Rights: viewSites, Do: h.siteMember},
		{Method: http.MethodPut, Path: one, Rights: manageSites, Do: h.siteUpdate},
		{Method: http.MethodDelete, Path: one, Rights: manageSites, Do: h.siteDelete},
	}
}

// siteMember is association data of a site: its own, or what is held of another.
type siteMember struct {
	Href             string         `xml:"href,attr" json:"href"`
	ID               string         `xml:"id,attr" json:"id"`
	Type             string         `xml:"type,attr" json:"type"`
	Name             string         `xml:"name,attr" json:"name"`
	Links            []httpapi.Link `xml:"Link" json:"link"`
	RestEndpoint     string         `xml:"RestEndpoint" json:"restEndpoint"`
	BaseUIEndpoint   string         `xml:"BaseUiEndpoint" json:"baseUiEndpoint"`
	TenantUIEndpoint string         `xml:"TenantUiEndpoint" json:"tenantUiEndpoint"`
	Certificate      string         `xml:"RestEndpointCertificate,omitempty" json:"restEndpointCertificate,omitempty"`
	SiteID           string         `xml:"SiteId" json:"siteId"`
	SiteName         string         `xml:"SiteName" json:"siteName"`
	PublicKey        string         `xml:"PublicKey" json:"publicKey"`
	Status           string         `xml:"Status,omitempty" json:"status,omitempty"`
}

type siteMemberXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 SiteAssociationMember" json:"-"`
	siteMember
}

type siteMembers struct {
	Href    string         `xml:"href,attr" json:"href"`
	Type    string         `xml:"type,attr" json:"type"`
	Links   []httpapi.Link `xml:"Link" json:"link"`
	Members []siteMember   `xml:"SiteAssociationMember" json:"siteAssociationMember"`
}

type siteMembersXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 SiteAssociations" json:"-"`
	siteMembers
}

type siteXML struct {
	XMLName          xml.Name       `xml:"http://www.vmware.com/vcloud/v1.5 Site" json:"-"`
	Href             string         `xml:"href,attr" json:"href"`
	Type             string         `xml:"type,attr" json:"type"`
	ID               string         `xml:"id,attr" json:"id"`
	Name             string         `xml:"name,attr" json:"name"`
	Links            []httpapi.Link `xml:"Link" json:"link"`
	RestEndpoint     string         `xml:"RestEndpoint" json:"restEndpoint"`
	BaseUIEndpoint   string         `xml:"BaseUiEndpoint" json:"baseUiEndpoint"`
	TenantUIEndpoint string         `xml:"TenantUiEndpoint" json:"tenantUiEndpoint"`
	Certificate      string         `xml:"RestEndpointCertificate,omitempty" json:"restEndpointCertificate,omitempty"`
	MultisiteURL     string         `xml:"MultiSiteUrl" json:"multiSiteUrl"`
	Associations     siteMembers    `xml:"SiteAssociations" json:"siteAssociations"`
}

func (h *Associations) site(c *gin.Context, _ httpapi.Call) error {
	d, err := h.Service.LocalSite(c.Request.Context())
	if err != nil {
		return err
	}
	held, err := h.Service.Sites(c.Request.Context())
	if err != nil {
		return err
	}
	httpapi.Document(c, http.StatusOK, mediaSite, siteXML{
		Href: h.PublicURL + sitePath, Type: mediaSite, ID: tenants.URN("site", d.Site), Name: d.Name,
		Links:        []httpapi.Link{{Rel: "down", Type: mediaSites, Href: h.PublicURL + sitesPath}},
		RestEndpoint: d.RestEndpoint, BaseUIEndpoint: d.BaseUIEndpoint, TenantUIEndpoint: d.BaseUIEndpoint + tenantUIBelowBase,
		Certificate: d.Certificate, MultisiteURL: h.PublicURL, Associations: h.renderSites(held),
	})
	return nil
}

func (h *Associations) sites(c *gin.Context, _ httpapi.Call) error {
	held, err := h.Service.Sites(c.Request.Context())
	if err != nil {
		return err
	}
	httpapi.Document(c, http.StatusOK, mediaSites, siteMembersXML{siteMembers: h.renderSites(held)})
	return nil
}

func (h *Associations) renderSites(held []federation.SiteAssociation) siteMembers {
	list := siteMembers{
		Href: h.PublicURL + sitesPath, Type: mediaSites, Members: []siteMember{},
		Links: []httpapi.Link{
			{Rel: "down", Type: mediaSiteMember, Href: h.PublicURL + sitesPath + localData},
			{Rel: "add", Type: mediaSiteMember, Href: h.PublicURL + sitesPath},
		},
	}
	for _, a := range held {
		list.Members = append(list.Members, h.renderHeld(a))
	}
	return list
}

func (h *Associations) renderHeld(a federation.SiteAssociation) siteMember {
	m := renderSite(associations.SiteData{
		Site: a.Site, Name: a.Name, RestEndpoint: a.RestEndpoint, BaseUIEndpoint: a.BaseUIEndpoint,
		Certificate: a.RestEndpointCertificate, PublicKey: a.PublicKey,
	}, h.PublicURL+sitesPath+"/"+string(a.Site), "edit", "remove")
	m.Status = string(a.Status)
	return m
}

// renderSite shows data at its address, with links for what can be done to it.
func renderSite(d associations.SiteData, href string, rels ...string) siteMember {
	m := siteMember{
		Href: href, ID: tenants.URN("site", d.Site), Type: mediaSiteMember, Name: d.Name,
		RestEndpoint: d.RestEndpoint, BaseUIEndpoint: d.BaseUIEndpoint, TenantUIEndpoint: d.BaseUIEndpoint + tenantUIBelowBase,
		Certificate: d.Certificate, SiteID: tenants.URN("site", d.Site), SiteName: d.Name, PublicKey: d.PublicKey,
	}
	for _, rel := range rels {
		m.Links = append(m.Links, httpapi.Link{Rel: rel, Type: mediaSiteMember, Href: href})
	}
	return m
}

func (h *Associations) siteLocal(c *gin.Context, _ httpapi.Call) error {
	d, err := h.Service.LocalSite(c.Request.Context())
	if err != nil {
		return err
	}
	httpapi.Document(c, http.StatusOK, mediaSiteMember, localSite(d, h.PublicURL))
	return nil
}

func (h *Associations) siteMember(c *gin.Context, _ httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	a, err := h.Service.Site(c.Request.Context(), id)
	if err != nil {
		return err
	}
	httpapi.Document(c, http.StatusOK, mediaSiteMember, siteMemberXML{siteMember: h.renderHeld(a)})
	return nil
}

func (h *Associations) siteCreate(c *gin.Context, call httpapi.Call) error {
	d, err := parseSite(c.Request)
	if err != nil {
		return err
	}
	t, err := h.Service.AssociateSite(c.Request.Context(), call.Caller, d)
	return h.answer(c, t, err)
}

func (h *Associations) siteUpdate(c *gin.Context, call httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	d, err := parseSite(c.Request)
	if err != nil {
		return err
	}
	t, err := h.Service.UpdateSite(c.Request.Context(), call.Caller, id, d)
	return h.answer(c, t, err)
}

func (h *Associations) sitesReplace(c *gin.Context, call httpapi.Call) error {
	list, err := parseSites(c.Request)
	if err != nil {
		return err
	}
	t, err := h.Service.ReplaceSites(c.Request.Context(), call.Caller, list)
	return h.answer(c, t, err)
}

func (h *Associations) siteDelete(c *gin.Context, call httpapi.Call) error {
	id, err := siteOf(c)
	if err != nil {
		return err
	}
	t, err := h.Service.RemoveSite(c.Request.Context(), call.Caller, id, false)
	return h.answer(c, t, err)
}

// siteRename takes the site's own data back. Its name can be changed; the rest
// comes from configuration, and another site's data is a mistake.
func (h *Associations) siteRename(c *gin.Context, call httpapi.Call) error {
	d, err := parseSite(c.Request)
	if err != nil {
		return err
	}
	if d.Site != h.Site {
		return problem.New(problem.BadRequest, "SiteId is not this site's.")
	}
	t, err := h.Service.RenameSite(c.Request.Context(), call.Caller, d.Name)
	return h.answer(c, t, err)
}
