package tenantshttp

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

type sessionBody struct {
	ID           string        `json:"id"`
	Site         httpapi.Ref   `json:"site"`
	User         httpapi.Ref   `json:"user"`
	Org          httpapi.Ref   `json:"org"`
	OperatingOrg httpapi.Ref   `json:"operatingOrg"`
	Location     string        `json:"location"`
	Roles        []string      `json:"roles"`
	RoleRefs     []httpapi.Ref `json:"roleRefs"`
	IdleMinutes  int           `json:"sessionIdleTimeoutMinutes"`
}

func (h *Handler) loginTenant(c *gin.Context) error   { return h.login(c, false) }
func (h *Handler) loginProvider(c *gin.Context) error { return h.login(c, true) }

// login opens a session from Basic credentials. Stale tokens that SDKs send
// along are not looked at. Whatever is wrong, the answer is the same 401: also
// for providers at the tenants' door and the other way round.
func (h *Handler) login(c *gin.Context, provider bool) error {
	ctx := c.Request.Context()
	login, err := httpapi.BasicLogin(c.Request)
	if err != nil {
		return err
	}
	account := ratelimit.Account(tenants.FoldName(login.User) + "@" + tenants.FoldName(login.Org))
	try := h.Limits.Take(ratelimit.Login, ratelimit.Source(httpapi.ClientAddr(c)), account)
	if err := try.Err(); err != nil {
		return err
	}
	org, err := h.Orgs.ByName(ctx, login.Org)
	if problem.Has(err, problem.NotFound) || (err == nil && org.System() != provider) {
		org, err = nil, nil
	}
	if err != nil {
		return err
	}
	caller := httpapi.Anonymous(c)
	user, err := h.Logins.Check(ctx, org, login.User, login.Password, caller.Source)
	if !problem.Has(err, problem.Unauthenticated) {
		try.Return() // right, or not the caller's fault
	}
	if err != nil {
		return err
	}
	tokens, err := h.OAuth.OpenSession(ctx, caller, org, user)
	if err != nil {
		return err
	}
	roleName, _ := org.RoleName(user.Role)
	c.Header(httpapi.HeaderAccessToken, tokens.AccessToken.Reveal())
	c.Header(httpapi.HeaderTokenType, "Bearer")
	httpapi.NoStoreJSON(c, http.StatusOK, h.session(tenants.Principal{
		Kind: tenants.KindUser, ID: string(user.ID), Name: user.Name, Org: org.ID, OrgName: org.Name,
		Role: user.Role, RoleName: roleName, Session: tokens.Session.ID,
	}))
	return nil
}

func (h *Handler) session(p tenants.Principal) sessionBody {
	org := httpapi.Ref{Name: p.OrgName, ID: tenants.URN("org", p.Org)}
	return sessionBody{
		ID: tenants.URN("session", p.Session), Site: h.Site,
		User: httpapi.Ref{Name: p.Name, ID: tenants.URN("user", p.ID)}, Org: org, OperatingOrg: org,
		Location: tenants.LocationID{Org: p.Org, Site: h.SiteID}.String(),
		Roles:    []string{p.RoleName}, RoleRefs: []httpapi.Ref{{Name: p.RoleName, ID: tenants.URN("role", p.Role)}},
		IdleMinutes: h.IdleMinutes,
	}
}

func (h *Handler) current(c *gin.Context, call httpapi.Call) error {
	body := h.session(call.Principal)
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

type locationBody struct {
	LocationID string      `json:"locationId"`
	Site       httpapi.Ref `json:"site"`
	Org        httpapi.Ref `json:"org"`
	Rest       string      `json:"restApiEndpoint"`
	UI         string      `json:"uiEndpoint"`
	APIVersion string      `json:"apiVersion"`
	Alpha      *string     `json:"alphaApiVersion"`
}

// locations lists where the session may act: at home, and in every associated
// organization.
func (h *Handler) locations(c *gin.Context, call httpapi.Call) error {
	found, err := h.Locations(c.Request.Context(), call.Principal)
	if err != nil {
		return err
	}
	values := make([]locationBody, 0, len(found))
	for _, l := range found {
		values = append(values, locationBody{
			LocationID: l.LocationID.String(),
			Site:       httpapi.Ref{Name: l.SiteName, ID: tenants.URN("site", l.Site)},
			Org:        httpapi.Ref{Name: l.OrgName, ID: tenants.URN("org", l.Org)},
			Rest:       strings.TrimSuffix(l.Rest, "/api"), UI: l.UI, APIVersion: httpapi.Version,
		})
	}
	httpapi.WritePage(c, h.PublicURL, "AccessibleLocations", httpapi.NewPage(values, len(values), 1, max(len(values), 1)))
	return nil
}
