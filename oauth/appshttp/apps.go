package appshttp

import (
	"maps"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/tenants"
)

const (
	appsPath = "/oauth-apps"
	appPath  = appsPath + "/:app"
)

func (h *Handler) appRoutes() httpapi.Endpoints {
	secret := appPath + "/secret"
	// Answers that hold a secret, and requests that do, never leave this site.
	home := func(rt httpapi.Route) httpapi.Route {
		rt.Home = true
		return rt
	}
	return httpapi.Endpoints{Routes: []httpapi.Route{
		h.inOrg(http.MethodGet, "", h.organization),
		home(h.inOrg(http.MethodPost, appsPath, h.create)),
		h.inOrg(http.MethodGet, appsPath, h.list),
		h.inOrg(http.MethodDelete, appsPath, h.removeMany),
		h.inOrg(http.MethodGet, appPath, h.get),
		h.inOrg(http.MethodPatch, appPath, h.update),
		h.inOrg(http.MethodDelete, appPath, h.remove),
		home(h.inOrg(http.MethodPut, secret, h.regenerate)),
		home(h.inOrg(http.MethodPost, secret, h.rotate)),
		h.inOrg(http.MethodDelete, secret, h.endRotation),
	}}
}

// issuedBody is the only answer that has a secret.
type issuedBody struct {
	ID     string `json:"clientId"`
	Secret string `json:"clientSecret"`
}

// newApp is an app on the wire: what clients set that means nothing here, and above
// it what does.
func newApp(a apps.App, now time.Time) map[string]any {
	body := map[string]any{}
	maps.Copy(body, a.Echo)
	maps.Copy(body, map[string]any{
		"id": a.ID, "displayName": a.DisplayName, "description": a.Description, "grantTypes": a.GrantTypes,
		"allowedScopes": newScopes(a.Ceiling), "accessTokenTTL": int64(a.AccessTTL.Seconds()), "refreshTokenTTL": int64(a.RefreshTTL.Seconds()),
		"ownerOnlySecretRotation": a.OwnerOnlyRotation, "secretRotationExpirationInSeconds": int64(a.RotationOverlap.Seconds()),
		"organizationId": a.Org, "createdAt": a.CreatedAt.Unix(), "createdBy": a.CreatedBy,
		"lastUpdatedAt": a.UpdatedAt.Unix(), "lastUpdatedBy": a.UpdatedBy, "immutable": false, "serviceDefinitionId": nil,
		"oldSecretExpiresAt": seconds(a.Secret.Rotating(now)),
	})
	return body
}

func appID(c *gin.Context) (apps.ID, error) {
	if id := c.Param("app"); apps.ValidID(id) {
		return apps.ID(id), nil
	}
	return "", problem.Hidden()
}

func (h *Handler) create(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	var q appRequest
	if err := httpapi.ParseJSON(c.Request, &q); err != nil {
		return err
	}
	draft, err := q.draft()
	if err != nil {
		return err
	}
	a, secret, err := h.Apps.Create(c.Request.Context(), call.Caller, org.ID, draft)
	if err != nil {
		return err
	}
	httpapi.NoStoreJSON(c, http.StatusOK, issuedBody{string(a.ID), secret.Reveal()})
	return nil
}

func (h *Handler) list(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	q, err := httpapi.ParseCSPList(c.Request, httpapi.MostCSP)
	if err != nil {
		return err
	}
	list, total, err := h.Apps.List(c.Request.Context(), call.Caller, org.ID, q)
	if err != nil {
		return err
	}
	bodies := make([]map[string]any, len(list))
	for i, a := range list {
		bodies[i] = newApp(a, h.Apps.Now())
	}
	httpapi.WriteCSPPage(c, bodies, total, q)
	return nil
}

func (h *Handler) get(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	id, err := appID(c)
	if err != nil {
		return err
	}
	a, err := h.Apps.Get(c.Request.Context(), call.Caller, org.ID, id)
	return h.show(c, a, err)
}

func (h *Handler) update(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	id, err := appID(c)
	if err != nil {
		return err
	}
	var q appRequest
	if err := httpapi.ParseJSON(c.Request, &q); err != nil {
		return err
	}
	a, err := h.Apps.Update(c.Request.Context(), call.Caller, org.ID, id, q.change)
	return h.show(c, a, err)
}

func (h *Handler) show(c *gin.Context, a apps.App, err error) error {
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newApp(a, h.Apps.Now()))
	return nil
}

func (h *Handler) removeMany(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	var q struct {
		IDs []apps.ID `json:"clientIdsToDelete"`
	}
	if err := httpapi.ParseJSON(c.Request, &q); err != nil {
		return err
	}
	succeeded, failed, err := h.Apps.Delete(c.Request.Context(), call.Caller, org.ID, q.IDs)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, map[string]any{"succeeded": append([]apps.ID{}, succeeded...), "failed": refusedIDs(c, failed)})
	return nil
}

// refusedIDs are those that failed. Each is a refusal of its own, whatever became of
// the others.
func refusedIDs(c *gin.Context, failures []apps.Failure) []string {
	ids := make([]string, 0, len(failures))
	for _, f := range failures {
		noteRefused(c, f)
		ids = append(ids, f.ID)
	}
	return ids
}

// noteRefused keeps which app it was, unless there can be none.
func noteRefused(c *gin.Context, f apps.Failure) {
	if apps.ValidID(f.ID) {
		f.Err.With(problem.FactAccount, f.ID)
	}
	httpapi.NoteRefused(c, f.Err)
}

func (h *Handler) remove(c *gin.Context, call httpapi.Call, org *tenants.Snapshot) error {
	id, err := appID(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Apps.DeleteOne(c.Request.Context(), call.Caller, org.ID, id))
}
