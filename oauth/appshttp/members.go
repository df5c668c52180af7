package appshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// memberRoutes are the apps in an organization, and who holds which role there.
func (h *Handler) memberRoutes() httpapi.Endpoints {
	return httpapi.Endpoints{Routes: []httpapi.Route{
		h.inOrg(http.MethodPost, "/clients", h.addMembers),
		h.inOrg(http.MethodGet, "/clients", h.members),
		h.inOrg(http.MethodDelete, "/clients", h.removeMembers),
		h.inOrg(http.MethodGet, "/clients/:client/roles", h.memberRoles),
		h.inOrg(http.MethodPatch, "/clients/:client/roles", h.changeMemberRoles),
		h.inOrg(http.MethodGet, "/users/:user/roles", h.userRoles),
		h.inOrg(http.MethodPatch, "/users/:user/roles", h.changeUserRoles),
		h.inOrg(http.MethodPost, "/oauth-apps/search", h.search),
	}}
}

// additionBody is AssignRolesToMembersRequest.
type additionBody struct {
	IDs               []string     `json:"ids"`
	Organization      []roleBody   `json:"organizationRoles"`
	OrganizationNames []roleBody   `json:"organizationRoleNames"` // deprecated
	Services          []givenRoles `json:"serviceRoles"`
	Custom            []roleBody   `json:"customRoles"`
}

type givenRoles struct {
	Definition string     `json:"serviceDefinitionId"`
	Roles      []roleBody `json:"serviceRoles"`
	Names      []roleBody `json:"serviceRoleNames"`
}

func (b additionBody) grants() ([]services.Grant, error) {
	all, err := merged(services.GrantOrganization, "", b.Organization, b.OrganizationNames)
	if err != nil {
		return nil, err
	}
	custom, err := grants(services.GrantCustom, "", b.Custom)
	if err != nil {
		return nil, err
	}
	all = append(all, custom...)
	for _, s := range b.Services {
		id, err := definitionID(s.Definition)
		if err != nil {
			return nil, err
		}
		list, err := merged(services.GrantService, id, s.Roles, s.Names)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// merged takes roles and names of roles. Clients that send both name the same ones.
func merged(kind services.GrantKind, definition services.DefinitionID, roles, names []roleBody) ([]services.Grant, error) {
	named := map[string]bool{}
	for _, r := range roles {
		named[r.Name] = true
	}
	for _, n := range names {
		if !named[n.Name] {
			roles = append(roles, n)
		}
	}
	return grants(kind, definition, roles)
}

func parseAddition(r *http.Request) ([]string, []services.Grant, error) {
	var b additionBody
	if err := httpapi.ParseJSON(r, &b); err != nil {
		return nil, nil, err
	}
	list, err := b.grants()
	return b.IDs, list, err
}

type failureBody struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

func (h *Handler) addMembers(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	ids, roles, err := parseAddition(c.Request)
	if err != nil {
		return err
	}
	failures, err := h.Apps.AddMembers(c.Request.Context(), call.Caller, org.ID, ids, roles)
	if err != nil {
		return err
	}
	list := make([]failureBody, 0, len(failures))
	for _, f := range failures {
		noteRefused(c, f)
		list = append(list, failureBody{f.ID, f.Err.Detail})
	}
	httpapi.JSON(c, http.StatusOK, map[string]any{"failures": list})
	return nil
}

// memberBody is an app in an organization.
type memberBody struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
	IsHidden    bool   `json:"isHidden"`
	heldBody
	Source sourceOrg `json:"sourceOrg"`
}

// sourceOrg is the organization that owns an app. Of another site's only the site is
// known.
type sourceOrg struct {
	ID          tenants.OrgID `json:"orgId"`
	DisplayName string        `json:"displayName"`
	ShortID     string        `json:"shortId"`
}

func (h *Handler) members(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err != nil {
		return err
	}
	list, total, err := h.Apps.Members(c.Request.Context(), call.Caller, org.ID, q)
	if err != nil {
		return err
	}
	return h.writeMembers(c, list, total, q)
}

func (h *Handler) writeMembers(c *gin.Context, list []apps.Member, total int, q tenants.Query) error {
	results := make([]memberBody, 0, len(list))
	for _, m := range list {
		source, err := h.sourceOf(c, m)
		if err != nil {
			return err
		}
		results = append(results, memberBody{
			ID: apps.ClientName(m.Holder), DisplayName: m.Name, Description: m.App.Description,
			heldBody: newHeldBody(m.Grants), Source: source,
		})
	}
	httpapi.WriteCSPPage(c, results, total, q)
	return nil
}

func (h *Handler) sourceOf(c *gin.Context, m apps.Member) (sourceOrg, error) {
	if m.Site != "" {
		return sourceOrg{DisplayName: string(m.Site)}, nil
	}
	owner, err := h.Orgs.Organization(c.Request.Context(), m.Owner)
	if problem.Has(err, problem.NotFound) { // deleted this moment, with its apps
		return sourceOrg{ID: m.Owner}, nil
	}
	if err != nil {
		return sourceOrg{}, err
	}
	name := owner.DisplayName
	if name == "" {
		name = owner.Name
	}
	return sourceOrg{ID: m.Owner, DisplayName: name, ShortID: string(m.Owner[:min(8, len(m.Owner))])}, nil
}

func (h *Handler) removeMembers(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	var b struct {
		IDs []string `json:"ids"`
	}
	if err := httpapi.ParseJSON(c.Request, &b); err != nil {
		return err
	}
	failures, err := h.Apps.RemoveMembers(c.Request.Context(), call.Caller, org.ID, b.IDs)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, outcome(b.IDs, refusedIDs(c, failures)))
	return nil
}

// outcomeBody tells of several things which succeeded.
type outcomeBody struct {
	Succeeded []string `json:"succeeded"`
	Failed    []string `json:"failed"`
}

// outcome is that of all things, of which some failed.
func outcome(all, failed []string) outcomeBody {
	bad := map[string]bool{}
	for _, id := range failed {
		bad[id] = true
	}
	b := outcomeBody{Succeeded: []string{}, Failed: failed}
	for _, id := range all {
		if !bad[id] {
			b.Succeeded = append(b.Succeeded, id)
		}
	}
	return b
}

func (h *Handler) memberRoles(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	held, err := h.Apps.AppRoles(c.Request.Context(), call.Caller, org.ID, c.Param("client"))
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newHeldBody(held.Grants))
	return nil
}

func parseChanges(r *http.Request) (apps.RoleChange, error) {
	var b changesBody
	if err := httpapi.ParseJSON(r, &b); err != nil {
		return apps.RoleChange{}, err
	}
	return b.change()
}

func (h *Handler) changeMemberRoles(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	change, err := parseChanges(c.Request)
	if err != nil {
		return err
	}
	held, err := h.Apps.ChangeRoles(c.Request.Context(), call.Caller, org.ID, c.Param("client"), change)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newHeldBody(held.Grants))
	return nil
}
