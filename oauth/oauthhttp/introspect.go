package oauthhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/tenants"
)

// introspectors see who is signed in: introspection tells no more.
var introspectors = []tenants.Right{tenants.RightSessionView}

// introspectionBody is RFC 7662 §2.2 and the claims of our access tokens. Of a
// token that is not active nothing is said, so all else is left out.
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
	Org       string `json:"org,omitempty"`
	OrgName   string `json:"org_name,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Role      string `json:"role,omitempty"`
}

// introspect tells a resource server what a token of the realm stands for. Asked by
// a tenant, other realms look absent; a provider may ask in any.
func (h *Handler) introspect(c *gin.Context, call httpapi.Call) error {
	org, err := h.realmFor(c, call)
	if err != nil {
		return err
	}
	form, err := httpapi.ParseForm(c.Request)
	if err != nil {
		return err
	}
	token := form.Get("token")
	if token == "" {
		return problem.New(problem.InvalidRequest, "token is required.")
	}
	info, active, err := h.Tokens.Introspect(c.Request.Context(), org.ID, secret.Text(token))
	if err != nil {
		return err
	}
	body := introspectionBody{}
	if active {
		body = newIntrospection(info)
	}
	httpapi.NoStoreJSON(c, http.StatusOK, body)
	return nil
}

func newIntrospection(i oauth.TokenInfo) introspectionBody {
	p := i.Principal
	body := introspectionBody{
		Active: true, Client: i.Client, Username: p.Name, TokenType: "Bearer",
		Expires: i.ExpiresAt.Unix(), Issued: i.IssuedAt.Unix(), Subject: p.ID, Audience: i.Audience, Issuer: i.Issuer,
		ID: string(p.Session), Org: string(p.Org), OrgName: p.OrgName, Kind: string(p.Kind), Role: p.RoleName,
	}
	if p.RoleName != "" { // a role that was deleted has none
		body.Scope = oauth.RoleScope(p.RoleName)
	}
	return body
}
