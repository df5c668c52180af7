package tenantshttp

import (
	"encoding/xml"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

const mediaSession = "application/vnd.vmware.vcloud.session+xml"

type sessionDoc struct {
	XMLName   xml.Name           `xml:"http://www.vmware.com/vcloud/v1.5 Session" json:"-"`
	Href      string             `xml:"href,attr" json:"href"`
	Type      string             `xml:"type,attr" json:"type"`
	User      string             `xml:"user,attr" json:"user"`
	Org       string             `xml:"org,attr" json:"org"`
	UserID    string             `xml:"userId,attr" json:"userId"`
	Roles     string             `xml:"roles,attr" json:"roles"`
	Location  string             `xml:"locationId,attr" json:"locationId"`
	Links     []link             `xml:"Link" json:"link"`
	Locations authorizedLocation `xml:"AuthorizedLocations" json:"authorizedLocations"`
}

type authorizedLocation struct {
	List []locationXML `xml:"Location" json:"location"`
}

type locationXML struct {
	ID      string `xml:"LocationId" json:"locationId"`
	Name    string `xml:"LocationName" json:"locationName"`
	Rest    string `xml:"RestApiEndpoint" json:"restApiEndpoint"`
	UI      string `xml:"UIEndpoint" json:"uiEndpoint"`
	Context string `xml:"AuthContext" json:"authContext"`
}

// sessionXML shows the caller's session as VCD's old API does. Clients find
// everything else by its links, and tell providers by the name in org.
func (h *Handler) sessionXML(c *gin.Context, call httpapi.Call) error {
	p := call.Principal
	found, err := h.Locations(c.Request.Context(), p)
	if err != nil {
		return err
	}
	doc := sessionDoc{
		Href: h.PublicURL + "/api/session", Type: mediaSession,
		User: p.Name, Org: p.OrgName, UserID: tenants.URN("user", p.ID), Roles: p.RoleName, Location: h.home(p).String(),
		Links: []link{
			{Rel: "down", Type: mediaOrgList, Href: h.PublicURL + "/api/org/"},
			{Rel: "remove", Href: h.PublicURL + "/api/session"},
			{Rel: "down", Type: mediaVCloud, Href: h.PublicURL + "/api/admin/"},
			{Rel: "down", Type: mediaOrg, Name: p.OrgName, Href: h.orgHref(p.Org)},
			{Rel: "down", Type: mediaQueryList, Href: h.PublicURL + "/api/query"},
			{Rel: "openapi", Type: "application/json", Href: h.PublicURL + "/cloudapi"},
		},
	}
	for _, l := range found {
		doc.Locations.List = append(doc.Locations.List, locationXML{
			ID: l.LocationID.String(), Name: l.SiteName, Rest: host(l.Rest), UI: l.UI, Context: l.OrgName,
		})
	}
	write(c, mediaSession, doc)
	return nil
}
