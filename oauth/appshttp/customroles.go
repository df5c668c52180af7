package appshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// customRoleBody is CustomRoleDto.
type customRoleBody struct {
	Name         string   `json:"name"`
	DisplayName  string   `json:"displayName"`
	Description  string   `json:"description"`
	Permissions  []string `json:"permissions"`
	CreatedBy    string   `json:"createdBy"`
	LastModified string   `json:"lastModifiedBy"`
}

func newCustomRoleBody(r services.CustomRole) customRoleBody {
	return customRoleBody{
		Name: r.Name, DisplayName: r.DisplayName, Description: r.Description, Permissions: permissionTexts(r.Permissions),
		CreatedBy: r.CreatedBy, LastModified: r.UpdatedBy,
	}
}

func permissionTexts(list []services.ServicePermission) []string {
	texts := make([]string, 0, len(list))
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return texts
}

func parsePermissions(texts []string) ([]services.ServicePermission, error) {
	list := make([]services.ServicePermission, 0, len(texts))
	for _, text := range texts {
		p, err := services.ParseServicePermission(text)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (h *Handler) customRoles(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	list, err := h.Services.CustomRoles(c.Request.Context(), call.Caller, org.ID)
	if err != nil {
		return err
	}
	results := make([]customRoleBody, 0, len(list))
	for _, r := range list {
		results = append(results, newCustomRoleBody(r))
	}
	httpapi.JSON(c, http.StatusOK, map[string]any{"results": results})
	return nil
}

func (h *Handler) customRole(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	r, err := h.Services.CustomRole(c.Request.Context(), call.Caller, org.ID, c.Param("role"))
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newCustomRoleBody(r))
	return nil
}

func parseCustomRole(r *http.Request) (services.CustomRole, error) {
	var b struct {
		Name        string    `json:"name"`
		DisplayName string    `json:"displayName"`
		Description *string   `json:"description"`
		Permissions *[]string `json:"permissions"`
	}
	if err := httpapi.ParseJSON(r, &b); err != nil {
		return services.CustomRole{}, err
	}
	role := services.CustomRole{Name: b.Name, DisplayName: b.DisplayName}
	if b.Description != nil {
		if *b.Description == "" {
			return role, problem.New(problem.BadRequest, "description may be left out, but not be empty.")
		}
		role.Description = *b.Description
	}
	if b.Permissions == nil {
		return role, nil
	}
	var err error
	if len(*b.Permissions) == 0 {
		return role, problem.New(problem.BadRequest, "permissions may be left out, but not be empty.")
	}
	role.Permissions, err = parsePermissions(*b.Permissions)
	return role, err
}

func (h *Handler) createCustomRole(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	role, err := parseCustomRole(c.Request)
	if err != nil {
		return err
	}
	if role, err = h.Services.CreateCustomRole(c.Request.Context(), call.Caller, org.ID, role); err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusCreated, newCustomRoleBody(role))
	return nil
}

func (h *Handler) describeCustomRole(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	var b struct {
		DisplayName *string `json:"displayName"`
		Description *string `json:"description"`
	}
	if err := httpapi.ParseJSON(c.Request, &b); err != nil {
		return err
	}
	role, err := h.Services.DescribeCustomRole(c.Request.Context(), call.Caller, org.ID, c.Param("role"), b.DisplayName, b.Description)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newCustomRoleBody(role))
	return nil
}

func parsePermissionChange(r *http.Request) (add, remove []services.ServicePermission, err error) {
	var b struct {
		Add    []string `json:"permissionsToAdd"`
		Remove []string `json:"permissionsToRemove"`
	}
	if err := httpapi.ParseJSON(r, &b); err != nil {
		return nil, nil, err
	}
	if add, err = parsePermissions(b.Add); err != nil {
		return nil, nil, err
	}
	remove, err = parsePermissions(b.Remove)
	return add, remove, err
}

func (h *Handler) changeCustomPermissions(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	add, remove, err := parsePermissionChange(c.Request)
	if err != nil {
		return err
	}
	absent, err := h.Services.ChangeCustomPermissions(c.Request.Context(), call.Caller, org.ID, c.Param("role"), add, remove)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, outcome(permissionTexts(append(add, remove...)), permissionTexts(absent)))
	return nil
}

func (h *Handler) deleteCustomRole(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	return httpapi.NoContent(c, h.Services.DeleteCustomRole(c.Request.Context(), call.Caller, org.ID, c.Param("role")))
}
