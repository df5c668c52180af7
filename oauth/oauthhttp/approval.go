package oauthhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
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
	var found oauth.AccessRequest
	err := h.withUserCode(c, call, func(code string) (err error) {
		found, err = h.OAuth.LookUp(c.Request.Context(), call.Org, code)
		return err
	})
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
	return httpapi.NoContent(c, h.withUserCode(c, call, func(code string) error {
		return h.OAuth.Grant(c.Request.Context(), call.Caller, call.Org, code)
	}))
}

func (h *Handler) deny(c *gin.Context, call httpapi.Call) error {
	return httpapi.NoContent(c, h.withUserCode(c, call, func(code string) error {
		return h.OAuth.Deny(c.Request.Context(), call.Caller, call.Org, code)
	}))
}

// withUserCode reads the code that somebody typed and does what they want with
// it, before anything is answered. A user code is short, so tries that miss are
// limited per person and per organization (VCD-17); a try that hits does not count.
func (h *Handler) withUserCode(c *gin.Context, call httpapi.Call, do func(code string) error) error {
	var body struct {
		UserCode string `json:"userCode"`
	}
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	try := h.Limits.Take(ratelimit.UserCode, ratelimit.Account(call.Principal.ID), ratelimit.Org(call.Org.ID))
	if err := try.Err(); err != nil {
		return err
	}
	err := do(body.UserCode)
	if !problem.Has(err, problem.UnknownUserCode) {
		try.Return()
	}
	httpapi.RateLimit(c, try.Standing)
	return err
}
