package appshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// userBody is what a user holds. The organization roles come from the user's role.
type userBody struct {
	ID       string `json:"userId"`
	Username string `json:"username"`
	heldBody
}

func pathUser(c *gin.Context) (tenants.UserID, error) {
	id, err := tenants.ParseID[tenants.UserID]("user", c.Param("user"))
	if err != nil {
		return "", problem.Hidden()
	}
	return id, nil
}

func (h *Handler) userRoles(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	user, err := pathUser(c)
	if err != nil {
		return err
	}
	return h.writeUser(c, call, org, user)
}

func (h *Handler) writeUser(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, user tenants.UserID) error {
	held, name, err := h.heldByUser(c, call, org.ID, user)
	if err == nil {
		httpapi.JSON(c, http.StatusOK, userBody{ID: string(user), Username: name, heldBody: held})
	}
	return err
}

func (h *Handler) heldByUser(c *gin.Context, call httpapi.Call, org tenants.OrgID, user tenants.UserID) (b heldBody, name string, err error) {
	held, roles, err := h.Apps.UserRoles(c.Request.Context(), call.Caller, org, user)
	if err != nil {
		return heldBody{}, "", err
	}
	b = newHeldBody(held.Grants)
	for _, r := range roles {
		b.Organization = append(b.Organization, newOrgRole(services.Grant{Role: string(r)}))
	}
	return b, held.Name, nil
}

func (h *Handler) changeUserRoles(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	user, err := pathUser(c)
	if err != nil {
		return err
	}
	change, err := parseChanges(c.Request)
	if err != nil {
		return err
	}
	if _, err := h.Apps.ChangeUserRoles(c.Request.Context(), call.Caller, org.ID, user, change); err != nil {
		return err
	}
	return h.writeUser(c, call, org, user)
}
