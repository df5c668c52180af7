package oauthhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/tenants"
)

const (
	keysPath = httpapi.OwnAPI + "/signingKeys"
	maxKeys  = 128
)

// signingKey is a key as administrators see it: neither of its parts.
type signingKey struct {
	KeyID       string  `json:"kid"`
	Purpose     string  `json:"purpose"`
	Algorithm   string  `json:"algorithm"`
	PublishedAt string  `json:"publishedAt"`
	SignsFrom   string  `json:"signsFrom"`
	RetiredAt   *string `json:"retiredAt"`
	State       string  `json:"state"`
}

func newSigningKey(k oauth.KeyInfo) signingKey {
	shown := signingKey{
		KeyID: k.ID, Purpose: string(k.Purpose), Algorithm: k.Algorithm,
		PublishedAt: httpapi.Time(k.CreatedAt), SignsFrom: httpapi.Time(k.SignsFrom), State: string(k.State),
	}
	if !k.RetiredAt.IsZero() {
		retired := httpapi.Time(k.RetiredAt)
		shown.RetiredAt = &retired
	}
	return shown
}

// keyEndpoints are for the provider: a site's keys are no organization's.
func (h *Handler) keyEndpoints() httpapi.Endpoints {
	view := []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
	manage := view[1:]
	return httpapi.Endpoints{Between: []httpapi.Between{
		{Method: http.MethodGet, Path: tokenKeysPath, Do: h.tokenKeys},
	}, Routes: []httpapi.Route{
		{Method: http.MethodGet, Path: keysPath, Rights: view, List: httpapi.Pages{}, Do: h.listKeys},
		{Method: http.MethodPost, Path: keysPath + "/rotate", Rights: manage, Do: h.rotateKey},
		{Method: http.MethodPost, Path: keysPath + "/:kid/retire", Rights: manage, Do: h.retireKey},
	}}
}

var keyFields = fiql.Fields{
	"kid":       {Column: "kid", Kind: fiql.Text},
	"purpose":   {Column: "purpose", Kind: fiql.Text},
	"algorithm": {Column: "algorithm", Kind: fiql.Text},
	"state":     {Column: "state", Kind: fiql.Text},
}

func (k signingKey) text(selector string) string {
	return map[string]string{"kid": k.KeyID, "purpose": k.Purpose, "algorithm": k.Algorithm, "state": k.State}[selector]
}

func (h *Handler) listKeys(c *gin.Context, _ httpapi.Call) error {
	keys, err := h.OAuth.Keys(c.Request.Context())
	if err != nil {
		return err
	}
	rows := make([]signingKey, 0, len(keys))
	for _, k := range keys {
		rows = append(rows, newSigningKey(k))
	}
	page, err := httpapi.ListRows(c.Request, keyFields, maxKeys, rows, signingKey.text)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "SigningKeys", page)
	return nil
}

// rotateKey makes a new key, of access tokens where nothing else is asked for.
func (h *Handler) rotateKey(c *gin.Context, call httpapi.Call) error {
	var body struct {
		Purpose string `json:"purpose"`
		AtOnce  bool   `json:"atOnce"`
	}
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	if body.Purpose == "" {
		body.Purpose = string(oauth.PurposeAccessToken)
	}
	made, err := h.OAuth.RotateKey(c.Request.Context(), call.Caller, oauth.KeyRotation{
		Purpose: oauth.Purpose(body.Purpose), AtOnce: body.AtOnce,
	})
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusCreated, newSigningKey(made))
	return nil
}

func (h *Handler) retireKey(c *gin.Context, call httpapi.Call) error {
	retired, err := h.OAuth.RetireKey(c.Request.Context(), call.Caller, c.Param("kid"))
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newSigningKey(retired))
	return nil
}
