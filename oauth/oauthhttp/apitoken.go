package oauthhttp

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/tenants"
)

const (
	tokensPath = cloudapi + "/tokens"
	maxTokens  = 128
	// tokenType is the one type of token that users create.
	tokenType = "REFRESH"
)

// apiToken is a user's API token on VCD's wire. The token itself is never shown
// here: its owner fetches it.
type apiToken struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Token   *string     `json:"token"`
	Expires *string     `json:"expirationTimeUtc"`
	Owner   httpapi.Ref `json:"owner"`
	Org     httpapi.Ref `json:"org"`
	Type    string      `json:"type"`
}

func newAPIToken(org *tenants.Snapshot, t oauth.APIToken) apiToken {
	shown := apiToken{
		ID: tenants.URN("token", t.ID), Name: t.Name, Type: tokenType,
		Owner: httpapi.Ref{Name: t.OwnerName, ID: tenants.URN("user", t.Owner)},
		Org:   httpapi.Ref{Name: org.Name, ID: tenants.URN("org", org.ID)},
	}
	if !t.ExpiresAt.IsZero() {
		expires := httpapi.Time(t.ExpiresAt)
		shown.Expires = &expires
	}
	return shown
}

// registerToken is register for API tokens: without what only accounts have.
func (h *Handler) registerToken(c *gin.Context, call httpapi.Call, org *tenants.Snapshot, body registerRequest) error {
	if err := h.require(c, call, tenants.RightTokenManage); err != nil {
		return err
	}
	t, err := h.OAuth.RegisterToken(c.Request.Context(), call.Caller, org, body.ClientName)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusCreated, registerAnswer{
		ClientName: t.Name, ClientID: string(t.ID), GrantTypes: []string{grantAssertion}, AuthMethod: "none",
	})
	return nil
}

// createToken is registerToken for those who do not speak OAuth.
func (h *Handler) createToken(c *gin.Context, call httpapi.Call) error {
	var body struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	if body.Type != "" && body.Type != tokenType {
		return problem.New(problem.BadRequest, "Only tokens of the type %s can be created.", tokenType)
	}
	t, err := h.OAuth.RegisterToken(c.Request.Context(), call.Caller, call.Org, body.Name)
	if err != nil {
		return err
	}
	shown := newAPIToken(call.Org, t)
	c.Header("Location", h.PublicURL+tokensPath+"/"+shown.ID)
	httpapi.JSON(c, http.StatusCreated, shown)
	return nil
}

// fetchToken exchanges the owner's assertion for an API token's refresh token. As
// with redeem the organization comes last.
func (h *Handler) fetchToken(c *gin.Context, form url.Values) (oauth.Tokens, error) {
	client, err := clientID(form)
	if err != nil {
		return oauth.Tokens{}, err
	}
	assertion := form.Get("assertion")
	if assertion == "" {
		return oauth.Tokens{}, problem.New(problem.InvalidRequest, "assertion is required: the owner's access token.")
	}
	org, err := h.realmOrNone(c)
	if err != nil {
		return oauth.Tokens{}, err
	}
	tokens, err := h.OAuth.FetchToken(c.Request.Context(), httpapi.Anonymous(c), org, client, secret.Text(assertion))
	return tokens, aboutRealm(org, err)
}

// whose tokens the caller may see and delete in the organization they act in.
func (h *Handler) whose(c *gin.Context, call httpapi.Call) oauth.Whose {
	return oauth.Whose{Owner: tenants.UserID(call.Principal.ID), All: h.require(c, call, tenants.RightTokenManageAll) == nil}
}

func (h *Handler) listTokens(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, oauth.TokenFields, maxTokens)
	if err != nil {
		return err
	}
	list, total, err := h.OAuth.Tokens(c.Request.Context(), call.Org.ID, h.whose(c, call), q)
	if err != nil {
		return err
	}
	values := make([]apiToken, 0, len(list))
	for _, t := range list {
		values = append(values, newAPIToken(call.Org, t))
	}
	httpapi.WritePage(c, h.PublicURL, "Tokens", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (h *Handler) getToken(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[oauth.ClientID]("token", c.Param("id"))
	if err != nil {
		return err
	}
	t, err := h.OAuth.Token(c.Request.Context(), call.Org.ID, h.whose(c, call), id)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newAPIToken(call.Org, t))
	return nil
}

// renameToken takes the whole object, as clients send it back; the name is all of
// it that can change.
func (h *Handler) renameToken(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[oauth.ClientID]("token", c.Param("id"))
	if err != nil {
		return err
	}
	var body struct {
		Name string `json:"name"`
	}
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	t, err := h.OAuth.RenameToken(c.Request.Context(), call.Caller, call.Org.ID, h.whose(c, call), id, body.Name)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newAPIToken(call.Org, t))
	return nil
}

func (h *Handler) deleteToken(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[oauth.ClientID]("token", c.Param("id"))
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.DeleteToken(c.Request.Context(), call.Caller, call.Org.ID, h.whose(c, call), id))
}
