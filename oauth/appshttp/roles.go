package appshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// customRolesBase is where custom roles are: another service of CSP's.
const customRolesBase = "/csp/gateway/iam-roles-mgmt/api/orgs/:org"

// roleRoutes are the roles that there are: those of every organization, and those
// that an organization made.
func (h *Handler) roleRoutes() httpapi.Endpoints {
	const custom = "/custom-roles"
	return httpapi.Endpoints{Routes: []httpapi.Route{
		h.inOrg(http.MethodGet, "/roles", h.orgRoles),
		h.inOrg(http.MethodGet, "/roles/:orgRole", h.orgRole),
		h.below(customRolesBase, http.MethodGet, custom, h.customRoles),
		h.below(customRolesBase, http.MethodPost, custom, h.createCustomRole),
		h.below(customRolesBase, http.MethodGet, custom+"/:role", h.customRole),
		h.below(customRolesBase, http.MethodPatch, custom+"/:role", h.describeCustomRole),
		h.below(customRolesBase, http.MethodPatch, custom+"/:role/permissions", h.changeCustomPermissions),
		h.below(customRolesBase, http.MethodDelete, custom+"/:role", h.deleteCustomRole),
	}}
}

// orgRoleBody is an organization role as people read of it (CSP-23).
type orgRoleBody struct {
	Name        services.OrgRole `json:"name"`
	DisplayName string           `json:"displayName"`
	Description string           `json:"description"`
	OrgID       tenants.OrgID    `json:"orgId"`
	RefLink     string           `json:"refLink"`
}

func newOrgRoleBody(org tenants.OrgID, r services.OrgRoleInfo) orgRoleBody {
	return orgRoleBody{
		Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, OrgID: org,
		RefLink: httpapi.CSPBase + "/orgs/" + string(org) + "/roles/" + string(r.Name),
	}
}

func (h *Handler) orgRoles(c *gin.Context, _ httpapi.Call, org *tenants.Snapshot) error {
	var list []orgRoleBody
	var links []string
	for _, r := range services.OrgRoles() {
		b := newOrgRoleBody(org.ID, r)
		list, links = append(list, b), append(links, b.RefLink)
	}
	httpapi.JSON(c, http.StatusOK, map[string]any{"results": list, "totalResults": len(list), "refLinks": links})
	return nil
}

func (h *Handler) orgRole(c *gin.Context, _ httpapi.Call, org *tenants.Snapshot) error {
	for _, r := range services.OrgRoles() {
		if string(r.Name) == c.Param("orgRole") {
			httpapi.JSON(c, http.StatusOK, newOrgRoleBody(org.ID, r))
			return nil
		}
	}
	return problem.New(problem.NotFound, "There is no such organization role.")
}
