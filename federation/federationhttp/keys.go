package federationhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation/roots"
	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/tenants"
)

const (
	keysPath = httpapi.OwnAPI + "/siteKeys"
	maxKeys  = 128
)

// Keys serves the root keys of this site to the provider.
type Keys struct {
	Roots     *roots.Keeper
	PublicURL string
}

// siteKey is a root key as administrators see it: neither of its parts.
type siteKey struct {
	Fingerprint string  `json:"fingerprint"`
	State       string  `json:"state"`
	PublishedAt string  `json:"publishedAt"`
	SignsFrom   string  `json:"signsFrom"`
	RetiredAt   *string `json:"retiredAt"`
}

func newSiteKey(k roots.Info) siteKey {
	shown := siteKey{
		Fingerprint: k.Fingerprint, State: string(k.State), PublishedAt: httpapi.Time(k.CreatedAt), SignsFrom: httpapi.Time(k.SignsFrom),
	}
	if !k.RetiredAt.IsZero() {
		retired := httpapi.Time(k.RetiredAt)
		shown.RetiredAt = &retired
	}
	return shown
}

// Endpoints lists what the handler serves.
func (h *Keys) Endpoints() httpapi.Endpoints {
	view := []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
	manage := view[1:]
	return httpapi.Endpoints{Routes: []httpapi.Route{
		{Method: http.MethodGet, Path: keysPath, Rights: view, List: httpapi.Pages{}, Do: h.list},
		{Method: http.MethodPost, Path: keysPath + "/rotate", Rights: manage, Do: h.rotate},
		{Method: http.MethodPost, Path: keysPath + "/:fingerprint/retire", Rights: manage, Do: h.retire},
	}}
}

var keyFields = fiql.Fields{
	"fingerprint": {Column: "fingerprint", Kind: fiql.Text},
	"state":       {Column: "state", Kind: fiql.Text},
}

func (k siteKey) text(selector string) string {
	return map[string]string{"fingerprint": k.Fingerprint, "state": k.State}[selector]
}

func (h *Keys) list(c *gin.Context, _ httpapi.Call) error {
	keys, err := h.Roots.List(c.Request.Context())
	if err != nil {
		return err
	}
	rows := make([]siteKey, 0, len(keys))
	for _, k := range keys {
		rows = append(rows, newSiteKey(k))
	}
	page, err := httpapi.ListRows(c.Request, keyFields, maxKeys, rows, siteKey.text)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "SiteKeys", page)
	return nil
}

func (h *Keys) rotate(c *gin.Context, call httpapi.Call) error {
	made, err := h.Roots.Rotate(c.Request.Context(), call.Caller)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusCreated, newSiteKey(made))
	return nil
}

func (h *Keys) retire(c *gin.Context, call httpapi.Call) error {
	retired, err := h.Roots.Retire(c.Request.Context(), call.Caller, c.Param("fingerprint"))
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newSiteKey(retired))
	return nil
}
