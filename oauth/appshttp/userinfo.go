package appshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// logout ends the session of the token. An app's token has none.
func (h *Handler) logout(c *gin.Context, call httpapi.Call) error {
	if call.Principal.Kind == tenants.KindApp {
		return problem.New(problem.BadRequest, "The token of an app ends when it says, or with the app's secret or its place in the organization.")
	}
	if err := h.OAuth.EndSession(c.Request.Context(), call.Caller); err != nil {
		return err
	}
	return empty(c)
}

// userinfo is OpenID Connect's (Core §5.3.2).
func (h *Handler) userinfo(c *gin.Context, call httpapi.Call) error {
	p := call.Principal
	httpapi.NoStoreJSON(c, http.StatusOK, map[string]any{
		"sub": h.domain() + ":" + p.ID, "username": p.Name, "preferred_username": p.Name, "acct": p.Name,
		"domain": h.domain(), "context_name": string(p.Org),
	})
	return nil
}

// personBody is the user behind the token. What a name is made of is not kept here.
type personBody struct {
	ID        string `json:"userId"`
	Username  string `json:"username"`
	Account   string `json:"acct"`
	Domain    string `json:"domain"`
	Provider  string `json:"idpId"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Org       string `json:"orgId"`
}

func (h *Handler) user(c *gin.Context, call httpapi.Call) error {
	httpapi.NoStoreJSON(c, http.StatusOK, h.person(call.Principal))
	return nil
}

func (h *Handler) person(p tenants.Principal) personBody {
	return personBody{ID: p.ID, Username: p.Name, Account: p.Name, Domain: h.domain(), Provider: h.domain(), Org: string(p.Org)}
}

// orgBody is an organization in a list of somebody's.
type orgBody struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	DisplayName string         `json:"displayName"`
	RefLink     string         `json:"refLink"`
	ParentLink  *string        `json:"parentRefLink"`
	Metadata    map[string]any `json:"metadata"`
}

func refLink(org tenants.OrgID) string { return httpapi.CSPBase + "/orgs/" + string(org) }

func (h *Handler) userOrgLinks(c *gin.Context, call httpapi.Call) error {
	httpapi.JSON(c, http.StatusOK, map[string]any{"refLinks": []string{refLink(call.Principal.Org)}})
	return nil
}

// userOrgs are the organizations that somebody belongs to, and that is one.
func (h *Handler) userOrgs(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err != nil {
		return err
	}
	org, err := h.Orgs.Organization(c.Request.Context(), call.Principal.Org)
	if err != nil {
		return err
	}
	var list []orgBody
	if q.Page == 1 {
		list = append(list, newOrg(org))
	}
	httpapi.WriteCSPPage(c, list, 1, q)
	return nil
}

func (h *Handler) organization(c *gin.Context, _ httpapi.Call, org *tenants.Snapshot) error {
	httpapi.JSON(c, http.StatusOK, newOrg(org))
	return nil
}

func newOrg(o *tenants.Snapshot) orgBody {
	display := o.DisplayName
	if display == "" {
		display = o.Name
	}
	return orgBody{ID: string(o.ID), Name: o.Name, DisplayName: display, RefLink: refLink(o.ID), Metadata: map[string]any{}}
}

// inOwnOrg is a route about who asks in the organization of the path, which is the one
// of the session: people belong to one.
func (h *Handler) inOwnOrg(path string, do func(*gin.Context, httpapi.Call) error) httpapi.Route {
	return httpapi.Route{
		Method: http.MethodGet, Path: httpapi.CSPBase + "/loggedin/user/orgs/:org" + path, Rights: anySession,
		Do: func(c *gin.Context, call httpapi.Call) error {
			if id, err := tenants.ParseUUID(c.Param("org")); err != nil || tenants.OrgID(id) != call.Principal.Org {
				return problem.Hidden()
			}
			return do(c, call)
		},
	}
}

// ownBody is who asks, with all roles.
type ownBody struct {
	personBody
	heldBody
}

func (h *Handler) ownInfo(c *gin.Context, call httpapi.Call) error {
	held, err := h.ownHeld(c, call)
	if err == nil {
		httpapi.NoStoreJSON(c, http.StatusOK, ownBody{h.person(call.Principal), held})
	}
	return err
}

func (h *Handler) ownRoles(c *gin.Context, call httpapi.Call) error {
	held, err := h.ownHeld(c, call)
	if err == nil {
		httpapi.NoStoreJSON(c, http.StatusOK, held.Organization)
	}
	return err
}

func (h *Handler) ownServiceRoles(c *gin.Context, call httpapi.Call) error {
	held, err := h.ownHeld(c, call)
	if err == nil {
		httpapi.NoStoreJSON(c, http.StatusOK, held.Services)
	}
	return err
}

func (h *Handler) ownHeld(c *gin.Context, call httpapi.Call) (heldBody, error) {
	held, _, err := h.heldByUser(c, call, call.Principal.Org, tenants.UserID(call.Principal.ID))
	return held, err
}

// ownGroups is always empty: the only groups are those of service accounts.
func (h *Handler) ownGroups(c *gin.Context, _ httpapi.Call) error {
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err == nil {
		httpapi.WriteCSPPage(c, []struct{}{}, 0, q)
	}
	return err
}
