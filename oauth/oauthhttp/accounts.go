package oauthhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/tenants"
)

// account is a service account on VCD's wire. The four members that the limited
// view hides are null there and present always (VCD-3).
type account struct {
	ID              string      `json:"id"`
	Name            string      `json:"name"`
	SoftwareID      *string     `json:"softwareId"`
	SoftwareVersion *string     `json:"softwareVersion"`
	Role            httpapi.Ref `json:"role"`
	URI             *string     `json:"uri"`
	Org             httpapi.Ref `json:"org"`
	Status          *string     `json:"status"`
}

// render shows a to the caller, as much of it as their rights allow.
func (h *Handler) render(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, a oauth.ServiceAccount) account {
	return newAccount(org, a, h.fullView(c, call, org))
}

func newAccount(org *tenants.Snapshot, a oauth.ServiceAccount, full bool) account {
	roleName, _ := org.RoleName(a.Role)
	shown := account{
		ID: tenants.URN("serviceAccount", a.ID), Name: a.Name,
		Role: httpapi.Ref{Name: roleName, ID: tenants.URN("role", a.Role)},
		Org:  httpapi.Ref{Name: org.Name, ID: tenants.URN("org", org.ID)},
	}
	if full {
		status := string(a.Status)
		shown.SoftwareID, shown.SoftwareVersion, shown.URI, shown.Status = &a.SoftwareID, &a.SoftwareVersion, &a.URI, &status
	}
	return shown
}

// fullView reports whether the caller may see what the limited view hides.
func (h *Handler) fullView(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) bool {
	return h.Orgs.Require(c.Request.Context(), call.Principal, org.ID, oauth.FullAccountView...) == nil
}

// target finds the account that the path names. SDKs send no context header
// here, so a provider reaches every organization's accounts by id.
func (h *Handler) target(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, oauth.ClientID, error) {
	id, err := tenants.ParseID[oauth.ClientID]("serviceAccount", c.Param("id"))
	if err != nil {
		return nil, "", err
	}
	if !call.Principal.Provider() || call.Org.ID != tenants.SystemOrgID {
		return call.Org, id, nil
	}
	owner, err := h.OAuth.AccountOrg(c.Request.Context(), id)
	if err != nil {
		return nil, "", err
	}
	org, err := h.Orgs.Organization(c.Request.Context(), owner)
	return org, id, err
}

func (h *Handler) get(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	a, err := h.OAuth.Account(c.Request.Context(), org.ID, id)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, h.render(c, call, org, a))
	return nil
}

// maxAccounts is VCD's largest page of service accounts.
const maxAccounts = 32

func (h *Handler) list(c *gin.Context, call httpapi.Call) error {
	fields, full := oauth.LimitedAccountFields, h.fullView(c, call, call.Org)
	if full {
		fields = oauth.AccountFields
	}
	list, err := httpapi.ParseList(c.Request, fields, maxAccounts)
	if err != nil {
		return err
	}
	accounts, total, err := h.OAuth.Accounts(c.Request.Context(), call.Org.ID, list)
	if err != nil {
		return err
	}
	values := make([]account, 0, len(accounts))
	for _, a := range accounts {
		values = append(values, newAccount(call.Org, a, full))
	}
	httpapi.WritePage(c, h.PublicURL, "ServiceAccounts", httpapi.NewPage(values, total, list.Page, list.PageSize))
	return nil
}

// update takes the whole object and reads what may be changed; name,
// organization and status are ignored, and the role is named by id alone
// (VCD-88).
func (h *Handler) update(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	var body struct {
		SoftwareID      string      `json:"softwareId"`
		SoftwareVersion string      `json:"softwareVersion"`
		URI             string      `json:"uri"`
		Role            httpapi.Ref `json:"role"`
	}
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	role, err := tenants.ParseID[tenants.RoleID]("role", body.Role.ID)
	if err != nil {
		return err
	}
	a, err := h.OAuth.Update(c.Request.Context(), call.Caller, org, id, oauth.Edit{
		Role: role, SoftwareID: body.SoftwareID, SoftwareVersion: body.SoftwareVersion, URI: body.URI,
	})
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, h.render(c, call, org, a))
	return nil
}

func (h *Handler) remove(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.Delete(c.Request.Context(), call.Caller, org.ID, id))
}

func (h *Handler) takeOwnership(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.TakeOwnership(c.Request.Context(), call.Caller, org, id))
}

func (h *Handler) revoke(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.Revoke(c.Request.Context(), call.Caller, org.ID, id))
}
