// Package tenantshttp is the HTTP face of package tenants: API versions, login,
// sessions and organizations on VCD's wire.
package tenantshttp

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/ratelimit"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	Logins  *tenants.Logins
	Orgs    *tenants.Directory
	Tenants *tenants.Service
	OAuth   *oauth.Service
	Limits  *ratelimit.Limiter
	// Associations is what the query service tells of other sites.
	Associations Associations
	// Locations lists where a session may act, this site first.
	Locations   func(context.Context, tenants.Principal) ([]federation.Location, error)
	SiteID      tenants.SiteID
	SiteName    func() string
	PublicURL   string // https://host[:port], from configuration only
	IdleMinutes int
}

// site refers to this site.
func (h *Handler) site() httpapi.Ref {
	return httpapi.Ref{Name: h.SiteName(), ID: tenants.URN("site", h.SiteID)}
}

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	any := []tenants.Right{httpapi.AnySession}
	route := func(method, path string, do func(*gin.Context, httpapi.Call) error) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, Rights: any, Do: do}
	}
	e := httpapi.Endpoints{
		Open: []httpapi.Open{
			{Method: http.MethodGet, Path: "/api/versions", Do: h.versions, AnyVersion: true},
		},
		Routes: []httpapi.Route{
			{Method: http.MethodGet, Path: "/api/org", Rights: any, List: orgLists{h}, Do: h.orgList},
			route(http.MethodGet, "/api/org/:id", h.org),
		},
	}
	e.Add(h.sessionEndpoints())
	e.Routes = append(e.Routes, h.quotaRoutes()...)
	e.Routes = append(e.Routes, h.roleRoutes()...)
	e.Routes = append(e.Routes, h.rightRoutes()...)
	e.Routes = append(e.Routes, h.publicationRoutes()...)
	e.Routes = append(e.Routes, h.userRoutes()...)
	for _, routes := range [][]httpapi.Route{h.orgRoutes(), h.adminRoutes(), h.taskRoutes(), h.queryRoutes(), h.auditRoutes(), h.tokenPolicyRoutes(), h.orgLimitRoutes()} {
		e.Routes = append(e.Routes, routes...)
	}
	return e
}
