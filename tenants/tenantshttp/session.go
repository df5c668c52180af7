package tenantshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const sessions = "/cloudapi/1.0.0/sessions"

// sessionEndpoints are logins, sessions and logouts in both dialects. SDKs log
// out by DELETE on the URL they logged in at.
func (h *Handler) sessionEndpoints() httpapi.Endpoints {
	route := func(method, path string, do func(*gin.Context, httpapi.Call) error) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, Rights: []tenants.Right{httpapi.AnySession}, Do: do}
	}
	return httpapi.Endpoints{
		Open: []httpapi.Open{
			{Method: http.MethodPost, Path: sessions, Do: h.loginTenant},
			{Method: http.MethodPost, Path: sessions + "/provider", Do: h.loginProvider},
			{Method: http.MethodPost, Path: "/api/sessions", Do: h.loginSession},
			{Method: http.MethodPost, Path: "/api/login", Do: h.loginOrgList},
		},
		Routes: []httpapi.Route{
			{Method: http.MethodGet, Path: sessions, Rights: []tenants.Right{httpapi.AnySession}, List: sessionPages, Do: h.sessionList},
			route(http.MethodGet, sessions+"/current", h.current),
			route(http.MethodGet, sessions+"/:id", h.session),
			route(http.MethodDelete, sessions, h.logout),
			route(http.MethodDelete, sessions+"/provider", h.logout),
			route(http.MethodDelete, sessions+"/current", h.logout),
			route(http.MethodDelete, sessions+"/:id", h.endSession),
			route(http.MethodGet, "/api/session", h.sessionXML),
			route(http.MethodDelete, "/api/session", h.logout),
			route(http.MethodDelete, "/api/sessions", h.logout),
			route(http.MethodDelete, "/api/login", h.logout),
			route(http.MethodGet, accessibleLocations, h.locations),
			route(http.MethodGet, sessions+"/current/accessibleLocations", h.locations),
			route(http.MethodGet, sessions+"/:id/accessibleLocations", h.sessionLocations),
		},
	}
}

// sessionBody is a session on VCD's wire. A principal of another site has its
// session there: then id and site are null, for we know neither, and location
// says where home is.
type sessionBody struct {
	ID           *string       `json:"id"`
	Site         *httpapi.Ref  `json:"site"`
	User         httpapi.Ref   `json:"user"`
	Org          httpapi.Ref   `json:"org"`
	OperatingOrg httpapi.Ref   `json:"operatingOrg"`
	Location     string        `json:"location"`
	Roles        []string      `json:"roles"`
	RoleRefs     []httpapi.Ref `json:"roleRefs"`
	IdleMinutes  int           `json:"sessionIdleTimeoutMinutes"`
}

func (h *Handler) newSession(p tenants.Principal) sessionBody {
	org := httpapi.Ref{Name: p.OrgName, ID: tenants.URN("org", p.Org)}
	body := sessionBody{
		User: httpapi.Ref{Name: p.Name, ID: tenants.URN("user", p.ID)}, Org: org, OperatingOrg: org,
		Location: h.home(p).String(),
		Roles:    []string{p.RoleName}, RoleRefs: []httpapi.Ref{{Name: p.RoleName, ID: tenants.URN("role", p.Role)}},
		IdleMinutes: h.IdleMinutes,
	}
	if p.Via == "" {
		id, site := tenants.URN("session", p.Session), h.site()
		body.ID, body.Site = &id, &site
	}
	return body
}

// home is where p's session lives.
func (h *Handler) home(p tenants.Principal) tenants.LocationID {
	if p.Via != "" {
		return p.Home
	}
	return tenants.LocationID{Org: p.Org, Site: h.SiteID}
}

func (h *Handler) current(c *gin.Context, call httpapi.Call) error {
	body := h.newSession(call.Principal)
	body.OperatingOrg = httpapi.Ref{Name: call.Org.Name, ID: tenants.URN("org", call.Org.ID)}
	c.Header("Link", "<"+h.PublicURL+sessions+`/current/accessibleLocations>;rel="down";type="application/json";model="AccessibleLocations"`)
	httpapi.JSON(c, http.StatusOK, body)
	return nil
}

// logout ends the caller's session. A session of another site is not ours to end.
func (h *Handler) logout(c *gin.Context, call httpapi.Call) error {
	if call.Principal.Session == "" {
		return problem.New(problem.Forbidden, "Log out at the site where the session began.")
	}
	return httpapi.NoContent(c, h.OAuth.EndSession(c.Request.Context(), call.Caller))
}
