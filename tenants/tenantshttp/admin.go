package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

// productVersion is what we say our version is. Clients compare it with VCD's to
// know what they may ask for: service accounts want 10.4.0 or more, and API 38.1
// came with nothing newer than 10.5. It is not our own version, which would tell
// them nothing; the first word must be four numbers and what follows a date.
const productVersion = "10.4.1.20912720 Thu Dec 08 03:11:30 UTC 2022"

const mediaVCloud = "application/vnd.vmware.admin.vcloud+xml"

type vcloudXML struct {
	XMLName     xml.Name        `xml:"http://www.vmware.com/vcloud/v1.5 VCloud" json:"-"`
	Name        string          `xml:"name,attr" json:"name"`
	Href        string          `xml:"href,attr" json:"href"`
	Type        string          `xml:"type,attr" json:"type"`
	Links       []link          `xml:"Link" json:"link"`
	Description string          `xml:"Description" json:"description"`
	Rights      rightReferences `xml:"RightReferences" json:"rightReferences"`
	Roles       roleReferences  `xml:"RoleReferences" json:"roleReferences"`
}

func (h *Handler) adminRoutes() []httpapi.Route {
	return []httpapi.Route{{Method: http.MethodGet, Path: "/api/admin", Rights: []tenants.Right{httpapi.AnySession}, Do: h.vcloud}}
}

// vcloud is how clients learn the product's version, tenants' too. Organizations
// are not listed here, where nobody looks for them: there may be thousands.
func (h *Handler) vcloud(c *gin.Context, call httpapi.Call) error {
	body := vcloudXML{
		Name: "Causeway", Href: h.PublicURL + "/api/admin/", Type: mediaVCloud, Description: productVersion,
		Links: []link{{Rel: "down", Type: mediaOrgList, Href: h.PublicURL + "/api/org/"}},
	}
	if h.may(c, call, call.Org.ID, tenants.RightOrganizationCreate) {
		body.Links = append(body.Links, link{Rel: "add", Type: mediaAdminOrg, Href: h.PublicURL + "/api/admin/orgs"})
	}
	h.fillCatalog(c, call, call.Org, &body.Rights, &body.Roles)
	write(c, mediaVCloud, body)
	return nil
}
