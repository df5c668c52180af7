package appshttp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/ratelimit"
)

const auth = httpapi.CSPBase + "/auth"

func (h *Handler) tokenRoutes() httpapi.Endpoints {
	open := func(method, path string, do func(*gin.Context) error) httpapi.Open {
		return httpapi.Open{Method: method, Path: path, Do: do, AnyVersion: true}
	}
	people := func(method, path string, do func(*gin.Context, httpapi.Call) error) httpapi.Route {
		return httpapi.Route{Method: method, Path: httpapi.CSPBase + path, Rights: anySession, Do: do}
	}
	return httpapi.Endpoints{
		Open: []httpapi.Open{
			open(http.MethodPost, auth+"/authorize", h.token),
			open(http.MethodPost, auth+"/token", h.token),
			open(http.MethodPost, auth+"/api-tokens/authorize", h.apiToken),
			open(http.MethodPost, auth+"/api-tokens/details", h.apiTokenDetails),
			open(http.MethodPost, auth+"/introspect", h.introspect),
			open(http.MethodGet, auth+"/token-public-key", h.publicKey),
			open(http.MethodGet, auth+"/keys", h.jwks),
			open(http.MethodGet, auth+wellKnown, h.discovery),
			open(http.MethodGet, httpapi.CSPBase+wellKnown, h.discovery),
		},
		Routes: []httpapi.Route{
			{Method: http.MethodPost, Path: auth + "/logout", Rights: anySession, Apps: true, Home: true, Do: h.logout},
			people(http.MethodGet, "/userinfo", h.userinfo),
			people(http.MethodGet, "/loggedin/user", h.user),
			people(http.MethodGet, "/loggedin/user/orgs", h.userOrgLinks),
			people(http.MethodGet, "/v2/loggedin/user/orgs", h.userOrgs),
			h.inOwnOrg("/info", h.ownInfo),
			h.inOwnOrg("/roles", h.ownRoles),
			h.inOwnOrg("/service-roles", h.ownServiceRoles),
			h.inOwnOrg("/groups", h.ownGroups),
		},
	}
}

// tokenBody has these six members and can have no other: one client's parser gives
// the app up for good over any more.
type tokenBody struct {
	IDToken      *string `json:"id_token"`
	TokenType    string  `json:"token_type"`
	ExpiresIn    int64   `json:"expires_in"`
	Scope        string  `json:"scope"`
	AccessToken  string  `json:"access_token"`
	RefreshToken *string `json:"refresh_token"`
}

// leastExpiry is the shortest expires_in: one client panics at half of it.
const leastExpiry = 60

func newTokenBody(access string, life time.Duration, scopes []string) tokenBody {
	return tokenBody{
		TokenType: "bearer", ExpiresIn: max(int64(life.Seconds()), leastExpiry),
		Scope: strings.Join(scopes, " "), AccessToken: access,
	}
}

// token exchanges an app's credentials for an access token (RFC 6749 §4.4).
func (h *Handler) token(c *gin.Context) error {
	issued, err := h.exchange(c)
	if issued.Org != "" {
		httpapi.Concern(c, issued.Org)
	}
	if err != nil {
		return h.refused(c, err)
	}
	httpapi.NoStoreJSON(c, http.StatusOK, newTokenBody(issued.Access.Reveal(), issued.ExpiresIn, issued.Scopes))
	return nil
}

func (h *Handler) exchange(c *gin.Context) (apps.Issued, error) {
	form, err := httpapi.ParseFormOrJSON(c.Request)
	if err != nil {
		return apps.Issued{}, err
	}
	switch grant := form.Get("grant_type"); grant {
	case apps.GrantClientCredentials:
	case "":
		return apps.Issued{}, problem.New(problem.InvalidRequest, "grant_type is required.")
	default:
		return apps.Issued{}, problem.New(problem.UnsupportedGrantType, "This endpoint grants %s.", apps.GrantClientCredentials)
	}
	e, err := parseExchange(form)
	if err != nil {
		return apps.Issued{}, err
	}
	if e.Client, err = credentials(c.Request, form); err != nil {
		return apps.Issued{}, err
	}
	return h.Apps.Exchange(c.Request.Context(), httpapi.Anonymous(c), e)
}

// parseExchange reads what a client may say beside who it is. Editions of the API
// spell the organization in two ways.
func parseExchange(form url.Values) (apps.Exchange, error) {
	e := apps.Exchange{Org: form.Get("orgId")}
	switch other := form.Get("org_id"); {
	case e.Org == "":
		e.Org = other
	case other != "" && other != e.Org:
		return e, problem.New(problem.InvalidRequest, "orgId and org_id name different organizations.")
	}
	if life := form.Get("accessTokenValiditySeconds"); life != "" {
		n, err := strconv.ParseInt(life, 10, 32)
		if err != nil || n < 1 {
			return e, problem.New(problem.InvalidRequest, "accessTokenValiditySeconds must be a number of seconds.")
		}
		e.Life = time.Duration(max(n, leastExpiry)) * time.Second
	}
	return e, nil
}

// refused counts a request that proved nothing, and has whoever makes too many wait.
// It comes last, so that strangers can never make a valid client wait; and it is 503
// where others say 429, which some clients take for the end.
func (h *Handler) refused(c *gin.Context, err error) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	if p.Code == problem.TooManyRequests {
		return later(p)
	}
	if p.Code.Row().Status != http.StatusBadRequest {
		return err
	}
	limit := h.Limits.Take(ratelimit.TokenFailure, ratelimit.Source(httpapi.ClientAddr(c)))
	if over := problem.As(limit.Err()); over != nil {
		return later(over)
	}
	return err
}

func later(p *problem.Problem) error {
	return problem.New(problem.Unavailable, "%s", p.Detail).After(p.RetryAfter)
}
