package oauthhttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/ratelimit"
	"causeway/tenants"
)

type deviceBody struct {
	DeviceCode      string `json:"device_code"`
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	ExpiresIn       int    `json:"expires_in"`
	Interval        int    `json:"interval"`
}

// admitDevice asks the limiter before the body is read: a flood must cost next to
// nothing.
func (h *Handler) admitDevice(c *gin.Context) error {
	return h.Limits.Check(ratelimit.DeviceAuthorization, ratelimit.Source(httpapi.ClientAddr(c)))
}

// authorizeDevice starts a device grant (RFC 8628 §3.1). Anyone can call it, so
// it spends before it looks for the client: the refusal must not tell whether the
// client exists.
func (h *Handler) authorizeDevice(c *gin.Context) error {
	form, err := httpapi.ParseForm(c.Request)
	if err != nil {
		return err
	}
	client, err := clientID(form)
	if err != nil {
		return err
	}
	realm := ratelimit.Org(tenants.FoldName(c.Param("org")))
	source := ratelimit.Source(httpapi.ClientAddr(c))
	limit := h.Limits.Take(ratelimit.DeviceAuthorization, source, ratelimit.Client(client), realm)
	if err := limit.Err(); err != nil {
		return err
	}
	httpapi.RateLimit(c, limit.Standing)
	org, err := h.realmOrNone(c)
	if err != nil {
		return err
	}
	d, err := h.OAuth.AuthorizeDevice(c.Request.Context(), httpapi.Anonymous(c), org, client)
	if err != nil {
		return aboutRealm(org, err)
	}
	httpapi.NoStoreJSON(c, http.StatusOK, deviceBody{
		DeviceCode: d.DeviceCode, UserCode: d.UserCode, VerificationURI: h.verificationURI(org),
		ExpiresIn: int(d.ExpiresIn.Seconds()), Interval: int(d.Interval.Seconds()),
	})
	return nil
}

// verificationURI is where an administrator types the user code. It never
// carries the code: a link that does is all a phisher needs.
func (h *Handler) verificationURI(org *tenants.Snapshot) string {
	if org.System() {
		return h.PublicURL + "/provider" + oauth.AccountsPage
	}
	return h.PublicURL + "/tenant/" + url.PathEscape(org.Name) + oauth.AccountsPage
}

// clientID reads client_id; the requirement's own table spells it client_ID, and
// its sample has a space in front (VCD-67, VCD-73).
func clientID(form url.Values) (oauth.ClientID, error) {
	given := form.Get("client_id")
	switch other := form.Get("client_ID"); {
	case given == "":
		given = other
	case other != "":
		return "", problem.New(problem.InvalidRequest, "client_id is given in two spellings.")
	}
	if given == "" {
		return "", problem.New(problem.InvalidRequest, "client_id is required.")
	}
	id, err := tenants.ParseUUID(strings.TrimSpace(given))
	if err != nil {
		return "", problem.New(problem.InvalidClient, "The client is not known to this organization.")
	}
	return oauth.ClientID(id), nil
}

// optionalClientID is clientID where clients may leave it out: SDKs do.
func optionalClientID(form url.Values) (oauth.ClientID, error) {
	if !form.Has("client_id") && !form.Has("client_ID") {
		return "", nil
	}
	return clientID(form)
}

const (
	grantDevice    = "urn:ietf:params:oauth:grant-type:device_code"
	grantAssertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grantRefresh   = "refresh_token"
)

type tokenBody struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"` // absent where the presented one stays
}

// token exchanges a device code, an assertion or a refresh token. The client does not
// authenticate (token_endpoint_auth_method is none), and stale credentials that
// SDKs leave in the headers are not looked at.
func (h *Handler) token(c *gin.Context) error {
	form, err := httpapi.ParseForm(c.Request)
	if err != nil {
		return err
	}
	var tokens oauth.Tokens
	switch grant := form.Get("grant_type"); grant {
	case grantDevice:
		tokens, err = h.redeem(c, form)
	case grantAssertion:
		tokens, err = h.fetchToken(c, form)
	case grantRefresh:
		tokens, err = h.refresh(c, form)
	case "":
		err = problem.New(problem.InvalidRequest, "grant_type is required.")
	default:
		err = problem.New(problem.UnsupportedGrantType, "This endpoint grants %s, %s and %s.", grantDevice, grantAssertion, grantRefresh)
	}
	if err != nil {
		return h.refused(c, err)
	}
	httpapi.NoStoreJSON(c, http.StatusOK, tokenBody{
		AccessToken: tokens.AccessToken.Reveal(), TokenType: "Bearer",
		ExpiresIn: int(tokens.ExpiresIn.Seconds()), RefreshToken: tokens.RefreshToken.Reveal(),
	})
	return nil
}

// refused counts a token request that got no token, and throttles whoever makes
// too many. It comes last, so that strangers can never make a valid client wait.
func (h *Handler) refused(c *gin.Context, err error) error {
	p := problem.As(err)
	if p == nil || p.Code == problem.AuthorizationPending || p.Code.Row().Status != http.StatusBadRequest {
		return err
	}
	limit := h.Limits.Take(ratelimit.TokenFailure, ratelimit.Source(httpapi.ClientAddr(c)))
	if refused := limit.Err(); refused != nil {
		return refused
	}
	httpapi.RateLimit(c, limit.Standing)
	return err
}

// redeem and refresh look for the organization last: what is wrong with a request
// must not depend on whether the organization exists.
func (h *Handler) redeem(c *gin.Context, form url.Values) (oauth.Tokens, error) {
	client, err := clientID(form)
	if err != nil {
		return oauth.Tokens{}, err
	}
	code := form.Get("device_code")
	if code == "" {
		return oauth.Tokens{}, problem.New(problem.InvalidRequest, "device_code is required.")
	}
	org, err := h.realmOrNone(c)
	if err != nil {
		return oauth.Tokens{}, err
	}
	tokens, err := h.OAuth.RedeemDevice(c.Request.Context(), httpapi.Anonymous(c), org, client, code)
	return tokens, aboutRealm(org, err)
}

func (h *Handler) refresh(c *gin.Context, form url.Values) (oauth.Tokens, error) {
	token := form.Get("refresh_token")
	if token == "" {
		return oauth.Tokens{}, problem.New(problem.InvalidRequest, "refresh_token is required.")
	}
	client, err := optionalClientID(form)
	if err != nil {
		return oauth.Tokens{}, err
	}
	org, err := h.realmOrNone(c)
	if err != nil {
		return oauth.Tokens{}, err
	}
	tokens, err := h.Tokens.Refresh(c.Request.Context(), httpapi.Anonymous(c), org, client, secret.Text(token))
	return tokens, aboutRealm(org, err)
}
