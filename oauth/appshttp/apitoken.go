package appshttp

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/tenants"
)

// maxAPIToken is far above what is ever given out.
const maxAPIToken = 512

// apiToken exchanges a user's API token for an access token. The API token stays as
// it is and comes back: one client stores what it gets, and would log itself out.
func (h *Handler) apiToken(c *gin.Context) error {
	token, err := parseAPIToken(c.Request)
	if err != nil {
		return h.refused(c, err)
	}
	session, err := h.OAuth.OpenAPIToken(c.Request.Context(), httpapi.Anonymous(c), secret.Text(token), h.UserLife)
	if err != nil {
		return h.refused(c, aboutToken(err, token))
	}
	httpapi.Concern(c, session.Org)
	access, scopes, err := h.sign(c, session)
	if err != nil {
		return err
	}
	body := newTokenBody(access, session.ExpiresAt.Sub(session.CreatedAt), scopes)
	body.RefreshToken = &token
	httpapi.NoStoreJSON(c, http.StatusOK, body)
	return nil
}

// sign makes the token of a session that an API token opened. It is the user's, with
// the limits of a machine.
func (h *Handler) sign(c *gin.Context, session oauth.Session) (string, []string, error) {
	scopes, err := h.Apps.Scopes(c.Request.Context(), tenants.Principal{
		Kind: session.Kind, ID: session.Principal, Name: session.Name, Org: session.Org, Role: session.Role, Session: session.ID,
	})
	if err != nil {
		return "", nil, err
	}
	access, err := h.OAuth.SignServiceToken(c.Request.Context(), oauth.ServiceToken{
		ID: string(session.ID), Client: session.Client(), Org: session.Org, Subject: h.domain() + ":" + session.Principal,
		User: session.Name, Domain: h.domain(), Account: session.Name, Context: tenants.NewID(), Perms: scopes,
		IssuedAt: session.CreatedAt, ExpiresAt: later60(session.CreatedAt, session.ExpiresAt),
	})
	return access, scopes, err
}

// later60 keeps what a token says in step with the least that an answer says. The
// session ends when it ends.
func later60(from, to time.Time) time.Time {
	if least := from.Add(leastExpiry * time.Second); to.Before(least) {
		return least
	}
	return to
}

// domain is whose users ours are, as tokens have it.
func (h *Handler) domain() string {
	u, err := url.Parse(h.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// aboutToken says of a token that opens nothing what CSP says: a client looks for
// these words, and people for the end of what they typed.
func aboutToken(err error, token string) error {
	p := problem.As(err)
	if p == nil || p.Code != problem.InvalidGrant {
		return err
	}
	told := problem.New(problem.InvalidGrant, "Invalid refresh token: xxxx...%s", token[max(0, len(token)-5):])
	told.Facts = p.Facts
	return told
}

// parseAPIToken reads the token under each of its names. Old clients have it in the
// URL.
func parseAPIToken(r *http.Request) (string, error) {
	form, err := apiTokenForm(r)
	if err != nil {
		return "", err
	}
	token := form.Get("api_token")
	switch other := form.Get("refresh_token"); {
	case token == "":
		token = other
	case other != "" && other != token:
		return "", problem.New(problem.InvalidRequest, "api_token and refresh_token are different.")
	}
	switch {
	case token == "":
		return "", problem.New(problem.InvalidRequest, "api_token is required.")
	case len(token) > maxAPIToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", problem.New(problem.InvalidGrant, "Invalid refresh token")
	}
	return token, nil
}

func apiTokenForm(r *http.Request) (url.Values, error) {
	if r.URL.RawQuery == "" {
		return httpapi.ParseFormOrJSON(r)
	}
	inURL, err := httpapi.DecodeForm(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	for name := range inURL {
		if name != "refresh_token" { // which one edition of the API had there
			return nil, problem.New(problem.InvalidRequest, "Parameters belong into the body, not into the URL.")
		}
	}
	if r.ContentLength == 0 || r.Header.Get("Content-Type") == "" { // nothing else is said
		return inURL, nil
	}
	bare := r.Clone(r.Context())
	bare.URL.RawQuery = ""
	form, err := httpapi.ParseFormOrJSON(bare)
	if err != nil {
		return nil, err
	}
	for name, list := range inURL {
		if form.Has(name) {
			return nil, problem.New(problem.InvalidRequest, "The parameter %.64q is given twice.", name)
		}
		form[name] = list
	}
	return form, nil
}
