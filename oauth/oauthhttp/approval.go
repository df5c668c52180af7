package oauthhttp

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/ratelimit"
	"causeway/tenants"
)

// accessRequest is what an administrator should know before saying yes
// (VCD-80). It never holds a code.
type accessRequest struct {
	Account   account  `json:"serviceAccount"`
	Rights    []string `json:"rights"`
	Address   string   `json:"requesterAddress"`
	UserAgent string   `json:"requesterUserAgent"`
	Requested string   `json:"requestedAt"`
	Expires   string   `json:"expiresAt"`
	Parallel  int      `json:"otherOpenRequests"`
}

// lookUp answers 303 to the account, as VCD does, and says in the body who asks
// for what. Clients follow the Location; people read the body.
func (h *Handler) lookUp(c *gin.Context, call httpapi.Call) error {
	code, err := userCode(c)
	if err != nil {
		return err
	}
	found, err := h.OAuth.LookUp(withTries(c), call.Caller, call.Org, code)
	if err != nil {
		return err
	}
	c.Header("Location", h.PublicURL+cloudapi+"/serviceAccounts/"+tenants.URN("serviceAccount", found.Account.ID))
	httpapi.NoStoreJSON(c, http.StatusSeeOther, h.newAccessRequest(c, call, found))
	return nil
}

func (h *Handler) newAccessRequest(c *gin.Context, call httpapi.Call, found oauth.AccessRequest) accessRequest {
	rights := make([]string, 0, len(found.Rights))
	for _, r := range found.Rights {
		rights = append(rights, string(r))
	}
	return accessRequest{
		Account: h.render(c, call, call.Org, found.Account), Rights: rights,
		Address: found.Request.Address, UserAgent: found.Request.UserAgent,
		Requested: httpapi.Time(found.Request.CreatedAt), Expires: httpapi.Time(found.Request.ExpiresAt),
		Parallel: found.Parallel,
	}
}

func (h *Handler) grant(c *gin.Context, call httpapi.Call) error {
	code, err := userCode(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.Grant(withTries(c), call.Caller, call.Org, code))
}

func (h *Handler) deny(c *gin.Context, call httpapi.Call) error {
	code, err := userCode(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.Deny(withTries(c), call.Caller, call.Org, code))
}

// userCode reads the code that somebody typed.
func userCode(c *gin.Context) (string, error) {
	var body struct {
		UserCode string `json:"userCode"`
	}
	err := httpapi.ParseJSON(c.Request, &body)
	return body.UserCode, err
}

// withTries is the request's context; tries of user codes say in the answer's header
// how many are left.
func withTries(c *gin.Context) context.Context {
	return oauth.WithCodeTries(c.Request.Context(), func(s ratelimit.Standing) { httpapi.RateLimit(c, s) })
}
