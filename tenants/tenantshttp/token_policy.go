package tenantshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

const tokenPolicyPath = httpapi.OwnAPI + "/organizations/:id/tokenPolicy"

func (h *Handler) tokenPolicyRoutes() []httpapi.Route {
	return []httpapi.Route{
		{Method: http.MethodGet, Path: tokenPolicyPath, Rights: viewOrganization, Do: h.tokenPolicy},
		{Method: http.MethodPut, Path: tokenPolicyPath, Rights: []tenants.Right{tenants.RightOrganizationOAuth}, Do: h.tokenPolicyUpdate},
	}
}

// tokenPolicyBody is what an organization has of its own. Null, and what a body
// leaves out, follows the site.
type tokenPolicyBody struct {
	RetryWindow   tenants.Optional `json:"retryWindowSeconds"`
	ForeignWindow tenants.Optional `json:"foreignWindowSeconds"`
	MaxRetries    tenants.Optional `json:"maxRetries"`
	MaxAge        tenants.Optional `json:"maxAgeSeconds"`
}

type tokenPolicyAnswer struct {
	tokenPolicyBody
	SetByProvider []string             `json:"setByProvider"` // a tenant makes these stricter only; not read
	Effective     effectiveTokenPolicy `json:"effective"`     // what holds; not read
}

type effectiveTokenPolicy struct {
	RetryWindow   int `json:"retryWindowSeconds"`
	ForeignWindow int `json:"foreignWindowSeconds"`
	MaxRetries    int `json:"maxRetries"`
	MaxAge        int `json:"maxAgeSeconds"` // 0 is no maximum
}

func (h *Handler) tokenPolicy(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	h.writeTokenPolicy(c, org.Organization)
	return nil
}

func (h *Handler) tokenPolicyUpdate(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	var body tokenPolicyBody
	if err := httpapi.ParseOwnJSON(c.Request, &body, "setByProvider", "effective"); err != nil {
		return err
	}
	o, err := h.Tenants.UpdateOrganization(c.Request.Context(), call.Caller, org.ID, func(o *tenants.Organization) {
		o.Settings.Tokens = tenants.TokenPolicy{
			RetryWindow: body.RetryWindow, GraceWindow: body.ForeignWindow, MaxRetries: body.MaxRetries, MaxAge: body.MaxAge,
		}
	})
	if err != nil {
		return err
	}
	h.writeTokenPolicy(c, o)
	return nil
}

func (h *Handler) writeTokenPolicy(c *gin.Context, o tenants.Organization) {
	own, now := o.Settings.Tokens, h.Tenants.RotationOf(o)
	httpapi.JSON(c, http.StatusOK, tokenPolicyAnswer{
		tokenPolicyBody: tokenPolicyBody{
			RetryWindow: own.RetryWindow, ForeignWindow: own.GraceWindow, MaxRetries: own.MaxRetries, MaxAge: own.MaxAge,
		},
		SetByProvider: own.SetByProvider(),
		Effective: effectiveTokenPolicy{
			RetryWindow: int(now.RetryWindow.Seconds()), ForeignWindow: int(now.GraceWindow.Seconds()),
			MaxRetries: now.MaxRetries, MaxAge: int(now.MaxAge.Seconds()),
		},
	})
}
