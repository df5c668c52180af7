// Package oauthhttp is the HTTP face of package oauth: VCD's OAuth endpoints,
// service accounts and the approval of device requests. It parses, calls and
// renders; every rule lives in package oauth.
package oauthhttp

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/ratelimit"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	OAuth     *oauth.Service
	Tokens    *oauth.Authenticator
	Orgs      *tenants.Directory
	Limits    *ratelimit.Limiter
	PublicURL string // https://host[:port], from configuration only
}

const cloudapi = "/cloudapi/1.0.0"

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	view := []tenants.Right{tenants.RightAccountsView, tenants.RightAccountsLimitedView, tenants.RightAccountsManage}
	manage := []tenants.Right{tenants.RightAccountsManage}
	register := []tenants.Right{tenants.RightAccountsManage, tenants.RightTokenManage}
	tokens := []tenants.Right{tenants.RightTokenManage, tenants.RightTokenManageAll}
	var e httpapi.Endpoints
	for _, realm := range []string{"/oauth/provider", "/oauth/tenant/:org"} {
		e.Open = append(e.Open,
			httpapi.Open{Method: http.MethodPost, Path: realm + "/device_authorization", Admit: h.admitDevice, Do: h.authorizeDevice},
			httpapi.Open{Method: http.MethodPost, Path: realm + "/token", Do: h.token},
		)
		e.Routes = append(e.Routes, httpapi.Route{Method: http.MethodPost, Path: realm + "/register", Rights: register, Do: h.register})
		e.Add(h.standard(realm))
	}
	e.Open = append(e.Open, httpapi.Open{Method: http.MethodGet, Path: instanceKeysPath, Do: h.instanceKeys})
	accounts := cloudapi + "/serviceAccounts"
	e.Routes = append(e.Routes,
		httpapi.Route{Method: http.MethodGet, Path: accounts, Rights: view, List: httpapi.Pages{}, Do: h.list},
		httpapi.Route{Method: http.MethodGet, Path: accounts + "/:id", Rights: view, Do: h.get},
		httpapi.Route{Method: http.MethodPut, Path: accounts + "/:id", Rights: manage, Do: h.update},
		httpapi.Route{Method: http.MethodDelete, Path: accounts + "/:id", Rights: manage, Do: h.remove},
		httpapi.Route{Method: http.MethodPost, Path: accounts + "/:id/revoke", Rights: manage, Do: h.revoke},
		httpapi.Route{Method: http.MethodPost, Path: accounts + "/:id/takeOwnership", Rights: manage, Do: h.takeOwnership},
		httpapi.Route{Method: http.MethodGet, Path: tokensPath, Rights: tokens, List: httpapi.Pages{}, Do: h.listTokens},
		httpapi.Route{Method: http.MethodPost, Path: tokensPath, Rights: tokens[:1], Do: h.createToken},
		httpapi.Route{Method: http.MethodGet, Path: tokensPath + "/:id", Rights: tokens, Do: h.getToken},
		httpapi.Route{Method: http.MethodPut, Path: tokensPath + "/:id", Rights: tokens, Do: h.renameToken},
		httpapi.Route{Method: http.MethodDelete, Path: tokensPath + "/:id", Rights: tokens, Do: h.deleteToken},
		httpapi.Route{Method: http.MethodPost, Path: cloudapi + "/deviceLookup", Rights: manage, Do: h.lookUp},
		httpapi.Route{Method: http.MethodPost, Path: cloudapi + "/deviceLookup/grant", Rights: manage, Do: h.grant},
		httpapi.Route{Method: http.MethodPost, Path: cloudapi + "/deviceLookup/deny", Rights: manage, Do: h.deny},
	)
	e.Add(h.keyEndpoints())
	return e
}

// realm finds the organization that a path below /oauth names.
func (h *Handler) realm(c *gin.Context) (*tenants.Snapshot, error) {
	if name := c.Param("org"); name != "" {
		if strings.EqualFold(name, tenants.SystemOrgName) {
			return nil, problem.New(problem.NotFound, "The provider's realm is /oauth/provider.")
		}
		org, err := h.Orgs.ByName(c.Request.Context(), name)
		if problem.Has(err, problem.NotFound) {
			err = problem.Hidden() // in the words for somebody else's realm
		}
		if err == nil {
			httpapi.Concern(c, org.ID)
		}
		return org, err
	}
	httpapi.Concern(c, tenants.SystemOrgID)
	return h.Orgs.Organization(c.Request.Context(), tenants.SystemOrgID)
}

// realmOrNone is realm for callers without credentials. An organization that is not
// there is one that is disabled and has issued nothing, without an id: what is asked
// there takes the way of what is asked in others, so that neither answer nor time
// tells which there are.
func (h *Handler) realmOrNone(c *gin.Context) (*tenants.Snapshot, error) {
	org, err := h.realm(c)
	if problem.Has(err, problem.NotFound) {
		return &tenants.Snapshot{}, nil
	}
	return org, err
}

// aboutRealm notes for the audit trail what was wrong before anything else.
func aboutRealm(org *tenants.Snapshot, refusal error) error {
	p := problem.As(refusal)
	switch {
	case p == nil || p.Code.Row().Status >= http.StatusInternalServerError:
		return refusal
	case org.ID == "":
		return p.With(problem.FactReason, problem.ReasonNoSuchRealm)
	case !org.Enabled:
		return p.With(problem.FactReason, problem.ReasonDisabled)
	}
	return refusal
}
