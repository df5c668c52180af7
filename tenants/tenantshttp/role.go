package tenantshttp

import (
	"context"
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

const rolesPath = "/cloudapi/1.0.0/roles"

// roleRoutes are an organization's roles: its own and the global roles published
// to it. A provider without context headers is in System.
func (h *Handler) roleRoutes() []httpapi.Route {
	manage := []tenants.Right{tenants.RightRoleManage}
	return []httpapi.Route{
		{Method: http.MethodGet, Path: rolesPath, Rights: viewRoles, List: httpapi.Pages{}, Do: h.roles},
		{Method: http.MethodPost, Path: rolesPath, Rights: manage, Do: h.createRole},
		{Method: http.MethodGet, Path: rolesPath + "/:id", Rights: viewRoles, Do: h.role},
		{Method: http.MethodPut, Path: rolesPath + "/:id", Rights: manage, Do: h.updateRole},
		{Method: http.MethodDelete, Path: rolesPath + "/:id", Rights: manage, Do: h.deleteRole},
		{Method: http.MethodGet, Path: rolesPath + "/:id/rights", Rights: viewRoles, Do: h.roleRights},
		{Method: http.MethodPost, Path: rolesPath + "/:id/rights", Rights: manage, Do: h.addRoleRights},
		{Method: http.MethodPut, Path: rolesPath + "/:id/rights", Rights: manage, Do: h.setRoleRights},
		{Method: http.MethodGet, Path: "/api/admin/role/:id", Rights: viewRoles, Do: h.roleXML},
		{Method: http.MethodGet, Path: "/api/admin/org/:id/role/:role", Rights: viewRoles, Do: h.orgRoleXML},
	}
}

type roleBody struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	BundleKey   string `json:"bundleKey"`
	ReadOnly    bool   `json:"readOnly"`
}

func newRoleBody(r tenants.Role) roleBody {
	return roleBody{ID: tenants.URN("role", r.ID), Name: r.Name, Description: r.Description, BundleKey: r.BundleKey, ReadOnly: r.ReadOnly}
}

func roleID(c *gin.Context, param string) (tenants.RoleID, error) {
	return tenants.ParseID[tenants.RoleID]("role", c.Param(param))
}

func (h *Handler) roles(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, tenants.RoleFields, maxPageSize)
	if err != nil {
		return err
	}
	list, total, err := h.Tenants.Roles(c.Request.Context(), call.Org.ID, q)
	if err != nil {
		return err
	}
	values := make([]roleBody, 0, len(list))
	for _, r := range list {
		values = append(values, newRoleBody(r))
	}
	httpapi.WritePage(c, h.PublicURL, "Roles", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (h *Handler) createRole(c *gin.Context, call httpapi.Call) error {
	text, _, err := parseText(c.Request)
	if err != nil {
		return err
	}
	role, err := h.Tenants.CreateRole(c.Request.Context(), call.Caller, call.Org, text)
	if err != nil {
		return err
	}
	h.created(c, rolesPath, tenants.URN("role", role.ID), newRoleBody(role))
	return nil
}

// pathRole is the role that the path names.
func (h *Handler) pathRole(c *gin.Context, call httpapi.Call) (tenants.Role, error) {
	id, err := roleID(c, "id")
	if err != nil {
		return tenants.Role{}, err
	}
	return h.Tenants.Role(c.Request.Context(), call.Org.ID, id)
}

func (h *Handler) role(c *gin.Context, call httpapi.Call) error {
	role, err := h.pathRole(c, call)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newRoleBody(role))
	return nil
}

func (h *Handler) updateRole(c *gin.Context, call httpapi.Call) error {
	id, err := roleID(c, "id")
	if err != nil {
		return err
	}
	text, _, err := parseText(c.Request)
	if err != nil {
		return err
	}
	role, err := h.Tenants.UpdateRole(c.Request.Context(), call.Caller, call.Org, id, text)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newRoleBody(role))
	return nil
}

func (h *Handler) deleteRole(c *gin.Context, call httpapi.Call) error {
	id, err := roleID(c, "id")
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Tenants.DeleteRole(c.Request.Context(), call.Caller, call.Org, id))
}

func (h *Handler) roleRights(c *gin.Context, call httpapi.Call) error {
	role, err := h.pathRole(c, call)
	if err != nil {
		return err
	}
	return h.writeRights(c, call.Org.Effective(role.Rights), call.Org.Available())
}

func (h *Handler) addRoleRights(c *gin.Context, call httpapi.Call) error {
	return h.giveRoleRights(c, call, h.Tenants.AddRoleRights)
}

func (h *Handler) setRoleRights(c *gin.Context, call httpapi.Call) error {
	return h.giveRoleRights(c, call, h.Tenants.SetRoleRights)
}

func (h *Handler) giveRoleRights(c *gin.Context, call httpapi.Call,
	give func(context.Context, tenants.Caller, *tenants.Snapshot, tenants.RoleID, []tenants.Right) (tenants.Role, error)) error {
	id, err := roleID(c, "id")
	if err != nil {
		return err
	}
	rights, err := parseRights(c.Request)
	if err != nil {
		return err
	}
	role, err := give(c.Request.Context(), call.Caller, call.Org, id, rights)
	if err != nil {
		return err
	}
	writeReferences(c, rightRefs(call.Org.Effective(role.Rights)))
	return nil
}

type roleXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Role" json:"-"`
	reference
	Description string          `xml:"Description" json:"description"`
	Rights      rightReferences `xml:"RightReferences" json:"rightReferences"`
}

func (h *Handler) roleXML(c *gin.Context, call httpapi.Call) error {
	return h.writeRoleXML(c, call, call.Org, "id")
}

// orgRoleXML is a role of the organization that the path names; a provider
// reaches every one without context headers.
func (h *Handler) orgRoleXML(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[tenants.OrgID]("org", c.Param("id"))
	if err != nil {
		return err
	}
	org, err := h.visible(c, call, id)
	if err != nil {
		return err
	}
	return h.writeRoleXML(c, call, org, "role")
}

func (h *Handler) writeRoleXML(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, param string) error {
	id, err := roleID(c, param)
	if err != nil {
		return err
	}
	role, err := h.Tenants.Role(c.Request.Context(), org.ID, id)
	if err != nil {
		return err
	}
	write(c, mediaRole, roleXML{
		reference: h.roleReference(call, org.ID, role.ID, role.Name), Description: role.Description,
		Rights: h.rightReferences(org.Effective(role.Rights)),
	})
	return nil
}
