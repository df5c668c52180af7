package appshttp

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// regenerate makes a new secret; the old one and its tokens end. The body says
// nothing, but must be there: an empty object.
func (h *Handler) regenerate(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	id, err := appID(c)
	if err != nil {
		return err
	}
	if err := httpapi.ParseJSON(c.Request, &struct{}{}); err != nil {
		return err
	}
	fresh, err := h.Apps.Regenerate(c.Request.Context(), call.Caller, org.ID, id)
	if err != nil {
		return err
	}
	httpapi.NoStoreJSON(c, http.StatusOK, issuedBody{string(id), fresh.Reveal()})
	return nil
}

// rotate gives the app another secret beside the old one.
func (h *Handler) rotate(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	id, err := appID(c)
	if err != nil {
		return err
	}
	fresh, overlap, err := parseRotation(c.Request)
	if err != nil {
		return err
	}
	if err := h.Apps.Rotate(c.Request.Context(), call.Caller, org.ID, id, fresh, overlap); err != nil {
		return err
	}
	return empty(c)
}

func parseRotation(r *http.Request) (secret.Text, time.Duration, error) {
	var q struct {
		Secret  secret.Text `json:"newClientSecret"`
		Overlap *int64      `json:"secretRotationExpirationInSeconds"`
	}
	if err := httpapi.ParseJSON(r, &q); err != nil {
		return "", 0, err
	}
	if q.Secret == "" {
		return "", 0, missing("newClientSecret")
	}
	if q.Overlap == nil {
		return q.Secret, 0, nil
	}
	if *q.Overlap < 1 || *q.Overlap > mostSeconds {
		return "", 0, problem.New(problem.BadRequest, "secretRotationExpirationInSeconds is out of range.")
	}
	return q.Secret, time.Duration(*q.Overlap) * time.Second, nil
}

func (h *Handler) endRotation(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	id, err := appID(c)
	if err != nil {
		return err
	}
	if err := h.Apps.EndRotation(c.Request.Context(), call.Caller, org.ID, id); err != nil {
		return err
	}
	return empty(c)
}
