package appshttp

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/ratelimit"
	"causeway/tenants"
)

// detailsBody is what an API token is, told to whoever holds it.
type detailsBody struct {
	ID          string   `json:"tokenId"`
	Name        string   `json:"tokenName"`
	Org         string   `json:"orgId"`
	UserID      string   `json:"userId"`
	Username    string   `json:"username"`
	Account     string   `json:"acct"`
	Domain      string   `json:"domain"`
	Provider    string   `json:"idpId"`
	Scope       []string `json:"scope"`
	Scopes      scopes   `json:"allowedScopes"`
	CreatedAt   int64    `json:"createdAt"`
	ExpiresAt   *int64   `json:"expiresAt"`  // null: never
	LastUsedAt  *int64   `json:"lastUsedAt"` // not kept
	Deactivated bool     `json:"deactivated"`
}

func (h *Handler) apiTokenDetails(c *gin.Context) error {
	var given struct {
		Token string `json:"tokenValue"`
	}
	if err := httpapi.ParseJSON(c.Request, &given); err != nil {
		return h.refused(c, err)
	}
	if given.Token == "" || len(given.Token) > maxAPIToken {
		return h.refused(c, problem.New(problem.BadRequest, "tokenValue is required."))
	}
	t, err := h.OAuth.FindAPIToken(c.Request.Context(), secret.Text(given.Token))
	if err != nil {
		return h.refused(c, aboutToken(err, given.Token))
	}
	httpapi.Concern(c, t.Org)
	says, err := h.Apps.ScopesOf(c.Request.Context(), t.Org, t.Owner)
	if err != nil {
		return err
	}
	httpapi.NoStoreJSON(c, http.StatusOK, h.newDetails(t, says))
	return nil
}

func (h *Handler) newDetails(t oauth.APIToken, says []string) detailsBody {
	return detailsBody{
		ID: string(t.ID), Name: t.Name, Org: string(t.Org), UserID: string(t.Owner), Username: t.OwnerName,
		Account: t.OwnerName, Domain: h.domain(), Provider: h.domain(), Scope: says,
		Scopes:    scopes{General: []string{}, Organization: roleScopes{All: true, Roles: []roleScope{}}, Services: []serviceScopes{}},
		CreatedAt: t.CreatedAt.Unix(), ExpiresAt: seconds(t.ExpiresAt),
	}
}

// seconds is null for no time.
func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.Unix()
	return &n
}

// introspectionBody is RFC 7662 §2.2.
type introspectionBody struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	Client    string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	Issued    int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`
	Org       string `json:"context_name,omitempty"`
}

// introspect tells an app what a token is, of the organizations that it is in: an
// access token, so that services see at once what has ended, or an API token.
func (h *Handler) introspect(c *gin.Context) error {
	form, err := httpapi.ParseForm(c.Request)
	if err != nil {
		return h.refused(c, err)
	}
	tried, err := credentials(c.Request, form)
	if err != nil {
		return h.refused(c, err)
	}
	app, _, err := h.Apps.Identify(c.Request.Context(), tried)
	if app != nil {
		httpapi.Concern(c, app.Org)
	}
	if err != nil {
		return h.refused(c, err)
	}
	token := secret.Text(form.Get("token"))
	if token == "" {
		return h.refused(c, problem.New(problem.InvalidRequest, "token is required."))
	}
	if !h.Tokens.Remembers(token.Reveal()) { // and so the database is asked
		limit := h.Limits.Take(ratelimit.Management, ratelimit.Account(app.ID), ratelimit.Org(app.Org))
		if over := problem.As(limit.Err()); over != nil {
			return later(over)
		}
	}
	body, org, err := h.inspect(c, token)
	if err != nil {
		return err
	}
	if sees, err := h.Apps.Sees(c.Request.Context(), app, org); err != nil || !sees {
		body = introspectionBody{}
		if err != nil {
			return err
		}
	}
	httpapi.NoStoreJSON(c, http.StatusOK, body)
	return nil
}

func (h *Handler) inspect(c *gin.Context, token secret.Text) (introspectionBody, tenants.OrgID, error) {
	ctx := c.Request.Context()
	info, active, err := h.Tokens.Inspect(ctx, token)
	if err != nil {
		return introspectionBody{}, "", err
	}
	if !active {
		return h.inspectAPIToken(c, token)
	}
	p := info.Principal
	return introspectionBody{
		Active: true, Client: info.Client, Username: p.Name, TokenType: "bearer", Expires: info.ExpiresAt.Unix(), Issued: info.IssuedAt.Unix(),
		Subject: p.ID, Audience: info.Audience, Issuer: info.Issuer, ID: string(p.Session), Org: string(p.Org),
	}, p.Org, nil
}

func (h *Handler) inspectAPIToken(c *gin.Context, token secret.Text) (introspectionBody, tenants.OrgID, error) {
	t, err := h.OAuth.FindAPIToken(c.Request.Context(), token)
	if problem.Has(err, problem.InvalidGrant) {
		return introspectionBody{}, "", nil
	}
	if err != nil {
		return introspectionBody{}, "", err
	}
	body := introspectionBody{
		Active: true, Client: string(t.ID), Username: t.OwnerName, TokenType: "refresh_token", Issued: t.CreatedAt.Unix(),
		Subject: string(t.Owner), Issuer: h.OAuth.ServiceIssuer(), ID: string(t.ID), Org: string(t.Org),
	}
	if !t.ExpiresAt.IsZero() {
		body.Expires = t.ExpiresAt.Unix()
	}
	return body, t.Org, nil
}
