// Package refusalhttp is the HTTP face of package refusal: what was refused, for
// those who may read the audit trail.
package refusalhttp

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	Store     refusal.Store
	Orgs      *tenants.Directory
	PublicURL string // https://host[:port], from configuration only
	Now       func() time.Time
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

var fields = fiql.Fields{
	"requestId": {Column: "request_id", Kind: fiql.Text},
	"time":      {Column: "at", Kind: fiql.Time},
	"code":      {Column: "code", Kind: fiql.Text},
	"status":    {Column: "status", Kind: fiql.Int},
	"actor":     {Column: "actor_name", Kind: fiql.Text},
	"actorId":   {Column: "actor_id", Kind: fiql.Text},
	"method":    {Column: "method", Kind: fiql.Text},
	"route":     {Column: "route", Kind: fiql.Text},
}

// list shows what was refused in the organization in which the request is
// fulfilled, the newest first.
func (h *Handler) list(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, fields, maxPageSize)
	if err != nil {
		return err
	}
	if err := h.recent(c.Request, &q); err != nil {
		return err
	}
	var found []refusal.Refusal
	var total int
	err = h.Store.View(c.Request.Context(), func(r refusal.Reader) (err error) {
		found, total, err = r.Refusals(call.Org.ID, q)
		return err
	})
	if err != nil {
		return err
	}
	values := make([]refusal.Shown, 0, len(found))
	for _, r := range found {
		shown, err := h.show(c.Request.Context(), r, call)
		if err != nil {
			return err
		}
		values = append(values, shown)
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
	var found refusal.Refusal
	err := h.Store.View(c.Request.Context(), func(r refusal.Reader) (err error) {
		org := call.Org.ID
		if ofProvider(call) {
			if org, err = r.RefusalOrg(id); err != nil {
				return err
			}
		}
		found, err = r.Refusal(org, id)
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return problem.Hidden()
	}
	if err != nil {
		return err
	}
	shown, err := h.show(c.Request.Context(), found, call)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, shown)
	return nil
}

// show leaves out what is only for the provider: where the provider's people
// work from, and facts about other organizations.
func (h *Handler) show(ctx context.Context, r refusal.Refusal, call httpapi.Call) (refusal.Shown, error) {
	s := refusal.Shown{
		RequestID: r.RequestID, Time: httpapi.Time(r.At), Address: r.Address, Method: r.Method, Route: r.Route,
		Status: r.Status, Code: r.Code, Message: r.Message, Facts: maps.Clone(r.Facts),
		Actor: refusal.ShownActor{Kind: r.Actor.Kind, ID: r.Actor.ID, Name: r.Actor.Name},
	}
	var err error
	if s.Organization, err = h.ref(ctx, r.Org); err != nil {
		return s, err
	}
	provider := ofProvider(call)
	if r.Actor.Org != "" && (provider || tenants.OrgID(r.Actor.Org) == r.Org) {
		org, err := h.ref(ctx, tenants.OrgID(r.Actor.Org))
		if err != nil {
			return s, err
		}
		s.Actor.Organization = &org
	}
	if provider {
		return s, nil
	}
	if r.Actor.Org != "" && tenants.OrgID(r.Actor.Org) != r.Org {
		s.Address = ""
	}
	maps.DeleteFunc(s.Facts, func(name, _ string) bool { return strings.HasPrefix(name, problem.ForProvider) })
	return s, nil
}

// ofProvider says that the caller is the provider of this site, not of a peer.
func ofProvider(call httpapi.Call) bool { return call.Principal.Provider() && call.Principal.Via == "" }

// ref names an organization, also one that is gone.
func (h *Handler) ref(ctx context.Context, id tenants.OrgID) (refusal.Ref, error) {
	ref := refusal.Ref{ID: tenants.URN("org", id)}
	org, err := h.Orgs.Organization(ctx, id)
	if problem.Has(err, problem.NotFound) {
		return ref, nil
	}
	if err == nil {
		ref.Name = org.Name
	}
	return ref, err
}
