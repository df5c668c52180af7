package tenantshttp

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

// door says who may log in at a URL.
type door func(*tenants.Snapshot) bool

func tenantsOnly(org *tenants.Snapshot) bool  { return !org.System() }
func providerOnly(org *tenants.Snapshot) bool { return org.System() }
func everybody(*tenants.Snapshot) bool        { return true }

func (h *Handler) loginTenant(c *gin.Context) error   { return h.login(c, tenantsOnly) }
func (h *Handler) loginProvider(c *gin.Context) error { return h.login(c, providerOnly) }

func (h *Handler) login(c *gin.Context, at door) error {
	call, err := h.enter(c, at, h.OAuth.OpenSession)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, h.newSession(call.Principal))
	return nil
}

// loginSession and loginOrgList are the logins of VCD's old API, for tenants and
// providers alike: one shows the session, the other what can be seen with it.
func (h *Handler) loginSession(c *gin.Context) error {
	return h.loginLegacy(c, h.sessionXML)
}

func (h *Handler) loginOrgList(c *gin.Context) error {
	return h.loginLegacy(c, h.orgList)
}

func (h *Handler) loginLegacy(c *gin.Context, show func(*gin.Context, httpapi.Call) error) error {
	call, err := h.enter(c, everybody, h.OAuth.OpenLegacySession)
	if err != nil {
		return err
	}
	return show(c, call)
}

// enter opens a session from Basic credentials, and hands out its tokens in
// headers. Stale tokens that SDKs send along are not looked at. Whatever is wrong,
// the answer is the same 401: also for providers at the tenants' door and the
// other way round.
func (h *Handler) enter(c *gin.Context, at door,
	open func(context.Context, tenants.Caller, *tenants.Snapshot, tenants.User) (oauth.Tokens, error),
) (httpapi.Call, error) {
	login, err := httpapi.BasicLogin(c.Request)
	if err != nil {
		return httpapi.Call{}, err
	}
	call, tokens, err := h.open(c, login, at, open)
	if err != nil {
		return httpapi.Call{}, err
	}
	httpapi.NoStore(c)
	c.Header(httpapi.HeaderAccessToken, tokens.AccessToken.Reveal())
	c.Header(httpapi.HeaderTokenType, "Bearer")
	if tokens.LegacyToken != "" {
		c.Header(httpapi.HeaderLegacyToken, tokens.LegacyToken.Reveal())
	}
	return call, nil
}

// OpenPortal opens the session of a person who logs in at the portal of login.Org:
// the provider's, or a tenant's.
func (h *Handler) OpenPortal(c *gin.Context, login httpapi.Login, provider bool) (httpapi.Call, oauth.Tokens, error) {
	at := tenantsOnly
	if provider {
		at = providerOnly
	}
	return h.open(c, login, at, h.OAuth.OpenSession)
}

func (h *Handler) open(c *gin.Context, login httpapi.Login, at door,
	open func(context.Context, tenants.Caller, *tenants.Snapshot, tenants.User) (oauth.Tokens, error),
) (httpapi.Call, oauth.Tokens, error) {
	caller := httpapi.Anonymous(c)
	org, user, err := h.check(c, login, at, caller.Source)
	if err != nil {
		return httpapi.Call{}, oauth.Tokens{}, err
	}
	tokens, err := open(c.Request.Context(), caller, org, user)
	if err != nil {
		return httpapi.Call{}, oauth.Tokens{}, err
	}
	roleName, _ := org.RoleName(user.Role)
	caller.Principal = tenants.Principal{
		Kind: tenants.KindUser, ID: string(user.ID), Name: user.Name, Org: org.ID, OrgName: org.Name,
		Role: user.Role, RoleName: roleName, Session: tokens.Session.ID,
		Home: tenants.LocationID{Org: org.ID, Site: h.SiteID},
	}
	return httpapi.Call{Caller: caller, Org: org}, tokens, nil
}

// check says whose credentials these are.
func (h *Handler) check(c *gin.Context, login httpapi.Login, at door, source string) (*tenants.Snapshot, tenants.User, error) {
	ctx := c.Request.Context()
	try := h.Limits.TakeLogin(httpapi.ClientAddr(c), account(login.User, login.Org))
	if err := try.Err(); err != nil {
		return nil, tenants.User{}, err
	}
	org, err := h.Orgs.ByName(ctx, login.Org)
	wrongDoor := false
	switch {
	case problem.Has(err, problem.NotFound):
		org, err = nil, nil
	case err != nil:
		try.Return()
		return nil, tenants.User{}, err
	default:
		httpapi.Concern(c, org.ID)
		if wrongDoor = !at(org); wrongDoor {
			org = closed(org)
		}
	}
	user, err := h.Logins.Check(ctx, org, login.User, login.Password, tenants.Origin{Source: source, Known: try.Known})
	switch {
	case err == nil:
		try.Succeeded()
	case !problem.Has(err, problem.Unauthenticated):
		try.Return() // not the caller's fault
	case wrongDoor:
		problem.As(err).With(problem.FactReason, problem.ReasonWrongDoor)
	}
	httpapi.RateLimit(c, try.Standing)
	return org, user, err
}

// closed is org at a door that is not its own, where nobody gets in.
func closed(org *tenants.Snapshot) *tenants.Snapshot {
	off := *org
	off.Enabled = false
	return &off
}

// account is how limits know whom a login claims to be.
func account(user, org string) string { return tenants.FoldName(user) + "@" + tenants.FoldName(org) }
