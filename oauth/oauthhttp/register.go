package oauthhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

type registerRequest struct {
	ClientName      string  `json:"client_name"`
	SoftwareID      *string `json:"software_id"`
	SoftwareVersion string  `json:"software_version"`
	ClientURI       string  `json:"client_uri"`
	Scope           string  `json:"scope"`
}

type registerAnswer struct {
	ClientName      string   `json:"client_name"`
	ClientID        string   `json:"client_id"`
	GrantTypes      []string `json:"grant_types"`
	AuthMethod      string   `json:"token_endpoint_auth_method"`
	ClientURI       *string  `json:"client_uri"`
	SoftwareID      *string  `json:"software_id"`
	SoftwareVersion *string  `json:"software_version"`
	Scope           *string  `json:"scope"`
}

// register creates a service account in the realm that the path names
// (VCD-58…61), or without a software_id an API token of the caller (VCD-59). A
// provider may register an account in any tenant's realm without a context
// header: the SDK sends none.
func (h *Handler) register(c *gin.Context, call httpapi.Call) error {
	org, err := h.realmFor(c, call)
	if err != nil {
		return err
	}
	var body registerRequest
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	if body.SoftwareID == nil {
		return h.registerToken(c, call, org, body)
	}
	if err := h.require(c, call, tenants.RightAccountsManage); err != nil {
		return err
	}
	a, err := h.OAuth.Register(c.Request.Context(), call.Caller, org, oauth.Registration{
		ClientName: body.ClientName, SoftwareID: *body.SoftwareID, SoftwareVersion: body.SoftwareVersion,
		ClientURI: body.ClientURI, Scope: body.Scope,
	})
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusCreated, registerAnswer{
		ClientName: a.Name, ClientID: string(a.ID), GrantTypes: []string{grantDevice}, AuthMethod: "none",
		ClientURI: &a.URI, SoftwareID: &a.SoftwareID, SoftwareVersion: &a.SoftwareVersion, Scope: &body.Scope,
	})
	return nil
}

// require asks for one right where the route is open to holders of any of several.
func (h *Handler) require(c *gin.Context, call httpapi.Call, right tenants.Right) error {
	return h.Orgs.Require(c.Request.Context(), call.Principal, call.Org.ID, right)
}

// realmFor is the realm of the path if the caller may act in it: the
// organization in which the request is fulfilled, or, for providers, any.
// Unknown and foreign realms look alike.
func (h *Handler) realmFor(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, error) {
	org, err := h.realm(c)
	if err != nil {
		return nil, err
	}
	if org.ID != call.Org.ID && !call.Principal.Provider() {
		return nil, problem.Hidden()
	}
	return org, nil
}
