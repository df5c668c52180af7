package federationhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation/associations"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Associations serves the association of sites and organizations, as VCD does
// below /api and in our own way for what VCD does not have.
type Associations struct {
	Service   *associations.Service
	PublicURL string // https://host[:port], from configuration only
	Site      tenants.SiteID
	// Org is the organization that the path names, if the caller may see it.
	Org func(*gin.Context, httpapi.Call) (*tenants.Snapshot, error)
	// Accepted answers with a task that is done.
	Accepted func(*gin.Context, tenants.Task) error
}

var (
	viewSites     = []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
	manageSites   = []tenants.Right{tenants.RightSiteManage}
	viewOrgs      = []tenants.Right{tenants.RightOrgAssociationsView, tenants.RightOrgAssociationsManage}
	manageOrgs    = []tenants.Right{tenants.RightOrgAssociationsManage}
	orgsSettings  = []tenants.Right{tenants.RightOrgAssociationsSettings}
	maxPageSize   = 128 // VCD's largest page
	replaceKeyEnd = "/replaceKey"
)

// Endpoints lists what the handler serves.
func (h *Associations) Endpoints() httpapi.Endpoints {
	var e httpapi.Endpoints
	for _, routes := range [][]httpapi.Route{h.siteRoutes(), h.orgRoutes(), h.ownSiteRoutes(), h.ownOrgRoutes()} {
		e.Routes = append(e.Routes, routes...)
	}
	return e
}

// answer is a task, unless err says otherwise.
func (h *Associations) answer(c *gin.Context, t tenants.Task, err error) error {
	if err != nil {
		return err
	}
	return h.Accepted(c, t)
}

// siteOf is the site that the path names.
func siteOf(c *gin.Context) (tenants.SiteID, error) {
	return tenants.ParseID[tenants.SiteID]("site", c.Param("site"))
}

// remoteOf is the organization that the path names after the local one: by its
// identifier, or by that and its site.
func remoteOf(c *gin.Context) (tenants.LocationID, error) {
	if l, ok := tenants.ParseLocationID(c.Param("remote")); ok {
		return l, nil
	}
	org, err := tenants.ParseID[tenants.OrgID]("org", c.Param("remote"))
	return tenants.LocationID{Org: org}, err
}

// keyBody is the document of a step that replaces a key.
func keyBody(r *http.Request) (string, error) {
	var body struct {
		PublicKey string `json:"publicKey"`
	}
	if err := httpapi.ParseOwnJSON(r, &body); err != nil {
		return "", err
	}
	if body.PublicKey == "" {
		return "", problem.New(problem.BadRequest, `The member "publicKey" is required.`)
	}
	return body.PublicKey, nil
}
