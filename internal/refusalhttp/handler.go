// Package refusalhttp is the HTTP face of package refusal: what was refused, for
// those who may read the audit trail.
package refusalhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	Desk      *refusal.Desk
	PublicURL string // https://host[:port], from configuration only
}

// maxPageSize is VCD's for most lists.
const maxPageSize = 128

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	rights := []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	return httpapi.Endpoints{Routes: []httpapi.Route{
		{Method: http.MethodGet, Path: httpapi.OwnAPI + "/refusals", Rights: rights, List: httpapi.Pages{Shown: map[string]string{"actor": "actor.name", "actorId": "actor.id"}}, Do: h.list},
		{Method: http.MethodGet, Path: httpapi.OwnAPI + "/refusals/:requestId", Rights: rights, Do: h.get},
	}}
}

// list shows what was refused in the organization in which the request is
// fulfilled, the newest first.
func (h *Handler) list(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, refusal.Fields, maxPageSize)
	if err != nil {
		return err
	}
	query, err := httpapi.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	filter, err := fiql.Parse(query.Get("filter"))
	if err != nil {
		return err
	}
	values, total, err := h.Desk.List(c.Request.Context(), call.Principal, call.Org.ID, filter, q)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "Refusals", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

// get shows one refusal. The provider finds it in whichever organization it is.
func (h *Handler) get(c *gin.Context, call httpapi.Call) error {
	id := c.Param("requestId")
	if !httpapi.IsRequestID(id) {
		return problem.Hidden()
	}
	shown, err := h.Desk.Find(c.Request.Context(), call.Principal, call.Org.ID, id)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, shown)
	return nil
}
