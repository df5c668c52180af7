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

type link struct {
	Rel  string `xml:"rel,attr" json:"rel"`
	Type string `xml:"type,attr,omitempty" json:"type"`
	Href string `xml:"href,attr" json:"href"`
}

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
		err := h.Store.View(c.Request.Context(), func(r tenants.Reader) (err error) {
			orgs, err = r.Organizations()
			return err
		})
		if err != nil {
			return err
		}
	}
	body := orgListXML{Href: h.PublicURL + "/api/org/", Type: "application/vnd.vmware.vcloud.orgList+xml"}
	for _, o := range orgs {
		body.Orgs = append(body.Orgs, orgRefXML{Href: h.orgHref(o.ID), Name: o.Name, Type: mediaOrg})
	}
	write(c, body.Type, body)
	return nil
}

func (h *Handler) org(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[tenants.OrgID]("org", c.Param("id"))
	if err != nil {
		return err
	}
	org, err := h.visible(c, call, id)
	if err != nil {
		return err
	}
	write(c, mediaOrg, orgXML{
		Href: h.orgHref(org.ID), ID: tenants.URN("org", org.ID), Name: org.Name, Type: mediaOrg,
		Links:       []link{{Rel: "up", Type: "application/vnd.vmware.vcloud.orgList+xml", Href: h.PublicURL + "/api/org/"}},
		Description: org.Description, FullName: org.DisplayName, IsEnabled: org.Enabled,
	})
	return nil
}

// visible is the organization if the caller may see it: their own, or for
// providers any. Absent and foreign look alike.
func (h *Handler) visible(c *gin.Context, call httpapi.Call, id tenants.OrgID) (*tenants.Snapshot, error) {
	if id == call.Org.ID {
		return call.Org, nil
	}
	if !call.Principal.Provider() {
		return nil, problem.Hidden()
	}
	return h.Orgs.Organization(c.Request.Context(), id)
}

func (h *Handler) orgHref(id tenants.OrgID) string { return h.PublicURL + "/api/org/" + string(id) }

// write answers in XML, or in JSON where the client asked for that.
func write(c *gin.Context, media string, v any) {
	if httpapi.DialectOf(c.Request) == httpapi.OpenAPI {
		httpapi.JSON(c, http.StatusOK, v)
		return
	}
	httpapi.WriteXML(c, http.StatusOK, media, v)
}
