package tenantshttp

import (
	"bufio"
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/tenants"
)

// findHolder reads from the path who holds a quota policy, and in which
// organization.
type findHolder func(*gin.Context, httpapi.Call) (tenants.OrgID, tenants.QuotaHolder, error)

// quotaReference is the policy of a holder; a null reference is none.
type quotaReference struct {
	Reference *httpapi.Ref `json:"quotaPolicyReference"`
}

func (h *Handler) quotaHeld(find findHolder) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		org, holder, err := find(c, call)
		if err != nil {
			return err
		}
		p, err := h.Tenants.QuotaHeld(c.Request.Context(), org, holder)
		if err != nil {
			return err
		}
		var body quotaReference
		if p.ID != "" {
			body.Reference = &httpapi.Ref{Name: p.Name, ID: tenants.URN("quotaPolicy", p.ID)}
		}
		httpapi.JSON(c, http.StatusOK, body)
		return nil
	}
}

// quotaAssign answers with a task, as VCD does; it is done already.
func (h *Handler) quotaAssign(find findHolder) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		org, holder, err := find(c, call)
		if err != nil {
			return err
		}
		policy, err := parseQuotaReference(c.Request)
		if err != nil {
			return err
		}
		task, err := h.Tenants.AssignQuota(c.Request.Context(), call.Caller, org, holder, policy)
		if err != nil {
			return err
		}
		return h.accepted(c, task)
	}
}

// parseQuotaReference reads a reference. An empty body, an empty object and a
// null reference all take the policy away; a reference without an id does not:
// whoever misspells it does not mean that.
func parseQuotaReference(r *http.Request) (tenants.QuotaPolicyID, error) {
	body := bufio.NewReader(r.Body)
	if _, err := body.Peek(1); errors.Is(err, io.EOF) {
		return "", nil
	}
	r.Body = io.NopCloser(body)
	var ref quotaReference
	if err := httpapi.ParseJSON(r, &ref); err != nil || ref.Reference == nil {
		return "", err
	}
	return tenants.ParseID[tenants.QuotaPolicyID]("quotaPolicy", ref.Reference.ID)
}

func (h *Handler) quotaUser(c *gin.Context, call httpapi.Call) (tenants.OrgID, tenants.QuotaHolder, error) {
	org, id, err := h.userTarget(c, call)
	if err != nil {
		return "", tenants.QuotaHolder{}, err
	}
	u, err := h.Tenants.User(c.Request.Context(), org.ID, id)
	return org.ID, tenants.QuotaHolder{Kind: tenants.HolderUser, ID: string(id), Name: u.Name}, err
}

func (h *Handler) quotaAccount(c *gin.Context, call httpapi.Call) (tenants.OrgID, tenants.QuotaHolder, error) {
	ctx := c.Request.Context()
	id, err := tenants.ParseID[oauth.ClientID]("serviceAccount", c.Param("id"))
	if err != nil {
		return "", tenants.QuotaHolder{}, err
	}
	org, err := h.owner(call, func() (tenants.OrgID, error) { return h.OAuth.AccountOrg(ctx, id) })
	if err != nil {
		return "", tenants.QuotaHolder{}, err
	}
	a, err := h.OAuth.Account(ctx, org, id)
	return org, tenants.QuotaHolder{Kind: tenants.HolderAccount, ID: string(id), Name: a.Name}, err
}

func (h *Handler) quotaOrg(c *gin.Context, call httpapi.Call) (tenants.OrgID, tenants.QuotaHolder, error) {
	id, err := tenants.ParseID[tenants.OrgID]("org", c.Param("id"))
	if err != nil {
		return "", tenants.QuotaHolder{}, err
	}
	org, err := h.visible(c, call, id)
	if err != nil {
		return "", tenants.QuotaHolder{}, err
	}
	return org.ID, tenants.QuotaHolder{Kind: tenants.HolderOrganization, ID: string(id), Name: org.Name}, nil
}
